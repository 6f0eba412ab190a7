#include <stdlib.h>
#include <string.h>

#include "base/reason.h"
#include "store/reply.h"
#include "store/sealed/sealed_core.h"
#include "store/sealed/sealed_rows.h"

#define SEALED_JOURNAL_MAGIC 0x53654a6f

struct sealed_journal {
	struct journal journal; /* first: journal * is sealed_journal * */
	uint32_t magic;
	struct sealed_core *core;
	struct journal *below;
};

static struct sealed_journal *mine(struct journal *journal)
{
	struct sealed_journal *sealed = (struct sealed_journal *)journal;
	CHECK_OBJ(sealed, SEALED_JOURNAL_MAGIC);
	return sealed;
}

/* An append that waits for a key. Its rows' texts follow them in the same allocation. */
struct late_append {
	struct post_item item; /* first */
	struct sealed_journal *sealed;
	struct post_box *box;
	journal_done done;
	void *ctx;
	size_t count;
	struct journal_row rows[];
};

/* 0: on its way; 1: the key of *ret_missing is not here. */
static int append_now(struct sealed_journal *sealed, const struct journal_row *rows,
	size_t count, struct post_box *box, journal_done done, void *ctx,
	size_t *ret_missing)
{
	struct sealed_rows stored;
	int r = sealed_rows_close(sealed_core_keys(sealed->core), rows, count, &stored,
		ret_missing);
	if (r)
		return r;
	journal_append(sealed->below, stored.rows, count, box, done, ctx);
	sealed_rows_done(&stored);
	return 0;
}

static void run_late_append(struct post_item *item)
{
	struct late_append *late = (struct late_append *)item;
	struct sealed_keys *keys = sealed_core_keys(late->sealed->core);
	size_t missing = 0;
	int r = 1;
	for (size_t tries = 0; r == 1 && tries <= late->count; tries++) {
		r = append_now(late->sealed, late->rows, late->count, late->box,
			late->done, late->ctx, &missing);
		if (r == 1) {
			int load = sealed_keys_load(keys, late->rows[missing].tenant, 0);
			r = load ? load : 1;
		}
	}
	if (r)
		reply_send(reply_new_journal(late->box, late->done, late->ctx),
			r == 1 ? -REASON_STATE_DAMAGED : r);
	free(late);
}

static const char *put_text(char **at, const char *text)
{
	size_t size = strlen(text) + 1;
	const char *copy = memcpy(*at, text, size);
	*at += size;
	return copy;
}

static struct late_append *copy_rows(const struct journal_row *rows, size_t count)
{
	size_t text = 0;
	for (size_t i = 0; i < count; i++)
		text += strlen(rows[i].tenant) + strlen(rows[i].license) +
			strlen(rows[i].body) +
			(rows[i].series ? strlen(rows[i].series) : 0) + 4;
	struct late_append *late =
		calloc(1, sizeof(*late) + count * sizeof(*rows) + text);
	if (!late)
		return NULL;
	char *at = (char *)(late->rows + count);
	late->count = count;
	for (size_t i = 0; i < count; i++) {
		late->rows[i] = rows[i];
		late->rows[i].tenant = put_text(&at, rows[i].tenant);
		late->rows[i].license = put_text(&at, rows[i].license);
		late->rows[i].body = put_text(&at, rows[i].body);
		late->rows[i].series =
			put_text(&at, rows[i].series ? rows[i].series : "");
	}
	return late;
}

static int append_late(struct sealed_journal *sealed, const struct journal_row *rows,
	size_t count, struct post_box *box, journal_done done, void *ctx)
{
	struct post_box *waits = sealed_core_box(sealed->core);
	if (!waits)
		return -REASON_STORE_UNAVAILABLE;
	struct late_append *late = copy_rows(rows, count);
	if (!late)
		return -REASON_NO_MEMORY;
	late->item.run = run_late_append;
	late->sealed = sealed;
	late->box = box;
	late->done = done;
	late->ctx = ctx;
	post_put(waits, &late->item);
	return 0;
}

static void append(struct journal *journal, const struct journal_row *rows, size_t count,
	struct post_box *box, journal_done done, void *ctx)
{
	struct sealed_journal *sealed = mine(journal);
	size_t missing;
	int r = journal_rows_check(rows, count);
	if (r == 0)
		r = append_now(sealed, rows, count, box, done, ctx, &missing);
	if (r == 1)
		r = append_late(sealed, rows, count, box, done, ctx);
	if (r)
		reply_send(reply_new_journal(box, done, ctx), r);
}

struct question {
	struct sealed_core *core; /* held */
	struct post_box *box;
	journal_done done;
	void *ctx;
};

static void question_free(struct question *question)
{
	sealed_core_drop(question->core);
	free(question);
}

static void answer(struct question *question, const struct journal_answer *from,
	const struct journal_row *rows, int status)
{
	struct journal_answer opened = *from;
	opened.status = status;
	opened.rows = rows;
	if (status)
		opened.count = 0;
	question->done(question->ctx, &opened);
	question_free(question);
}

