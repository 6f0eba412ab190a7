#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <pthread.h>
#include <stdlib.h>

#include "base/post.h"

struct job {
	struct post_item item; /* first */
	struct post_box *back; /* where to put itself again, or NULL */
	int *sum, number;
};

static void run_job(struct post_item *item)
{
	struct job *job = (struct job *)item;
	*job->sum = *job->sum * 10 + job->number;
	if (job->back) {
		struct post_box *back = job->back;
		job->back = NULL;
		post_put(back, item);
		return;
	}
	free(job);
}

static void put_job(struct post_box *box, struct post_box *back, int *sum, int number)
{
	struct job *job = calloc(1, sizeof(*job));
	assert_non_null(job);
	*job = (struct job){{NULL, run_job}, back, sum, number};
	post_put(box, &job->item);
}

static void items_run_in_order(void **state)
{
	(void)state;
	struct post_pump *pump;
	int sum = 0;
	assert_int_equal(post_pump_new(&pump), 0);
	assert_int_equal(post_pump_run(pump, 0), 0);
	assert_int_equal(post_pump_run(pump, 5), 0);
	for (int i = 1; i <= 4; i++)
		put_job(post_pump_box(pump), NULL, &sum, i);
	assert_int_equal(post_pump_run(pump, -1), 4);
	assert_int_equal(sum, 1234);
	assert_int_equal(post_pump_run(pump, 0), 0);
	assert_null(post_pump_free(pump));
	assert_null(post_pump_free(NULL));
}

static void a_reposted_item_waits_for_the_next_run(void **state)
{
	(void)state;
	struct post_pump *pump;
	int sum = 0;
	assert_int_equal(post_pump_new(&pump), 0);
	put_job(post_pump_box(pump), post_pump_box(pump), &sum, 1);
	put_job(post_pump_box(pump), NULL, &sum, 2);
	assert_int_equal(post_pump_run(pump, 0), 2);
	assert_int_equal(sum, 12);
	assert_int_equal(post_pump_run(pump, 0), 1);
	assert_int_equal(sum, 121);
	post_pump_free(pump);
}

static void free_runs_what_is_left(void **state)
{
	(void)state;
	struct post_pump *pump;
	int sum = 0;
	assert_int_equal(post_pump_new(&pump), 0);
	put_job(post_pump_box(pump), post_pump_box(pump), &sum, 7);
	post_pump_free(pump);
	assert_int_equal(sum, 77);
}

#define THREADS 4
#define EACH 5000

static int counted; /* only by the thread of the pump */

static void count_job(struct post_item *item)
{
	counted++;
	free(item);
}

static void *put_many(void *box)
{
	for (int i = 0; i < EACH; i++) {
		struct post_item *item = calloc(1, sizeof(*item));
		item->run = count_job;
		post_put(box, item);
	}
	return NULL;
}

static void many_threads_lose_nothing(void **state)
{
	(void)state;
	struct post_pump *pump;
	pthread_t threads[THREADS];
	int ran = 0;
	assert_int_equal(post_pump_new(&pump), 0);
	for (int i = 0; i < THREADS; i++)
		assert_int_equal(pthread_create(&threads[i], NULL, put_many,
					 post_pump_box(pump)),
			0);
	while (ran < THREADS * EACH)
		ran += post_pump_run(pump, -1);
	for (int i = 0; i < THREADS; i++)
		pthread_join(threads[i], NULL);
	assert_int_equal(ran, THREADS * EACH);
	assert_int_equal(counted, THREADS * EACH);
	assert_int_equal(post_pump_run(pump, 0), 0);
	post_pump_free(pump);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(items_run_in_order),
		cmocka_unit_test(a_reposted_item_waits_for_the_next_run),
		cmocka_unit_test(free_runs_what_is_left),
		cmocka_unit_test(many_threads_lose_nothing),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
