#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "net/bucket.h"

static int take_all(struct bucket *bucket, int64_t now_ms)
{
	int taken = 0;
	while (taken < 10000 && bucket_take(bucket, now_ms))
		taken++;
	return taken;
}

static void it_gives_its_burst_and_then_its_rate(void **state)
{
	struct bucket bucket;
	(void)state;
	bucket_start(&bucket, 20, 100, 5000);
	assert_int_equal(take_all(&bucket, 5000), 100);
	assert_int_equal(take_all(&bucket, 5049), 0);
	assert_int_equal(take_all(&bucket, 5050), 1);
	int taken = 0;
	for (int64_t ms = 5051; ms <= 10050; ms++)
		taken += take_all(&bucket, ms);
	assert_int_equal(taken, 100);
}

static void a_long_rest_fills_it_and_no_more(void **state)
{
	struct bucket bucket;
	(void)state;
	bucket_start(&bucket, 1000000, 1000000, 0);
	bucket_start(&bucket, 3, 7, 0);
	assert_int_equal(take_all(&bucket, 0), 7);
	assert_int_equal(take_all(&bucket, INT64_MAX / 2), 7);
}

static void time_that_goes_back_gives_nothing(void **state)
{
	struct bucket bucket;
	(void)state;
	bucket_start(&bucket, 10, 1, 10000);
	assert_int_equal(take_all(&bucket, 10000), 1);
	assert_int_equal(take_all(&bucket, 1), 0);
	assert_int_equal(take_all(&bucket, 10100), 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(it_gives_its_burst_and_then_its_rate),
		cmocka_unit_test(a_long_rest_fills_it_and_no_more),
		cmocka_unit_test(time_that_goes_back_gives_nothing),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
