#include "store/redis/redis_history.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/reason.h"
#include "store/journal_chain.h"
#include "store/redis/redis_link.h"
#include "store/redis/redis_reply.h"
#include "store/redis/redis_row.h"
#include "store/redis/redis_words.h"
#include "store/reply.h"
#include "store/state.h"

#define STEP_ROWS 250
#define STEP_BYTES (512 * 1024)
#define HOUR_MS INT64_C(3600000)

/* A look into the journal, of any kind. */
struct look {
	struct redis_ask ask; /* first */
	struct redis_link *link;
	const char *prefix;
	struct reply *reply;
	/* 0: go on with the next step; 1: done; -REASON_*. */
	int (*read)(struct look *look, const struct redisReply *reply);
	int (*step)(struct look *look);
	/* a query */
	struct journal_query query;
	char tenant[STATE_TENANT_MAX + 1], license[STATE_ID_MAX + 1];
	uint64_t first, last; /* what is left to look at; last 0: to the end */
	int bounded;
	/* a verification */
	struct journal_mark anchor;
	struct journal_check check;
	int begun;
	struct journal_point *points;
	size_t count;
};

static void finish(struct look *look, int status)
{
	redis_ask_done(&look->ask);
	reply_send(look->reply, status);
	free(look->points);
	free(look);
}

static void done(struct redis_ask *ask, const struct redisReply *reply)
{
	struct look *look = (struct look *)ask;
	int r = redis_reply_status(reply);
	if (r == 0)
		r = look->read(look, reply);
	redis_ask_done(ask);
	if (r == 0) {
		r = look->step(look);
		if (r == 0) {
			redis_link_send(look->link, ask);
			return;
		}
	}
	finish(look, r > 0 ? 0 : r);
}

/* Answers by itself and returns NULL when there is no memory. */
static struct look *look_new(struct redis_link *link, const char *prefix,
	struct reply *reply)
{
	struct look *look = calloc(1, sizeof(*look));
	if (!look) {
		reply_send(reply, -REASON_NO_MEMORY);
		return NULL;
	}
	look->link = link;
	look->prefix = prefix;
	look->reply = reply;
	look->ask.done = done;
	return look;
}

static void start(struct look *look)
{
	int r = look->step(look);
	if (r)
		finish(look, r > 0 ? 0 : r);
	else
		redis_link_ask(look->link, &look->ask);
}

/* Downwards also for times before 1970. */
static int64_t hour_of(int64_t ms)
{
	return ms / HOUR_MS - (ms % HOUR_MS < 0);
}

static int bounds_step(struct look *look)
{
	struct redis_words words;
	char to[24] = "+inf", from[24] = "-inf";
	const struct journal_query *query = &look->query;
	if (query->from_ms)
		snprintf(from, sizeof(from), "%" PRId64, hour_of(query->from_ms));
	if (query->to_ms)
		snprintf(to, sizeof(to), "%" PRId64, hour_of(query->to_ms - 1));
	redis_words_init(&words);
	redis_words_key(&words, look->prefix, "journal:hours");
	redis_words_text(&words, from);
	redis_words_text(&words, to);
	return redis_words_script(&words, REDIS_BOUNDS, 1, &look->ask);
}

static void index_key(struct look *look, struct redis_words *words)
{
	const char *kind = journal_kind_name(look->query.kind);
	if (look->query.license && *look->query.license)
		redis_words_key(words, look->prefix, REDIS_ROW_INDEX "%s:l:%s", kind,
			look->query.license);
	else if (look->query.tenant)
		redis_words_key(words, look->prefix, REDIS_ROW_INDEX "%s:t:%s", kind,
			look->query.tenant);
	else
		redis_words_key(words, look->prefix, REDIS_ROW_INDEX "%s", kind);
}

static int page_step(struct look *look)
{
	struct redis_words words;
	const struct journal_query *query = &look->query;
	size_t left = query->limit - reply_journal_answer(look->reply)->count;
	if (!left || (look->last && look->first > look->last))
		return 1;
	redis_words_init(&words);
	index_key(look, &words);
	redis_words_key(&words, look->prefix, "journal");
	redis_words_text(&words, query->order == JOURNAL_OLDEST_FIRST ? "up" : "down");
	redis_words_number(&words, (int64_t)look->first);
	if (look->last)
		redis_words_number(&words, (int64_t)look->last);
	else
		redis_words_text(&words, "+");
	redis_words_number(&words, (int64_t)(left < STEP_ROWS ? left : STEP_ROWS));
	redis_words_number(&words, STEP_BYTES);
	return redis_words_script(&words, REDIS_PAGE, 2, &look->ask);
}

