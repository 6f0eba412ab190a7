#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "base/reason.h"
#include "rules/ip_rule.h"

static void test_networks_are_read_and_printed(void **state)
{
	(void)state;
	static const char *const rows[][2] = {
		{"192.0.2.7", "192.0.2.7"},
		{"192.0.2.0/24", "192.0.2.0/24"},
		{"0.0.0.0/0", "0.0.0.0/0"},
		{"192.0.2.7/32", "192.0.2.7"},
		{"2001:db8::/32", "2001:db8::/32"},
		{"2001:DB8:0:0::1", "2001:db8::1"},
		{"::/0", "::/0"},
		{"::ffff:192.0.2.7", "192.0.2.7"},
		/* Not networks: */
		{"", NULL},
		{"192.0.2.1/24", NULL},
		{"192.0.2.0/33", NULL},
		{"192.0.2.0/", NULL},
		{"192.0.2.0/ 8", NULL},
		{"192.0.2.0/024", NULL},
		{"192.0.2.0/-1", NULL},
		{"192.0.2", NULL},
		{"192.0.2.0.0", NULL},
		{"2001:db8::1/32", NULL},
		{"2001:db8::/129", NULL},
		{"example.com", NULL},
		{"192.0.2.0/24 ", NULL},
		{"1111:2222:3333:4444:5555:6666:7777:8888:9999:aaaa:bbbb:cccc:dddd:eeee/"
		 "64",
			NULL},
	};
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct ip_rule rule = {.bits = 77};
		char text[IP_RULE_TEXT];
		int r = ip_rule_parse(rows[i][0], &rule);
		if (!rows[i][1]) {
			assert_int_equal(r, -REASON_BAD_VALUE);
			assert_int_equal(rule.bits, 77);
			continue;
		}
		assert_int_equal(r, 0);
		ip_rule_print(&rule, text);
		assert_string_equal(text, rows[i][1]);
	}
}

static void test_addresses_match(void **state)
{
	(void)state;
	static const struct {
		const char *rule, *address;
		int matches;
	} rows[] = {
		{"192.0.2.0/24", "192.0.2.255", 1},
		{"192.0.2.0/24", "192.0.3.0", 0},
		{"192.0.2.0/24", "::ffff:192.0.2.9", 1},
		{"192.0.2.128/25", "192.0.2.127", 0},
		{"192.0.2.128/25", "192.0.2.128", 1},
		{"0.0.0.0/0", "203.0.113.9", 1},
		{"0.0.0.0/0", "2001:db8::1", 0},
		{"::/0", "2001:db8::1", 1},
		{"::/0", "203.0.113.9", 0},
		{"2001:db8:1::/47", "2001:db8:1:ffff::1", 0},
		{"2001:db8:2::/47", "2001:db8:3:ffff::1", 1},
		{"0.0.0.0/0", "nonsense", 0},
		{"0.0.0.0/0", "", 0},
	};
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct ip_rule rule;
		int r = ip_rule_parse(rows[i].rule, &rule);
		if (r) {
			/* 2001:db8:1::/47 has a bit beyond its prefix. */
			assert_int_equal(rows[i].matches, 0);
			continue;
		}
		assert_int_equal(ip_rule_match(&rule, 1, rows[i].address),
			rows[i].matches);
	}
	assert_int_equal(ip_rule_match(NULL, 0, "192.0.2.1"), 0);
}

static void test_prefixes_are_households(void **state)
{
	(void)state;
	static const char *const rows[][2] = {{"192.0.2.7", "192.0.2.7"},
		{"::ffff:192.0.2.7", "192.0.2.7"},
		{"2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"},
		{"2001:db8:1:2::", "2001:db8:1:2::/64"}, {"?", "?"}, {"", "?"},
		{"192.0.2.7:80", "?"}};
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		char text[IP_RULE_TEXT];
		ip_rule_prefix(rows[i][0], text);
		assert_string_equal(text, rows[i][1]);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_networks_are_read_and_printed),
		cmocka_unit_test(test_addresses_match),
		cmocka_unit_test(test_prefixes_are_households),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
