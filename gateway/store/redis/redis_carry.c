#include "store/redis/redis_carry.h"

#include <stdlib.h>
#include <string.h>

#include "base/reason.h"
#include "store/redis/redis_reply.h"
#include "store/redis/redis_row.h"
#include "store/redis/redis_words.h"
#include "store/reply.h"

#define STEP_ROWS 250
#define STEP_BYTES (512 * 1024)

struct carry {
	struct redis_ask ask; /* first */
	struct reply *reply;
	int (*read)(struct carry *carry, const struct redisReply *reply);
};

static void finish(struct carry *carry, int status)
{
	redis_ask_done(&carry->ask);
	reply_send(carry->reply, status);
	free(carry);
}

static void done(struct redis_ask *ask, const struct redisReply *reply)
{
	struct carry *carry = (struct carry *)ask;
	int r = redis_reply_status(reply);
	finish(carry, r ? r : carry->read(carry, reply));
}

/* Answers by itself and returns NULL when there is no memory. */
static struct carry *carry_new(struct reply *reply,
	int (*read)(struct carry *, const struct redisReply *))
{
	struct carry *carry = calloc(1, sizeof(*carry));
	if (!carry) {
		reply_send(reply, -REASON_NO_MEMORY);
		return NULL;
	}
	*carry = (struct carry){.reply = reply, .read = read};
	carry->ask.done = done;
	return carry;
}

static int copy_entry(struct reply *reply, const struct redisReply *entry)
{
	struct journal_row row;
	struct journal_stub stub;
	char body[2 * JOURNAL_HASH + 1];
	if (!redis_row_is_stub(entry)) {
		int r = redis_row_read(entry, &row);
		return r ? r : reply_row(reply, &row);
	}
	int r = redis_row_stub(entry, &stub);
	if (r)
		return r;
	journal_stub_row(&stub, &row, body);
	return reply_row(reply, &row);
}

static int read_copy(struct carry *carry, const struct redisReply *reply)
{
	struct journal_answer *answer = reply_journal_answer(carry->reply);
	const struct redisReply *rows = redis_reply_at(reply, 6);
	struct journal_mark anchor;
	if (redis_row_mark(redis_reply_at(reply, 1), redis_reply_at(reply, 2), &anchor))
		return -REASON_STATE_DAMAGED;
	answer->last_seq = anchor.seq;
	memcpy(answer->last_hash, anchor.hash, JOURNAL_HASH);
	int r = 0;
	for (size_t i = 0; i < redis_reply_count(rows) && r == 0; i++)
		r = copy_entry(carry->reply, redis_reply_at(rows, i));
	return r;
}

void redis_carry_copy(struct redis_link *link, const char *prefix, uint64_t after_seq,
	struct post_box *box, journal_done reader, void *ctx)
{
	struct redis_words words;
	struct carry *carry = carry_new(reply_new_journal(box, reader, ctx), read_copy);
	if (!carry)
		return;
	redis_words_init(&words);
	redis_words_key(&words, prefix, "journal");
	redis_words_key(&words, prefix, "journal:anchor");
	redis_words_key(&words, prefix, "journal:head");
	redis_words_key(&words, prefix, "journal:hours");
	redis_words_key(&words, prefix, "journal:stubs");
	redis_words_key(&words, prefix, REDIS_ROW_INDEX);
	redis_words_number(&words, (int64_t)after_seq + 1);
	redis_words_number(&words, STEP_ROWS);
	redis_words_number(&words, STEP_BYTES);
	int r = redis_words_script(&words, REDIS_WALK, 5, &carry->ask);
	if (r)
		finish(carry, r);
	else
		redis_link_ask(link, &carry->ask);
}

static int read_bring(struct carry *carry UNUSED, const struct redisReply *reply)
{
	const struct redisReply *word = redis_reply_at(reply, 0);
	if (redis_reply_is(word, "ok"))
		return 0;
	return redis_reply_is(word, "conflict") ? -REASON_CONFLICT
						: -REASON_STATE_DAMAGED;
}

/* A stub's body is its rest in raw bytes there. */
static int add_row(struct redis_words *words, const struct journal_row *row)
{
	struct journal_stub stub;
	if (!journal_is_stub(row)) {
		redis_row_words(words, row);
		redis_words_text(words, row->node);
		return 0;
	}
	int r = journal_row_stub(row, &stub);
	if (r)
		return r;
	redis_words_text(words, journal_kind_name(row->kind));
	redis_words_text(words, "");
	redis_words_text(words, "");
	redis_words_number(words, row->at_ms);
	redis_words_bytes(words, stub.rest, JOURNAL_HASH);
	redis_words_bytes(words, row->hash, JOURNAL_HASH);
	redis_words_text(words, "");
	return 0;
}

void redis_carry_bring(struct redis_link *link, const char *prefix,
	const struct journal_point *anchor, const struct journal_row *rows, size_t count,
	struct post_box *box, journal_done reader, void *ctx)
{
	struct redis_words words;
	struct carry *carry = carry_new(reply_new_journal(box, reader, ctx), read_bring);
	if (!carry)
		return;
	int r = journal_rows_check(rows, count);
	for (size_t i = 1; i < count && r == 0; i++)
		if (rows[i].seq != rows[i - 1].seq + 1)
			r = -REASON_CONFLICT;
	if (r || !count) {
		finish(carry, r);
		return;
	}
	redis_words_init(&words);
	redis_words_key(&words, prefix, "journal");
	redis_words_key(&words, prefix, "journal:stubs");
	redis_words_key(&words, prefix, "journal:head");
	redis_words_key(&words, prefix, "journal:anchor");
	redis_words_key(&words, prefix, "journal:hours");
	redis_words_key(&words, prefix, REDIS_ROW_INDEX);
	redis_words_number(&words, (int64_t)anchor->seq);
	redis_words_bytes(&words, anchor->hash, JOURNAL_HASH);
	redis_words_number(&words, (int64_t)rows[0].seq);
	for (size_t i = 0; i < count && r == 0; i++)
		r = add_row(&words, &rows[i]);
	int made = redis_words_script(&words, REDIS_CARRY, 5, &carry->ask);
	if (r || made)
		finish(carry, r ? r : made);
	else
		redis_link_ask(link, &carry->ask);
}
