#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/reason.h"
#include "rules/lockout.h"

#define MINUTE INT64_C(60000)
#define NOW INT64_C(1795348800000)

static const struct lockout_limits limits = {5, 20, 15 * MINUTE, 15 * MINUTE};

static int64_t try(struct lockout_book *book, const char *prefix, int64_t now)
{
	int locks;
	return lockout_charge(book, &limits, prefix, now, &locks);
}

static void test_the_fifth_try_locks(void **state)
{
	(void)state;
	struct lockout_book book = {0};
	int locks;
	for (int i = 0; i < 5; i++) {
		assert_int_equal(lockout_wait(&book, &limits, "a", NOW + i), 0);
		assert_int_equal(lockout_charge(&book, &limits, "a", NOW + i, &locks), 0);
		assert_int_equal(locks, i == 4);
	}
	assert_int_equal(lockout_wait(&book, &limits, "a", NOW + 4), 15 * MINUTE);
	assert_int_equal(try(&book, "a", NOW + 5), 15 * MINUTE - 1);
	assert_int_equal(lockout_wait(&book, &limits, "b", NOW + 4), 0);
	/* Tries while locked do not make it longer. */
	assert_int_equal(lockout_wait(&book, &limits, "a", NOW + 4 + 15 * MINUTE), 0);
	/* Afterwards there are five again. */
	for (int i = 0; i < 5; i++)
		assert_int_equal(try(&book, "a", NOW + 16 * MINUTE), 0);
	assert_true(try(&book, "a", NOW + 16 * MINUTE) > 0);
}

static void test_failures_are_forgotten(void **state)
{
	(void)state;
	struct lockout_book book = {0};
	for (int i = 0; i < 4; i++)
		assert_int_equal(try(&book, "a", NOW), 0);
	for (int i = 0; i < 4; i++)
		assert_int_equal(try(&book, "a", NOW + 15 * MINUTE), 0);
	assert_int_equal(lockout_wait(&book, &limits, "a", NOW + 15 * MINUTE), 0);
	assert_int_equal(book.whole.count, 8);
	assert_false(lockout_is_over(&book, &limits, NOW + 59 * MINUTE));
	assert_true(lockout_is_over(&book, &limits, NOW + 60 * MINUTE));
	lockout_forgive(&book, &limits, "a");
	assert_int_equal(book.count, 0);
	assert_int_equal(book.whole.count, 4);
}

static void test_twenty_of_many_prefixes_lock_all(void **state)
{
	(void)state;
	struct lockout_book book = {0};
	char prefix[16];
	for (int i = 0; i < 20; i++) {
		snprintf(prefix, sizeof(prefix), "p%d", i);
		assert_int_equal(try(&book, prefix, NOW), 0);
	}
	assert_int_equal(try(&book, "new", NOW), 15 * MINUTE);
	/* The right password of the twentieth gives its own try back, and with it the lock. */
	lockout_forgive(&book, &limits, "p19");
	assert_int_equal(try(&book, "new", NOW), 0);
}

static void test_one_try_is_given_back(void **state)
{
	(void)state;
	struct lockout_book book = {0};
	for (int i = 0; i < 5; i++)
		assert_int_equal(try(&book, "a", NOW), 0);
	lockout_give_back(&book, &limits, "a");
	assert_int_equal(try(&book, "a", NOW), 0);
	assert_true(try(&book, "a", NOW) > 0);
	lockout_give_back(&book, &limits, "nobody");
}

static void test_more_prefixes_than_room(void **state)
{
	(void)state;
	static const struct lockout_limits prefixes_only = {
		5, 0, 15 * MINUTE, 15 * MINUTE};
	struct lockout_book book = {0};
	char prefix[16];
	int locks;
	for (int i = 0; i < 1000; i++) {
		snprintf(prefix, sizeof(prefix), "p%d", i);
		assert_int_equal(lockout_charge(&book, &prefixes_only, prefix, NOW + i,
					 &locks),
			0);
	}
	assert_int_equal(book.count, LOCKOUT_PREFIXES);
	assert_int_equal(book.whole.count, 1000);
}

static void test_a_clock_set_back(void **state)
{
	(void)state;
	struct lockout_book book = {0};
	for (int i = 0; i < 5; i++)
		assert_int_equal(try(&book, "a", NOW), 0);
	int64_t day = 24 * 60 * MINUTE;
	/* Still locked, but no longer than a lock lasts. */
	assert_int_equal(try(&book, "a", NOW - day), 15 * MINUTE);
	assert_int_equal(try(&book, "a", NOW - day + 15 * MINUTE), 0);
}

static void test_books_are_stored(void **state)
{
	(void)state;
	struct lockout_book book = {0}, again;
	char *body;
	assert_int_equal(try(&book, "192.0.2.7", NOW), 0);
	assert_int_equal(try(&book, "2001:db8::/64", NOW + 1), 0);
	assert_int_equal(lockout_write(&book, &body), 0);
	lockout_read(body, &again);
	assert_int_equal(again.count, 2);
	assert_string_equal(again.prefixes[1].prefix, "2001:db8::/64");
	assert_int_equal(again.prefixes[1].at.first_ms, NOW + 1);
	assert_int_equal(again.whole.count, 2);
	free(body);
	static const char *const damaged[] = {NULL, "", "[]",
		"{\"whole\":7,\"prefixes\":[]}", "{\"whole\":{\"count\":-5}}",
		"{\"whole\":{\"count\":\"x\"}}"};
	for (size_t i = 0; i < ARRAY_LEN(damaged); i++) {
		lockout_read(damaged[i], &again);
		assert_int_equal(again.count, 0);
		assert_int_equal(again.whole.count, 0);
	}
	char id[LOCKOUT_ID_SIZE], name[200];
	assert_int_equal(lockout_id(id, "license", "lic_a"), 0);
	assert_string_equal(id, "license/lic_a");
	memset(name, 'x', sizeof(name) - 1);
	name[sizeof(name) - 1] = 0;
	assert_int_equal(lockout_id(id, "license", name), -REASON_LIMIT);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_the_fifth_try_locks),
		cmocka_unit_test(test_failures_are_forgotten),
		cmocka_unit_test(test_twenty_of_many_prefixes_lock_all),
		cmocka_unit_test(test_one_try_is_given_back),
		cmocka_unit_test(test_more_prefixes_than_room),
		cmocka_unit_test(test_a_clock_set_back),
		cmocka_unit_test(test_books_are_stored),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
