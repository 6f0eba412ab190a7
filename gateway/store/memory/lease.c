#include "store/memory/lease.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/reason.h"
#include "base/text.h"
#include "store/reply.h"

#define LEASE_MAGIC 0x4c656173
#define FIRST_BUCKETS 256

enum use { USE_CLAIM, USE_PRESENCE };

/* What somebody holds until a time: a claim by a session, or a presence by a node. */
struct entry {
	struct entry *next;
	uint32_t hash;
	enum use use;
	int64_t until_ms;
	uint64_t fence;
	char *license, *by, *value; /* one allocation with the entry itself */
};

struct lease {
	uint32_t magic;
	pthread_mutex_t mutex;
	struct entry **buckets;
	size_t bucket_count, entry_count;
	uint64_t fence, limit; /* the next one to draw; the first that may not be */
	int asked;             /* lease_low() said so already */
};

int lease_new(uint64_t first, struct lease **ret)
{
	struct lease *lease = calloc(1, sizeof(*lease));
	if (!lease)
		return -REASON_NO_MEMORY;
	lease->buckets = calloc(FIRST_BUCKETS, sizeof(*lease->buckets));
	if (!lease->buckets) {
		free(lease);
		return -REASON_NO_MEMORY;
	}
	lease->magic = LEASE_MAGIC;
	lease->bucket_count = FIRST_BUCKETS;
	lease->fence = lease->limit = first;
	CHECK(pthread_mutex_init(&lease->mutex, NULL) == 0);
	*ret = lease;
	return 0;
}

struct lease *lease_free(struct lease *lease)
{
	if (!lease)
		return NULL;
	CHECK_OBJ(lease, LEASE_MAGIC);
	for (size_t i = 0; i < lease->bucket_count; i++)
		for (struct entry *entry = lease->buckets[i], *next; entry;
			entry = next) {
			next = entry->next;
			free(entry);
		}
	free(lease->buckets);
	pthread_mutex_destroy(&lease->mutex);
	lease->magic = 0;
	free(lease);
	return NULL;
}

uint64_t lease_floor(uint64_t durable, int64_t wall_ms)
{
	/* 1024 fences a second since 1970: more than were ever drawn, so that hosts which
	 * remember a fence do not refuse a gateway whose store came back from a backup. It stays
	 * below 2^53, the largest number of JSON, for longer than anybody needs. */
	uint64_t by_clock = wall_ms > 0 ? (uint64_t)wall_ms / 1000 * 1024 : 0;
	return (durable > by_clock ? durable : by_clock) + 1;
}

void lease_extend(struct lease *lease, uint64_t limit)
{
	CHECK_OBJ(lease, LEASE_MAGIC);
	pthread_mutex_lock(&lease->mutex);
	if (limit > lease->limit)
		lease->limit = limit;
	lease->asked = 0;
	pthread_mutex_unlock(&lease->mutex);
}

uint64_t lease_raise(struct lease *lease, uint64_t least)
{
	CHECK_OBJ(lease, LEASE_MAGIC);
	pthread_mutex_lock(&lease->mutex);
	if (lease->fence <= least)
		lease->fence = least + 1;
	uint64_t fence = lease->fence;
	if (lease->limit < fence)
		lease->limit = fence;
	pthread_mutex_unlock(&lease->mutex);
	return fence;
}

int lease_low(struct lease *lease, uint64_t *ret_limit)
{
	CHECK_OBJ(lease, LEASE_MAGIC);
	pthread_mutex_lock(&lease->mutex);
	int low = !lease->asked && lease->limit - lease->fence < LEASE_RANGE / 2;
	if (low) {
		lease->asked = 1;
		*ret_limit = lease->limit + LEASE_RANGE;
	}
	pthread_mutex_unlock(&lease->mutex);
	return low;
}

/* FNV-1a: licenses are names that admission has already let pass, not an attacker's choice. */
static uint32_t hash_of(const char *license, enum use use)
{
	uint32_t hash = 2166136261u ^ (uint32_t)use;
	for (const char *c = license; *c; c++)
		hash = (hash ^ (uint8_t)*c) * 16777619u;
	return hash;
}

static struct entry **place_of(struct lease *lease, const char *license, enum use use)
{
	uint32_t hash = hash_of(license, use);
	struct entry **place = &lease->buckets[hash & (lease->bucket_count - 1)];
	while (*place && ((*place)->hash != hash || (*place)->use != use ||
				 strcmp((*place)->license, license)))
		place = &(*place)->next;
	return place;
}

