/* How much is remembered, and what goes first. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "admission/admission_cache.h"
#include "base/clock.h"
#include "base/reason.h"

#define WINDOW_MS 600000

static struct admission_cached one, read_back;
static const struct lockout_book no_tries;

static int set_up(void **state)
{
	struct admission_cache *cache;
	clock_fake(1000000000, 1795348800000);
	assert_int_equal(admission_cache_new(WINDOW_MS, &cache), 0);
	*state = cache;
	return 0;
}

static int tear_down(void **state)
{
	admission_cache_free(*state);
	clock_fake(-1, -1);
	return 0;
}

static void put(struct admission_cache *cache, int number, uint8_t device)
{
	uint8_t key[32] = {device};
	memset(&one, 0, sizeof(one));
	snprintf(one.license.id, sizeof(one.license.id), "lic_%09d", number);
	one.proved_ms = device;
	admission_cache_put(cache, &one, key, &no_tries);
}

static int get(struct admission_cache *cache, int number, uint8_t device)
{
	char id[LICENSE_KEY_ID_SIZE];
	uint8_t key[32] = {device};
	snprintf(id, sizeof(id), "lic_%09d", number);
	return admission_cache_get(cache, id, key, &read_back);
}

static void test_licenses_are_bounded(void **state)
{
	for (int i = 0; i < ADMISSION_CACHE_LICENSES; i++)
		put(*state, i, 1);
	/* Put again, it is the youngest. */
	put(*state, 0, 1);
	put(*state, ADMISSION_CACHE_LICENSES, 1);
	assert_int_equal(get(*state, 0, 1), 0);
	assert_string_equal(read_back.license.id, "lic_000000000");
	assert_int_equal(get(*state, 1, 1), -REASON_NOT_FOUND);
	assert_int_equal(get(*state, 2, 1), 0);
	assert_int_equal(get(*state, ADMISSION_CACHE_LICENSES, 1), 0);
}

static void test_devices_are_bounded(void **state)
{
	for (int i = 0; i <= ADMISSION_CACHE_DEVICES; i++) {
		clock_fake(1000000000 + i * 1000, 1795348800000 + i);
		put(*state, 7, (uint8_t)(i + 1));
	}
	assert_int_equal(get(*state, 7, 1), -REASON_NOT_FOUND);
	for (int i = 1; i <= ADMISSION_CACHE_DEVICES; i++) {
		assert_int_equal(get(*state, 7, (uint8_t)(i + 1)), 0);
		assert_int_equal(read_back.proved_ms, i + 1);
	}
	assert_int_equal(get(*state, 8, 2), -REASON_NOT_FOUND);
}

/* Each device has its own time, whoever else of the license came in. */
static void test_each_device_has_its_time(void **state)
{
	put(*state, 7, 1);
	clock_fake(1000000000 + (WINDOW_MS - 1) * 1000LL, 1795348800000 + WINDOW_MS - 1);
	put(*state, 7, 2);
	assert_int_equal(get(*state, 7, 1), 0);
	clock_fake(1000000000 + WINDOW_MS * 1000LL, 1795348800000 + WINDOW_MS);
	assert_int_equal(get(*state, 7, 1), -REASON_NOT_FOUND);
	assert_int_equal(get(*state, 7, 2), 0);
	uint8_t key[32] = {1};
	assert_int_equal(admission_cache_knows(*state, "lic_000000007", key), 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_licenses_are_bounded, set_up,
			tear_down),
		cmocka_unit_test_setup_teardown(test_devices_are_bounded, set_up,
			tear_down),
		cmocka_unit_test_setup_teardown(test_each_device_has_its_time, set_up,
			tear_down),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
