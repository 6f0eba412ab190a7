#include "admin/reading_log.h"

#include <pthread.h>
#include <stdlib.h>

#include "base/reason.h"

#define PLACES 1024
#define MINUTE_MS 60000

struct reading_log {
	pthread_mutex_t mutex;
	struct {
		uint64_t what;
		int64_t minute;
	} places[PLACES];
};

int reading_log_new(struct reading_log **ret)
{
	struct reading_log *log = calloc(1, sizeof(*log));
	if (!log)
		return -REASON_NO_MEMORY;
	CHECK(pthread_mutex_init(&log->mutex, NULL) == 0);
	*ret = log;
	return 0;
}

struct reading_log *reading_log_free(struct reading_log *log)
{
	if (!log)
		return NULL;
	pthread_mutex_destroy(&log->mutex);
	free(log);
	return NULL;
}

static uint64_t mix(uint64_t hash, const char *text)
{
	do
		hash = (hash ^ (uint8_t)*text) * UINT64_C(1099511628211);
	while (*text++);
	return hash;
}

int reading_log_is_new(struct reading_log *log, const char *who, const char *what,
	int64_t now_ms)
{
	uint64_t hash = mix(mix(UINT64_C(14695981039346656037), who), what);
	int64_t minute = now_ms / MINUTE_MS;
	pthread_mutex_lock(&log->mutex);
	int is_new = log->places[hash % PLACES].what != hash ||
		     log->places[hash % PLACES].minute != minute;
	log->places[hash % PLACES].what = hash;
	log->places[hash % PLACES].minute = minute;
	pthread_mutex_unlock(&log->mutex);
	return is_new;
}
