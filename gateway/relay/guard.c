#include "relay/guard.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/list.h"
#include "base/reason.h"
#include "base/secret.h"
#include "metrics/metrics.h"
#include "net/address.h"
#include "net/bucket.h"

#define BUCKETS 4096
#define BURST 2 /* seconds of accepts_per_address that may come at once */
/* Chance in thousandths of being turned away when the limit is half full. */
#define EARLY_DROP 300

struct source {
	struct list node;
	uint8_t key[ADDRESS_KEY];
	int64_t strangers, legs;
	int64_t penalty_until_ms, trusted_until_ms;
	int64_t seen_ms;
	int enforced;
	struct bucket accepts;
};

struct guard {
	pthread_mutex_t lock;
	struct relay_settings settings;
	int64_t strangers;
	size_t sources;
	uint64_t dice, salt;
	struct list table[BUCKETS];
};

int guard_new(const struct relay_settings *settings, struct guard **ret)
{
	struct guard *guard = calloc(1, sizeof(*guard));
	if (!guard)
		return -REASON_NO_MEMORY;
	pthread_mutex_init(&guard->lock, NULL);
	guard->settings = *settings;
	for (size_t i = 0; i < BUCKETS; i++)
		list_init(&guard->table[i]);
	/* Salted: nobody outside can choose addresses that fall into one chain. */
	int rc = secret_random(&guard->dice, sizeof(guard->dice));
	if (!rc)
		rc = secret_random(&guard->salt, sizeof(guard->salt));
	if (rc)
		guard_free(guard);
	else
		*ret = guard;
	return rc;
}

struct guard *guard_free(struct guard *guard)
{
	if (!guard)
		return NULL;
	for (size_t i = 0; i < BUCKETS; i++) {
		LIST_EACH(node, &guard->table[i])
		free(LIST_ENTRY(node, struct source, node));
	}
	pthread_mutex_destroy(&guard->lock);
	free(guard);
	return NULL;
}

void guard_set(struct guard *guard, const struct relay_settings *settings)
{
	pthread_mutex_lock(&guard->lock);
	guard->settings = *settings;
	pthread_mutex_unlock(&guard->lock);
}

static struct list *chain_of(struct guard *guard, const uint8_t *key)
{
	uint64_t hash = guard->salt;
	for (size_t i = 0; i < ADDRESS_KEY; i++)
		hash = (hash ^ key[i]) * 0x100000001b3u;
	return &guard->table[(hash ^ hash >> 29) % BUCKETS];
}

static int is_forgettable(const struct source *source, int64_t now_ms)
{
	return !source->strangers && !source->legs &&
	       now_ms >= source->penalty_until_ms && now_ms >= source->trusted_until_ms &&
	       now_ms - source->seen_ms > BURST * 1000;
}

/* Those with nothing left to remember go whenever somebody passes by. */
static struct source *find(struct guard *guard, const uint8_t *key, int64_t now_ms)
{
	struct source *found = NULL;
	LIST_EACH(node, chain_of(guard, key))
	{
		struct source *source = LIST_ENTRY(node, struct source, node);
		if (!memcmp(source->key, key, ADDRESS_KEY)) {
			found = source;
		} else if (is_forgettable(source, now_ms)) {
			list_remove(&source->node);
			free(source);
			guard->sources--;
		}
	}
	return found;
}

static struct source *find_or_add(struct guard *guard, const char *address,
	int64_t now_ms)
{
	uint8_t key[ADDRESS_KEY];
	address_key(key, address);
	struct source *source = find(guard, key, now_ms);
	if (source || guard->sources >= GUARD_SOURCES)
		return source;
	source = calloc(1, sizeof(*source));
	if (!source)
		return NULL;
	memcpy(source->key, key, ADDRESS_KEY);
	int64_t rate = guard->settings.accepts_per_address;
	int64_t burst = rate * BURST > 1000000 ? 1000000 : rate * BURST;
	bucket_start(&source->accepts, rate, burst, now_ms);
	list_add_tail(chain_of(guard, key), &source->node);
	guard->sources++;
	return source;
}

static int is_dropped_early(struct guard *guard)
{
	int64_t half = guard->settings.strangers / 2;
	if (guard->strangers < half)
		return 0;
	if (guard->strangers >= guard->settings.strangers)
		return 1;
	int64_t chance = EARLY_DROP + (1000 - EARLY_DROP) * (guard->strangers - half) /
					      (guard->settings.strangers - half);
	guard->dice = guard->dice * 6364136223846793005u + 1442695040888963407u;
	return (int64_t)(guard->dice >> 33) % 1000 < chance;
}

