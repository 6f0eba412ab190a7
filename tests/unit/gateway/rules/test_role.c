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
	assert_true(role_covers(ROLE_OPERATOR, ROLE_ADMIN));
	assert_false(role_covers(ROLE_ADMIN, ROLE_OPERATOR));
	assert_false(role_any_may(0, ROLE_MAY_LICENSE_READ));
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
		cmocka_unit_test(test_names),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
