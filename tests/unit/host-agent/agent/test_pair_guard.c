/* Guessing a pairing code gets slower, then stops. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/reason.h"
#include "pair_guard.h"

static void delay_doubles_up_to_a_minute(void **state)
{
	(void)state;
	static const int64_t delays_ms[] = {
		1000, 2000, 4000, 8000, 16000, 32000, 60000, 60000};
	struct pair_guard guard = {0};
	int64_t now_ms = 1;
	assert_int_equal(pair_guard_permits(&guard, now_ms), 0);
	for (size_t i = 0; i < sizeof(delays_ms) / sizeof(delays_ms[0]); i++) {
		pair_guard_failed(&guard, now_ms);
		assert_int_equal(pair_guard_permits(&guard, now_ms + delays_ms[i] - 1),
			-REASON_THROTTLED);
		now_ms += delays_ms[i];
		assert_int_equal(pair_guard_permits(&guard, now_ms), 0);
	}
	pair_guard_succeeded(&guard);
	assert_int_equal(pair_guard_permits(&guard, now_ms), 0);
}

static void ten_failures_in_ten_minutes_lock(void **state)
{
	(void)state;
	struct pair_guard guard = {0};
	int64_t now_ms = 5000;
	for (int i = 0; i < PAIR_GUARD_FAILURES - 1; i++)
		assert_int_equal(pair_guard_failed(&guard, now_ms++), 0);
	assert_int_equal(pair_guard_failed(&guard, now_ms), 1);
	/* A success of somebody else does not unlock. */
	pair_guard_succeeded(&guard);
	assert_int_equal(pair_guard_permits(&guard, now_ms), -REASON_LOCKED_OUT);
	assert_int_equal(pair_guard_permits(&guard, 5000 + PAIR_GUARD_WINDOW_MS - 1),
		-REASON_LOCKED_OUT);
	assert_int_equal(pair_guard_permits(&guard, 5000 + PAIR_GUARD_WINDOW_MS), 0);
}

static void slow_failures_do_not_lock(void **state)
{
	(void)state;
	struct pair_guard guard = {0};
	int64_t now_ms = 1;
	for (int i = 0; i < 100; i++) {
		assert_int_equal(pair_guard_failed(&guard, now_ms), 0);
		now_ms += PAIR_GUARD_WINDOW_MS / (PAIR_GUARD_FAILURES - 1) + 1;
		assert_int_equal(pair_guard_permits(&guard, now_ms), 0);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(delay_doubles_up_to_a_minute),
		cmocka_unit_test(ten_failures_in_ten_minutes_lock),
		cmocka_unit_test(slow_failures_do_not_lock),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
