#include "store/memory/memory_journal.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "base/reason.h"
#include "store/journal_chain.h"
#include "store/reply.h"

#define MEMORY_JOURNAL_MAGIC 0x4d4a6f75

/* A row, or where it was. */
struct memory_row {
	struct journal_row *row; /* NULL: gone */
	struct journal_stub *stub;
	char *node; /* of a row that was brought, NULL: the journal's */
};

static void memory_row_free(struct memory_row *at)
{
	free(at->row);
	free(at->stub);
	free(at->node);
	*at = (struct memory_row){0};
}

struct memory_journal {
	struct journal journal; /* first: journal * is memory_journal * */
	uint32_t magic;
	pthread_mutex_t mutex;
	char *node;
	struct memory_row *rows; /* rows[i] has seq anchor.seq + 1 + i */
	size_t count, cap;
	struct journal_mark anchor, head;
};

static struct memory_journal *mine(struct journal *journal)
{
	struct memory_journal *memory = (struct memory_journal *)journal;
	CHECK_OBJ(memory, MEMORY_JOURNAL_MAGIC);
	return memory;
}

static struct journal_row *row_new(const struct journal_row *from, const char *node)
{
	size_t a = strlen(from->tenant) + 1, b = strlen(from->license) + 1,
	       c = strlen(from->body) + 1;
	const char *series = from->series ? from->series : "";
	size_t d = strlen(series) + 1;
	struct journal_row *row = malloc(sizeof(*row) + a + b + c + d);
	if (!row)
		return NULL;
	char *at = (char *)(row + 1);
	*row = *from;
	row->node = node;
	row->tenant = memcpy(at, from->tenant, a);
	row->license = memcpy(at + a, from->license, b);
	row->body = memcpy(at + a + b, from->body, c);
	row->series = memcpy(at + a + b + c, series, d);
	return row;
}

static int room(struct memory_journal *memory, size_t count)
{
	size_t cap = memory->cap ? memory->cap : 64;
	while (cap < memory->count + count)
		cap *= 2;
	if (cap == memory->cap)
		return 0;
	struct memory_row *more = realloc(memory->rows, cap * sizeof(*more));
	if (!more)
		return -REASON_NO_MEMORY;
	memory->rows = more;
	memory->cap = cap;
	return 0;
}

static int append_one(struct memory_journal *memory, const struct journal_row *from)
{
	struct journal_row *row = row_new(from, memory->node);
	if (!row)
		return -REASON_NO_MEMORY;
	row->seq = memory->head.seq + 1;
	int r = journal_chain_hash(memory->head.hash, row, row->hash);
	if (r) {
		free(row);
		return r;
	}
	memory->rows[memory->count++] = (struct memory_row){.row = row};
	memory->head.seq = row->seq;
	memcpy(memory->head.hash, row->hash, JOURNAL_HASH);
	return 0;
}

static int has_ended(const struct memory_journal *memory, const char *series)
{
	for (size_t i = memory->count; series && *series && i-- > 0;) {
		const struct journal_row *row = memory->rows[i].row;
		if (row && row->place == JOURNAL_LAST && !strcmp(row->series, series))
			return 1;
	}
	return 0;
}

static int append_locked(struct memory_journal *memory, const struct journal_row *rows,
	size_t count, size_t *ret_left_out)
{
	size_t left_out = 0;
	struct journal_mark head = memory->head;
	size_t before = memory->count;
	int r = room(memory, count);
	for (size_t i = 0; i < count && r == 0; i++) {
		if (has_ended(memory, rows[i].series))
			left_out++;
		else
			r = append_one(memory, &rows[i]);
	}
	*ret_left_out = left_out;
	if (r) {
		while (memory->count > before)
			free(memory->rows[--memory->count].row);
		memory->head = head;
	}
	return r;
}

static void append(struct journal *journal, const struct journal_row *rows, size_t count,
	struct post_box *box, journal_done done, void *ctx)
{
	struct memory_journal *memory = mine(journal);
	struct reply *reply = reply_new_journal(box, done, ctx);
	int r = journal_rows_check(rows, count);
	if (r == 0) {
		pthread_mutex_lock(&memory->mutex);
		struct journal_answer *answer = reply_journal_answer(reply);
		r = append_locked(memory, rows, count, &answer->left_out);
		answer->last_seq = memory->head.seq;
		memcpy(answer->last_hash, memory->head.hash, JOURNAL_HASH);
		pthread_mutex_unlock(&memory->mutex);
	}
	reply_send(reply, r);
}

static int matches(const struct journal_query *query, const struct journal_row *row)
{
	return row->kind == query->kind &&
	       (!query->tenant || strcmp(query->tenant, row->tenant) == 0) &&
	       (!query->license || strcmp(query->license, row->license) == 0) &&
	       (!query->from_ms || row->at_ms >= query->from_ms) &&
	       (!query->to_ms || row->at_ms < query->to_ms);
}

