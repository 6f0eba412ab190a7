#include "admission/admission_totp.h"

#include <stdlib.h>

#include "admission/admission_case.h"
#include "admission/admission_store.h"
#include "base/reason.h"
#include "rules/device_book.h"

/* The document with the step of this code used up. */
static int use_code(void *ctx, const char *body, char **ret_body)
{
	struct admission_case *one = ctx;
	struct field_error error;
	struct license license;
	if (!body || license_read(body, &license, &error))
		return body ? -REASON_STATE_DAMAGED : -REASON_LICENSE_UNKNOWN;
	int r = holder_totp_check(&license.totp, one->request.totp, one->now_ms);
	return r ? r : license_write(&license, body, ret_body);
}

/* What it showed for an older secret proves nothing about this one. */
static int is_remembered(struct admission_case *one)
{
	char *body;
	int r = admission_store_get(one->store, STATE_DEVICE, one->license.id, &body);
	if (r)
		return r == -REASON_NOT_FOUND ? 0 : r;
	int64_t proved_ms = device_book_proved_ms(body, one->device_id);
	free(body);
	return proved_ms >= one->license.totp.confirmed_ms && proved_ms > 0 &&
	       one->now_ms - proved_ms < HOLDER_TOTP_REMEMBER_MS;
}

int admission_totp_check(struct admission_case *one)
{
	if (!one->license.totp.confirmed_ms)
		return 0;
	if (*one->request.totp) {
		int r = admission_store_update(one->store, STATE_LICENSE, one->license.id,
			one->license.tenant, use_code, one);
		if (r == 0)
			one->proved_ms = one->now_ms;
		return r;
	}
	int remembered = is_remembered(one);
	if (remembered > 0)
		one->resume_only = REASON_TOTP_NEEDED;
	return remembered > 0 ? 0 : remembered ? remembered : -REASON_TOTP_NEEDED;
}