static int query_step(struct look *look)
{
	int by_time = look->query.from_ms || look->query.to_ms;
	return by_time && !look->bounded ? bounds_step(look) : page_step(look);
}

static int wanted(const struct journal_query *query, const struct journal_row *row)
{
	return row->kind == query->kind &&
	       (!query->tenant || strcmp(query->tenant, row->tenant) == 0) &&
	       (!query->license || strcmp(query->license, row->license) == 0) &&
	       (!query->from_ms || row->at_ms >= query->from_ms) &&
	       (!query->to_ms || row->at_ms < query->to_ms);
}

static int read_page(struct look *look, const struct redisReply *reply)
{
	const struct redisReply *rows = redis_reply_at(reply, 2);
	uint64_t seen = redis_reply_number(redis_reply_at(reply, 1));
	for (size_t i = 0; i < redis_reply_count(rows); i++) {
		struct journal_row row;
		int r = redis_row_read(redis_reply_at(rows, i), &row);
		if (r == 0 && wanted(&look->query, &row))
			r = reply_row(look->reply, &row);
		if (r)
			return r;
	}
	if (!seen || redis_reply_is(redis_reply_at(reply, 0), "1"))
		return 1;
	if (look->query.order == JOURNAL_OLDEST_FIRST)
		look->first = seen + 1;
	else if (seen > 1)
		look->last = seen - 1;
	else
		return 1;
	return 0;
}

static int read_query(struct look *look, const struct redisReply *reply)
{
	int by_time = look->query.from_ms || look->query.to_ms;
	if (!by_time || look->bounded)
		return read_page(look, reply);
	look->bounded = 1;
	uint64_t first = redis_reply_number(redis_reply_at(reply, 0)),
		 last = redis_reply_number(redis_reply_at(reply, 1));
	if (!last)
		return 1;
	if (first > look->first)
		look->first = first;
	if (!look->last || last < look->last)
		look->last = last;
	return 0;
}

void redis_history_query(struct redis_link *link, const char *prefix,
	const struct journal_query *query, struct post_box *box, journal_done reader,
	void *ctx)
{
	struct look *look = look_new(link, prefix, reply_new_journal(box, reader, ctx));
	if (!look)
		return;
	look->read = read_query;
	look->step = query_step;
	look->query = *query;
	if (look->query.limit > JOURNAL_QUERY_MAX)
		look->query.limit = JOURNAL_QUERY_MAX;
	look->query.tenant = query->tenant ? look->tenant : NULL;
	look->query.license = query->license ? look->license : NULL;
	/* Longer ones stand in no row. */
	if ((query->tenant && strlen(query->tenant) > STATE_TENANT_MAX) ||
		(query->license && strlen(query->license) > STATE_ID_MAX)) {
		finish(look, 0);
		return;
	}
	if (query->tenant)
		memcpy(look->tenant, query->tenant, strlen(query->tenant) + 1);
	if (query->license)
		memcpy(look->license, query->license, strlen(query->license) + 1);
	look->first = 1;
	if (query->after_seq && query->order == JOURNAL_OLDEST_FIRST)
		look->first = query->after_seq + 1;
	/* Nothing is before the first row. */
	if (query->after_seq == 1 && query->order == JOURNAL_NEWEST_FIRST)
		look->query.limit = 0;
	else if (query->after_seq && query->order == JOURNAL_NEWEST_FIRST)
		look->last = query->after_seq - 1;
	start(look);
}

static int walk_step(struct look *look)
{
	struct redis_words words;
	redis_words_init(&words);
	redis_words_key(&words, look->prefix, "journal");
	redis_words_key(&words, look->prefix, "journal:anchor");
	redis_words_key(&words, look->prefix, "journal:head");
	redis_words_key(&words, look->prefix, "journal:hours");
	redis_words_key(&words, look->prefix, "journal:stubs");
	redis_words_key(&words, look->prefix, REDIS_ROW_INDEX);
	redis_words_number(&words, (int64_t)look->check.at.seq + 1);
	redis_words_number(&words, STEP_ROWS);
	redis_words_number(&words, STEP_BYTES);
	return redis_words_script(&words, REDIS_WALK, 5, &look->ask);
}

static int check_stub(struct look *look, const struct redisReply *entry)
{
	struct journal_stub stub;
	if (redis_row_stub(entry, &stub) == 0)
		return journal_chain_gone(&look->check, &stub);
	journal_chain_bad(&look->check, stub.seq, "hash");
	return 1;
}

static int check_row(struct look *look, const struct redisReply *entry)
{
	struct journal_row row;
	if (redis_row_read(entry, &row) == 0)
		return journal_chain_row(&look->check, &row);
	journal_chain_bad(&look->check, row.seq, "hash");
	return 1;
}

