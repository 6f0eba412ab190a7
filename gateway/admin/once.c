#include "admin/once.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/reason.h"
#include "base/secret.h"
#include "rules/digest.h"

enum entry_state { ENTRY_FREE, ENTRY_UNDER_WAY, ENTRY_DONE };

struct entry {
	enum entry_state state;
	int64_t since_ms;
	uint8_t who[DIGEST_SIZE], what[DIGEST_SIZE];
	char answer[ONCE_ANSWER];
};

struct once {
	pthread_mutex_t lock;
	struct entry *entries; /* secret_alloc */
};

int once_new(struct once **ret)
{
	struct once *once = calloc(1, sizeof(*once));

	if (once)
		once->entries = secret_alloc(ONCE_ENTRIES * sizeof(*once->entries));
	if (!once || !once->entries) {
		free(once);
		return -REASON_NO_MEMORY;
	}
	pthread_mutex_init(&once->lock, NULL);
	*ret = once;
	return 0;
}

struct once *once_free(struct once *once)
{
	if (!once)
		return NULL;
	secret_free(once->entries, ONCE_ENTRIES * sizeof(*once->entries));
	pthread_mutex_destroy(&once->lock);
	free(once);
	return NULL;
}

static int name_of(const char *caller, const char *key, uint8_t ret[static DIGEST_SIZE])
{
	char text[512];
	int len = snprintf(text, sizeof(text), "%s\n%s", caller, key);

	if (len < 0 || (size_t)len >= sizeof(text))
		return -REASON_LIMIT;
	return digest_sha256(text, (size_t)len, ret);
}

static struct entry *find(struct once *once, const uint8_t who[static DIGEST_SIZE])
{
	int64_t now = clock_mono_ms();

	for (size_t i = 0; i < ONCE_ENTRIES; i++) {
		struct entry *entry = &once->entries[i];
		if (entry->state == ENTRY_DONE && now - entry->since_ms > ONCE_MS)
			secret_wipe(entry, sizeof(*entry));
		if (entry->state != ENTRY_FREE && !memcmp(entry->who, who, DIGEST_SIZE))
			return entry;
	}
	return NULL;
}

/* A free one, or the oldest that is done. */
static struct entry *take(struct once *once)
{
	struct entry *oldest = NULL;

	for (size_t i = 0; i < ONCE_ENTRIES; i++) {
		struct entry *entry = &once->entries[i];
		if (entry->state == ENTRY_FREE)
			return entry;
		if (entry->state == ENTRY_DONE &&
			(!oldest || entry->since_ms < oldest->since_ms))
			oldest = entry;
	}
	return oldest;
}

static int begin(struct once *once, const uint8_t who[static DIGEST_SIZE],
	const uint8_t what[static DIGEST_SIZE], char *ret)
{
	struct entry *entry = find(once, who);

	if (entry && memcmp(entry->what, what, DIGEST_SIZE))
		return -REASON_CONFLICT;
	if (entry && entry->state == ENTRY_UNDER_WAY)
		return -REASON_BUSY;
	if (entry) {
		memcpy(ret, entry->answer, ONCE_ANSWER);
		return 1;
	}
	entry = take(once);
	if (!entry)
		return -REASON_BUSY;
	secret_wipe(entry, sizeof(*entry));
	entry->state = ENTRY_UNDER_WAY;
	entry->since_ms = clock_mono_ms();
	memcpy(entry->who, who, DIGEST_SIZE);
	memcpy(entry->what, what, DIGEST_SIZE);
	return 0;
}

int once_begin(struct once *once, const char *caller, const char *key, const char *body,
	size_t body_len, char ret[static ONCE_ANSWER])
{
	uint8_t who[DIGEST_SIZE], what[DIGEST_SIZE];
	int status = name_of(caller, key, who);

	if (!status)
		status = digest_sha256(body, body_len, what);
	if (status)
		return status;
	pthread_mutex_lock(&once->lock);
	status = begin(once, who, what, ret);
	pthread_mutex_unlock(&once->lock);
	return status;
}

static void settle(struct once *once, const char *caller, const char *key,
	const char *answer)
{
	uint8_t who[DIGEST_SIZE];

	if (name_of(caller, key, who))
		return;
	pthread_mutex_lock(&once->lock);
	struct entry *entry = find(once, who);
	if (entry && answer && strlen(answer) < ONCE_ANSWER) {
		memcpy(entry->answer, answer, strlen(answer) + 1);
		entry->state = ENTRY_DONE;
		entry->since_ms = clock_mono_ms();
	} else if (entry) {
		secret_wipe(entry, sizeof(*entry));
	}
	pthread_mutex_unlock(&once->lock);
}

void once_keep(struct once *once, const char *caller, const char *key, const char *answer)
{
	settle(once, caller, key, answer);
}

void once_drop(struct once *once, const char *caller, const char *key)
{
	settle(once, caller, key, NULL);
}
