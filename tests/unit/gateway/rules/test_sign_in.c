#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "base/reason.h"
#include "rules/sign_in.h"

#define MINUTE INT64_C(60000)

static void the_store_cannot_sign_in(void **state)
{
	(void)state;
	struct sign_in sign_in = {.account = "sato", .epoch = 1}, again;
	char cookie[SIGN_IN_COOKIE], other[SIGN_IN_COOKIE], id[SIGN_IN_ID],
		csrf[SIGN_IN_COOKIE], *body;
	assert_int_equal(sign_in_generate(&sign_in, other), 0);
	assert_int_equal(sign_in_generate(&sign_in, cookie), 0);
	assert_string_not_equal(cookie, other);
	assert_int_equal(strlen(cookie), SIGN_IN_COOKIE - 1);
	assert_int_equal(sign_in_id(cookie, id), 0);
	assert_string_equal(id, sign_in.id);
	assert_int_equal(sign_in_csrf(cookie, csrf), 0);
	assert_int_equal(sign_in_write(&sign_in, &body), 0);
	assert_null(strstr(body, cookie));
	assert_null(strstr(body, csrf));
	assert_int_equal(sign_in_read(sign_in.id, body, &again), 0);
	assert_memory_equal(&sign_in, &again, sizeof(again));
	free(body);
	assert_int_equal(sign_in_csrf(other, csrf), 0);
	char mine[SIGN_IN_COOKIE];
	assert_int_equal(sign_in_csrf(cookie, mine), 0);
	assert_string_not_equal(csrf, mine);
	static const char *const wrong[] = {"", "A",
		"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA",
		"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA",
		"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA/A"};
	for (size_t i = 0; i < ARRAY_LEN(wrong); i++)
		assert_int_equal(sign_in_id(wrong[i], id), -REASON_UNAUTHENTICATED);
	static const char *const damaged[] = {"", "[]", "{}", "{\"account\":\"sato\"}",
		"{\"account\":\"sato\",\"epoch\":\"1\"}"};
	for (size_t i = 0; i < ARRAY_LEN(damaged); i++)
		assert_int_equal(sign_in_read("x", damaged[i], &again),
			-REASON_STATE_DAMAGED);
}

/* One row, one thing that is other than it should be. */
static void it_ends(void **state)
{
	(void)state;
	static const struct {
		int64_t seen_ms, now_ms, epoch;
		int state, good;
		const char *account, *tenant;
	} rows[] = {
		{0, 1, 7, ACCOUNT_ENABLED, 1, "sato", "acme"},
		{0, 15 * MINUTE - 1, 7, ACCOUNT_ENABLED, 1, "sato", "acme"},
		{0, 15 * MINUTE, 7, ACCOUNT_ENABLED, 0, "sato", "acme"},
		{12 * 60 * MINUTE - 1, 12 * 60 * MINUTE - 1, 7, ACCOUNT_ENABLED, 1,
			"sato", "acme"},
		{12 * 60 * MINUTE - 1, 12 * 60 * MINUTE, 7, ACCOUNT_ENABLED, 0, "sato",
			"acme"},
		{0, 1, 8, ACCOUNT_ENABLED, 0, "sato", "acme"},
		{0, 1, 6, ACCOUNT_ENABLED, 0, "sato", "acme"},
		{0, 1, 7, ACCOUNT_DISABLED, 0, "sato", "acme"},
		{0, 1, 7, ACCOUNT_ENABLED, 0, "suzuki", "acme"},
		{0, 1, 7, ACCOUNT_ENABLED, 0, "sato", "other"},
	};
	struct account_security security;
	account_security_default(&security);
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct account account = {
			.name = "sato", .tenant = "acme", .state = rows[i].state};
		struct sign_in sign_in = {.epoch = 7, .seen_ms = rows[i].seen_ms};
		account.epoch = rows[i].epoch;
		strcpy(sign_in.account, rows[i].account);
		strcpy(sign_in.tenant, rows[i].tenant);
		assert_int_equal(sign_in_check(&sign_in, &account, &security,
					 rows[i].now_ms),
			rows[i].good ? 0 : -REASON_UNAUTHENTICATED);
	}
}

static void a_secret_is_fresh_for_a_while(void **state)
{
	(void)state;
	struct sign_in sign_in = {.proved_ms = 100 * MINUTE};
	assert_int_equal(sign_in_step_up_until(&sign_in, 5 * MINUTE, 100 * MINUTE),
		105 * MINUTE);
	assert_int_equal(sign_in_step_up_until(&sign_in, 5 * MINUTE, 105 * MINUTE - 1),
		105 * MINUTE);
	assert_int_equal(sign_in_step_up_until(&sign_in, 5 * MINUTE, 105 * MINUTE), 0);
	/* A clock that was set back by an hour does not make it last for one. */
	assert_int_equal(sign_in_step_up_until(&sign_in, 5 * MINUTE, 40 * MINUTE), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_store_cannot_sign_in),
		cmocka_unit_test(it_ends),
		cmocka_unit_test(a_secret_is_fresh_for_a_while),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
