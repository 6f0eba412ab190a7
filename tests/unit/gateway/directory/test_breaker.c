#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "directory/breaker.h"

static const struct breaker_limits limits = {3, 1000};

static void test_opens_tries_and_closes(void **state)
{
	(void)state;
	struct breaker breaker = {0};
	for (int i = 0; i < 3; i++) {
		assert_true(breaker_asks(&breaker, &limits, 100));
		breaker_tell(&breaker, &limits, BREAKER_SILENT, 100);
	}
	assert_false(breaker_asks(&breaker, &limits, 101));
	assert_false(breaker_asks(&breaker, &limits, 1099));
	assert_true(breaker_asks(&breaker, &limits, 1100));
	assert_false(breaker_asks(&breaker, &limits, 1100));
	breaker_tell(&breaker, &limits, BREAKER_SILENT, 1200);
	assert_false(breaker_asks(&breaker, &limits, 2199));
	assert_true(breaker_asks(&breaker, &limits, 2200));
	breaker_tell(&breaker, &limits, BREAKER_ANSWERED, 2200);
	for (int i = 0; i < 5; i++)
		assert_true(breaker_asks(&breaker, &limits, 2200));
}

static void test_an_answer_forgives(void **state)
{
	(void)state;
	struct breaker breaker = {0};
	for (int i = 0; i < 10; i++) {
		breaker_tell(&breaker, &limits,
			i % 3 == 2 ? BREAKER_ANSWERED : BREAKER_SILENT, 5);
		assert_true(breaker_asks(&breaker, &limits, 5));
	}
}

static void test_stragglers_do_not_prolong(void **state)
{
	(void)state;
	struct breaker breaker = {0};
	for (int i = 0; i < 3; i++)
		breaker_tell(&breaker, &limits, BREAKER_SILENT, 100);
	breaker_tell(&breaker, &limits, BREAKER_SILENT, 1000);
	assert_true(breaker_asks(&breaker, &limits, 1100));
	/* A try that never reports blocks the next ones for one pause only. */
	assert_false(breaker_asks(&breaker, &limits, 2099));
	assert_true(breaker_asks(&breaker, &limits, 2100));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_opens_tries_and_closes),
		cmocka_unit_test(test_an_answer_forgives),
		cmocka_unit_test(test_stragglers_do_not_prolong),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
