#include "admission/admission_cache.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/list.h"
#include "base/reason.h"
#include "base/secret.h"

#define CACHE_MAGIC 0x41646361
#define BUCKETS 256

struct known_device {
	uint8_t key[32];
	int64_t mono_ms, wall_ms; /* of its last put; 0: none */
	int64_t proved_ms;
};

/* One license. */
struct known {
	struct list node, age;
	struct admission_cached as_read;
	int is_spoilt; /* not to be used before it is read again */
	struct known_device devices[ADMISSION_CACHE_DEVICES];
	struct lockout_book stored; /* as the store had it */
	struct lockout_book here;   /* what was tried since, while it was away */
};

struct admission_cache {
	uint32_t magic;
	int64_t window_ms;
	pthread_mutex_t mutex;
	struct list table[BUCKETS], ages; /* ages: the one put longest ago is first */
	size_t count;
};

int admission_cache_new(int64_t window_ms, struct admission_cache **ret)
{
	struct admission_cache *cache = calloc(1, sizeof(*cache));
	if (!cache)
		return -REASON_NO_MEMORY;
	cache->magic = CACHE_MAGIC;
	cache->window_ms = window_ms;
	CHECK(pthread_mutex_init(&cache->mutex, NULL) == 0);
	for (size_t i = 0; i < BUCKETS; i++)
		list_init(&cache->table[i]);
	list_init(&cache->ages);
	*ret = cache;
	return 0;
}

static void forget(struct admission_cache *cache, struct known *known)
{
	list_remove(&known->node);
	list_remove(&known->age);
	cache->count--;
	secret_free(known, sizeof(*known));
}

struct admission_cache *admission_cache_free(struct admission_cache *cache)
{
	if (!cache)
		return NULL;
	CHECK_OBJ(cache, CACHE_MAGIC);
	LIST_EACH(node, &cache->ages)
	forget(cache, LIST_ENTRY(node, struct known, age));
	pthread_mutex_destroy(&cache->mutex);
	cache->magic = 0;
	free(cache);
	return NULL;
}

/* Licenses are given out by us, at random. */
static struct list *chain_of(struct admission_cache *cache, const char *license)
{
	uint32_t hash = 2166136261u;
	for (const char *at = license; *at; at++)
		hash = (hash ^ (uint8_t)*at) * 16777619u;
	return &cache->table[(hash ^ hash >> 16) % BUCKETS];
}

static struct known *find(struct admission_cache *cache, const char *license)
{
	LIST_EACH(node, chain_of(cache, license))
	{
		struct known *known = LIST_ENTRY(node, struct known, node);
		if (!strcmp(known->as_read.license.id, license))
			return known;
	}
	return NULL;
}

static struct known *find_or_add(struct admission_cache *cache, const char *license)
{
	struct known *known = find(cache, license);
	if (known) {
		list_remove(&known->age);
		list_add_tail(&cache->ages, &known->age);
		return known;
	}
	known = secret_alloc(sizeof(*known));
	if (!known)
		return NULL;
	list_add_tail(chain_of(cache, license), &known->node);
	list_add_tail(&cache->ages, &known->age);
	if (++cache->count > ADMISSION_CACHE_LICENSES)
		forget(cache, LIST_ENTRY(cache->ages.next, struct known, age));
	return known;
}

static struct known_device *find_device(struct known *known, const uint8_t key[static 32])
{
	for (size_t i = 0; known && i < ADMISSION_CACHE_DEVICES; i++)
		if (known->devices[i].mono_ms && !memcmp(known->devices[i].key, key,
							 sizeof(known->devices[i].key)))
			return &known->devices[i];
	return NULL;
}

static struct known_device *oldest_device(struct known *known)
{
	struct known_device *oldest = &known->devices[0];
	for (size_t i = 1; i < ADMISSION_CACHE_DEVICES; i++)
		if (known->devices[i].mono_ms < oldest->mono_ms)
			oldest = &known->devices[i];
	return oldest;
}

