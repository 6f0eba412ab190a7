#include "store/store_wait.h"

#include <stdlib.h>
#include <string.h>

#include "base/reason.h"

/* One question and the place where its answer is kept. */
struct wait {
	struct post_pump *pump;
	int answered, status;
	struct store_docs *docs;
	struct store_rows *rows;
	uint64_t version; /* of the first doc */
};

static int start(struct wait *wait, struct store_docs *docs, struct store_rows *rows)
{
	*wait = (struct wait){.docs = docs, .rows = rows};
	return post_pump_new(&wait->pump);
}

static int finish(struct wait *wait)
{
	while (!wait->answered)
		post_pump_run(wait->pump, -1);
	post_pump_free(wait->pump);
	return wait->status;
}

static int copy_text(char **ret, const char *text)
{
	*ret = strdup(text);
	return *ret ? 0 : -REASON_NO_MEMORY;
}

static int copy_doc(struct state_doc *to, const struct state_doc *from)
{
	char *id = NULL, *tenant = NULL, *body = NULL;
	int r = copy_text(&id, from->id);
	if (r == 0)
		r = copy_text(&tenant, from->tenant);
	if (r == 0)
		r = copy_text(&body, from->body);
	*to = *from;
	to->id = id;
	to->tenant = tenant;
	to->body = body;
	return r;
}

static int copy_docs(struct store_docs *ret, const struct state_answer *answer)
{
	struct store_docs docs = {.fence = answer->fence};
	int r = 0;
	if (answer->holder)
		r = copy_text(&docs.holder, answer->holder);
	if (r == 0 && answer->count) {
		docs.docs = calloc(answer->count, sizeof(*docs.docs));
		r = docs.docs ? 0 : -REASON_NO_MEMORY;
	}
	for (size_t i = 0; i < answer->count && r == 0; i++) {
		r = copy_doc(&docs.docs[i], &answer->docs[i]);
		docs.count++;
	}
	if (r)
		store_docs_free(&docs);
	else
		*ret = docs;
	return r;
}

static void state_answered(void *ctx, const struct state_answer *answer)
{
	struct wait *wait = ctx;
	int r = 0;
	if (answer->count)
		wait->version = answer->docs[0].version;
	if (wait->docs && (answer->status == 0 || answer->holder))
		r = copy_docs(wait->docs, answer);
	wait->status = answer->status ? answer->status : r;
	wait->answered = 1;
}

static int copy_row(struct journal_row *to, const struct journal_row *from)
{
	char *tenant = NULL, *license = NULL, *body = NULL, *node = NULL;
	int r = copy_text(&tenant, from->tenant);
	if (r == 0)
		r = copy_text(&license, from->license);
	if (r == 0)
		r = copy_text(&body, from->body);
	if (r == 0)
		r = copy_text(&node, from->node);
	*to = *from;
	to->tenant = tenant;
	to->license = license;
	to->body = body;
	to->node = node;
	return r;
}

static int copy_rows(struct store_rows *ret, const struct journal_answer *answer)
{
	struct store_rows rows = {.checked = answer->checked,
		.stubs = answer->stubs,
		.points = answer->points,
		.facts = answer->facts,
		.first_bad = answer->first_bad,
		.last_seq = answer->last_seq,
		.fault = answer->fault};
	int r = 0;
	memcpy(rows.last_hash, answer->last_hash, JOURNAL_HASH);
	if (answer->count) {
		rows.rows = calloc(answer->count, sizeof(*rows.rows));
		r = rows.rows ? 0 : -REASON_NO_MEMORY;
	}
	for (size_t i = 0; i < answer->count && r == 0; i++) {
		r = copy_row(&rows.rows[i], &answer->rows[i]);
		rows.count++;
	}
	if (r)
		store_rows_free(&rows);
	else
		*ret = rows;
	return r;
}

static void journal_answered(void *ctx, const struct journal_answer *answer)
{
	struct wait *wait = ctx;
	int r = 0;
	if (wait->rows && answer->status == 0)
		r = copy_rows(wait->rows, answer);
	wait->status = answer->status ? answer->status : r;
	wait->answered = 1;
}

