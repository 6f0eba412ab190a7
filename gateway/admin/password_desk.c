#include "admin/password_desk.h"

#include <string.h>

#include "admin/common_password.h"
#include "admin/hashing.h"
#include "base/clock.h"
#include "base/reason.h"
#include "base/text.h"

/* 1: it is the present one or one of those before that may not come back. */
static int is_reused(struct call *call, const struct account *account,
	const struct account_security *security, const char *password)
{
	int64_t most = security->password.history;

	/* The present one never: else a change would be none. */
	if (*account->password && !hashing_check(call, account->password, password))
		return 1;
	for (size_t i = 0; i < account->old_count && (int64_t)i + 1 < most; i++)
		if (!hashing_check(call, account->old_passwords[i], password))
			return 1;
	return 0;
}

static int check(struct call *call, const struct account *account,
	const struct account_security *security, const char *password,
	struct field_error *error)
{
	int status =
		password_rule_check(&security->password, account->name, password, error);

	if (!status && security->password.common)
		status = common_password_check(account->name, password, error);
	if (!status && is_reused(call, account, security, password))
		status = field_fail(error, "", "was used before");
	return status;
}

static int refuse(struct call *call, int status, struct field_error *error)
{
	if (status == -REASON_MISSING_PROGRAM)
		return call_fail(call, status,
			"cracklib-runtime: the list of common passwords");
	if (status != -REASON_BAD_VALUE)
		return call_fail(call, status, NULL);
	text_clip(error->field, sizeof(error->field), "new");
	return call_fail_field(call, -REASON_PASSWORD_WEAK, error);
}

int password_desk_choose(struct call *call, const struct account *account,
	const struct account_security *security, const char *password,
	char ret[static PASSWORD_RECORD])
{
	struct field_error error;
	int status = hashing_begin(call);

	if (status)
		return call_fail(call, status, NULL);
	status = check(call, account, security, password, &error);
	if (status) {
		hashing_end(call);
		return refuse(call, status, &error);
	}
	status = hashing_make(call, password, ret);
	hashing_end(call);
	return status ? call_fail(call, status, NULL) : 0;
}

int password_desk_give(struct call *call, struct account *account,
	char ret[static PASSWORD_GENERATED])
{
	char record[PASSWORD_RECORD];
	int status = password_generate(ret);

	if (!status)
		status = hashing_begin(call);
	if (status)
		return status;
	status = hashing_make(call, ret, record);
	hashing_end(call);
	if (status)
		return status;
	account_set_password(account, record, clock_wall_ms());
	account_end_sign_ins(account, account->password_ms);
	account->must_change = 1;
	return 0;
}