void admission_cache_put(struct admission_cache *cache,
	const struct admission_cached *cached, const uint8_t device[static 32],
	const struct lockout_book *tries)
{
	CHECK_OBJ(cache, CACHE_MAGIC);
	pthread_mutex_lock(&cache->mutex);
	struct known *known = find_or_add(cache, cached->license.id);
	if (known) {
		struct known_device *seen = find_device(known, device);
		if (!seen)
			seen = oldest_device(known);
		known->as_read = *cached;
		known->is_spoilt = 0;
		known->stored = *tries;
		*seen = (struct known_device){.mono_ms = clock_mono_ms(),
			.wall_ms = clock_wall_ms(),
			.proved_ms = cached->proved_ms};
		memcpy(seen->key, device, sizeof(seen->key));
	}
	pthread_mutex_unlock(&cache->mutex);
}

void admission_cache_spoil(struct admission_cache *cache, const char *license,
	const char *tenant)
{
	CHECK_OBJ(cache, CACHE_MAGIC);
	pthread_mutex_lock(&cache->mutex);
	LIST_EACH(node, &cache->ages)
	{
		struct known *known = LIST_ENTRY(node, struct known, age);
		const struct license *as_read = &known->as_read.license;
		if ((!*license || !strcmp(license, as_read->id)) &&
			(!*tenant || !strcmp(tenant, as_read->tenant)))
			known->is_spoilt = 1;
	}
	pthread_mutex_unlock(&cache->mutex);
}

int admission_cache_knows(struct admission_cache *cache, const char *license,
	const uint8_t device[static 32])
{
	CHECK_OBJ(cache, CACHE_MAGIC);
	pthread_mutex_lock(&cache->mutex);
	int is_known = find_device(find(cache, license), device) != NULL;
	pthread_mutex_unlock(&cache->mutex);
	return is_known;
}

/* The documents are as old as the newest look at any of its devices, and this one has to be that young too. */
static int is_fresh(const struct admission_cache *cache,
	const struct known_device *device)
{
	return device && clock_mono_ms() - device->mono_ms < cache->window_ms &&
	       clock_wall_ms() - device->wall_ms < cache->window_ms;
}

int admission_cache_get(struct admission_cache *cache, const char *license,
	const uint8_t device[static 32], struct admission_cached *ret)
{
	CHECK_OBJ(cache, CACHE_MAGIC);
	pthread_mutex_lock(&cache->mutex);
	struct known *known = find(cache, license);
	const struct known_device *seen = find_device(known, device);
	int is_good = known && !known->is_spoilt && is_fresh(cache, seen);
	if (is_good) {
		*ret = known->as_read;
		ret->proved_ms = seen->proved_ms;
	}
	pthread_mutex_unlock(&cache->mutex);
	return is_good ? 0 : -REASON_NOT_FOUND;
}

int64_t admission_cache_charge(struct admission_cache *cache, const char *license,
	const struct lockout_limits *limits, const char *prefix, int64_t now_ms,
	int *ret_locks)
{
	int64_t wait_ms = limits->lock_ms;
	CHECK_OBJ(cache, CACHE_MAGIC);
	*ret_locks = 0;
	pthread_mutex_lock(&cache->mutex);
	struct known *known = find(cache, license);
	if (known)
		wait_ms = lockout_wait(&known->stored, limits, prefix, now_ms);
	if (known && !wait_ms)
		wait_ms = lockout_charge(&known->here, limits, prefix, now_ms, ret_locks);
	pthread_mutex_unlock(&cache->mutex);
	return wait_ms;
}

void admission_cache_forgive(struct admission_cache *cache, const char *license,
	const struct lockout_limits *limits, const char *prefix)
{
	CHECK_OBJ(cache, CACHE_MAGIC);
	pthread_mutex_lock(&cache->mutex);
	struct known *known = find(cache, license);
	if (known)
		lockout_forgive(&known->here, limits, prefix);
	pthread_mutex_unlock(&cache->mutex);
}

void admission_cache_give_back(struct admission_cache *cache, const char *license,
	const struct lockout_limits *limits, const char *prefix)
{
	CHECK_OBJ(cache, CACHE_MAGIC);
	pthread_mutex_lock(&cache->mutex);
	struct known *known = find(cache, license);
	if (known)
		lockout_give_back(&known->here, limits, prefix);
	pthread_mutex_unlock(&cache->mutex);
}
