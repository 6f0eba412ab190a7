#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/check.h"
#include "rfb/pacer.h"

#define NOW 10000000
#define OPEN (1 << 30)
#define FAST 100000000
#define MBIT20 2500000

static const struct row {
	const char *what;
	struct pacer_state state;
	enum pacer_what wanted;
} rows[] = {
	{"nothing to do", {.room = OPEN, .rate = FAST, .wish = 8}, PACER_REST},
	{"damage after a rest goes at once",
		{.room = OPEN, .rate = FAST, .damaged = 1, .wish = 8}, PACER_SEND},
	{"what is dirty goes on", {.room = OPEN, .rate = FAST, .dirty = 500, .wish = 8},
		PACER_SEND},
	{"no room, no picture", {.room = 0, .rate = FAST, .damaged = 1, .wish = 8},
		PACER_WAIT_ROOM},
	{"less than no room", {.room = -5000, .rate = MBIT20, .dirty = 500, .wish = -1},
		PACER_WAIT_ROOM},
	{"unknown rate is no reason to wait",
		{.room = 65536, .rate = 0, .damaged = 1, .wish = 8}, PACER_SEND},
	{"lossy, but it has just changed",
		{.room = OPEN, .rate = FAST, .lossy = 9, .changed_us = NOW - 1000},
		PACER_LATER},
	{"lossy and at rest",
		{.room = OPEN, .rate = FAST, .lossy = 9, .changed_us = NOW - 1000000},
		PACER_MEND},
	{"mending waits for room too",
		{.room = 0, .rate = FAST, .lossy = 9, .changed_us = NOW - 1000000},
		PACER_WAIT_ROOM},
	{"new pixels before better ones",
		{.room = OPEN, .rate = FAST, .dirty = 9, .lossy = 9, .wish = 5},
		PACER_SEND},
};

static void test_table(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct pacer pacer;
		struct pacer_state now = rows[i].state;
		pacer_init(&pacer);
		now.now_us = NOW;
		struct pacer_step step = pacer_next(&pacer, &now);
		if (step.what != rows[i].wanted)
			print_error("%s\n", rows[i].what);
		assert_int_equal(step.what, rows[i].wanted);
	}
}

static void test_interval(void **state)
{
	(void)state;
	struct pacer pacer;
	struct pacer_state now = {
		.now_us = NOW, .room = OPEN, .rate = FAST, .damaged = 1, .wish = -1};
	pacer_init(&pacer);
	assert_true(pacer_next(&pacer, &now).capture);
	pacer_began(&pacer, NOW);
	struct pacer_step step = pacer_next(&pacer, &now);
	assert_int_equal(step.what, PACER_LATER);
	assert_int_equal(step.at_us, NOW + 8000);
	/* The rest of a frame does not wait, but takes no new look either. */
	now.dirty = 1000;
	step = pacer_next(&pacer, &now);
	assert_int_equal(step.what, PACER_SEND);
	assert_false(step.capture);
	/* A dear frame makes the next one wait longer, up to a limit. */
	now.dirty = 0;
	for (int i = 0; i < 50; i++)
		pacer_took(&pacer, 10000);
	assert_in_range(pacer_next(&pacer, &now).at_us, NOW + 19000, NOW + 20000);
	for (int i = 0; i < 50; i++)
		pacer_took(&pacer, 900000);
	assert_int_equal(pacer_next(&pacer, &now).at_us, NOW + 40000);
}

/* Whatever was learned about bytes per pixel, a slice is about 15 ms of the line. */
static void test_slices_follow_the_line(void **state)
{
	(void)state;
	struct pacer pacer;
	struct pacer_state now = {
		.now_us = NOW, .room = OPEN, .rate = MBIT20, .dirty = 1 << 21, .wish = 8};
	pacer_init(&pacer);
	for (int i = 0; i < 100; i++)
		pacer_encoded(&pacer, PACER_LOSSY, 100000, 50000);
	struct pacer_step step = pacer_next(&pacer, &now);
	assert_in_range(step.pixels, 70000, 80000); /* 37500 bytes at half a byte */
	now.room = 20000;
	assert_in_range(pacer_next(&pacer, &now).pixels, 38000, 42000);
	now.room = OPEN;
	now.rate = 4 * FAST; /* never more than the stream takes without waiting */
	assert_in_range(pacer_next(&pacer, &now).pixels, 300000, 400000);
}

static void test_quality_follows_the_line(void **state)
{
	(void)state;
	int last = 0;
	for (int64_t rate = 50000; rate < 50000000; rate *= 2) {
		int quality = pacer_quality(rate, 9);
		assert_true(quality >= last && quality <= 9);
		last = quality;
	}
	assert_int_equal(last, 9);
	assert_int_equal(pacer_quality(MBIT20, 9), 6);
	assert_int_equal(pacer_quality(FAST, 4), 4);
	struct pacer pacer;
	struct pacer_state now = {
		.now_us = NOW, .room = OPEN, .rate = 50000, .dirty = 9, .wish = -1};
	pacer_init(&pacer);
	assert_int_equal(pacer_next(&pacer, &now).quality, PACER_LOSSLESS);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_table),
		cmocka_unit_test(test_interval),
		cmocka_unit_test(test_slices_follow_the_line),
		cmocka_unit_test(test_quality_follows_the_line),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
