#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/reason.h"
#include "rules/account.h"

static void test_wrong_fields_are_named(void **state)
{
	(void)state;
	static const char *const rows[][2] = {
		{"{\"roles\":[\"admin\"]}", "name"},
		{"{\"name\":\"Sato\",\"roles\":[\"admin\"]}", "name"},
		{"{\"name\":\"sato\"}", "roles"},
		{"{\"name\":\"sato\",\"roles\":[]}", "roles"},
		{"{\"name\":\"sato\",\"roles\":[\"root\"]}", "roles"},
		{"{\"name\":\"sato\",\"tenant\":\"acme\",\"roles\":[\"operator\"]}",
			"roles"},
		{"{\"name\":\"sato\",\"roles\":[\"admin\"],\"password\":\"x\"}",
			"password"},
		{"{\"name\":\"sato\",\"roles\":[\"admin\"],\"old_passwords\":[7]}",
			"password"},
		{"{\"name\":\"sato\",\"roles\":[\"admin\"],\"must_change\":1}",
			"must_change"},
		{"{\"name\":\"sato\",\"roles\":[\"admin\"],\"language\":\"fr\"}",
			"language"},
	};
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct account account;
		struct field_error error = {0};
		assert_int_equal(account_read(rows[i][0], &account, &error),
			-REASON_BAD_VALUE);
		assert_string_equal(error.field, rows[i][1]);
	}
}

#define RECORD                                                                           \
	"scrypt$15$8$3$AAECAwQFBgcICQoLDA0ODw$"                                          \
	"AAECAwQFBgcICQoLDA0ODwABAgMEBQYHCAkKCwwNDg"

static void test_passwords_are_remembered(void **state)
{
	(void)state;
	struct account account, again;
	struct field_error error;
	char *body, *shown, record[PASSWORD_RECORD];
	const char *first = "{\"name\":\"sato\",\"roles\":[\"helpdesk\",\"auditor\"],"
			    "\"badge\":\"blue\"}";
	assert_int_equal(account_read(first, &account, &error), 0);
	account.must_change = 1;
	for (int i = 0; i < 12; i++) {
		snprintf(record, sizeof(record), RECORD "%c", "048AEIMQUYcg"[i]);
		account_set_password(&account, record, i);
	}
	assert_int_equal(account.must_change, 0);
	assert_int_equal(account.old_count, PASSWORD_RULE_HISTORY);
	snprintf(record, sizeof(record), RECORD "%c", 'c');
	assert_string_equal(account.old_passwords[0], record);
	assert_int_equal(account_write(&account, first, &body), 0);
	assert_non_null(strstr(body, "\"badge\":\"blue\""));
	assert_int_equal(account_read(body, &again, &error), 0);
	assert_memory_equal(&account, &again, sizeof(account));
	assert_int_equal(account_show(&account, &shown), 0);
	assert_null(strstr(shown, "scrypt"));
	assert_true(role_any_may(account.roles, ROLE_MAY_SESSION_END));
	assert_false(role_any_may(account.roles, ROLE_MAY_LICENSE_WRITE));
	free(body);
	free(shown);
}

static void test_codes_are_kept_and_never_shown(void **state)
{
	(void)state;
	struct account account, again;
	struct field_error error;
	char codes[TOTP_RECOVERY][PASSWORD_GENERATED], secret[TOTP_SECRET_TEXT];
	char *body, *shown;
	assert_int_equal(account_read("{\"name\":\"sato\",\"roles\":[\"admin\"]}",
				 &account, &error),
		0);
	assert_false(account.has_totp);
	assert_int_equal(totp_parse("GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ", account.totp), 0);
	account.has_totp = 1;
	account.totp_step = 77;
	assert_int_equal(totp_recovery_make(&account.recovery, codes), 0);
	assert_int_equal(totp_recovery_use(&account.recovery, codes[0]), 0);
	assert_int_equal(account_write(&account, NULL, &body), 0);
	assert_int_equal(account_read(body, &again, &error), 0);
	assert_true(again.has_totp && !again.has_totp_new);
	assert_memory_equal(again.totp, account.totp, TOTP_SECRET);
	assert_int_equal(again.totp_step, 77);
	assert_int_equal(again.recovery.count, TOTP_RECOVERY - 1);
	assert_int_equal(totp_recovery_use(&again.recovery, codes[0]),
		-REASON_TOTP_WRONG);
	assert_int_equal(totp_recovery_use(&again.recovery, codes[9]), 0);
	assert_int_equal(account_show(&account, &shown), 0);
	totp_print(account.totp, secret);
	assert_null(strstr(shown, secret));
	assert_null(strstr(shown, "3132333435"));
	assert_non_null(strstr(shown, "\"totp\":true,\"recovery_codes_left\":9"));
	account_remove_totp(&again);
	free(shown);
	assert_int_equal(account_show(&again, &shown), 0);
	assert_non_null(strstr(shown, "\"totp\":false,\"recovery_codes_left\":0"));
	free(shown);
	free(body);
}

static void test_an_epoch_never_comes_back(void **state)
{
	(void)state;
	struct account account = {0};
	account_end_sign_ins(&account, 1000);
	assert_int_equal(account.epoch, 1000);
	account_end_sign_ins(&account, 1000);
	assert_int_equal(account.epoch, 1001);
	/* A clock that was set back. */
	account_end_sign_ins(&account, 500);
	assert_int_equal(account.epoch, 1002);
}

static void test_people_change_some_fields(void **state)
{
	(void)state;
	struct account account = {
		.name = "sato", .tenant = "acme", .roles = ROLE_BIT(ROLE_ADMIN)};
	struct account before = account;
	struct field_error error;
	static const char *const refused[][2] = {{"{\"name\":\"x\"}", "name"},
		{"{\"password\":\"x\"}", "password"}, {"{\"tenant\":\"\"}", "tenant"},
		{"{\"roles\":[\"operator\"]}", "roles"}};
	for (size_t i = 0; i < ARRAY_LEN(refused); i++) {
		json_t *changes = json_loads(refused[i][0], 0, NULL);
		assert_int_equal(account_change(&account, changes, &error),
			-REASON_BAD_VALUE);
		assert_string_equal(error.field, refused[i][1]);
		assert_memory_equal(&account, &before, sizeof(account));
		json_decref(changes);
	}
	json_t *changes =
		json_loads("{\"roles\":[\"auditor\"],\"state\":\"disabled\"}", 0, NULL);
	assert_int_equal(account_change(&account, changes, &error), 0);
	assert_int_equal(account.roles, ROLE_BIT(ROLE_AUDITOR));
	assert_int_equal(account.state, ACCOUNT_DISABLED);
	json_decref(changes);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_wrong_fields_are_named),
		cmocka_unit_test(test_passwords_are_remembered),
		cmocka_unit_test(test_codes_are_kept_and_never_shown),
		cmocka_unit_test(test_an_epoch_never_comes_back),
		cmocka_unit_test(test_people_change_some_fields),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
