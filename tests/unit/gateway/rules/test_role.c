#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "base/reason.h"
#include "rules/role.h"

static void test_the_table_makes_sense(void **state)
{
	(void)state;
	for (size_t i = 0; i < ROLE_PERMISSIONS; i++) {
		enum role_permission permission = (enum role_permission)i;
		assert_true(*role_permission_name(permission));
		assert_true(*role_permission_help(permission));
		/* The operator may all. Who only reads must not write. */
		assert_true(role_may(ROLE_OPERATOR, permission));
		if (strstr(role_permission_name(permission), ".write"))
			assert_false(role_may(ROLE_AUDITOR, permission));
		for (size_t k = 0; k < i; k++)
			assert_string_not_equal(role_permission_name(permission),
				role_permission_name((enum role_permission)k));
	}
	assert_false(role_may(ROLE_HELPDESK, ROLE_MAY_LICENSE_WRITE));
	assert_false(role_any_may(0, ROLE_MAY_LICENSE_READ));
}

/* Who may give which role: rows are what somebody has, columns what he wants to give. */
static void test_who_may_give_what(void **state)
{
	(void)state;
	static const struct {
		unsigned has;
		const char *tenant, *gives; /* operator admin helpdesk auditor */
	} rows[] = {
		{ROLE_BIT(ROLE_OPERATOR), "", "yyyy"},
		{ROLE_BIT(ROLE_ADMIN), "", "nyyn"},
		{ROLE_BIT(ROLE_HELPDESK), "", "nnyn"},
		{ROLE_BIT(ROLE_AUDITOR), "", "nnny"},
		{ROLE_BIT(ROLE_ADMIN), "acme", "nyyy"},
		{ROLE_BIT(ROLE_HELPDESK), "acme", "nnyn"},
		{ROLE_BIT(ROLE_AUDITOR), "acme", "nnny"},
		{ROLE_BIT(ROLE_HELPDESK) | ROLE_BIT(ROLE_AUDITOR), "acme", "nnyy"},
		{0, "acme", "nnnn"},
	};
	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		for (int k = 0; k < ROLES; k++)
			assert_int_equal(role_covers(rows[i].has, ROLE_BIT(k),
						 rows[i].tenant),
				rows[i].gives[k] == 'y');
	/* All that is given together counts together. */
	assert_false(role_covers(ROLE_BIT(ROLE_HELPDESK),
		ROLE_BIT(ROLE_HELPDESK) | ROLE_BIT(ROLE_AUDITOR), "acme"));
}

static void test_a_company_has_no_part_in_the_service(void **state)
{
	(void)state;
	for (int i = 0; i < ROLE_PERMISSIONS; i++) {
		enum role_permission permission = (enum role_permission)i;
		assert_int_equal(role_may_in(ROLE_BIT(ROLE_OPERATOR), "acme", permission),
			!role_is_of_service(permission));
		assert_true(role_may_in(ROLE_BIT(ROLE_OPERATOR), "", permission));
	}
	assert_true(role_is_of_service(ROLE_MAY_NODE_READ));
	assert_false(role_is_of_service(ROLE_MAY_LICENSE_READ));
	assert_int_equal(role_first(ROLE_BIT(ROLE_AUDITOR) | ROLE_BIT(ROLE_ADMIN)),
		ROLE_ADMIN);
}

static void test_names(void **state)
{
	(void)state;
	for (int i = 0; i < ROLES; i++) {
		enum role role = ROLES;
		assert_int_equal(role_parse(role_name((enum role)i), &role), 0);
		assert_int_equal(role, i);
	}
	enum role role = ROLE_AUDITOR;
	assert_int_equal(role_parse("root", &role), -REASON_BAD_VALUE);
	assert_int_equal(role, ROLE_AUDITOR);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_the_table_makes_sense),
		cmocka_unit_test(test_who_may_give_what),
		cmocka_unit_test(test_a_company_has_no_part_in_the_service),
		cmocka_unit_test(test_names),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