static void remove_at(struct lease *lease, struct entry **place)
{
	struct entry *entry = *place;
	*place = entry->next;
	free(entry);
	lease->entry_count--;
}

/* The entry that still counts, or NULL; one that has run out is removed on the way. */
static struct entry *live_at(struct lease *lease, struct entry **place)
{
	if (*place && (*place)->until_ms <= clock_mono_ms())
		remove_at(lease, place);
	else if (*place)
		return *place;
	return NULL;
}

/* Drops what has run out, so that the table holds what is alive and not all that ever was. */
static void sweep(struct lease *lease)
{
	int64_t now = clock_mono_ms();
	for (size_t i = 0; i < lease->bucket_count; i++)
		for (struct entry **place = &lease->buckets[i]; *place;) {
			if ((*place)->until_ms <= now)
				remove_at(lease, place);
			else
				place = &(*place)->next;
		}
}

/* When it fails the table stays as it is, only fuller. */
static void grow(struct lease *lease)
{
	if (lease->entry_count < lease->bucket_count)
		return;
	sweep(lease);
	if (lease->entry_count < lease->bucket_count / 2)
		return;
	size_t count = lease->bucket_count * 2;
	struct entry **buckets = calloc(count, sizeof(*buckets));
	if (!buckets)
		return;
	for (size_t i = 0; i < lease->bucket_count; i++)
		for (struct entry *entry = lease->buckets[i], *next; entry;
			entry = next) {
			next = entry->next;
			entry->next = buckets[entry->hash & (count - 1)];
			buckets[entry->hash & (count - 1)] = entry;
		}
	free(lease->buckets);
	lease->buckets = buckets;
	lease->bucket_count = count;
}

static struct entry *entry_new(const char *license, enum use use, const char *by,
	const char *value)
{
	size_t a = strlen(license) + 1, b = strlen(by) + 1, c = strlen(value) + 1;
	struct entry *entry = calloc(1, sizeof(*entry) + a + b + c);
	if (!entry)
		return NULL;
	entry->license = memcpy(entry + 1, license, a);
	entry->by = memcpy(entry->license + a, by, b);
	entry->value = memcpy(entry->by + b, value, c);
	entry->hash = hash_of(license, use);
	entry->use = use;
	return entry;
}

static int set(struct lease *lease, const char *license, enum use use, const char *by,
	const char *value, int64_t ttl_ms, uint64_t fence)
{
	struct entry *entry = entry_new(license, use, by, value);
	if (!entry)
		return -REASON_NO_MEMORY;
	struct entry **place = place_of(lease, license, use);
	if (*place)
		remove_at(lease, place);
	entry->until_ms = clock_mono_ms() + ttl_ms;
	entry->fence = fence;
	grow(lease);
	place = &lease->buckets[entry->hash & (lease->bucket_count - 1)];
	entry->next = *place;
	*place = entry;
	lease->entry_count++;
	return 0;
}

static void copy_value(char ret[static LEASE_VALUE_MAX], const char *value)
{
	CHECK(text_copy(ret, LEASE_VALUE_MAX, value) == 0); /* set() took no longer one */
}

int lease_claim(struct lease *lease, const char *license, const char *session,
	const char *holder, int64_t ttl_ms, uint64_t *ret_fence,
	char ret_holder[static LEASE_VALUE_MAX])
{
	CHECK_OBJ(lease, LEASE_MAGIC);
	if (strlen(holder) >= LEASE_VALUE_MAX)
		return -REASON_LIMIT;
	pthread_mutex_lock(&lease->mutex);
	struct entry *entry = live_at(lease, place_of(lease, license, USE_CLAIM));
	int r;
	if (entry && strcmp(entry->by, session)) {
		r = -REASON_LICENSE_IN_USE;
		copy_value(ret_holder, entry->value);
		*ret_fence = entry->fence;
	} else if (lease->fence >= lease->limit) {
		r = -REASON_STORE_UNAVAILABLE;
	} else {
		r = set(lease, license, USE_CLAIM, session, holder, ttl_ms, lease->fence);
		if (r == 0) {
			*ret_fence = lease->fence++;
			copy_value(ret_holder, holder);
		}
	}
	pthread_mutex_unlock(&lease->mutex);
	return r;
}

int lease_renew(struct lease *lease, const char *license, const char *session,
	int64_t ttl_ms, uint64_t *ret_fence, char ret_holder[static LEASE_VALUE_MAX])
{
	CHECK_OBJ(lease, LEASE_MAGIC);
	int r = -REASON_NOT_FOUND;
	pthread_mutex_lock(&lease->mutex);
	struct entry *entry = live_at(lease, place_of(lease, license, USE_CLAIM));
	if (entry && strcmp(entry->by, session) == 0) {
		entry->until_ms = clock_mono_ms() + ttl_ms;
		*ret_fence = entry->fence;
		copy_value(ret_holder, entry->value);
		r = 0;
	}
	pthread_mutex_unlock(&lease->mutex);
	return r;
}

