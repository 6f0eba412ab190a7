#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include "base/clock.h"
#include "base/reason.h"
#include <cmocka.h>

static const struct {
	const char *text;
	int64_t wall_ms;
} same[] = {
	{"1970-01-01T00:00:00.000Z", 0},
	{"1970-01-01T00:00:00.001Z", 1},
	{"2000-02-29T12:34:56.789Z", 951827696789},
	{"2026-11-22T06:00:00.123Z", 1795327200123},
	{"2038-01-19T03:14:08.000Z", 2147483648000},
	{"2100-03-01T00:00:00.000Z", 4107542400000},
	{"9999-12-31T23:59:59.999Z", 253402300799999},
};

static void text_and_back(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(same); i++) {
		char text[CLOCK_TEXT];
		int64_t wall_ms;
		clock_text(same[i].wall_ms, text);
		assert_string_equal(text, same[i].text);
		assert_int_equal(clock_parse(text, &wall_ms), 0);
		assert_true(wall_ms == same[i].wall_ms);
	}
}

static void every_day_and_back(void **state)
{
	(void)state;
	for (int64_t ms = 0; ms <= 253402300799999; ms += 86399 * INT64_C(7001)) {
		char text[CLOCK_TEXT];
		int64_t wall_ms;
		clock_text(ms, text);
		assert_int_equal(clock_parse(text, &wall_ms), 0);
		assert_true(wall_ms == ms);
	}
}

static void damaged_times_stay_text(void **state)
{
	(void)state;
	char text[CLOCK_TEXT];
	clock_text(INT64_MIN, text);
	assert_string_equal(text, "1970-01-01T00:00:00.000Z");
	clock_text(INT64_MAX, text);
	assert_string_equal(text, "9999-12-31T23:59:59.999Z");
}

static void other_spellings(void **state)
{
	(void)state;
	static const struct {
		const char *text;
		int64_t wall_ms;
	} cases[] = {
		{"2026-11-22", 1795305600000},
		{"2026-11-22T15:00:00+09:00", 1795327200000},
		{"2026-11-22t06:00:00z", 1795327200000},
		{"2026-11-22 06:00:00.1Z", 1795327200100},
		{"2026-11-22T06:00:00.123999999Z", 1795327200123},
		{"2026-11-21T22:30:00-07:30", 1795327200000},
		{"2016-12-31T23:59:60Z", 1483228800000},
		{"1969-12-31T20:00:00-04:00", 0},
		{"1970-01-01T00:00:00-00:00", 0},
	};
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		int64_t wall_ms = -1;
		assert_int_equal(clock_parse(cases[i].text, &wall_ms), 0);
		assert_true(wall_ms == cases[i].wall_ms);
	}
}

static void malformed_is_refused(void **state)
{
	(void)state;
	static const char *const cases[] = {"", "now", "2026", "2026-11", "2026-1-22",
		"2026-13-01", "2026-00-01", "2026-02-29", "2100-02-29", "2026-04-31",
		"2026-11-00", "2026-11-22T", "2026-11-22T06:00:00", "2026-11-22T06:00Z",
		"2026-11-22T24:00:00Z", "2026-11-22T06:60:00Z", "2026-11-22T06:00:61Z",
		"2026-11-22T06:00:00.Z", "2026-11-22T06:00:00,1Z",
		"2026-11-22T06:00:00Zx", "2026-11-22T06:00:00+9",
		"2026-11-22T06:00:00+0900", "2026-11-22T06:00:00+24:00", "2026-11-22x",
		" 2026-11-22", "+026-11-22", "1969-12-31", "10000-01-01",
		"1970-01-01T00:00:00+00:01", "9999-12-31T23:59:59-00:01", "2026-11-2２"};
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		int64_t wall_ms = 42;
		assert_int_equal(clock_parse(cases[i], &wall_ms), -REASON_BAD_VALUE);
		assert_true(wall_ms == 42);
	}
}

static void fake_stands_still(void **state)
{
	(void)state;
	clock_fake(5000000, 1000);
	assert_true(clock_mono_us() == 5000000);
	assert_true(clock_mono_ms() == 5000);
	assert_true(clock_wall_ms() == 1000);
	clock_fake(-1, -1);
	assert_true(clock_wall_ms() > 1600000000000);
	int64_t before = clock_mono_us();
	assert_true(clock_mono_us() >= before);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(text_and_back),
		cmocka_unit_test(every_day_and_back),
		cmocka_unit_test(damaged_times_stay_text),
		cmocka_unit_test(other_spellings),
		cmocka_unit_test(malformed_is_refused),
		cmocka_unit_test(fake_stands_still),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