static int check_rows(struct look *look, const struct redisReply *rows)
{
	int r = 0;
	for (size_t i = 0; i < redis_reply_count(rows) && r == 0; i++) {
		const struct redisReply *entry = redis_reply_at(rows, i);
		r = redis_row_is_stub(entry) ? check_stub(look, entry)
					     : check_row(look, entry);
	}
	return r;
}

static int read_walk(struct look *look, const struct redisReply *reply)
{
	struct journal_mark anchor, head;
	uint64_t hidden = redis_reply_number(redis_reply_at(reply, 5));
	if (redis_row_mark(redis_reply_at(reply, 1), redis_reply_at(reply, 2), &anchor) ||
		redis_row_mark(redis_reply_at(reply, 3), redis_reply_at(reply, 4),
			&head)) {
		/* Without its ends nothing can be said of the chain. */
		journal_chain_bad(&look->check, 1, "order");
		return 1;
	}
	if (!look->begun || anchor.seq != look->anchor.seq) {
		/* The start, which has asked for every row, so that one in front of the anchor shows;
		 * or a purge went by: what it removed needs no check any more. */
		int again = look->begun;
		look->begun = 1;
		look->anchor = anchor;
		journal_chain_start(&look->check, &anchor, look->points, look->count);
		if (again)
			return 0;
	}
	int r = check_rows(look, redis_reply_at(reply, 6));
	if (hidden && hidden <= look->check.at.seq)
		journal_chain_bad(&look->check, hidden, "hidden");
	if (r || look->check.fault)
		return r ? r : 1;
	if (!redis_reply_is(redis_reply_at(reply, 0), "1"))
		return 0;
	journal_chain_end(&look->check, &head);
	return 1;
}

static int read_verify(struct look *look, const struct redisReply *reply)
{
	int r = read_walk(look, reply);
	if (r == 1)
		journal_chain_answer(&look->check, reply_journal_answer(look->reply));
	return r;
}

void redis_history_verify(struct redis_link *link, const char *prefix,
	const struct journal_point *points, size_t count, struct post_box *box,
	journal_done reader, void *ctx)
{
	struct look *look = look_new(link, prefix, reply_new_journal(box, reader, ctx));
	if (!look)
		return;
	look->count = count;
	look->points = malloc((count + 1) * sizeof(*points));
	if (!look->points) {
		finish(look, -REASON_NO_MEMORY);
		return;
	}
	if (count)
		memcpy(look->points, points, count * sizeof(*points));
	look->read = read_verify;
	look->step = walk_step;
	start(look);
}

static int look_step(struct look *look)
{
	struct redis_words words;
	redis_words_init(&words);
	redis_words_key(&words, look->prefix, "journal");
	redis_words_key(&words, look->prefix, "journal:stubs");
	redis_words_key(&words, look->prefix, "journal:anchor");
	redis_words_key(&words, look->prefix, "journal:head");
	redis_words_key(&words, look->prefix, REDIS_ROW_INDEX);
	for (int kind = 0; kind < JOURNAL_KINDS; kind++)
		redis_words_text(&words, journal_kind_name((enum journal_kind)kind));
	return redis_words_script(&words, REDIS_LOOK, 4, &look->ask);
}

static int read_look(struct look *look, const struct redisReply *reply)
{
	struct journal_answer *answer = reply_journal_answer(look->reply);
	struct journal_facts *facts = &answer->facts;
	struct journal_mark head;
	if (redis_row_mark(redis_reply_at(reply, 0), redis_reply_at(reply, 1), &head))
		return -REASON_STATE_DAMAGED;
	answer->last_seq = head.seq;
	memcpy(answer->last_hash, head.hash, JOURNAL_HASH);
	facts->anchor_seq = redis_reply_number(redis_reply_at(reply, 2));
	facts->stubs = redis_reply_number(redis_reply_at(reply, 3));
	facts->first_ms = (int64_t)redis_reply_number(redis_reply_at(reply, 4));
	facts->bytes = redis_reply_number(redis_reply_at(reply, 5));
	for (size_t kind = 0; kind < JOURNAL_KINDS; kind++)
		facts->rows[kind] = redis_reply_number(redis_reply_at(reply, 6 + kind));
	return 1;
}

void redis_history_look(struct redis_link *link, const char *prefix, struct post_box *box,
	journal_done reader, void *ctx)
{
	struct look *look = look_new(link, prefix, reply_new_journal(box, reader, ctx));
	if (!look)
		return;
	look->read = read_look;
	look->step = look_step;
	start(look);
}