static void remove_own(struct lease *lease, const char *license, enum use use,
	const char *by, uint64_t fence)
{
	CHECK_OBJ(lease, LEASE_MAGIC);
	pthread_mutex_lock(&lease->mutex);
	struct entry **place = place_of(lease, license, use);
	if (*place && strcmp((*place)->by, by) == 0 &&
		(!fence || (*place)->fence == fence))
		remove_at(lease, place);
	pthread_mutex_unlock(&lease->mutex);
}

void lease_release(struct lease *lease, const char *license, const char *session,
	uint64_t fence)
{
	remove_own(lease, license, USE_CLAIM, session, fence);
}

int lease_announce(struct lease *lease, const char *license, const char *node,
	const char *value, int64_t ttl_ms)
{
	CHECK_OBJ(lease, LEASE_MAGIC);
	if (strlen(value) >= LEASE_VALUE_MAX)
		return -REASON_LIMIT;
	pthread_mutex_lock(&lease->mutex);
	int r = set(lease, license, USE_PRESENCE, node, value, ttl_ms, 0);
	pthread_mutex_unlock(&lease->mutex);
	return r;
}

int lease_stay(struct lease *lease, const char *license, const char *node,
	const char *value, int64_t ttl_ms, char ret_value[static LEASE_VALUE_MAX])
{
	CHECK_OBJ(lease, LEASE_MAGIC);
	int r = strlen(value) >= LEASE_VALUE_MAX ? -REASON_LIMIT : 0;
	pthread_mutex_lock(&lease->mutex);
	struct entry *entry = live_at(lease, place_of(lease, license, USE_PRESENCE));
	if (r == 0 && entry && strcmp(entry->by, node)) {
		copy_value(ret_value, entry->value);
		r = -REASON_CONFLICT;
	}
	if (r == 0)
		r = set(lease, license, USE_PRESENCE, node, value, ttl_ms, 0);
	pthread_mutex_unlock(&lease->mutex);
	return r;
}

int lease_locate(struct lease *lease, const char *license,
	char ret_value[static LEASE_VALUE_MAX])
{
	CHECK_OBJ(lease, LEASE_MAGIC);
	int r = -REASON_NOT_FOUND;
	pthread_mutex_lock(&lease->mutex);
	struct entry *entry = live_at(lease, place_of(lease, license, USE_PRESENCE));
	if (entry) {
		copy_value(ret_value, entry->value);
		r = 0;
	}
	pthread_mutex_unlock(&lease->mutex);
	return r;
}

void lease_withdraw(struct lease *lease, const char *license, const char *node)
{
	remove_own(lease, license, USE_PRESENCE, node, 0);
}

/* Sends a refusal with the holder too: the asker is told who has the license. */
static void answer(struct reply *reply, int status, uint64_t fence, const char *holder)
{
	reply_state_answer(reply)->fence = fence;
	if (*holder && reply_holder(reply, holder))
		status = -REASON_NO_MEMORY;
	reply_send(reply, status);
}

void lease_answer_claim(struct lease *lease, const char *license, const char *session,
	const char *holder, int64_t ttl_ms, struct reply *reply)
{
	uint64_t fence = 0;
	char who[LEASE_VALUE_MAX] = "";
	int r = lease_claim(lease, license, session, holder, ttl_ms, &fence, who);
	answer(reply, r, fence, who);
}

void lease_answer_renew(struct lease *lease, const char *license, const char *session,
	int64_t ttl_ms, struct reply *reply)
{
	uint64_t fence = 0;
	char who[LEASE_VALUE_MAX] = "";
	int r = lease_renew(lease, license, session, ttl_ms, &fence, who);
	answer(reply, r, fence, who);
}

void lease_answer_stay(struct lease *lease, const char *license, const char *node,
	const char *value, int64_t ttl_ms, struct reply *reply)
{
	char there[LEASE_VALUE_MAX] = "";
	int r = lease_stay(lease, license, node, value, ttl_ms, there);
	answer(reply, r, 0, there);
}

void lease_answer_locate(struct lease *lease, const char *license, struct reply *reply)
{
	char value[LEASE_VALUE_MAX] = "";
	int r = lease_locate(lease, license, value);
	answer(reply, r, 0, value);
}
