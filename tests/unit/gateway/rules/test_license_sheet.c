#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "base/reason.h"
#include "rules/license_sheet.h"

static struct csv_record record;

static void lines_are_read_and_named(void **state)
{
	(void)state;
	static const char text[] = "\xef\xbb\xbf"
				   "a,b\r\n"
				   "\n"
				   "1,\"x, \"\"y\"\"\nz\"\n"
				   "3\"4,5\r\n"
				   "\"6\"7,8\n"
				   "9,\"never ends\n"
				   "10,11\n"
				   "12,";
	static const struct {
		long line;
		int good;
		const char *first, *said;
	} wanted[] = {{1, 1, "a", NULL}, {3, 1, "1", NULL},
		{5, 0, NULL, "a quote inside a cell"},
		{6, 0, NULL, "text behind a quoted cell"},
		{7, 0, NULL, "a quote does not end"}, {8, 1, "10", NULL},
		{9, 1, "12", NULL}};
	struct csv_reader reader;
	struct field_error error;
	csv_reader_init(&reader, text, sizeof(text) - 1);
	for (size_t i = 0; i < ARRAY_LEN(wanted); i++) {
		int r = csv_reader_next(&reader, &record, &error);
		assert_int_equal(record.line, wanted[i].line);
		assert_int_equal(r, wanted[i].good ? 1 : -REASON_BAD_VALUE);
		if (wanted[i].good)
			assert_string_equal(record.cells[0], wanted[i].first);
		else
			assert_string_equal(error.message, wanted[i].said);
		if (wanted[i].line == 3)
			assert_string_equal(record.cells[1], "x, \"y\"\nz");
	}
	assert_int_equal(record.count, 2);
	assert_string_equal(record.cells[1], "");
	assert_int_equal(csv_reader_next(&reader, &record, &error), 0);
}

static void a_line_is_bounded(void **state)
{
	(void)state;
	static char text[CSV_READER_LINE * 3];
	struct csv_reader reader;
	struct field_error error;
	memset(text, 'a', CSV_READER_LINE);
	memcpy(text + CSV_READER_LINE, "\nb\0b\nc", 7);
	csv_reader_init(&reader, text, CSV_READER_LINE + 6);
	assert_int_equal(csv_reader_next(&reader, &record, &error), -REASON_BAD_VALUE);
	assert_int_equal(csv_reader_next(&reader, &record, &error), -REASON_BAD_VALUE);
	assert_string_equal(error.message, "holds a NUL byte");
	assert_int_equal(csv_reader_next(&reader, &record, &error), 1);
	assert_string_equal(record.cells[0], "c");
	memset(text, ',', 200);
	csv_reader_init(&reader, text, 200);
	assert_int_equal(csv_reader_next(&reader, &record, &error), -REASON_BAD_VALUE);
	assert_int_equal(csv_reader_next(&reader, &record, &error), 0);
	csv_reader_init(&reader, "a\rb", 3);
	assert_int_equal(csv_reader_next(&reader, &record, &error), 1);
	assert_string_equal(record.cells[0], "a\rb");
}

static void other_encodings_are_told(void **state)
{
	(void)state;
	static const char sjis[] = "holder\r\n\x8d\xb2\x93\xa1";
	assert_string_equal(csv_reader_foreign(sjis, sizeof(sjis) - 1), "Shift_JIS");
	assert_string_equal(csv_reader_foreign("\xff\xfeh\0", 4), "UTF-16");
	assert_null(csv_reader_foreign("佐藤", 6));
	assert_null(csv_reader_foreign("", 0));
	assert_null(csv_reader_foreign("a\xff", 2));
}

static int read_line(const char *head, const char *line, struct license *ret,
	struct field_error *error)
{
	struct license_sheet sheet = {.offset_min = 540};
	struct csv_reader reader;
	char text[1200];
	int len = snprintf(text, sizeof(text), "%s\n%s\n", head, line);
	csv_reader_init(&reader, text, (size_t)len);
	*error = (struct field_error){0};
	assert_int_equal(csv_reader_next(&reader, &record, error), 1);
	int r = license_sheet_head(&sheet, &record, error);
	if (r)
		return r;
	assert_int_equal(csv_reader_next(&reader, &record, error), 1);
	return license_sheet_line(&sheet, &record, "acme", ret, error);
}

