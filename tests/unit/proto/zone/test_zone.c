/* The clocks of the world, with the days on which they jump. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "base/check.h"
#include "base/clock.h"
#include "base/reason.h"
#include "zone/zone.h"

static void offsets_by_table(void **state)
{
	static const struct {
		const char *zone, *at;
		int minutes;
	} rows[] = {
		{"UTC", "2026-07-01T00:00:00Z", 0},
		{"Asia/Tokyo", "2026-01-01T00:00:00Z", 540},
		{"Asia/Tokyo", "2026-07-01T00:00:00Z", 540},
		{"Asia/Kolkata", "2026-07-01T00:00:00Z", 330},
		{"Europe/Berlin", "2026-03-29T00:59:59Z", 60},
		{"Europe/Berlin", "2026-03-29T01:00:00Z", 120},
		{"Europe/Berlin", "2026-10-25T00:59:59Z", 120},
		{"Europe/Berlin", "2026-10-25T01:00:00Z", 60},
		{"America/New_York", "2026-03-08T06:59:59Z", -300},
		{"America/New_York", "2026-03-08T07:00:00Z", -240},
		{"Australia/Lord_Howe", "2026-07-01T00:00:00Z", 630},
		{"Etc/GMT+9", "2026-07-01T00:00:00Z", -540},
	};
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		int64_t ms;
		int minutes = 9999;
		assert_int_equal(clock_parse(rows[i].at, &ms), 0);
		assert_int_equal(zone_offset(rows[i].zone, ms, &minutes), 0);
		if (minutes != rows[i].minutes)
			fail_msg("%s at %s: %d", rows[i].zone, rows[i].at, minutes);
	}
}

static void what_is_no_zone(void **state)
{
	static const char *const names[] = {"", "Nowhere/Town", "+09:00", "JST-9", "AAA3",
		"/etc/localtime", "../zoneinfo/UTC", "Asia/../Asia/Tokyo", ":UTC", "Asia",
		"asia/tokyo", "Asia/Tokyo\n",
		"Asia/A_very_long_name_of_a_place_that_nobody_has_ever_seen"};
	int minutes = 7;
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(names); i++) {
		if (zone_known(names[i]))
			fail_msg("«%s» is taken for a zone", names[i]);
		assert_int_equal(zone_offset(names[i], 0, &minutes), -REASON_BAD_VALUE);
	}
	assert_int_equal(minutes, 7);
	assert_true(zone_known("Asia/Tokyo"));
}

/* More zones than are kept open: each still answers for itself. */
static void many_zones(void **state)
{
	char name[ZONE_NAME_SIZE];
	(void)state;
	for (int round = 0; round < 3; round++)
		for (int hour = 1; hour <= 12; hour++)
			for (int west = 0; west < 2; west++) {
				int minutes;
				snprintf(name, sizeof(name), "Etc/GMT%c%d",
					west ? '+' : '-', hour);
				assert_int_equal(zone_offset(name, 0, &minutes), 0);
				assert_int_equal(minutes, (west ? -60 : 60) * hour);
				assert_int_equal(zone_offset("Asia/Tokyo", 0, &minutes),
					0);
				assert_int_equal(minutes, 540);
				assert_int_equal(zone_offset("Pacific/Auckland", 0,
							 &minutes),
					0);
			}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(offsets_by_table),
		cmocka_unit_test(what_is_no_zone),
		cmocka_unit_test(many_zones),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
