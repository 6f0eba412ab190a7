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
			    "\"totp\":\"sealed\"}";
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
	assert_non_null(strstr(body, "\"totp\":\"sealed\""));
	assert_int_equal(account_read(body, &again, &error), 0);
	assert_memory_equal(&account, &again, sizeof(account));
	assert_int_equal(account_show(&account, &shown), 0);
	assert_null(strstr(shown, "scrypt"));
	assert_true(role_any_may(account.roles, ROLE_MAY_SESSION_END));
	assert_false(role_any_may(account.roles, ROLE_MAY_LICENSE_WRITE));
	free(body);
	free(shown);
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
		cmocka_unit_test(test_people_change_some_fields),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
