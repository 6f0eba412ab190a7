#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>

#include "base/reason.h"
#include "rules/document.h"

static char *written(const char *before, json_t *fields, int expected)
{
	char *text = NULL;
	json_t *object;
	int r = document_open(before, &object);
	if (r == 0)
		r = document_set(object, fields);
	else
		json_decref(fields);
	assert_int_equal(document_close(object, r, &text), expected);
	return text;
}

static void test_unknown_members_stay(void **state)
{
	(void)state;
	char *text = written("{\"newer\":1,\"name\":\"a\"}",
		json_pack("{s:s, s:i}", "name", "b", "age", 3), 0);
	assert_string_equal(text, "{\"newer\":1,\"name\":\"b\",\"age\":3}");
	free(text);
}

static void test_from_nothing(void **state)
{
	(void)state;
	char *text = written(NULL, json_pack("{s:s}", "name", "b"), 0);
	assert_string_equal(text, "{\"name\":\"b\"}");
	free(text);
}

static void test_damage_is_told(void **state)
{
	(void)state;
	static const char *const damaged[] = {"", "{", "[]", "{\"a\":1,\"a\":2}"};
	for (size_t i = 0; i < ARRAY_LEN(damaged); i++)
		assert_null(written(damaged[i], json_object(), -REASON_STATE_DAMAGED));
}

static void test_fields_that_could_not_be_made(void **state)
{
	(void)state;
	assert_null(written("{}", NULL, -REASON_NO_MEMORY));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_unknown_members_stay),
		cmocka_unit_test(test_from_nothing),
		cmocka_unit_test(test_damage_is_told),
		cmocka_unit_test(test_fields_that_could_not_be_made),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