/* The key of this row is fetched; 1: it may be there now. */
static int fetch_key(struct sealed_keys *keys, const struct journal_row *row)
{
	uint32_t generation = sealed_box_generation(row->body);
	int r = sealed_keys_load(keys, row->tenant, generation);
	if (r)
		return r;
	r = sealed_keys_look(keys, row->tenant, generation, &generation);
	return r == 1 ? -REASON_STATE_DAMAGED : 1;
}

/* On the thread that may wait, with copies of the rows. */
static void open_late(void *ctx, const struct journal_answer *stored)
{
	struct question *question = ctx;
	struct sealed_keys *keys = sealed_core_keys(question->core);
	struct reply *reply =
		reply_new_journal(question->box, question->done, question->ctx);
	struct sealed_rows rows = {0};
	size_t missing = 0;
	int r = stored->status ? stored->status : 1;
	for (size_t tries = 0; r == 1 && tries <= stored->count; tries++) {
		r = sealed_rows_open(keys, stored->rows, stored->count, &rows, &missing);
		if (r == 1)
			r = fetch_key(keys, &stored->rows[missing]);
	}
	for (size_t i = 0; i < rows.count && r == 0; i++)
		r = reply_row(reply, &rows.rows[i]);
	reply_send(reply, r == 1 ? -REASON_STATE_DAMAGED : r);
	sealed_rows_done(&rows);
	question_free(question);
}

static void go_late(struct question *question, const struct journal_answer *stored)
{
	struct post_box *box = sealed_core_box(question->core);
	if (!box) {
		answer(question, stored, NULL, -REASON_STORE_UNAVAILABLE);
		return;
	}
	struct reply *reply = reply_new_journal(box, open_late, question);
	int r = 0;
	for (size_t i = 0; i < stored->count && r == 0; i++)
		r = reply_row(reply, &stored->rows[i]);
	reply_send(reply, r);
}

static void opened(void *ctx, const struct journal_answer *stored)
{
	struct question *question = ctx;
	struct sealed_rows rows = {0};
	size_t missing;
	int r = stored->status;
	if (r == 0)
		r = sealed_rows_open(sealed_core_keys(question->core), stored->rows,
			stored->count, &rows, &missing);
	if (r == 1) {
		go_late(question, stored);
		return;
	}
	answer(question, stored, rows.rows, r);
	sealed_rows_done(&rows);
}

static void query_rows(struct journal *journal, const struct journal_query *query,
	struct post_box *box, journal_done done, void *ctx)
{
	struct sealed_journal *sealed = mine(journal);
	struct question *question = calloc(1, sizeof(*question));
	if (!question) {
		reply_send(reply_new_journal(box, done, ctx), -REASON_NO_MEMORY);
		return;
	}
	*question = (struct question){sealed_core_hold(sealed->core), box, done, ctx};
	journal_query(sealed->below, query, box, opened, question);
}

static void verify(struct journal *journal, const struct journal_point *points,
	size_t count, struct post_box *box, journal_done done, void *ctx)
{
	journal_verify(mine(journal)->below, points, count, box, done, ctx);
}

static void purge(struct journal *journal, const struct journal_purge *what,
	struct post_box *box, journal_done done, void *ctx)
{
	journal_purge(mine(journal)->below, what, box, done, ctx);
}

static void look(struct journal *journal, struct post_box *box, journal_done done,
	void *ctx)
{
	journal_look(mine(journal)->below, box, done, ctx);
}

static void copy(struct journal *journal, uint64_t after_seq, struct post_box *box,
	journal_done done, void *ctx)
{
	journal_copy(mine(journal)->below, after_seq, box, done, ctx);
}

static void bring(struct journal *journal, const struct journal_point *anchor,
	const struct journal_row *rows, size_t count, struct post_box *box,
	journal_done done, void *ctx)
{
	journal_bring(mine(journal)->below, anchor, rows, count, box, done, ctx);
}

int sealed_journal_new(struct sealed_core *core, struct journal **ret)
{
	static const struct journal_vtable vtable = {
		append, query_rows, verify, purge, look, copy, bring};
	struct sealed_journal *sealed = calloc(1, sizeof(*sealed));
	if (!sealed)
		return -REASON_NO_MEMORY;
	sealed->journal.vtable = &vtable;
	sealed->magic = SEALED_JOURNAL_MAGIC;
	sealed->core = sealed_core_hold(core);
	sealed->below = sealed_core_below(core)->journal;
	*ret = &sealed->journal;
	return 0;
}

struct journal *sealed_journal_free(struct journal *journal)
{
	if (!journal)
		return NULL;
	struct sealed_journal *sealed = mine(journal);
	sealed_core_drop(sealed->core);
	sealed->magic = 0;
	free(sealed);
	return NULL;
}
