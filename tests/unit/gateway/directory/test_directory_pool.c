#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <pthread.h>
#include <semaphore.h>
#include <string.h>

#include "base/reason.h"
#include "directory/directory_pool.h"

struct job {
	struct directory_task task; /* first */
	sem_t *begun, *may_end, *ended;
};

static void work(struct directory_task *task)
{
	struct job *job = (struct job *)task;
	if (job->begun)
		sem_post(job->begun);
	if (job->may_end)
		sem_wait(job->may_end);
	sem_post(job->ended);
}

/* A directory that hangs takes half the threads and no more; what waits for it holds no other up. */
static void test_one_that_hangs_leaves_half(void **state)
{
	(void)state;
	struct directory_pool *pool;
	struct job hanging[6], fine[10];
	sem_t begun, may_end, hung, done;
	int value;
	sem_init(&begun, 0, 0);
	sem_init(&may_end, 0, 0);
	sem_init(&hung, 0, 0);
	sem_init(&done, 0, 0);
	assert_int_equal(directory_pool_new(4, 100, &pool), 0);
	for (size_t i = 0; i < ARRAY_LEN(hanging); i++) {
		hanging[i] = (struct job){{NULL, "hung", work}, &begun, &may_end, &hung};
		assert_int_equal(directory_pool_put(pool, &hanging[i].task), 0);
	}
	sem_wait(&begun);
	sem_wait(&begun);
	for (size_t i = 0; i < ARRAY_LEN(fine); i++) {
		fine[i] = (struct job){{NULL, "fine", work}, NULL, NULL, &done};
		assert_int_equal(directory_pool_put(pool, &fine[i].task), 0);
	}
	for (size_t i = 0; i < ARRAY_LEN(fine); i++)
		sem_wait(&done);
	sem_getvalue(&begun, &value);
	assert_int_equal(value, 0);
	for (size_t i = 0; i < ARRAY_LEN(hanging); i++)
		sem_post(&may_end);
	/* Ends only when all of them have run. */
	directory_pool_free(pool);
	sem_getvalue(&hung, &value);
	assert_int_equal(value, ARRAY_LEN(hanging));
	sem_destroy(&begun);
	sem_destroy(&may_end);
	sem_destroy(&hung);
	sem_destroy(&done);
}

static void test_the_queue_is_bounded(void **state)
{
	(void)state;
	struct directory_pool *pool;
	struct job jobs[4];
	sem_t begun, may_end, ended;
	sem_init(&begun, 0, 0);
	sem_init(&may_end, 0, 0);
	sem_init(&ended, 0, 0);
	assert_int_equal(directory_pool_new(2, 2, &pool), 0);
	for (size_t i = 0; i < ARRAY_LEN(jobs); i++)
		jobs[i] = (struct job){{NULL, "d", work}, &begun, &may_end, &ended};
	assert_int_equal(directory_pool_put(pool, &jobs[0].task), 0);
	sem_wait(&begun);
	assert_int_equal(directory_pool_put(pool, &jobs[1].task), 0);
	assert_int_equal(directory_pool_put(pool, &jobs[2].task), 0);
	assert_int_equal(directory_pool_put(pool, &jobs[3].task), -REASON_BUSY);
	for (size_t i = 0; i < 3; i++)
		sem_post(&may_end);
	directory_pool_free(pool);
	sem_destroy(&begun);
	sem_destroy(&may_end);
	sem_destroy(&ended);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_one_that_hangs_leaves_half),
		cmocka_unit_test(test_the_queue_is_bounded),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
