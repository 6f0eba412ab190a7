#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "rules/outage.h"

static void test_availability(void **state)
{
	(void)state;
	static const struct {
		struct outage_span down[4];
		size_t downs;
		struct outage_span stops[2];
		size_t stop_count;
		int64_t from, to;
		int64_t planned, down_ms, faults, mttr, ppm;
	} rows[] = {
		{{{0}}, 0, {{0}}, 0, 0, 1000, 1000, 0, 0, 0, 1000000},
		{{{100, 200}}, 1, {{0}}, 0, 0, 1000, 1000, 100, 1, 100, 900000},
		/* two nodes at once, and one after the other: time counts once */
		{{{100, 200}, {150, 250}, {400, 410}}, 3, {{0}}, 0, 0, 1000, 1000, 160, 2,
			80, 840000},
		/* in a planned stop */
		{{{100, 200}}, 1, {{50, 250}}, 1, 0, 1000, 800, 0, 0, 0, 1000000},
		/* a stop that took longer than planned */
		{{{100, 300}}, 1, {{50, 250}}, 1, 0, 1000, 800, 50, 1, 50, 937500},
		/* cut at the ends of the month */
		{{{-50, 50}, {990, 2000}}, 2, {{0}}, 0, 0, 1000, 1000, 60, 2, 30, 940000},
		/* unordered stops that overlap */
		{{{0}}, 0, {{500, 600}, {450, 550}}, 2, 0, 1000, 850, 0, 0, 0, 1000000},
		{{{0}}, 0, {{0}}, 0, 1000, 1000, 0, 0, 0, 0, 1000000},
		{{{0, 10}}, 1, {{0}}, 0, 1000, 500, 0, 0, 0, 0, 1000000},
	};
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct outage_span down[4], stops[2];
		struct availability is;
		memcpy(down, rows[i].down, sizeof(down));
		memcpy(stops, rows[i].stops, sizeof(stops));
		outage_availability(down, rows[i].downs, stops, rows[i].stop_count,
			(struct outage_span){rows[i].from, rows[i].to}, &is);
		assert_int_equal(is.planned_ms, rows[i].planned);
		assert_int_equal(is.down_ms, rows[i].down_ms);
		assert_int_equal(is.faults, rows[i].faults);
		assert_int_equal(is.mttr_ms, rows[i].mttr);
		assert_int_equal(is.ppm, rows[i].ppm);
	}
}

static void test_an_outage_is_written_and_read(void **state)
{
	(void)state;
	struct outage outage = {.node = "node-1",
			      .target = "public",
			      .cause = "x",
			      .from_ms = 1795340429000,
			      .covered = 1},
		      again, later = outage;
	struct field_error error;
	char *text;
	assert_int_equal(outage_begin(&outage), 0);
	later.from_ms++;
	assert_int_equal(outage_begin(&later), 0);
	assert_true(strcmp(later.id, outage.id) < 0);
	assert_int_equal(outage_write(&outage, &text), 0);
	assert_int_equal(outage_read(text, &again, &error), 0);
	assert_memory_equal(&outage, &again, sizeof(outage));
	free(text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_availability),
		cmocka_unit_test(test_an_outage_is_written_and_read),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
