#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "screen/latin1.h"

static void test_both_ways(void **state)
{
	(void)state;
	size_t len;
	char *utf8 = latin1_to_utf8("caf\xe9\r\n\xff", 7, &len);
	assert_string_equal(utf8, "café\nÿ");
	assert_int_equal(len, strlen("café\nÿ"));
	char *back = latin1_from_utf8(utf8, len, &len);
	assert_string_equal(back, "caf\xe9\n\xff");
	assert_int_equal(len, 6);
	free(utf8);
	free(back);
}

static void test_what_latin1_lacks(void **state)
{
	(void)state;
	size_t len = 77;
	assert_null(latin1_from_utf8("日本", 6, &len));
	assert_null(latin1_from_utf8("Ā", 2, &len)); /* U+0100, the first one outside */
	assert_null(latin1_from_utf8("\xc3", 1, &len));
	assert_int_equal(len, 77);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_both_ways),
		cmocka_unit_test(test_what_latin1_lacks),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
