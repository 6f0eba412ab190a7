#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "rules/host_inventory.h"

static void test_only_harmless_members_stay(void **state)
{
	(void)state;
	static const char *const rows[][2] = {
		{"", "{}"},
		{"[1]", "{}"},
		{"{", "{}"},
		{"{\"a\":1,\"a\":2}", "{}"},
		{"{\"os\":\"Debian\",\"n\":1.5,\"ok\":true,\"gone\":null}",
			"{\"os\":\"Debian\",\"n\":1.5,\"ok\":true}"},
		{"{\"Upper\":1,\"with space\":1,\"\":1,\"__proto__\":1}",
			"{\"__proto__\":1}"},
		{"{\"s\":\"a\\u0000b\"}", "{}"},
		{"{\"s\":\"\\u001b[31m\\u202eabc\\u2028\\u200b\"}",
			"{\"s\":\"[31mabc\"}"},
		{"{\"a\":{\"b\":{\"c\":{\"d\":1}}}}", "{\"a\":{\"b\":{\"c\":{}}}}"},
		{"{\"l\":[[[[1]]],2]}", "{\"l\":[[[]],2]}"},
	};
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		char *clean;
		assert_int_equal(host_inventory_clean(rows[i][0], &clean), 0);
		assert_string_equal(clean, rows[i][1]);
		free(clean);
	}
}

static void test_size_is_bounded(void **state)
{
	(void)state;
	char text[8000] = "{\"s\":\"", *clean;
	size_t used = strlen(text);
	for (int i = 0; i < 200; i++)
		used += (size_t)snprintf(text + used, sizeof(text) - used, "縁");
	used += (size_t)snprintf(text + used, sizeof(text) - used, "\"");
	for (int i = 0; i < 200; i++)
		used += (size_t)snprintf(text + used, sizeof(text) - used, ",\"m%d\":%d",
			i, i);
	snprintf(text + used, sizeof(text) - used, "}");
	assert_int_equal(host_inventory_clean(text, &clean), 0);
	/* 256 bytes hold 85 characters of three, and no half one. */
	assert_non_null(strstr(clean, "縁\",\"m0\":0,"));
	assert_non_null(strstr(clean, "\"m62\":62}"));
	assert_int_equal(strcspn(clean, ","), strlen("{\"s\":\"\"") + 85 * 3);
	free(clean);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_only_harmless_members_stay),
		cmocka_unit_test(test_size_is_bounded),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
