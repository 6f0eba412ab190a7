#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "base/reason.h"
#include "rules/password.h"
#include "rules/password_rule.h"

static void test_which_passwords_may_be_chosen(void **state)
{
	(void)state;
	static const struct {
		const char *password;
		int good;
	} rows[] = {
		{"Correct-Horse-1", 1},
		{"correct-horse-1", 1},
		{"Short-1", 0},
		{"alllowercaseletters", 0},
		{"lowercaseandDIGITLESS", 0},
		{"xxSatoxx-1234567", 0},
		{"My-ENGAWA-4711xyz", 0},
		{"縁側縁側縁側縁側縁側Aa", 1},
		{"縁側縁側縁側Aa", 0},
		{"Bad\xff-utf8-1234567", 0},
	};
	struct password_rule rule;
	password_rule_default(&rule);
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct field_error error = {0};
		int r = password_rule_check(&rule, "sato", rows[i].password, &error);
		assert_int_equal(r, rows[i].good ? 0 : -REASON_BAD_VALUE);
		assert_int_equal(*error.message != 0, !rows[i].good);
	}
}

static void test_age(void **state)
{
	(void)state;
	struct password_rule rule;
	password_rule_default(&rule);
	assert_false(password_rule_too_old(&rule, 0, INT64_MAX));
	rule.max_age_ms = 10;
	assert_false(password_rule_too_old(&rule, 100, 109));
	assert_true(password_rule_too_old(&rule, 100, 110));
}

static void test_rules_are_read(void **state)
{
	(void)state;
	struct password_rule rule;
	struct field_error error;
	json_t *good = json_loads("{\"min_length\":16,\"history\":8}", 0, NULL);
	json_t *weak = json_loads("{\"min_length\":4}", 0, NULL);
	json_t *unknown = json_loads("{\"length\":14}", 0, NULL);
	password_rule_default(&rule);
	assert_int_equal(password_rule_change(&rule, good, &error), 0);
	assert_int_equal(rule.min_length, 16);
	assert_int_equal(rule.min_classes, 3);
	assert_int_equal(password_rule_change(&rule, weak, &error), -REASON_BAD_VALUE);
	assert_string_equal(error.field, "min_length");
	assert_int_equal(password_rule_change(&rule, unknown, &error), -REASON_BAD_VALUE);
	assert_int_equal(rule.min_length, 16);
	json_decref(good);
	json_decref(weak);
	json_decref(unknown);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_which_passwords_may_be_chosen),
		cmocka_unit_test(test_age),
		cmocka_unit_test(test_rules_are_read),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
