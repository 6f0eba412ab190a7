#include "admission/admission_pool.h"

#include <pthread.h>
#include <stdlib.h>

#include "base/reason.h"

#define POOL_MAGIC 0x41506f6f
#define THREADS_MAX 16

struct admission_pool {
	uint32_t magic;
	pthread_mutex_t mutex;
	pthread_cond_t filled;
	struct admission_task *first, **end;
	size_t waiting, waiting_max, thread_count;
	int stopping;
	pthread_t threads[THREADS_MAX];
};

static void *run(void *arg)
{
	struct admission_pool *pool = arg;
	CHECK_OBJ(pool, POOL_MAGIC);
	pthread_mutex_lock(&pool->mutex);
	for (;;) {
		while (!pool->first && !pool->stopping)
			pthread_cond_wait(&pool->filled, &pool->mutex);
		struct admission_task *task = pool->first;
		if (!task)
			break;
		pool->first = task->next;
		if (!pool->first)
			pool->end = &pool->first;
		pool->waiting--;
		pthread_mutex_unlock(&pool->mutex);
		task->run(task);
		pthread_mutex_lock(&pool->mutex);
	}
	pthread_mutex_unlock(&pool->mutex);
	return NULL;
}

int admission_pool_new(const char *name, size_t threads, size_t waiting,
	struct admission_pool **ret)
{
	CHECK(threads > 0 && threads <= THREADS_MAX);
	struct admission_pool *pool = calloc(1, sizeof(*pool));
	if (!pool)
		return -REASON_NO_MEMORY;
	pool->magic = POOL_MAGIC;
	pool->end = &pool->first;
	pool->waiting_max = waiting;
	CHECK(pthread_mutex_init(&pool->mutex, NULL) == 0);
	CHECK(pthread_cond_init(&pool->filled, NULL) == 0);
	for (; pool->thread_count < threads; pool->thread_count++) {
		pthread_t *thread = &pool->threads[pool->thread_count];
		if (pthread_create(thread, NULL, run, pool)) {
			admission_pool_free(pool);
			return -REASON_NO_MEMORY;
		}
		pthread_setname_np(*thread, name);
	}
	*ret = pool;
	return 0;
}

static void add(struct admission_pool *pool, struct admission_task *task)
{
	task->next = NULL;
	*pool->end = task;
	pool->end = &task->next;
	pool->waiting++;
	pthread_cond_signal(&pool->filled);
}

int admission_pool_put(struct admission_pool *pool, struct admission_task *task)
{
	CHECK_OBJ(pool, POOL_MAGIC);
	int r = 0;
	pthread_mutex_lock(&pool->mutex);
	if (pool->stopping || pool->waiting >= pool->waiting_max)
		r = -REASON_BUSY;
	else
		add(pool, task);
	pthread_mutex_unlock(&pool->mutex);
	return r;
}

void admission_pool_go_on(struct admission_pool *pool, struct admission_task *task)
{
	CHECK_OBJ(pool, POOL_MAGIC);
	pthread_mutex_lock(&pool->mutex);
	add(pool, task);
	pthread_mutex_unlock(&pool->mutex);
}

struct admission_pool *admission_pool_free(struct admission_pool *pool)
{
	if (!pool)
		return NULL;
	CHECK_OBJ(pool, POOL_MAGIC);
	pthread_mutex_lock(&pool->mutex);
	pool->stopping = 1;
	pthread_cond_broadcast(&pool->filled);
	pthread_mutex_unlock(&pool->mutex);
	for (size_t i = 0; i < pool->thread_count; i++)
		pthread_join(pool->threads[i], NULL);
	pthread_cond_destroy(&pool->filled);
	pthread_mutex_destroy(&pool->mutex);
	pool->magic = 0;
	free(pool);
	return NULL;
}
