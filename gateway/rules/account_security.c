#include "rules/account_security.h"

#include <stdio.h>

#include "base/reason.h"

#define MINUTE_MS INT64_C(60000)
#define HOUR_MS (60 * MINUTE_MS)
#define WHOLE_FAILURES 20
#define ADDRESS_FAILURES 20
#define ADDRESS_WINDOW_MS (10 * MINUTE_MS)
#define ADDRESS_LOCK_MS (15 * MINUTE_MS)

void account_security_default(struct account_security *ret)
{
	*ret = (struct account_security){.idle_ms = 15 * MINUTE_MS,
		.absolute_ms = 12 * HOUR_MS,
		.failures = 5,
		.lock_ms = 15 * MINUTE_MS};
	password_rule_default(&ret->password);
}

void account_security_id(const char *tenant, char ret[static ACCOUNT_SECURITY_ID])
{
	snprintf(ret, ACCOUNT_SECURITY_ID, "security/%s", tenant);
}

static int read_addresses(const json_t *changes, struct account_security *ret,
	struct field_error *error)
{
	const json_t *list = json_object_get(changes, "addresses"), *item;
	size_t i;

	if (!list)
		return 0;
	if (!json_is_array(list) || json_array_size(list) > ACCOUNT_SECURITY_ADDRESSES)
		return field_fail(error, "addresses",
			"a list of at most %d networks is expected",
			ACCOUNT_SECURITY_ADDRESSES);
	json_array_foreach(list, i, item)
	{
		const char *text = json_string_value(item);
		if (!text || ip_rule_parse(text, &ret->addresses[i]))
			return field_fail(error, "addresses",
				"entry %zu: a network such as 192.0.2.0/24 or "
				"2001:db8::/32 is expected",
				i + 1);
	}
	ret->address_count = json_array_size(list);
	return 0;
}

static int read_lockout(const json_t *changes, struct account_security *ret,
	struct field_error *error)
{
	static const char *const known[] = {"failures", "lock_ms", NULL};
	const json_t *lockout = json_object_get(changes, "lockout");

	if (!lockout)
		return 0;
	if (!json_is_object(lockout))
		return field_fail(error, "lockout", "a JSON object is expected");
	int r = field_known(lockout, known, error);
	if (r == 0)
		r = field_integer(lockout, "failures", FIELD_MAY, 1, 100, &ret->failures,
			error);
	if (r == 0)
		r = field_integer(lockout, "lock_ms", FIELD_MAY, 1000, 24 * HOUR_MS,
			&ret->lock_ms, error);
	return r;
}

static int read_password(const json_t *changes, struct account_security *ret,
	struct field_error *error)
{
	const json_t *password = json_object_get(changes, "password");
	return password ? password_rule_change(&ret->password, password, error) : 0;
}

int account_security_change(struct account_security *security, const json_t *changes,
	struct field_error *error)
{
	static const char *const known[] = {"totp_required", "password", "addresses",
		"idle_ms", "absolute_ms", "lockout", NULL};
	struct account_security changed = *security;

	if (!json_is_object(changes))
		return field_fail(error, "", "a JSON object is expected");
	int r = field_known(changes, known, error);
	if (r == 0)
		r = field_flag(changes, "totp_required", &changed.totp_required, error);
	if (r == 0)
		r = field_integer(changes, "idle_ms", FIELD_MAY, MINUTE_MS, 24 * HOUR_MS,
			&changed.idle_ms, error);
	if (r == 0)
		r = field_integer(changes, "absolute_ms", FIELD_MAY, 5 * MINUTE_MS,
			30 * 24 * HOUR_MS, &changed.absolute_ms, error);
	if (r == 0)
		r = read_password(changes, &changed, error);
	if (r == 0)
		r = read_addresses(changes, &changed, error);
	if (r == 0)
		r = read_lockout(changes, &changed, error);
	if (r == 0)
		*security = changed;
	return r;
}

int account_security_read(const char *body, struct account_security *ret,
	struct field_error *error)
{
	struct account_security security;
	json_t *object;

	account_security_default(&security);
	int r = field_parse(body, &object, error);
	if (r)
		return r;
	r = account_security_change(&security, object, error);
	json_decref(object);
	if (r == 0)
		*ret = security;
	return r;
}

json_t *account_security_json(const struct account_security *security)
{
	char text[IP_RULE_TEXT];
	json_t *addresses = json_array();

	for (size_t i = 0; i < security->address_count; i++) {
		ip_rule_print(&security->addresses[i], text);
		if (json_array_append_new(addresses, json_string(text))) {
			json_decref(addresses);
			return NULL;
		}
	}
	return json_pack("{s:b, s:o, s:o, s:I, s:I, s:{s:I, s:I}}", "totp_required",
		security->totp_required, "password",
		password_rule_json(&security->password), "addresses", addresses,
		"idle_ms", (json_int_t)security->idle_ms, "absolute_ms",
		(json_int_t)security->absolute_ms, "lockout", "failures",
		(json_int_t)security->failures, "lock_ms", (json_int_t)security->lock_ms);
}

int account_security_permits(const struct account_security *security, const char *address)
{
	return !security->address_count ||
	       ip_rule_match(security->addresses, security->address_count, address);
}

struct lockout_limits account_security_limits(const struct account_security *security)
{
	int64_t whole =
		security->failures > WHOLE_FAILURES ? security->failures : WHOLE_FAILURES;
	return (struct lockout_limits){
		security->failures, whole, security->lock_ms, security->lock_ms};
}

struct lockout_limits account_security_address_limits(void)
{
	return (struct lockout_limits){
		ADDRESS_FAILURES, 0, ADDRESS_LOCK_MS, ADDRESS_WINDOW_MS};
}
