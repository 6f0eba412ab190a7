#include "directory/directory_pool.h"

#include <pthread.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/reason.h"

#define POOL_MAGIC 0x44506f6f
#define THREADS_MAX 16

struct directory_pool {
	uint32_t magic;
	pthread_mutex_t mutex;
	pthread_cond_t changed; /* a task came, or a directory has room again */
	struct directory_task *first, **end;
	size_t waiting, waiting_max, thread_count, share;
	/* What each thread is at, NULL: nothing. */
	const char *at[THREADS_MAX];
	int stopping;
	pthread_t threads[THREADS_MAX];
};

static int has_room(const struct directory_pool *pool, const char *directory)
{
	size_t count = 0;
	for (size_t i = 0; i < pool->thread_count; i++)
		count += pool->at[i] && !strcmp(pool->at[i], directory);
	return count < pool->share;
}

/* The first task whose directory has room; NULL when there is none. */
static struct directory_task *take(struct directory_pool *pool)
{
	struct directory_task **link = &pool->first;
	while (*link && !has_room(pool, (*link)->directory))
		link = &(*link)->next;
	struct directory_task *task = *link;
	if (!task)
		return NULL;
	*link = task->next;
	if (!task->next)
		pool->end = link;
	pool->waiting--;
	return task;
}

static size_t free_place(const struct directory_pool *pool)
{
	size_t place = 0;
	while (pool->at[place])
		place++;
	return place;
}

static void *run(void *arg)
{
	struct directory_pool *pool = arg;
	CHECK_OBJ(pool, POOL_MAGIC);
	pthread_mutex_lock(&pool->mutex);
	while (pool->first || !pool->stopping) {
		struct directory_task *task = take(pool);
		if (!task) {
			pthread_cond_wait(&pool->changed, &pool->mutex);
			continue;
		}
		size_t place = free_place(pool);
		char directory[64];
		/* The task, and its text, may be gone before we are done with the place. */
		strncpy(directory, task->directory, sizeof(directory) - 1);
		directory[sizeof(directory) - 1] = 0;
		pool->at[place] = directory;
		pthread_mutex_unlock(&pool->mutex);
		task->run(task);
		pthread_mutex_lock(&pool->mutex);
		pool->at[place] = NULL;
		pthread_cond_broadcast(&pool->changed);
	}
	pthread_mutex_unlock(&pool->mutex);
	return NULL;
}

int directory_pool_new(size_t threads, size_t waiting, struct directory_pool **ret)
{
	CHECK(threads > 0 && threads <= THREADS_MAX);
	struct directory_pool *pool = calloc(1, sizeof(*pool));
	if (!pool)
		return -REASON_NO_MEMORY;
	pool->magic = POOL_MAGIC;
	pool->end = &pool->first;
	pool->waiting_max = waiting;
	pool->share = threads > 1 ? threads / 2 : 1;
	CHECK(pthread_mutex_init(&pool->mutex, NULL) == 0);
	CHECK(pthread_cond_init(&pool->changed, NULL) == 0);
	for (size_t i = 0; i < threads; i++) {
		pthread_mutex_lock(&pool->mutex);
		int failed = pthread_create(&pool->threads[i], NULL, run, pool);
		pool->thread_count += !failed;
		pthread_mutex_unlock(&pool->mutex);
		if (failed) {
			directory_pool_free(pool);
			return -REASON_NO_MEMORY;
		}
		pthread_setname_np(pool->threads[i], "directory");
	}
	*ret = pool;
	return 0;
}

int directory_pool_put(struct directory_pool *pool, struct directory_task *task)
{
	CHECK_OBJ(pool, POOL_MAGIC);
	int r = 0;
	pthread_mutex_lock(&pool->mutex);
	if (pool->stopping || pool->waiting >= pool->waiting_max) {
		r = -REASON_BUSY;
	} else {
		task->next = NULL;
		*pool->end = task;
		pool->end = &task->next;
		pool->waiting++;
		pthread_cond_broadcast(&pool->changed);
	}
	pthread_mutex_unlock(&pool->mutex);
	return r;
}

struct directory_pool *directory_pool_free(struct directory_pool *pool)
{
	if (!pool)
		return NULL;
	CHECK_OBJ(pool, POOL_MAGIC);
	pthread_mutex_lock(&pool->mutex);
	pool->stopping = 1;
	pthread_cond_broadcast(&pool->changed);
	pthread_mutex_unlock(&pool->mutex);
	for (size_t i = 0; i < pool->thread_count; i++)
		pthread_join(pool->threads[i], NULL);
	pthread_cond_destroy(&pool->changed);
	pthread_mutex_destroy(&pool->mutex);
	pool->magic = 0;
	free(pool);
	return NULL;
}
