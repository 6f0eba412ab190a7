/* One at a time; whoever waited in vain has nothing and gives nothing back. */
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "screen/x11_turn.h"

#define THREADS 4
#define ROUNDS 2000

static atomic_int inside, crowds, had;

static void *take_and_give(void *arg)
{
	(void)arg;
	for (int i = 0; i < ROUNDS; i++) {
		int mine = x11_turn_take();
		had += mine;
		if (++inside > 1)
			crowds++;
		inside--;
		x11_turn_give(mine);
	}
	return NULL;
}

static void test_one_at_a_time(void **state)
{
	(void)state;
	pthread_t threads[THREADS];
	for (int i = 0; i < THREADS; i++)
		assert_int_equal(pthread_create(&threads[i], NULL, take_and_give, NULL),
			0);
	for (int i = 0; i < THREADS; i++)
		pthread_join(threads[i], NULL);
	assert_int_equal(crowds, 0);
	assert_int_equal(had, THREADS * ROUNDS);
}

static void *wait_in_vain(void *arg)
{
	(void)arg;
	int mine = x11_turn_take();
	x11_turn_give(mine);
	return (void *)(intptr_t)mine;
}

static void test_nobody_waits_for_ever(void **state)
{
	(void)state;
	int mine = x11_turn_take();
	assert_true(mine);
	for (int i = 0; i < 2; i++) {
		pthread_t thread;
		void *got;
		assert_int_equal(pthread_create(&thread, NULL, wait_in_vain, NULL), 0);
		pthread_join(thread, &got);
		assert_int_equal((intptr_t)got, 0);
	}
	x11_turn_give(mine);
	mine = x11_turn_take();
	assert_true(mine);
	x11_turn_give(mine);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_one_at_a_time),
		cmocka_unit_test(test_nobody_waits_for_ever),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