static int query_locked(struct memory_journal *memory, const struct journal_query *query,
	struct reply *reply)
{
	size_t left = query->limit < JOURNAL_QUERY_MAX ? query->limit : JOURNAL_QUERY_MAX;
	int newest = query->order == JOURNAL_NEWEST_FIRST;
	uint64_t after = query->after_seq;
	for (size_t i = 0; i < memory->count && left; i++) {
		struct journal_row *row =
			memory->rows[newest ? memory->count - 1 - i : i].row;
		if (!row)
			continue;
		if (after && (newest ? row->seq >= after : row->seq <= after))
			continue;
		if (!matches(query, row))
			continue;
		int r = reply_row(reply, row);
		if (r)
			return r;
		left--;
	}
	return 0;
}

static void query_rows(struct journal *journal, const struct journal_query *query,
	struct post_box *box, journal_done done, void *ctx)
{
	struct memory_journal *memory = mine(journal);
	struct reply *reply = reply_new_journal(box, done, ctx);
	pthread_mutex_lock(&memory->mutex);
	int r = query_locked(memory, query, reply);
	pthread_mutex_unlock(&memory->mutex);
	reply_send(reply, r);
}

static void verify(struct journal *journal, const struct journal_point *points,
	size_t count, struct post_box *box, journal_done done, void *ctx)
{
	struct memory_journal *memory = mine(journal);
	struct reply *reply = reply_new_journal(box, done, ctx);
	struct journal_check check;
	int r = 0;
	pthread_mutex_lock(&memory->mutex);
	journal_chain_start(&check, &memory->anchor, points, count);
	for (size_t i = 0; i < memory->count && r == 0; i++)
		r = memory->rows[i].row
			    ? journal_chain_row(&check, memory->rows[i].row)
			    : journal_chain_gone(&check, memory->rows[i].stub);
	journal_chain_end(&check, &memory->head);
	pthread_mutex_unlock(&memory->mutex);
	journal_chain_answer(&check, reply_journal_answer(reply));
	reply_send(reply, r < 0 ? r : 0);
}

/* 1: it went. */
static int remove_row(struct memory_row *at, const struct journal_purge *purge)
{
	if (!at->row || at->row->at_ms >= journal_purge_before(purge, at->row->kind,
						  at->row->tenant))
		return 0;
	at->stub = malloc(sizeof(*at->stub));
	int r = at->stub ? journal_chain_stub(at->row, at->stub) : -REASON_NO_MEMORY;
	if (r) {
		free(at->stub);
		at->stub = NULL;
		return r;
	}
	free(at->row);
	free(at->node);
	at->row = NULL;
	at->node = NULL;
	return 1;
}

static void drop_stubs(struct memory_journal *memory, int64_t before_ms)
{
	size_t gone = 0;
	for (; gone < memory->count && memory->rows[gone].stub &&
		memory->rows[gone].stub->at_ms < before_ms;
		gone++) {
		struct journal_stub *stub = memory->rows[gone].stub;
		memory->anchor.seq = stub->seq;
		memcpy(memory->anchor.hash, stub->hash, JOURNAL_HASH);
		memory_row_free(&memory->rows[gone]);
	}
	memory->count -= gone;
	if (gone)
		memmove(memory->rows, memory->rows + gone,
			memory->count * sizeof(*memory->rows));
}

static void purge(struct journal *journal, const struct journal_purge *rule,
	struct post_box *box, journal_done done, void *ctx)
{
	struct memory_journal *memory = mine(journal);
	struct reply *reply = reply_new_journal(box, done, ctx);
	uint64_t gone = 0;
	int r = 0;
	pthread_mutex_lock(&memory->mutex);
	for (size_t i = 0; i < memory->count && r >= 0; i++) {
		r = remove_row(&memory->rows[i], rule);
		gone += r > 0;
	}
	drop_stubs(memory, rule->stubs_before_ms);
	pthread_mutex_unlock(&memory->mutex);
	reply_journal_answer(reply)->checked = gone;
	reply_send(reply, r < 0 ? r : 0);
}

static void look(struct journal *journal, struct post_box *box, journal_done done,
	void *ctx)
{
	struct memory_journal *memory = mine(journal);
	struct reply *reply = reply_new_journal(box, done, ctx);
	struct journal_answer *answer = reply_journal_answer(reply);
	pthread_mutex_lock(&memory->mutex);
	answer->last_seq = memory->head.seq;
	memcpy(answer->last_hash, memory->head.hash, JOURNAL_HASH);
	answer->facts.anchor_seq = memory->anchor.seq;
	for (size_t i = 0; i < memory->count; i++) {
		const struct journal_row *row = memory->rows[i].row;
		answer->facts.stubs += !row;
		if (!row)
			continue;
		if (!answer->facts.first_ms)
			answer->facts.first_ms = row->at_ms;
		answer->facts.rows[row->kind]++;
	}
	pthread_mutex_unlock(&memory->mutex);
	reply_send(reply, 0);
}

