#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "base/text.h"
#include "http/detail.h"

static const char *ja(const char *detail)
{
	static char room[DETAIL_MAX];
	return detail_in(REASON_JA, detail, room);
}

static void whole_texts_and_those_behind_a_field(void **state)
{
	(void)state;
	assert_string_equal(ja("is needed"), "入力してください");
	assert_string_equal(ja("holder: is needed"), "holder: 入力してください");
	assert_string_equal(ja("state: online or offline"),
		"state: online か offline にしてください");
}

static void what_is_different_is_carried_over(void **state)
{
	(void)state;
	assert_string_equal(ja("name: longer than 64 bytes"),
		"name: 64バイトを超えています");
	assert_string_equal(ja("line 3, column 9: end of file"),
		"3行目 9文字目: end of file");
	assert_string_equal(ja("hours: \"8時\" is expected as \"08:00\""),
		"hours: 「8時」は「08:00」の形で入力してください");
	assert_string_equal(ja("a number from -5 to 70 is expected"),
		"-5から70までの数値を入力してください");
}

static void the_rest_stays(void **state)
{
	char room[DETAIL_MAX];
	(void)state;
	assert_null(ja(NULL));
	assert_string_equal(ja("something new"), "something new");
	assert_string_equal(ja("is needed: badly"), "is needed: badly");
	assert_string_equal(ja("longer than 64 bytes or so"),
		"longer than 64 bytes or so");
	assert_string_equal(detail_in(REASON_EN, "is needed", room), "is needed");
}

/* A value is somebody else's text and may be as long as it likes. */
static void nothing_overflows(void **state)
{
	char text[2000], room[DETAIL_MAX];
	(void)state;
	memset(text, 'x', sizeof(text));
	memcpy(text, "is not one of the known words, such as ", 39);
	text[sizeof(text) - 1] = '\0';
	assert_int_equal(strlen(detail_in(REASON_JA, text, room)), DETAIL_MAX - 1);
	memset(text, ':', 1000);
	memcpy(text + 1000, ": is needed", 12);
	assert_string_equal(ja(text), text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(whole_texts_and_those_behind_a_field),
		cmocka_unit_test(what_is_different_is_carried_over),
		cmocka_unit_test(the_rest_stays),
		cmocka_unit_test(nothing_overflows),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
