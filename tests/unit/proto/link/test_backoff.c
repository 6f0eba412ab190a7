#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/check.h"
#include "link/backoff.h"

static void equal_seeds_give_equal_waits(void **state UNUSED)
{
	struct backoff a, b, c;
	int same = 0;
	backoff_init(&a, 7);
	backoff_init(&b, 7);
	backoff_init(&c, 8);
	for (int i = 0; i < 50; i++) {
		int64_t wait = backoff_next_ms(&a, BACKOFF_IDLE, 0);
		assert_int_equal(wait, backoff_next_ms(&b, BACKOFF_IDLE, 0));
		same += wait == backoff_next_ms(&c, BACKOFF_IDLE, 0);
	}
	assert_true(same < 5);
}

static void idle_waits_grow_and_spread(void **state UNUSED)
{
	const int64_t most[] = {4500, 9000, 18000, 30000, 30000, 30000};
	int64_t least_seen[6], most_seen[6];
	for (int i = 0; i < 6; i++) {
		least_seen[i] = INT64_MAX;
		most_seen[i] = 0;
	}
	for (uint64_t seed = 0; seed < 2000; seed++) {
		struct backoff backoff;
		backoff_init(&backoff, seed);
		for (int i = 0; i < 6; i++) {
			int64_t wait = backoff_next_ms(&backoff, BACKOFF_IDLE, 0);
			assert_in_range(wait, 500, most[i]);
			least_seen[i] = wait < least_seen[i] ? wait : least_seen[i];
			most_seen[i] = wait > most_seen[i] ? wait : most_seen[i];
		}
	}
	for (int i = 0; i < 6; i++) {
		assert_true(least_seen[i] < 500 + most[i] / 20);
		assert_true(most_seen[i] > most[i] * 95 / 100);
	}
}

static void a_session_is_in_a_hurry(void **state UNUSED)
{
	for (uint64_t seed = 0; seed < 500; seed++) {
		struct backoff backoff;
		backoff_init(&backoff, seed);
		assert_in_range(backoff_next_ms(&backoff, BACKOFF_SESSION, 0), 0, 100);
		for (int i = 0; i < 20; i++)
			assert_in_range(backoff_next_ms(&backoff, BACKOFF_SESSION, 0),
				250, 1500);
	}
}

static void the_node_may_ask_for_more(void **state UNUSED)
{
	struct backoff backoff;
	backoff_init(&backoff, 1);
	for (int i = 0; i < 200; i++)
		assert_in_range(backoff_next_ms(&backoff, BACKOFF_SESSION, 60000), 60000,
			75000);
	assert_in_range(backoff_next_ms(&backoff, BACKOFF_IDLE, 1), 500, 30000);
}

static void only_a_steady_leg_starts_anew(void **state UNUSED)
{
	struct backoff backoff;
	backoff_init(&backoff, 1);
	for (int i = 0; i < 10; i++)
		(void)backoff_next_ms(&backoff, BACKOFF_SESSION, 0);
	backoff_up(&backoff, 1000);
	backoff_down(&backoff, 1000 + BACKOFF_STEADY_MS - 1);
	assert_true(backoff_next_ms(&backoff, BACKOFF_SESSION, 0) >= 250);
	backoff_up(&backoff, 1000);
	backoff_down(&backoff, 1000 + BACKOFF_STEADY_MS);
	assert_in_range(backoff_next_ms(&backoff, BACKOFF_SESSION, 0), 0, 100);
	backoff_down(&backoff, 900000); /* was not up: says nothing */
	assert_true(backoff_next_ms(&backoff, BACKOFF_SESSION, 0) >= 250);
	backoff_reset(&backoff);
	assert_in_range(backoff_next_ms(&backoff, BACKOFF_SESSION, 0), 0, 100);
}

static void many_are_spread(void **state UNUSED)
{
	int early = 0;
	for (uint64_t seed = 0; seed < 1000; seed++) {
		struct backoff backoff;
		backoff_init(&backoff, seed);
		int64_t wait = backoff_spread_ms(&backoff, 2000);
		assert_in_range(wait, 0, 2000);
		early += wait < 1000;
	}
	assert_in_range(early, 400, 600);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(equal_seeds_give_equal_waits),
		cmocka_unit_test(idle_waits_grow_and_spread),
		cmocka_unit_test(a_session_is_in_a_hurry),
		cmocka_unit_test(the_node_may_ask_for_more),
		cmocka_unit_test(only_a_steady_leg_starts_anew),
		cmocka_unit_test(many_are_spread),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
