#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <pthread.h>

#include "net/throttle.h"

#define MIB (1024 * 1024)
#define S INT64_C(1000000)

static void what_was_saved_passes_at_once_and_then_the_rate(void **state)
{
	struct throttle throttle = {0};
	(void)state;
	throttle_set(&throttle, 10 * MIB);
	int64_t now_us = 50 * S;
	/* A tenth of a second's worth. */
	assert_int_equal(throttle_take(&throttle, MIB, now_us), 0);
	assert_int_equal(throttle_take(&throttle, MIB, now_us), S / 10);
	assert_int_equal(throttle_take(&throttle, MIB, now_us), S / 5);
	int64_t passed = 3 * MIB;
	for (int64_t end_us = now_us + 10 * S; now_us < end_us;) {
		int64_t rest_us = throttle_take(&throttle, 16384, now_us);
		passed += 16384;
		now_us += rest_us;
	}
	assert_true(passed <= 10 * 10 * MIB + 2 * MIB);
	assert_true(passed >= 10 * 10 * MIB - MIB);
}

static void no_rate_is_no_limit(void **state)
{
	struct throttle throttle = {0};
	(void)state;
	for (int i = 0; i < 1000; i++)
		assert_int_equal(throttle_take(&throttle, 1 << 30, 0), 0);
	throttle_set(&throttle, THROTTLE_RATE_LEAST);
	assert_int_equal(throttle_take(&throttle, THROTTLE_BURST, 9 * S), 0);
	assert_true(throttle_take(&throttle, THROTTLE_BURST, 9 * S) > 3 * S);
	throttle_set(&throttle, 0);
	assert_int_equal(throttle_take(&throttle, 1 << 30, 9 * S), 0);
}

static void nobody_rests_for_ever(void **state)
{
	struct throttle throttle = {0};
	(void)state;
	throttle_set(&throttle, THROTTLE_RATE_LEAST);
	for (int i = 0; i < 100; i++)
		assert_true(throttle_take(&throttle, 1 << 30, S) <=
			    THROTTLE_REST_MOST_US);
	/* The clock of a fresh machine, and one that stands still. */
	assert_int_equal(throttle_take(&throttle, 1, S), THROTTLE_REST_MOST_US);
	assert_int_equal(throttle_take(&throttle, 1, 60 * S), 0);
}

static void small_pieces_cost_what_they_weigh(void **state)
{
	struct throttle throttle = {0};
	(void)state;
	throttle_set(&throttle, THROTTLE_RATE_MOST);
	int64_t rest_us = 0, bytes = 0;
	for (; !rest_us; bytes++)
		rest_us = throttle_take(&throttle, 1, 7 * S);
	assert_true(bytes <= THROTTLE_RATE_MOST / 10 + 2);
}

static void *take_some(void *ctx)
{
	struct throttle *throttle = ctx;
	for (int i = 0; i < 20000; i++)
		(void)!throttle_take(throttle, 100, S);
	return NULL;
}

/* Of four threads each byte counts once. */
static void threads_share_one(void **state)
{
	struct throttle throttle = {0};
	pthread_t threads[4];
	(void)state;
	throttle_set(&throttle, 10000000);
	for (int i = 0; i < 4; i++)
		assert_int_equal(pthread_create(&threads[i], NULL, take_some, &throttle),
			0);
	for (int i = 0; i < 4; i++)
		pthread_join(threads[i], NULL);
	/* 8 MB at 10 MB/s less the tenth that was saved. */
	assert_int_equal(throttle_take(&throttle, 100, S), S * 8 / 10 - S / 10 + 10);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_was_saved_passes_at_once_and_then_the_rate),
		cmocka_unit_test(no_rate_is_no_limit),
		cmocka_unit_test(nobody_rests_for_ever),
		cmocka_unit_test(small_pieces_cost_what_they_weigh),
		cmocka_unit_test(threads_share_one),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
