#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <ldap.h>
#include <string.h>

#include "base/reason.h"
#include "directory/ldap_text.h"

#define TEMPLATE "uid={user},ou=people,dc=example"
#define FILTER "(&(objectClass=person)(uid={user}))"

static void test_what_it_becomes(void **state)
{
	(void)state;
	static const char *const rows[][2] = {
		{"alice", "(&(objectClass=person)(uid=alice))"},
		{"a.b-c_d@example.jp", "(&(objectClass=person)(uid=a.b-c_d@example.jp))"},
		{"*", "(&(objectClass=person)(uid=\\2a))"},
		{"a)(uid=*", "(&(objectClass=person)(uid=a\\29\\28uid\\3d\\2a))"},
		{"a\\", "(&(objectClass=person)(uid=a\\5c))"},
		{"縁", "(&(objectClass=person)(uid=\\e7\\b8\\81))"},
	};
	char text[LDAP_TEXT_SIZE];
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		assert_int_equal(ldap_text_fill(text, FILTER, rows[i][0]), 0);
		assert_string_equal(text, rows[i][1]);
	}
}

/* Whatever is typed: the DN keeps its four parts, and the first one's value is what was typed. */
static void check_dn(const char *user)
{
	char text[LDAP_TEXT_SIZE];
	LDAPDN dn = NULL;
	assert_int_equal(ldap_text_fill(text, TEMPLATE, user), 0);
	assert_int_equal(ldap_str2dn(text, &dn, LDAP_DN_FORMAT_LDAPV3), LDAP_SUCCESS);
	size_t parts = 0;
	while (dn[parts])
		parts++;
	assert_int_equal(parts, 3);
	assert_null(dn[0][1]);
	assert_int_equal(dn[0][0]->la_attr.bv_len, 3);
	assert_int_equal(dn[0][0]->la_value.bv_len, strlen(user));
	assert_memory_equal(dn[0][0]->la_value.bv_val, user, strlen(user));
	ldap_dnfree(dn);
}

static void test_a_name_stays_a_value(void **state)
{
	(void)state;
	static const char *const users[] = {"a,ou=admins", "a+cn=b", "#04024869", " a ",
		"a\\,b", "\"a\"", "a;b", "<a>", "a=b", "a\\2cb", "\x01", "縁側", "a\nb"};
	for (size_t i = 0; i < ARRAY_LEN(users); i++)
		check_dn(users[i]);
	for (int byte = 1; byte < 128; byte++)
		check_dn((const char[]){(char)byte, 0});
}

static void test_bounds(void **state)
{
	(void)state;
	char text[LDAP_TEXT_SIZE] = "before", user[LDAP_TEXT_SIZE / 2];
	memset(user, '(', sizeof(user) - 1);
	user[sizeof(user) - 1] = 0;
	assert_int_equal(ldap_text_fill(text, FILTER, user), -REASON_LIMIT);
	assert_int_equal(ldap_text_fill(text, "uid=x", "a"), -REASON_BAD_VALUE);
	assert_string_equal(text, "before");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_what_it_becomes),
		cmocka_unit_test(test_a_name_stays_a_value),
		cmocka_unit_test(test_bounds),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