static void a_line_makes_a_license(void **state)
{
	(void)state;
	struct field_error error;
	struct license license;
	assert_int_equal(
		read_line("id,holder,tenant,group,expires,note,state,labels,label:floor",
			"lic_x,'=1+1,other,sales,2027/3/31,+81-3-1234,disabled,"
			"\"{\"\"desk\"\":\"\"a\"\"}\",3",
			&license, &error),
		0);
	assert_string_equal(license.holder, "=1+1");
	assert_string_equal(license.tenant, "other");
	assert_string_equal(license.note, "+81-3-1234");
	assert_int_equal(license.state, LICENSE_DISABLED);
	assert_int_equal(license.label_count, 2);
	/* 2027-04-01T00:00:00+09:00 */
	assert_int_equal(license.expires_ms, INT64_C(1806505200000));
	assert_int_equal(read_line("holder,expires", "a,2028-02-29", &license, &error),
		0);
	assert_int_equal(license.expires_ms, INT64_C(1835449200000));
	assert_string_equal(license.tenant, "acme");
	assert_int_equal(read_line("holder,expires", "a,2027-01-01T00:00:00Z", &license,
				 &error),
		0);
	assert_int_equal(license.expires_ms, INT64_C(1798761600000));
}

static void whatever_is_wrong_is_named(void **state)
{
	(void)state;
	static const char *const wrong[][3] = {{"name", "a", "name"},
		{"holder,holder", "a,b", "holder"}, {"group", "a", "holder"},
		{"holder,", "a,b", ""}, {"holder,label:", "a,b", "label:"},
		{"holder,label:\xff", "a,b", ""}, {"holder,group", "a", ""},
		{"holder", "a,b", ""}, {"holder,note", ",x", "holder"},
		{"holder", "=cmd|' /C calc'!A0", "holder"},
		{"holder", "@SUM(A1)", "holder"}, {"holder", "+1+A1", "holder"},
		{"holder,expires", "a,2027-02-29", "expires"},
		{"holder,expires", "a,2027-13-01", "expires"},
		{"holder,expires", "a,31.3.2027", "expires"},
		{"holder,expires", "a,2027/3-31", "expires"},
		{"holder,state", "a,on", "state"}, {"holder,labels", "a,x=y", "labels"},
		{"holder,tenant", "a,No", "tenant"}, {"holder", "a\xff", "holder"},
		{"holder", "\"a\nb\"", "holder"}, {"holder", "a\xe2\x80\xae", "holder"},
		{"holder,label:a b", "a,b", "labels"}};
	struct field_error error;
	struct license license;
	for (size_t i = 0; i < ARRAY_LEN(wrong); i++) {
		assert_int_equal(read_line(wrong[i][0], wrong[i][1], &license, &error),
			-REASON_BAD_VALUE);
		assert_string_equal(error.field, wrong[i][2]);
	}
}

static void the_same_line_has_the_same_digest(void **state)
{
	(void)state;
	struct license_sheet sheet = {.count = 3, .names = {"id", "holder", "note"}};
	struct csv_record one = {.count = 3, .cells = {"1", "ab", "c"}},
			  again = {.count = 3, .cells = {"2", "ab", "c"}},
			  other = {.count = 3, .cells = {"1", "a", "bc"}};
	uint64_t first, second, third;
	assert_int_equal(license_sheet_digest(&sheet, &one, &first), 0);
	assert_int_equal(license_sheet_digest(&sheet, &again, &second), 0);
	assert_int_equal(license_sheet_digest(&sheet, &other, &third), 0);
	assert_true(first == second && first != third);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(lines_are_read_and_named),
		cmocka_unit_test(a_line_is_bounded),
		cmocka_unit_test(other_encodings_are_told),
		cmocka_unit_test(a_line_makes_a_license),
		cmocka_unit_test(whatever_is_wrong_is_named),
		cmocka_unit_test(the_same_line_has_the_same_digest),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