/* Asks `question(interface, …, box, answered, &wait)` and waits. */
#define WAIT(docs, rows, answered, question, ...)                                        \
	struct wait wait;                                                                \
	int r = start(&wait, docs, rows);                                                \
	if (r)                                                                           \
		return r;                                                                \
	question(__VA_ARGS__, post_pump_box(wait.pump), answered, &wait);                \
	return finish(&wait)

int store_wait_get(struct state *state, enum state_kind kind, const char *id,
	struct store_docs *ret)
{
	WAIT(ret, NULL, state_answered, state_get, state, kind, id);
}

int store_wait_put(struct state *state, const struct state_doc *doc,
	uint64_t *ret_version)
{
	struct wait wait;
	int r = start(&wait, NULL, NULL);
	if (r)
		return r;
	state_put(state, doc, post_pump_box(wait.pump), state_answered, &wait);
	r = finish(&wait);
	if (r == 0 && ret_version)
		*ret_version = wait.version;
	return r;
}

int store_wait_remove(struct state *state, enum state_kind kind, const char *id,
	uint64_t version)
{
	WAIT(NULL, NULL, state_answered, state_remove, state, kind, id, version);
}

int store_wait_list(struct state *state, enum state_kind kind, const char *tenant,
	const char *after, size_t limit, struct store_docs *ret)
{
	WAIT(ret, NULL, state_answered, state_list, state, kind, tenant, after, limit);
}

int store_wait_claim(struct state *state, const char *license, const char *session,
	const char *holder, int64_t ttl_ms, struct store_docs *ret)
{
	WAIT(ret, NULL, state_answered, state_claim, state, license, session, holder,
		ttl_ms);
}

int store_wait_renew(struct state *state, const char *license, const char *session,
	int64_t ttl_ms)
{
	WAIT(NULL, NULL, state_answered, state_renew, state, license, session, ttl_ms);
}

int store_wait_release(struct state *state, const char *license, const char *session,
	uint64_t fence)
{
	WAIT(NULL, NULL, state_answered, state_release, state, license, session, fence);
}

int store_wait_announce(struct state *state, const char *license, const char *node,
	const char *value, int64_t ttl_ms)
{
	WAIT(NULL, NULL, state_answered, state_announce, state, license, node, value,
		ttl_ms);
}

int store_wait_stay(struct state *state, const char *license, const char *node,
	const char *value, int64_t ttl_ms, struct store_docs *ret)
{
	WAIT(ret, NULL, state_answered, state_stay, state, license, node, value, ttl_ms);
}

int store_wait_locate(struct state *state, const char *license, struct store_docs *ret)
{
	WAIT(ret, NULL, state_answered, state_locate, state, license);
}

int store_wait_withdraw(struct state *state, const char *license, const char *node)
{
	WAIT(NULL, NULL, state_answered, state_withdraw, state, license, node);
}

int store_wait_raise(struct state *state, uint64_t least, uint64_t *ret_fence)
{
	struct wait wait;
	struct store_docs docs = {0};
	int r = start(&wait, &docs, NULL);
	if (r)
		return r;
	state_raise(state, least, post_pump_box(wait.pump), state_answered, &wait);
	r = finish(&wait);
	if (r == 0)
		*ret_fence = docs.fence;
	store_docs_free(&docs);
	return r;
}

int store_wait_copy(struct journal *journal, uint64_t after_seq, struct store_rows *ret)
{
	WAIT(NULL, ret, journal_answered, journal_copy, journal, after_seq);
}

int store_wait_bring(struct journal *journal, const struct journal_point *anchor,
	const struct journal_row *rows, size_t count)
{
	WAIT(NULL, NULL, journal_answered, journal_bring, journal, anchor, rows, count);
}

/* One of many questions; the pump is that of all. */
struct many {
	struct wait *waits;
	struct post_pump *pump;
	size_t count;
};

static int many_new(struct many *many, size_t count)
{
	CHECK(count <= STORE_WAIT_MANY);
	*many = (struct many){.count = count};
	many->waits = calloc(count + 1, sizeof(*many->waits));
	return many->waits ? post_pump_new(&many->pump) : -REASON_NO_MEMORY;
}

static void many_wait(struct many *many)
{
	for (size_t i = 0; i < many->count; i++)
		while (!many->waits[i].answered)
			post_pump_run(many->pump, -1);
}

static void many_free(struct many *many)
{
	if (many->pump)
		post_pump_free(many->pump);
	free(many->waits);
}

