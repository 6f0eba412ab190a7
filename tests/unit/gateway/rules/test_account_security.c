#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "base/reason.h"
#include "rules/account_security.h"

static int change(struct account_security *security, const char *text,
	struct field_error *error)
{
	json_t *changes = json_loads(text, 0, NULL);
	assert_non_null(changes);
	int status = account_security_change(security, changes, error);
	json_decref(changes);
	return status;
}

static void wrong_fields_are_named_and_change_nothing(void **state)
{
	(void)state;
	static const char *const rows[][2] = {
		{"{\"totp_required\":1}", "totp_required"},
		{"{\"idle_ms\":59999}", "idle_ms"},
		{"{\"idle_ms\":86400001}", "idle_ms"},
		{"{\"absolute_ms\":299999}", "absolute_ms"},
		{"{\"password\":{\"min_length\":7}}", "min_length"},
		{"{\"password\":[]}", "password"},
		{"{\"password\":{\"common\":1}}", "common"},
		{"{\"addresses\":\"192.0.2.0/24\"}", "addresses"},
		{"{\"addresses\":[\"192.0.2.1/24\"]}", "addresses"},
		{"{\"addresses\":[7]}", "addresses"},
		{"{\"lockout\":{\"failures\":0}}", "failures"},
		{"{\"lockout\":{\"lock_ms\":86400001}}", "lock_ms"},
		{"{\"lockout\":{\"window\":1}}", "window"},
		{"{\"totp\":true}", "totp"},
		{"{\"idle_ms\":60000,\"absolute_ms\":1}", "absolute_ms"},
	};
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct account_security security, before;
		struct field_error error = {0};
		account_security_default(&security);
		before = security;
		assert_int_equal(change(&security, rows[i][0], &error),
			-REASON_BAD_VALUE);
		assert_string_equal(error.field, rows[i][1]);
		assert_memory_equal(&security, &before, sizeof(before));
	}
}

static void what_is_written_is_read_again(void **state)
{
	(void)state;
	struct account_security security, again;
	struct field_error error;
	account_security_default(&security);
	assert_int_equal(
		change(&security,
			"{\"totp_required\":true,\"addresses\":[\"192.0.2.0/24\","
			"\"2001:db8::/32\"],\"password\":{\"min_length\":16},"
			"\"lockout\":{\"failures\":3}}",
			&error),
		0);
	/* What was not named stays. */
	assert_int_equal(security.password.min_classes, 3);
	assert_int_equal(security.idle_ms, 15 * 60000);
	assert_int_equal(security.lock_ms, 15 * 60000);
	json_t *object = account_security_json(&security);
	char *text = json_dumps(object, JSON_COMPACT);
	assert_int_equal(account_security_read(text, &again, &error), 0);
	assert_memory_equal(&security, &again, sizeof(security));
	free(text);
	json_decref(object);
}

static void networks_decide_who_may_come(void **state)
{
	(void)state;
	static const struct {
		const char *address;
		int permitted;
	} rows[] = {{"192.0.2.7", 1}, {"192.0.3.7", 0}, {"::ffff:192.0.2.7", 1},
		{"2001:db8:1::7", 1}, {"2001:db9::7", 0}, {"", 0}, {"unix", 0}};
	struct account_security security;
	struct field_error error;
	account_security_default(&security);
	assert_true(account_security_permits(&security, "203.0.113.9"));
	assert_int_equal(change(&security,
				 "{\"addresses\":[\"192.0.2.0/24\",\"2001:db8::/32\"]}",
				 &error),
		0);
	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		assert_int_equal(account_security_permits(&security, rows[i].address),
			rows[i].permitted);
	assert_int_equal(change(&security, "{\"addresses\":[]}", &error), 0);
	assert_true(account_security_permits(&security, "203.0.113.9"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(wrong_fields_are_named_and_change_nothing),
		cmocka_unit_test(what_is_written_is_read_again),
		cmocka_unit_test(networks_decide_who_may_come),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