/* The rows' node is that of the journal, but for those that were brought. */
static int copy_one(const struct memory_row *from, struct reply *reply)
{
	struct journal_row row;
	char body[2 * JOURNAL_HASH + 1];
	if (from->row)
		return reply_row(reply, from->row);
	journal_stub_row(from->stub, &row, body);
	return reply_row(reply, &row);
}

static void copy(struct journal *journal, uint64_t after_seq, struct post_box *box,
	journal_done done, void *ctx)
{
	struct memory_journal *memory = mine(journal);
	struct reply *reply = reply_new_journal(box, done, ctx);
	struct journal_answer *answer = reply_journal_answer(reply);
	int r = 0;
	pthread_mutex_lock(&memory->mutex);
	answer->last_seq = memory->anchor.seq;
	memcpy(answer->last_hash, memory->anchor.hash, JOURNAL_HASH);
	size_t at = after_seq > memory->anchor.seq ? after_seq - memory->anchor.seq : 0;
	for (; at < memory->count && answer->count < JOURNAL_QUERY_MAX && r == 0; at++)
		r = copy_one(&memory->rows[at], reply);
	pthread_mutex_unlock(&memory->mutex);
	reply_send(reply, r);
}

static int bring_one(struct memory_journal *memory, const struct journal_row *from)
{
	struct memory_row *at = &memory->rows[memory->count];
	*at = (struct memory_row){0};
	int r = -REASON_NO_MEMORY;
	if (from->seq != memory->head.seq + 1)
		return -REASON_CONFLICT;
	if (journal_is_stub(from)) {
		at->stub = malloc(sizeof(*at->stub));
		r = at->stub ? journal_row_stub(from, at->stub) : -REASON_NO_MEMORY;
	} else if ((at->row = row_new(from, memory->node))) {
		at->node = strdup(from->node);
		at->row->node = at->node;
		r = at->node ? 0 : -REASON_NO_MEMORY;
	}
	if (r) {
		memory_row_free(at);
		return r;
	}
	memory->count++;
	memory->head.seq = from->seq;
	memcpy(memory->head.hash, from->hash, JOURNAL_HASH);
	return 0;
}

static int bring_locked(struct memory_journal *memory, const struct journal_point *anchor,
	const struct journal_row *rows, size_t count)
{
	struct journal_mark head = memory->head, start = memory->anchor;
	size_t before = memory->count;
	if (!head.seq) {
		memory->head.seq = anchor->seq;
		memcpy(memory->head.hash, anchor->hash, JOURNAL_HASH);
		memory->anchor = memory->head;
	}
	int r = room(memory, count);
	for (size_t i = 0; i < count && r == 0; i++)
		r = bring_one(memory, &rows[i]);
	if (r) {
		while (memory->count > before)
			memory_row_free(&memory->rows[--memory->count]);
		memory->head = head;
		memory->anchor = start;
	}
	return r;
}

static void bring(struct journal *journal, const struct journal_point *anchor,
	const struct journal_row *rows, size_t count, struct post_box *box,
	journal_done done, void *ctx)
{
	struct memory_journal *memory = mine(journal);
	struct reply *reply = reply_new_journal(box, done, ctx);
	int r = journal_rows_check(rows, count);
	if (r == 0) {
		pthread_mutex_lock(&memory->mutex);
		r = bring_locked(memory, anchor, rows, count);
		pthread_mutex_unlock(&memory->mutex);
	}
	reply_send(reply, r);
}

int memory_journal_new(const char *node, struct journal **ret)
{
	static const struct journal_vtable vtable = {
		append, query_rows, verify, purge, look, copy, bring};
	struct memory_journal *memory = calloc(1, sizeof(*memory));
	if (!memory)
		return -REASON_NO_MEMORY;
	memory->node = strdup(node);
	if (!memory->node) {
		free(memory);
		return -REASON_NO_MEMORY;
	}
	memory->journal.vtable = &vtable;
	memory->magic = MEMORY_JOURNAL_MAGIC;
	CHECK(pthread_mutex_init(&memory->mutex, NULL) == 0);
	*ret = &memory->journal;
	return 0;
}

struct journal *memory_journal_free(struct journal *journal)
{
	if (!journal)
		return NULL;
	struct memory_journal *memory = mine(journal);
	for (size_t i = 0; i < memory->count; i++)
		memory_row_free(&memory->rows[i]);
	free(memory->rows);
	free(memory->node);
	pthread_mutex_destroy(&memory->mutex);
	memory->magic = 0;
	free(memory);
	return NULL;
}
