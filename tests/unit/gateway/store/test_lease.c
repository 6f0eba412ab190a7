#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/reason.h"
#include "store/memory/lease.h"

static void test_fences_come_from_a_durable_range(void **state)
{
	(void)state;
	struct lease *lease;
	uint64_t fence, limit;
	char holder[LEASE_VALUE_MAX];
	assert_int_equal(lease_new(100, &lease), 0);
	assert_int_equal(lease_claim(lease, "l", "s", "h", 1000, &fence, holder),
		-REASON_STORE_UNAVAILABLE);
	/* Asked for once, and again after it was refused. */
	assert_true(lease_low(lease, &limit));
	assert_int_equal(limit, 100 + LEASE_RANGE);
	assert_false(lease_low(lease, &limit));
	lease_extend(lease, 0);
	assert_true(lease_low(lease, &limit));
	lease_extend(lease, 102);
	assert_int_equal(lease_claim(lease, "l", "s", "h", 1000, &fence, holder), 0);
	assert_int_equal(fence, 100);
	assert_int_equal(lease_claim(lease, "l", "s", "h", 1000, &fence, holder), 0);
	assert_int_equal(fence, 101);
	assert_int_equal(lease_claim(lease, "m", "s", "h", 1000, &fence, holder),
		-REASON_STORE_UNAVAILABLE);
	lease_free(lease);
}

static void test_the_floor_is_above_all_before(void **state)
{
	(void)state;
	const int64_t now = INT64_C(1795348800000);
	assert_true(lease_floor(0, now) > lease_floor(0, now - 1000));
	assert_int_equal(lease_floor(UINT64_C(1) << 50, now), (UINT64_C(1) << 50) + 1);
	assert_true(lease_floor(0, now) < UINT64_C(1) << 50);
	assert_int_equal(lease_floor(7, -5), 8);
}

static void test_many_come_and_go(void **state)
{
	(void)state;
	struct lease *lease;
	char license[32], value[LEASE_VALUE_MAX];
	clock_fake(0, 0);
	assert_int_equal(lease_new(1, &lease), 0);
	for (int round = 0; round < 5; round++) {
		clock_fake(round * INT64_C(2000000), 0);
		for (int i = 0; i < 2000; i++) {
			snprintf(license, sizeof(license), "lic_%d_%d", round, i);
			assert_int_equal(lease_announce(lease, license, "n", license,
						 1000),
				0);
		}
		for (int i = 0; i < 2000; i++) {
			snprintf(license, sizeof(license), "lic_%d_%d", round, i);
			assert_int_equal(lease_locate(lease, license, value), 0);
			assert_string_equal(value, license);
			if (i % 2)
				lease_withdraw(lease, license, "n");
		}
		snprintf(license, sizeof(license), "lic_%d_1", round);
		assert_int_equal(lease_locate(lease, license, value), -REASON_NOT_FOUND);
	}
	char longest[LEASE_VALUE_MAX + 1];
	memset(longest, 'x', LEASE_VALUE_MAX);
	longest[LEASE_VALUE_MAX] = 0;
	assert_int_equal(lease_announce(lease, "l", "n", longest, 1), -REASON_LIMIT);
	lease_free(lease);
	clock_fake(-1, -1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_fences_come_from_a_durable_range),
		cmocka_unit_test(test_the_floor_is_above_all_before),
		cmocka_unit_test(test_many_come_and_go),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
