#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "base/reason.h"
#include "rules/field.h"

static void test_text_that_deceives(void **state)
{
	(void)state;
	static const struct {
		const char *text, *plain;
	} rows[] = {
		{"佐藤 <b>&", NULL}, /* NULL: stays as it is */
		{"emoji 😀", NULL},
		{"", NULL},
		{"a\tb", "ab"},
		{"a\x7f"
		 "b",
			"ab"},
		{"a\xc2\x85"
		 "b",
			"ab"},
		{"a\xe2\x80\xae"
		 "b",
			"ab"},
		{"a\xe2\x81\xa6"
		 "b",
			"ab"},
		{"a\xe2\x80\xa8"
		 "b",
			"ab"},
		{"a\xd8\x9c"
		 "b",
			"ab"},
		{"\xef\xbb\xbf"
		 "a",
			"a"},
		{"bad\xff", ""},
		{"half\xe7\xb8", ""},
	};
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		char plain[64];
		field_plain(plain, sizeof(plain), rows[i].text);
		assert_string_equal(plain, rows[i].plain ? rows[i].plain : rows[i].text);
		assert_int_equal(field_is_plain(rows[i].text), rows[i].plain == NULL);
		assert_true(field_is_plain(plain));
	}
	char small[6];
	field_plain(small, sizeof(small), "ab縁縁");
	assert_string_equal(small, "ab縁");
	field_plain(small, 1, "ab");
	assert_string_equal(small, "");
}

static void test_members_are_typed(void **state)
{
	(void)state;
	json_t *object;
	struct field_error error = {0};
	char text[4] = "old";
	int64_t number = 7, ms = 7;
	int flag = 7, word = 7;
	uint8_t bytes[2] = {7, 7};
	static const char *const words[] = {"one", "two", NULL};
	assert_int_equal(field_parse("{\"t\":\"abc\",\"n\":5,\"f\":true,\"w\":\"two\","
				     "\"h\":\"0aFF\",\"z\":null,"
				     "\"long\":\"abcd\",\"time\":"
				     "\"2026-11-22T12:00:00Z\"}",
				 &object, &error),
		0);
	assert_int_equal(field_text(object, "t", FIELD_NEED, text, sizeof(text), &error),
		0);
	assert_string_equal(text, "abc");
	assert_int_equal(field_text(object, "z", FIELD_MAY, text, sizeof(text), &error),
		0);
	assert_int_equal(field_text(object, "gone", FIELD_MAY, text, sizeof(text),
				 &error),
		0);
	assert_string_equal(text, "abc");
	assert_int_equal(field_text(object, "z", FIELD_NEED, text, sizeof(text), &error),
		-REASON_BAD_VALUE);
	assert_string_equal(error.field, "z");
	assert_int_equal(field_text(object, "long", FIELD_MAY, text, sizeof(text),
				 &error),
		-REASON_BAD_VALUE);
	assert_int_equal(field_integer(object, "n", FIELD_NEED, 5, 5, &number, &error),
		0);
	assert_int_equal(field_integer(object, "n", FIELD_NEED, 6, 9, &number, &error),
		-REASON_BAD_VALUE);
	assert_int_equal(field_integer(object, "t", FIELD_MAY, 0, 9, &number, &error),
		-REASON_BAD_VALUE);
	assert_int_equal(number, 5);
	assert_int_equal(field_flag(object, "f", &flag, &error), 0);
	assert_int_equal(flag, 1);
	assert_int_equal(field_flag(object, "n", &flag, &error), -REASON_BAD_VALUE);
	assert_int_equal(field_word(object, "w", FIELD_NEED, words, &word, &error), 0);
	assert_int_equal(word, 1);
	assert_int_equal(field_word(object, "t", FIELD_NEED, words, &word, &error),
		-REASON_BAD_VALUE);
	assert_int_equal(field_hex(object, "h", FIELD_NEED, bytes, 2, &error), 0);
	assert_int_equal(bytes[0], 0x0a);
	assert_int_equal(bytes[1], 0xff);
	assert_int_equal(field_hex(object, "h", FIELD_NEED, bytes, 1, &error),
		-REASON_BAD_VALUE);
	assert_int_equal(field_time(object, "time", &ms, &error), 0);
	assert_int_equal(ms, INT64_C(1795348800000));
	assert_int_equal(field_time(object, "n", &ms, &error), 0);
	assert_int_equal(ms, 5);
	assert_int_equal(field_time(object, "f", &ms, &error), -REASON_BAD_VALUE);
	assert_int_equal(field_known(object, words, &error), -REASON_BAD_VALUE);
	json_decref(object);
	static const char *const wrong[] = {
		"", "7", "[]", "{\"a\":1,\"a\":1}", "{} x", "{\"a\":\"\xff\"}"};
	for (size_t i = 0; i < ARRAY_LEN(wrong); i++)
		assert_int_equal(field_parse(wrong[i], &object, &error),
			-REASON_BAD_VALUE);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_text_that_deceives),
		cmocka_unit_test(test_members_are_typed),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
