#include "admin/api_license_totp.h"

#include <stdio.h>
#include <string.h>

#include "admin/license_desk.h"
#include "base/clock.h"
#include "base/reason.h"
#include "base/secret.h"
#include "base/text.h"
#include "rules/qr.h"

static int remove_secret(struct license *license, void *ctx UNUSED)
{
	if (!license->totp.confirmed_ms && !license->totp.is_pending)
		return -REASON_NOT_FOUND;
	secret_wipe(&license->totp, sizeof(license->totp));
	return 0;
}

static int begin_secret(struct license *license, void *ctx UNUSED)
{
	return holder_totp_begin(&license->totp);
}

static int confirm_secret(struct license *license, void *code)
{
	return holder_totp_confirm(&license->totp, code, clock_wall_ms());
}

/* {"secret","uri","qr"}: shown once, for the holder's app. */
static json_t *show_pending(const struct license *license)
{
	char secret[TOTP_SECRET_TEXT], uri[TOTP_URI], holder[41], account[80];
	json_t *qr = NULL, *object = NULL;

	text_clip(holder, sizeof(holder), license->holder);
	snprintf(account, sizeof(account), "%s %s", holder, license->id);
	totp_print(license->totp.pending, secret);
	/* A name in letters that take much room in a link would not fit into a code. */
	int status = totp_uri(account, license->totp.pending, uri);
	if (status)
		status = totp_uri(license->id, license->totp.pending, uri);
	if (!status)
		status = qr_make(uri, &qr);
	if (!status)
		object = json_pack("{s:s, s:s, s:s, s:o}", "id", license->id, "secret",
			secret, "uri", uri, "qr", qr);
	secret_wipe(secret, sizeof(secret));
	secret_wipe(uri, sizeof(uri));
	return object;
}

void api_license_totp_begin(void *admin UNUSED, struct exchange *exchange)
{
	struct call *call = call_of(exchange);
	struct license license = {0};

	if (!license_desk_act(call, AUDIT_LICENSE_TOTP_BEGUN, begin_secret, NULL,
		    &license)) {
		json_t *answer = show_pending(&license);
		if (answer)
			exchange_json(exchange, 200, answer);
		else
			call_fail(call, -REASON_NO_MEMORY, NULL);
	}
	secret_wipe(&license, sizeof(license));
}

void api_license_totp_confirm(void *admin UNUSED, struct exchange *exchange)
{
	struct call *call = call_of(exchange);
	char code[17] = "";
	struct license license = {0};
	struct field_error error;
	struct body body;

	if (body_parse(&body, exchange))
		return;
	if (field_text(body.object, "code", FIELD_NEED, code, sizeof(code), &error))
		license_desk_fail(call, &error);
	else if (!license_desk_act(call, AUDIT_LICENSE_TOTP_SET, confirm_secret, code,
			 &license))
		exchange_json(exchange, 200, license_desk_show(&license));
	secret_wipe(&license, sizeof(license));
	body_done(&body);
}

void api_license_totp_remove(void *admin UNUSED, struct exchange *exchange)
{
	struct call *call = call_of(exchange);
	struct license license = {0};

	if (!license_desk_act(call, AUDIT_LICENSE_TOTP_REMOVED, remove_secret, NULL,
		    &license))
		exchange_empty(exchange);
	secret_wipe(&license, sizeof(license));
}
