#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/clock.h"
#include "base/reason.h"
#include "ctl/dates.h"
#include "ctl/rest_path.h"
#include "ctl/span.h"
#include "ctl/table.h"

#define DAY INT64_C(86400000)

static int64_t ms(const char *rfc3339)
{
	int64_t at = 0;
	assert_int_equal(clock_parse(rfc3339, &at), 0);
	return at;
}

static int64_t parsed(const char *text, enum dates_edge edge)
{
	int64_t at = -1;
	assert_int_equal(dates_parse(text, edge, &at), 0);
	return at;
}

static void dates_mean_what_people_mean(void **state)
{
	(void)state;
	setenv("TZ", "Asia/Tokyo", 1);
	tzset();
	clock_fake(1, ms("2026-11-22T01:30:00Z")); /* 10:30 in Tokyo */
	assert_int_equal(parsed("2026-12-31", DATES_FIRST), ms("2026-12-30T15:00:00Z"));
	assert_int_equal(parsed("2026-12-31", DATES_LAST), ms("2026-12-31T15:00:00Z"));
	assert_int_equal(parsed("2026-12-31T18:00", DATES_LAST),
		ms("2026-12-31T09:00:00Z"));
	assert_int_equal(parsed("2026-12-31 18:00:30", DATES_FIRST),
		ms("2026-12-31T09:00:30Z"));
	assert_int_equal(parsed("2026-12-31T18:00:00Z", DATES_FIRST),
		ms("2026-12-31T18:00:00Z"));
	assert_int_equal(parsed("2026-12-31T18:00:00+01:00", DATES_FIRST),
		ms("2026-12-31T17:00:00Z"));
	assert_int_equal(parsed("today", DATES_FIRST), ms("2026-11-21T15:00:00Z"));
	assert_int_equal(parsed("yesterday", DATES_LAST), ms("2026-11-21T15:00:00Z"));
	assert_int_equal(parsed("now", DATES_FIRST), ms("2026-11-22T01:30:00Z"));
	assert_int_equal(parsed("-7d", DATES_FIRST), ms("2026-11-15T01:30:00Z"));
	assert_int_equal(parsed("+90m", DATES_FIRST), ms("2026-11-22T03:00:00Z"));
	static const char *const wrong[] = {"", "someday", "2026-02-30", "2026-13-01",
		"31.12.2026", "7d", "-7y", "--7d", "-d", "2026-12-31T25:00",
		"2026-12-31Tnoon", "-99999999999d"};
	int64_t at;
	for (size_t i = 0; i < ARRAY_LEN(wrong); i++)
		assert_int_equal(dates_parse(wrong[i], DATES_FIRST, &at),
			-REASON_BAD_VALUE);
	char text[DATES_TEXT];
	dates_text(ms("2026-11-22T01:30:00Z"), text);
	assert_string_equal(text, "2026-11-22 10:30:00");
	clock_fake(-1, -1);
}

static void days_that_are_not_24_hours(void **state)
{
	(void)state;
	setenv("TZ", "Europe/Berlin", 1);
	tzset();
	assert_int_equal(parsed("2026-10-25", DATES_LAST) -
				 parsed("2026-10-25", DATES_FIRST),
		DAY + DAY / 24);
	assert_int_equal(parsed("2026-03-29", DATES_LAST) -
				 parsed("2026-03-29", DATES_FIRST),
		DAY - DAY / 24);
}

static void japanese_takes_two_cells(void **state)
{
	(void)state;
	assert_int_equal(table_width("abc"), 3);
	assert_int_equal(table_width("山田 太郎"), 9);
	assert_int_equal(table_width("ｶﾅ"), 2); /* half width */
	assert_int_equal(table_width("e\xcc\x81"), 1);
	assert_int_equal(table_width(""), 0);
}

static void foreign_text_cannot_move_the_cursor(void **state)
{
	(void)state;
	static const struct table_column columns[] = {
		{"A", "a"}, {"B", "x|b"}, {"C", "c", TABLE_BYTES}, {0}};
	char *out = NULL;
	size_t len;
	FILE *file = open_memstream(&out, &len);
	json_t *rows = json_pack("[{s:s, s:s, s:i}, {s:s}]", "a", "x\x1b[2Jy\n", "b",
		"second", "c", 2048, "a", "山");
	struct table table;
	table_begin(&table, columns, rows, file);
	table_rows(&table, rows, file);
	fclose(file);
	json_decref(rows);
	assert_null(strchr(out, 0x1b));
	assert_int_equal(3, (int)(strchr(out, '\n') != NULL) + 2);
	assert_non_null(strstr(out, "second"));
	assert_non_null(strstr(out, "2.0 KiB"));
	int lines = 0;
	for (const char *at = out; *at; at++)
		lines += *at == '\n';
	assert_int_equal(lines, 3);
	free(out);
}

static void values_are_shown_as_people_read_them(void **state)
{
	(void)state;
	static const struct table_column columns[] = {{"Span", "span_ms", TABLE_SPAN},
		{"Most", "most", TABLE_MOST}, {"State", "state", TABLE_STATE},
		{"Link", "link"}, {0}};
	char *out = NULL, link[1001] = "", text[SPAN_TEXT];
	size_t len;
	FILE *file = open_memstream(&out, &len);
	memset(link, 'x', sizeof(link) - 1);
	link[999] = '!';
	json_t *row = json_pack("{s:i, s:i, s:s, s:b, s:s}", "span_ms", 5400000, "most",
		0, "state", "enabled", "expired", 1, "link", link);
	table_card(columns, row, file);
	json_object_set_new(row, "state", json_string("disabled"));
	table_card(columns, row, file);
	fclose(file);
	json_decref(row);
	assert_non_null(strstr(out, "Span   1h 30m\n"));
	assert_non_null(strstr(out, "Most   no limit\n"));
	assert_non_null(strstr(out, "State  expired\n"));
	assert_non_null(strstr(out, "State  disabled\n"));
	assert_non_null(strstr(out, "x!\n")); /* a card's values are never cut */
	free(out);
	static const struct {
		int64_t ms;
		const char *text;
	} spans[] = {{0, "0s"}, {950, "950ms"}, {1000, "1s"}, {61999, "1m 1s"},
		{3600000, "1h"}, {90061000, "1d 1h"}, {86400000 * 30LL, "30d"}};
	for (size_t i = 0; i < ARRAY_LEN(spans); i++) {
		span_text(spans[i].ms, text);
		assert_string_equal(text, spans[i].text);
	}
}

static void words_cannot_leave_their_place_in_a_path(void **state)
{
	(void)state;
	struct rest_path path;
	rest_path(&path, "/api/v1/licenses");
	rest_path_segment(&path, "../a b?c=1&d#e/山");
	rest_path_query(&path, "q", "x&y=z");
	rest_path_query(&path, "none", NULL);
	rest_path_query(&path, "r", "1");
	assert_string_equal(path.text,
		"/api/v1/licenses/"
		"..%2Fa%20b%3Fc%3D1%26d%23e%2F%E5%B1%B1?q=x%26y%3Dz&r=1");
	assert_int_equal(path.overflow, 0);
	for (int i = 0; i < 100; i++)
		rest_path_segment(&path, "0123456789");
	assert_int_equal(path.overflow, 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(dates_mean_what_people_mean),
		cmocka_unit_test(days_that_are_not_24_hours),
		cmocka_unit_test(japanese_takes_two_cells),
		cmocka_unit_test(values_are_shown_as_people_read_them),
		cmocka_unit_test(foreign_text_cannot_move_the_cursor),
		cmocka_unit_test(words_cannot_leave_their_place_in_a_path),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
