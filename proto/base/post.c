#include "base/post.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <time.h>

#include "base/reason.h"

#define POST_PUMP_MAGIC 0x50756d70

struct post_pump {
	struct post_box box; /* first: post_box * is post_pump * */
	uint32_t magic;
	pthread_mutex_t mutex;
	pthread_cond_t filled;
	struct post_item *first, **end;
};

static void pump_put(struct post_box *box, struct post_item *item)
{
	struct post_pump *pump = (struct post_pump *)box;
	CHECK_OBJ(pump, POST_PUMP_MAGIC);
	item->next = NULL;
	pthread_mutex_lock(&pump->mutex);
	*pump->end = item;
	pump->end = &item->next;
	pthread_cond_signal(&pump->filled);
	pthread_mutex_unlock(&pump->mutex);
}

int post_pump_new(struct post_pump **ret)
{
	struct post_pump *pump = calloc(1, sizeof(*pump));
	if (!pump)
		return -REASON_NO_MEMORY;
	pump->box.put = pump_put;
	pump->magic = POST_PUMP_MAGIC;
	pump->end = &pump->first;
	pthread_condattr_t attributes;
	CHECK(pthread_mutex_init(&pump->mutex, NULL) == 0);
	CHECK(pthread_condattr_init(&attributes) == 0);
	CHECK(pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC) == 0);
	CHECK(pthread_cond_init(&pump->filled, &attributes) == 0);
	pthread_condattr_destroy(&attributes);
	*ret = pump;
	return 0;
}

struct post_box *post_pump_box(struct post_pump *pump)
{
	return &pump->box;
}

static struct timespec after_ms(int ms)
{
	struct timespec at;
	clock_gettime(CLOCK_MONOTONIC, &at);
	at.tv_sec += ms / 1000;
	at.tv_nsec += ms % 1000 * 1000000L;
	if (at.tv_nsec >= 1000000000L) {
		at.tv_sec++;
		at.tv_nsec -= 1000000000L;
	}
	return at;
}

static struct post_item *take_all(struct post_pump *pump, int ms)
{
	struct timespec until = after_ms(ms < 0 ? 0 : ms);
	int r = 0;
	pthread_mutex_lock(&pump->mutex);
	while (!pump->first && ms != 0 && r != ETIMEDOUT)
		r = ms < 0 ? pthread_cond_wait(&pump->filled, &pump->mutex)
			   : pthread_cond_timedwait(&pump->filled, &pump->mutex, &until);
	struct post_item *first = pump->first;
	pump->first = NULL;
	pump->end = &pump->first;
	pthread_mutex_unlock(&pump->mutex);
	return first;
}

int post_pump_run(struct post_pump *pump, int ms)
{
	CHECK_OBJ(pump, POST_PUMP_MAGIC);
	int count = 0;
	/* Only what was there: an item that posts itself again must not hold the thread. */
	for (struct post_item *item = take_all(pump, ms), *next; item; item = next) {
		next = item->next; /* run() may free it */
		item->run(item);
		count++;
	}
	return count;
}

struct post_pump *post_pump_free(struct post_pump *pump)
{
	if (!pump)
		return NULL;
	CHECK_OBJ(pump, POST_PUMP_MAGIC);
	/* Whoever put an item owns nothing any more, so only run() can free it. */
	while (post_pump_run(pump, 0) > 0)
		;
	pthread_cond_destroy(&pump->filled);
	pthread_mutex_destroy(&pump->mutex);
	pump->magic = 0;
	free(pump);
	return NULL;
}
