#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "admin/once.h"
#include "base/clock.h"
#include "base/reason.h"

static void the_first_answer_comes_again(void **state)
{
	(void)state;
	struct once *once;
	char answer[ONCE_ANSWER] = "";
	assert_int_equal(once_new(&once), 0);
	assert_int_equal(once_begin(once, "tok", "key-1", "{}", 2, answer), 0);
	assert_int_equal(once_begin(once, "tok", "key-1", "{}", 2, answer), -REASON_BUSY);
	once_keep(once, "tok", "key-1", "{\"id\":1}");
	assert_int_equal(once_begin(once, "tok", "key-1", "{}", 2, answer), 1);
	assert_string_equal(answer, "{\"id\":1}");
	/* Another request under the same key is a mistake, another caller's key is another key. */
	assert_int_equal(once_begin(once, "tok", "key-1", "[]", 2, answer),
		-REASON_CONFLICT);
	assert_int_equal(once_begin(once, "other", "key-1", "{}", 2, answer), 0);
	once_drop(once, "other", "key-1");
	assert_int_equal(once_begin(once, "other", "key-1", "[]", 2, answer), 0);
	once_free(once);
}

static void it_is_bounded_in_number_and_time(void **state)
{
	(void)state;
	struct once *once;
	char answer[ONCE_ANSWER], key[32];
	assert_int_equal(once_new(&once), 0);
	clock_fake(1000000, 1000);
	for (int i = 0; i <= ONCE_ENTRIES; i++) {
		clock_fake(1000000 + i * 1000, 1000);
		snprintf(key, sizeof(key), "key-%d", i);
		assert_int_equal(once_begin(once, "tok", key, "{}", 2, answer), 0);
		once_keep(once, "tok", key, "{}");
	}
	assert_int_equal(once_begin(once, "tok", "key-5", "{}", 2, answer), 1);
	assert_int_equal(once_begin(once, "tok", "key-0", "{}", 2, answer),
		0); /* made room */
	once_drop(once, "tok", "key-0");
	clock_fake(1000000 + (int64_t)(ONCE_MS + 1000) * 1000, 1000);
	assert_int_equal(once_begin(once, "tok", "key-5", "{}", 2, answer), 0);
	once_drop(once, "tok", "key-5");
	/* All under way: the next one has to wait. */
	for (int i = 0; i < ONCE_ENTRIES; i++) {
		snprintf(key, sizeof(key), "new-%d", i);
		assert_int_equal(once_begin(once, "tok", key, "{}", 2, answer), 0);
	}
	assert_int_equal(once_begin(once, "tok", "more", "{}", 2, answer), -REASON_BUSY);
	clock_fake(-1, -1);
	once_free(once);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_first_answer_comes_again),
		cmocka_unit_test(it_is_bounded_in_number_and_time),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
