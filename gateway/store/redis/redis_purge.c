#include "store/redis/redis_purge.h"

#include <stdlib.h>

#include "base/reason.h"
#include "store/journal_chain.h"
#include "store/redis/redis_link.h"
#include "store/redis/redis_reply.h"
#include "store/redis/redis_row.h"
#include "store/redis/redis_words.h"
#include "store/reply.h"

#define STEP_ROWS 250
#define STEP_BYTES (512 * 1024)
#define HOUR_MS INT64_C(3600000)

enum purge_state {
	PURGE_BOUND,   /* up to which row there may be some */
	PURGE_READ,    /* rows of a kind */
	PURGE_REPLACE, /* by stubs */
	PURGE_TRIM     /* the start */
};

struct purge {
	struct redis_ask ask; /* first */
	struct redis_link *link;
	const char *prefix;
	struct reply *reply;
	struct journal_purge *rule;
	enum purge_state state;
	int kind;
	uint64_t after, last; /* of this kind: looked at, and the last to look at */
	int at_end;           /* of this kind */
	uint64_t gone;
	size_t found;
	struct journal_stub stubs[STEP_ROWS];
};

static void finish(struct purge *purge, int status)
{
	reply_journal_answer(purge->reply)->checked = purge->gone;
	reply_send(purge->reply, status);
	free(purge->rule);
	free(purge);
}

static int ask_bound(struct purge *purge, struct redis_words *words)
{
	int64_t before =
		journal_purge_latest(purge->rule, (enum journal_kind)purge->kind);
	redis_words_key(words, purge->prefix, "journal:hours");
	redis_words_text(words, "-inf");
	redis_words_number(words, (before - 1) / HOUR_MS);
	return redis_words_script(words, REDIS_BOUNDS, 1, &purge->ask);
}

static int ask_rows(struct purge *purge, struct redis_words *words)
{
	redis_words_key(words, purge->prefix, REDIS_ROW_INDEX "%s",
		journal_kind_name((enum journal_kind)purge->kind));
	redis_words_key(words, purge->prefix, "journal");
	redis_words_text(words, "up");
	redis_words_number(words, (int64_t)purge->after + 1);
	redis_words_number(words, (int64_t)purge->last);
	redis_words_number(words, STEP_ROWS);
	redis_words_number(words, STEP_BYTES);
	return redis_words_script(words, REDIS_PAGE, 2, &purge->ask);
}

static int ask_replace(struct purge *purge, struct redis_words *words)
{
	redis_words_key(words, purge->prefix, "journal");
	redis_words_key(words, purge->prefix, "journal:stubs");
	redis_words_key(words, purge->prefix, REDIS_ROW_INDEX);
	for (size_t i = 0; i < purge->found; i++) {
		redis_words_number(words, (int64_t)purge->stubs[i].seq);
		redis_words_bytes(words, purge->stubs[i].rest, JOURNAL_HASH);
	}
	return redis_words_script(words, REDIS_PURGE, 2, &purge->ask);
}

static int ask_trim(struct purge *purge, struct redis_words *words)
{
	redis_words_key(words, purge->prefix, "journal");
	redis_words_key(words, purge->prefix, "journal:stubs");
	redis_words_key(words, purge->prefix, "journal:anchor");
	redis_words_key(words, purge->prefix, "journal:head");
	redis_words_key(words, purge->prefix, "journal:hours");
	redis_words_key(words, purge->prefix, "journal:ended");
	redis_words_number(words, purge->rule->stubs_before_ms);
	redis_words_number(words, STEP_ROWS);
	return redis_words_script(words, REDIS_TRIM, 6, &purge->ask);
}

static int ask_next(struct purge *purge)
{
	static int (*const asks[])(struct purge *, struct redis_words *) = {
		ask_bound, ask_rows, ask_replace, ask_trim};
	struct redis_words words;
	redis_words_init(&words);
	return asks[purge->state](purge, &words);
}

static void next_rows(struct purge *purge)
{
	purge->state = PURGE_READ;
	if (!purge->at_end && purge->after < purge->last)
		return;
	purge->kind++;
	purge->after = 0;
	purge->at_end = 0;
	purge->state = purge->kind < JOURNAL_KINDS ? PURGE_BOUND : PURGE_TRIM;
}

static int read_rows(struct purge *purge, const struct redisReply *reply)
{
	const struct redisReply *rows = redis_reply_at(reply, 2);
	purge->found = 0;
	purge->after = redis_reply_number(redis_reply_at(reply, 1));
	purge->at_end = !purge->after || redis_reply_is(redis_reply_at(reply, 0), "1");
	for (size_t i = 0; i < redis_reply_count(rows) && i < STEP_ROWS; i++) {
		struct journal_row row;
		int r = redis_row_read(redis_reply_at(rows, i), &row);
		if (r)
			return r;
		if (row.at_ms >= journal_purge_before(purge->rule, row.kind, row.tenant))
			continue;
		r = journal_chain_stub(&row, &purge->stubs[purge->found++]);
		if (r)
			return r;
	}
	if (purge->found)
		purge->state = PURGE_REPLACE;
	else
		next_rows(purge);
	return 0;
}

/* 0: go on. 1: all is done. */
static int read_reply(struct purge *purge, const struct redisReply *reply)
{
	switch (purge->state) {
	case PURGE_BOUND:
		purge->last = redis_reply_number(redis_reply_at(reply, 1));
		next_rows(purge);
		return 0;
	case PURGE_READ:
		return read_rows(purge, reply);
	case PURGE_REPLACE:
		purge->gone += redis_reply_number(redis_reply_at(reply, 0));
		next_rows(purge);
		return 0;
	case PURGE_TRIM:
		return redis_reply_number(redis_reply_at(reply, 0)) < STEP_ROWS;
	}
	return -REASON_INTERNAL;
}

static void done(struct redis_ask *ask, const struct redisReply *reply)
{
	struct purge *purge = (struct purge *)ask;
	int r = redis_reply_status(reply);
	if (r == 0)
		r = read_reply(purge, reply);
	redis_ask_done(ask);
	if (r == 0)
		r = ask_next(purge);
	if (r)
		finish(purge, r > 0 ? 0 : r);
	else
		redis_link_send(purge->link, ask);
}

void redis_purge_start(struct redis_link *link, const char *prefix,
	const struct journal_purge *rule, struct post_box *box, journal_done reader,
	void *ctx)
{
	struct reply *reply = reply_new_journal(box, reader, ctx);
	struct purge *purge = calloc(1, sizeof(*purge));
	if (!purge || !(purge->rule = journal_purge_copy(rule))) {
		free(purge);
		reply_send(reply, -REASON_NO_MEMORY);
		return;
	}
	purge->link = link;
	purge->prefix = prefix;
	purge->reply = reply;
	purge->ask.done = done;
	int r = ask_next(purge);
	if (r)
		finish(purge, r);
	else
		redis_link_ask(link, &purge->ask);
}