static int is_trusted(const struct source *source, int64_t now_ms)
{
	return source && now_ms < source->trusted_until_ms;
}

static int judge_source(const struct guard *guard, struct source *source, int64_t now_ms)
{
	if (is_trusted(source, now_ms))
		return 0;
	if (now_ms >= source->penalty_until_ms)
		source->enforced = 0;
	if (source->enforced && !source->legs)
		return -REASON_THROTTLED;
	if (source->strangers >= guard->settings.strangers_per_address ||
		!bucket_take(&source->accepts, now_ms))
		return -REASON_THROTTLED;
	return 0;
}

int guard_admit(struct guard *guard, const char *address)
{
	int64_t now_ms = clock_mono_ms();
	pthread_mutex_lock(&guard->lock);
	struct source *source = find_or_add(guard, address, now_ms);
	int rc = source ? judge_source(guard, source, now_ms) : 0;
	if (!rc && !is_trusted(source, now_ms) && is_dropped_early(guard))
		rc = -REASON_BUSY;
	if (!rc) {
		guard->strangers++;
		if (source) {
			source->strangers++;
			source->seen_ms = now_ms;
		}
	}
	pthread_mutex_unlock(&guard->lock);
	if (!rc)
		metrics_add(METRIC_UNPROVED, 1);
	return rc;
}

void guard_trust(struct guard *guard, const char *address)
{
	int64_t now_ms = clock_mono_ms();
	pthread_mutex_lock(&guard->lock);
	struct source *source = find_or_add(guard, address, now_ms);
	if (source)
		source->trusted_until_ms = now_ms + GUARD_TRUST_MS;
	pthread_mutex_unlock(&guard->lock);
}

/* Sources that came while the table was full were not counted: never below zero. */
static void one_less(int64_t *count)
{
	if (*count > 0)
		(*count)--;
}

static struct source *no_stranger_any_more(struct guard *guard, const char *address,
	int64_t now_ms)
{
	uint8_t key[ADDRESS_KEY];
	address_key(key, address);
	struct source *source = find(guard, key, now_ms);
	CHECK(guard->strangers > 0);
	guard->strangers--;
	if (source)
		one_less(&source->strangers);
	metrics_add(METRIC_UNPROVED, -1);
	return source;
}

void guard_proved(struct guard *guard, const char *address)
{
	int64_t now_ms = clock_mono_ms();
	pthread_mutex_lock(&guard->lock);
	struct source *source = no_stranger_any_more(guard, address, now_ms);
	if (source) {
		source->legs++;
		source->penalty_until_ms = 0;
		source->enforced = 0;
	}
	pthread_mutex_unlock(&guard->lock);
}

static int64_t penalty_ms(int reason)
{
	switch (reason) {
	case REASON_TIMEOUT:
		return 10000;
	case REASON_PROTOCOL:
	case REASON_BAD_MESSAGE:
	case REASON_PROOF_WRONG:
		return 5000;
	case REASON_TLS_FAILED:
		return 2000; /* also what a wrong --ca looks like from here */
	default:
		return 0;
	}
}

void guard_failed(struct guard *guard, const char *address, int reason)
{
	int64_t now_ms = clock_mono_ms();
	pthread_mutex_lock(&guard->lock);
	struct source *source = no_stranger_any_more(guard, address, now_ms);
	int64_t more_ms = penalty_ms(reason < 0 ? -reason : reason);
	if (source && more_ms) {
		int64_t until_ms = source->penalty_until_ms > now_ms
					   ? source->penalty_until_ms
					   : now_ms;
		until_ms += more_ms;
		if (until_ms > now_ms + guard->settings.penalty_most_ms)
			until_ms = now_ms + guard->settings.penalty_most_ms;
		source->penalty_until_ms = until_ms;
		if (until_ms - now_ms >= guard->settings.penalty_least_ms)
			source->enforced = 1;
	}
	pthread_mutex_unlock(&guard->lock);
}

void guard_left(struct guard *guard, const char *address)
{
	uint8_t key[ADDRESS_KEY];
	address_key(key, address);
	pthread_mutex_lock(&guard->lock);
	struct source *source = find(guard, key, clock_mono_ms());
	if (source)
		one_less(&source->legs);
	pthread_mutex_unlock(&guard->lock);
}

int64_t guard_strangers(struct guard *guard)
{
	pthread_mutex_lock(&guard->lock);
	int64_t strangers = guard->strangers;
	pthread_mutex_unlock(&guard->lock);
	return strangers;
}
