#include "store/redis/redis_row.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/reason.h"
#include "store/redis/redis_reply.h"
#include "store/redis/redis_words.h"

#define FIELDS 14

static int is_named(const struct redisReply *fields, size_t at, const char *name)
{
	return redis_reply_is(redis_reply_at(fields, at), name);
}

/* The text of a field without a NUL inside, which we never write. */
static const char *text_of(const struct redisReply *fields, size_t at)
{
	size_t len;
	const char *text = redis_reply_text(redis_reply_at(fields, at), &len);
	return text && strlen(text) == len ? text : NULL;
}

static int read_kind(const char *name, enum journal_kind *ret)
{
	for (int kind = 0; kind < JOURNAL_KINDS; kind++) {
		if (strcmp(name, journal_kind_name((enum journal_kind)kind)))
			continue;
		*ret = (enum journal_kind)kind;
		return 0;
	}
	return -REASON_STATE_DAMAGED;
}

int redis_row_read(const struct redisReply *entry, struct journal_row *ret)
{
	static const char *const names[] = {"k", "t", "l", "at", "n", "b", "h"};
	const struct redisReply *fields = redis_reply_at(entry, 1);
	size_t hash_len;
	char *end;
	*ret = (struct journal_row){.seq = redis_reply_number(redis_reply_at(entry, 0))};
	if (redis_reply_count(fields) != FIELDS)
		return -REASON_STATE_DAMAGED;
	for (size_t i = 0; i < ARRAY_LEN(names); i++)
		if (!is_named(fields, 2 * i, names[i]))
			return -REASON_STATE_DAMAGED;
	const char *kind = text_of(fields, 1), *at = text_of(fields, 7);
	const char *hash = redis_reply_text(redis_reply_at(fields, 13), &hash_len);
	ret->tenant = text_of(fields, 3);
	ret->license = text_of(fields, 5);
	ret->node = text_of(fields, 9);
	ret->body = text_of(fields, 11);
	if (!kind || !at || !ret->tenant || !ret->license || !ret->node || !ret->body ||
		!hash || hash_len != JOURNAL_HASH || read_kind(kind, &ret->kind))
		return -REASON_STATE_DAMAGED;
	memcpy(ret->hash, hash, JOURNAL_HASH);
	ret->at_ms = strtoll(at, &end, 10);
	return *end ? -REASON_STATE_DAMAGED : 0;
}

int redis_row_is_stub(const struct redisReply *entry)
{
	size_t len;
	return redis_reply_text(entry, &len) != NULL;
}

int redis_row_stub(const struct redisReply *entry, struct journal_stub *ret)
{
	char kind[16] = "", *end;
	size_t len = 0;
	int64_t at_ms = 0;
	int head = 0;
	const char *text = redis_reply_text(entry, &len);
	*ret = (struct journal_stub){.seq = text ? strtoull(text, &end, 10) : 0};
	if (!text || len < 2 * JOURNAL_HASH ||
		sscanf(end, " %15[a-z] %" SCNd64 "%n", kind, &at_ms, &head) != 2 ||
		(size_t)(end - text) + (size_t)head + 1 + 2 * JOURNAL_HASH != len ||
		end[head] != ' ' || read_kind(kind, &ret->kind))
		return -REASON_STATE_DAMAGED;
	ret->at_ms = at_ms;
	memcpy(ret->rest, text + len - 2 * JOURNAL_HASH, JOURNAL_HASH);
	memcpy(ret->hash, text + len - JOURNAL_HASH, JOURNAL_HASH);
	return 0;
}

int redis_row_mark(const struct redisReply *seq, const struct redisReply *hash,
	struct journal_mark *ret)
{
	size_t seq_len = 0, hash_len = 0;
	const char *text = redis_reply_text(seq, &seq_len);
	const char *bytes = redis_reply_text(hash, &hash_len);
	if (!text || !bytes)
		return -REASON_STATE_DAMAGED;
	if (!seq_len && !hash_len) {
		*ret = (struct journal_mark){0};
		return 0;
	}
	if (hash_len != JOURNAL_HASH)
		return -REASON_STATE_DAMAGED;
	ret->seq = strtoull(text, NULL, 10);
	memcpy(ret->hash, bytes, JOURNAL_HASH);
	return 0;
}

void redis_row_words(struct redis_words *words, const struct journal_row *row)
{
	redis_words_text(words, journal_kind_name(row->kind));
	redis_words_text(words, row->tenant);
	redis_words_text(words, row->license);
	redis_words_number(words, row->at_ms);
	redis_words_text(words, row->body);
	redis_words_bytes(words, row->hash, JOURNAL_HASH);
}
