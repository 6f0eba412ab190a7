#include "store/redis/redis_health.h"

#include <pthread.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/reason.h"
#include "base/text.h"
#include "metrics/metrics.h"
#include "store/journal_spool.h"

#define HEALTH_MAGIC 0x52486561

struct redis_health {
	uint32_t magic;
	atomic_uint emptied;
	int skew; /* said: 0, 1 (more than is good), 2 (more than can be) */
	pthread_mutex_t mutex;
	struct store_health facts; /* under the mutex */
};

int redis_health_new(struct redis_health **ret)
{
	struct redis_health *health = calloc(1, sizeof(*health));
	if (!health)
		return -REASON_NO_MEMORY;
	health->magic = HEALTH_MAGIC;
	atomic_init(&health->emptied, 0);
	CHECK(pthread_mutex_init(&health->mutex, NULL) == 0);
	health->facts.fault = -REASON_STORE_UNAVAILABLE;
	health->facts.since_ms = clock_wall_ms();
	*ret = health;
	return 0;
}

static struct store_health *take(struct redis_health *health)
{
	CHECK_OBJ(health, HEALTH_MAGIC);
	pthread_mutex_lock(&health->mutex);
	return &health->facts;
}

void redis_health_up(struct redis_health *health, const char *notes)
{
	struct store_health *facts = take(health);
	facts->fault = 0;
	facts->since_ms = 0;
	*facts->text = 0;
	text_clip(facts->notes, sizeof(facts->notes), notes);
	pthread_mutex_unlock(&health->mutex);
	metrics_set(METRIC_STORE_UP, 1);
}

void redis_health_down(struct redis_health *health, int fault, const char *text)
{
	struct store_health *facts = take(health);
	if (!facts->since_ms)
		facts->since_ms = clock_wall_ms();
	facts->fault = fault ? fault : -REASON_STORE_UNAVAILABLE;
	text_clip(facts->text, sizeof(facts->text), text);
	pthread_mutex_unlock(&health->mutex);
	metrics_set(METRIC_STORE_UP, 0);
}

/* Said when it becomes so, not with every pulse. */
static void say_skew(struct redis_health *health, int64_t ahead_ms)
{
	int64_t apart = ahead_ms < 0 ? -ahead_ms : ahead_ms;
	int skew = (apart > STORE_HEALTH_SKEW_MS) + (apart > STORE_HEALTH_UNREADY_MS);
	if (skew == health->skew)
		return;
	health->skew = skew;
	log_line(skew == 2 ? LOG_ERROR
		 : skew    ? LOG_WARN
			   : LOG_INFO,
		skew == 2 ? "this clock and that of the store differ; not ready"
		: skew    ? "this clock and that of the store differ"
			  : "this clock is right again",
		LOG_U("ms", apart), LOG_S("this_is", ahead_ms < 0 ? "behind" : "ahead"));
}

void redis_health_clock(struct redis_health *health, int64_t ahead_ms)
{
	struct store_health *facts = take(health);
	facts->clock_ms = ahead_ms;
	say_skew(health, ahead_ms);
	pthread_mutex_unlock(&health->mutex);
	metrics_set(METRIC_STORE_CLOCK, ahead_ms);
}

void redis_health_emptied(struct redis_health *health)
{
	struct store_health *facts = take(health);
	facts->emptied = atomic_fetch_add(&health->emptied, 1) + 1;
	facts->emptied_ms = clock_wall_ms();
	pthread_mutex_unlock(&health->mutex);
	metrics_add(METRIC_STORE_EMPTIED, 1);
	log_line(LOG_ERROR,
		"the store was emptied or is another one: licenses that it does "
		"not have are refused; restore the newest backup");
}

void redis_health_spool(struct redis_health *health, const struct journal_spool *spool,
	uint64_t max, int full)
{
	struct store_health *facts = take(health);
	int was_full = facts->spool_full;
	facts->spool_rows = journal_spool_rows(spool);
	facts->spool_bytes = journal_spool_bytes(spool);
	facts->spool_max = max;
	facts->spool_full = full;
	struct store_health now = *facts;
	pthread_mutex_unlock(&health->mutex);
	if (full && !was_full)
		log_line(LOG_ERROR,
			"the spool is full: new sessions are refused, live ones go "
			"on and keep their counts in memory",
			LOG_U("bytes", now.spool_bytes), LOG_U("rows", now.spool_rows));
}

void redis_health_read(struct redis_health *health, struct store_health *ret)
{
	*ret = *take(health);
	pthread_mutex_unlock(&health->mutex);
}

const atomic_uint *redis_health_count(const struct redis_health *health)
{
	CHECK_OBJ(health, HEALTH_MAGIC);
	return &health->emptied;
}

struct redis_health *redis_health_free(struct redis_health *health)
{
	if (!health)
		return NULL;
	CHECK_OBJ(health, HEALTH_MAGIC);
	pthread_mutex_destroy(&health->mutex);
	health->magic = 0;
	free(health);
	return NULL;
}