/* Moves the documents of all answers into one list. */
static int gather(struct many *many, struct store_docs *all, struct store_docs *ret)
{
	struct store_docs docs = {0};
	docs.docs = calloc(many->count + 1, sizeof(*docs.docs));
	if (!docs.docs)
		return -REASON_NO_MEMORY;
	for (size_t i = 0; i < many->count; i++) {
		if (!all[i].count)
			continue;
		docs.docs[docs.count++] = all[i].docs[0];
		all[i].count = 0;
	}
	*ret = docs;
	return 0;
}

int store_wait_get_many(struct state *state, enum state_kind kind,
	const char *const ids[], size_t count, struct store_docs *ret)
{
	struct many many;
	int r = many_new(&many, count);
	struct store_docs *all = calloc(count + 1, sizeof(*all));
	if (r == 0 && !all)
		r = -REASON_NO_MEMORY;
	for (size_t i = 0; r == 0 && i < count; i++) {
		many.waits[i].docs = &all[i];
		state_get(state, kind, ids[i], post_pump_box(many.pump), state_answered,
			&many.waits[i]);
	}
	if (r == 0)
		many_wait(&many);
	for (size_t i = 0; r == 0 && i < count; i++)
		if (many.waits[i].status != -REASON_NOT_FOUND)
			r = many.waits[i].status;
	if (r == 0)
		r = gather(&many, all, ret);
	for (size_t i = 0; all && i < count; i++)
		store_docs_free(&all[i]);
	free(all);
	many_free(&many);
	return r;
}

static void copy_statuses(const struct many *many, int *ret_status)
{
	for (size_t i = 0; i < many->count; i++)
		ret_status[i] = many->waits[i].status;
}

int store_wait_put_many(struct state *state, const struct state_doc *docs, size_t count,
	int *ret_status)
{
	struct many many;
	int r = many_new(&many, count);
	for (size_t i = 0; r == 0 && i < count; i++)
		state_put(state, &docs[i], post_pump_box(many.pump), state_answered,
			&many.waits[i]);
	if (r == 0)
		many_wait(&many);
	if (r == 0)
		copy_statuses(&many, ret_status);
	many_free(&many);
	return r;
}

int store_wait_remove_many(struct state *state, enum state_kind kind,
	const char *const ids[], size_t count, int *ret_status)
{
	struct many many;
	int r = many_new(&many, count);
	for (size_t i = 0; r == 0 && i < count; i++)
		state_remove(state, kind, ids[i], 0, post_pump_box(many.pump),
			state_answered, &many.waits[i]);
	if (r == 0)
		many_wait(&many);
	if (r == 0)
		copy_statuses(&many, ret_status);
	many_free(&many);
	return r;
}

int store_wait_locate_many(struct state *state, const char *const licenses[],
	size_t count, uint8_t *ret_present)
{
	struct many many;
	int r = many_new(&many, count);
	for (size_t i = 0; r == 0 && i < count; i++)
		state_locate(state, licenses[i], post_pump_box(many.pump), state_answered,
			&many.waits[i]);
	if (r == 0)
		many_wait(&many);
	for (size_t i = 0; r == 0 && i < count; i++) {
		ret_present[i] = many.waits[i].status == 0;
		if (many.waits[i].status != -REASON_NOT_FOUND)
			r = many.waits[i].status;
	}
	many_free(&many);
	return r;
}

int store_wait_append(struct journal *journal, const struct journal_row *rows,
	size_t count)
{
	WAIT(NULL, NULL, journal_answered, journal_append, journal, rows, count);
}

int store_wait_query(struct journal *journal, const struct journal_query *query,
	struct store_rows *ret)
{
	WAIT(NULL, ret, journal_answered, journal_query, journal, query);
}

int store_wait_verify(struct journal *journal, const struct journal_point *points,
	size_t count, struct store_rows *ret)
{
	WAIT(NULL, ret, journal_answered, journal_verify, journal, points, count);
}

int store_wait_purge(struct journal *journal, const struct journal_purge *purge,
	struct store_rows *ret)
{
	WAIT(NULL, ret, journal_answered, journal_purge, journal, purge);
}

int store_wait_look(struct journal *journal, struct store_rows *ret)
{
	WAIT(NULL, ret, journal_answered, journal_look, journal);
}
