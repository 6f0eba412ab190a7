#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>

#include "admin/reading_log.h"

#define NOW_MS INT64_C(1795348800000)

static void test_the_same_question_is_one_row_a_minute(void **state)
{
	(void)state;
	struct reading_log *log;
	assert_int_equal(reading_log_new(&log), 0);
	for (int second = 0; second < 180; second += 5) {
		int64_t now_ms = NOW_MS + second * 1000;
		assert_int_equal(reading_log_is_new(log, "admin", "[\"audit\",{}]",
					 now_ms),
			second % 60 == 0);
	}
	assert_int_equal(reading_log_is_new(log, "other", "[\"audit\",{}]", NOW_MS), 1);
	assert_int_equal(reading_log_is_new(log, "admin", "[\"logins\",{}]", NOW_MS), 1);
	/* Who and what cannot run into each other. */
	assert_int_equal(reading_log_is_new(log, "ab", "c", NOW_MS), 1);
	assert_int_equal(reading_log_is_new(log, "a", "bc", NOW_MS), 1);
	/* However many ask, the table stays as it is, and nobody is left out. */
	for (int i = 0; i < 100000; i++) {
		char what[24];
		snprintf(what, sizeof(what), "%d", i);
		assert_int_equal(reading_log_is_new(log, "admin", what, NOW_MS), 1);
	}
	reading_log_free(log);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_the_same_question_is_one_row_a_minute),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
