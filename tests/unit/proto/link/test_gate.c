#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <poll.h>
#include <pthread.h>
#include <sched.h>

#include "link/gate.h"

static int signalled(struct gate *gate, int ms)
{
	struct pollfd one = {gate_fd(gate), POLLIN, 0};
	return poll(&one, 1, ms);
}

static void test_starts_closed(void **state)
{
	(void)state;
	struct gate *gate;
	assert_int_equal(gate_new(&gate), 0);
	assert_int_equal(gate_room(gate), 0);
	assert_int_equal(gate_rate(gate), 0);
	assert_int_equal(signalled(gate, 0), 0);
	gate_unref(gate);
}

static void test_bytes_in_the_stream_count_once(void **state)
{
	(void)state;
	struct gate *gate;
	assert_int_equal(gate_new(&gate), 0);
	gate_set(gate, 1000, 50000);
	gate_level(gate, 300);
	assert_int_equal(gate_room(gate), 700);
	gate_took(gate, 200);
	assert_int_equal(gate_room(gate), 700);
	gate_set(gate, 1000, 50000);
	assert_int_equal(gate_room(gate), 900);
	gate_level(gate, 100);
	assert_int_equal(gate_room(gate), 900);
	assert_int_equal(gate_rate(gate), 50000);
	gate_unref(gate);
}

static void test_wakes_once_when_there_is_enough(void **state)
{
	(void)state;
	struct gate *gate;
	assert_int_equal(gate_new(&gate), 0);
	assert_int_equal(gate_want(gate, 100), 0);
	gate_set(gate, 99, 0);
	assert_int_equal(signalled(gate, 0), 0);
	gate_set(gate, 100, 0);
	assert_int_equal(signalled(gate, 0), 1);
	gate_clear(gate);
	gate_set(gate, 200, 0);
	assert_int_equal(signalled(gate, 0), 0);
	assert_int_equal(gate_want(gate, 100), 200);
	gate_set(gate, 300, 0);
	assert_int_equal(signalled(gate, 0), 0);
	gate_unref(gate);
}

#define ROUNDS 20000

static void *tunnel(void *arg)
{
	struct gate *gate = arg;
	/* Opens for one byte at a time: a wake-up that gets lost would stop both for ever. */
	for (int round = 0; round < ROUNDS; round++) {
		gate_set(gate, 1, 1);
		while (gate_room(gate) > 0)
			sched_yield();
		gate_took(gate, 1);
	}
	return gate_unref(gate);
}

static void test_no_wake_up_is_lost(void **state)
{
	(void)state;
	struct gate *gate;
	assert_int_equal(gate_new(&gate), 0);
	pthread_t thread;
	assert_int_equal(pthread_create(&thread, NULL, tunnel, gate_ref(gate)), 0);
	for (int round = 0; round < ROUNDS; round++) {
		while (gate_want(gate, 1) < 1) {
			assert_int_equal(signalled(gate, 30000), 1);
			gate_clear(gate);
		}
		gate_level(gate, 1);
	}
	pthread_join(thread, NULL);
	gate_unref(gate);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_starts_closed),
		cmocka_unit_test(test_bytes_in_the_stream_count_once),
		cmocka_unit_test(test_wakes_once_when_there_is_enough),
		cmocka_unit_test(test_no_wake_up_is_lost),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
