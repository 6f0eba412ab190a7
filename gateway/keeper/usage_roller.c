#include "keeper/usage_roller.h"

#include <inttypes.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/reason.h"
#include "base/text.h"
#include "rules/usage.h"
#include "store/store_open.h"
#include "store/store_wait.h"

#define QUERIES 4    /* of 1000 rows, per kind and batch */
#define WINDOW 256   /* pages on their way at the same time */
#define TRIES 20     /* others may write the same page */
#define PAGES_EACH 5 /* that a row goes into */
#define CURSOR "usage"
#define DAY_MS INT64_C(86400000)

/* One row's part in one page. */
struct change {
	char id[USAGE_ID], tenant[STATE_TENANT_MAX + 1], key[USAGE_KEY];
	enum usage_kind kind;
	uint64_t seq;
	struct usage_sum sum;
};

/* One page of the batch: its changes stand side by side. */
struct task {
	struct usage_roller *roller;
	const struct change *changes;
	size_t count;
	uint64_t version;
	int tries;
};

struct usage_roller {
	struct store *store;
	const char *node;
	struct post_pump *pump;
	uint64_t cursor[USAGE_KINDS], cursor_version;
	/* the batch */
	struct change *changes;
	size_t count, room;
	struct task *tasks;
	size_t task_count, started, finished;
	int status;
};

int usage_roller_new(struct store *store, const char *node, struct usage_roller **ret)
{
	struct usage_roller *roller = calloc(1, sizeof(*roller));
	if (!roller)
		return -REASON_NO_MEMORY;
	roller->store = store;
	roller->node = node;
	int r = post_pump_new(&roller->pump);
	if (r)
		free(roller);
	else
		*ret = roller;
	return r;
}

struct usage_roller *usage_roller_free(struct usage_roller *roller)
{
	if (!roller)
		return NULL;
	post_pump_free(roller->pump);
	free(roller->changes);
	free(roller->tasks);
	free(roller);
	return NULL;
}

/* ---- the cursor -------------------------------------------------------------------------- */

static int read_cursor(struct usage_roller *roller)
{
	struct store_docs docs = {0};
	int r = store_wait_get(roller->store->state, STATE_META, CURSOR, &docs);
	roller->cursor_version = 0;
	roller->cursor[USAGE_BANDWIDTH] = roller->cursor[USAGE_SESSION] = 0;
	if (r == -REASON_NOT_FOUND)
		return 0;
	if (r)
		return r;
	json_t *body = json_loads(docs.docs[0].body, 0, NULL);
	json_int_t bandwidth = 0, session = 0;
	if (json_unpack(body, "{s:I, s:I}", "bandwidth", &bandwidth, "session", &session))
		r = -REASON_STATE_DAMAGED;
	roller->cursor[USAGE_BANDWIDTH] = (uint64_t)bandwidth;
	roller->cursor[USAGE_SESSION] = (uint64_t)session;
	roller->cursor_version = docs.docs[0].version;
	json_decref(body);
	store_docs_free(&docs);
	return r;
}

static int write_cursor(struct usage_roller *roller)
{
	json_t *object = json_pack("{s:I, s:I, s:s, s:I}", "bandwidth",
		(json_int_t)roller->cursor[USAGE_BANDWIDTH], "session",
		(json_int_t)roller->cursor[USAGE_SESSION], "node", roller->node, "at_ms",
		(json_int_t)clock_wall_ms());
	char *body = object ? json_dumps(object, JSON_COMPACT) : NULL;
	json_decref(object);
	if (!body)
		return -REASON_NO_MEMORY;
	struct state_doc doc = {STATE_META, CURSOR, "", roller->cursor_version, body};
	int r = store_wait_put(roller->store->state, &doc, NULL);
	free(body);
	/* Another node was faster: its pages hold the same rows. */
	return r == -REASON_CONFLICT ? 0 : r;
}

/* ---- what a batch changes ---------------------------------------------------------------- */

static int make_room(struct usage_roller *roller)
{
	if (roller->count + PAGES_EACH <= roller->room)
		return 0;
	size_t room = roller->room ? 2 * roller->room : 4096;
	struct change *more = realloc(roller->changes, room * sizeof(*more));
	if (!more)
		return -REASON_NO_MEMORY;
	roller->changes = more;
	roller->room = room;
	return 0;
}

static struct change *add_change(struct usage_roller *roller, const struct change *like,
	const char *key)
{
	struct change *change = &roller->changes[roller->count++];
	*change = *like;
	snprintf(change->key, sizeof(change->key), "%s", key);
	return change;
}

static int add_row(struct usage_roller *roller, enum usage_kind kind,
	const struct journal_row *row)
{
	struct change like = {.kind = kind, .seq = row->seq};
	struct usage_row usage;
	char hour[USAGE_KEY];
	const char *license = row->license;
	int r = make_room(roller);
	/* What a row does not say is nothing to sum up: a row is never in the way of those after it. */
	if (r || usage_row_read(kind, row->body, row->at_ms, &usage) ||
		text_copy(like.tenant, sizeof(like.tenant), row->tenant))
		return r;
	like.sum = usage.sum;
	usage_hour_key(usage.at_ms, hour);
	usage_id_tenant(row->tenant, usage.at_ms, add_change(roller, &like, hour)->id);
	struct change *all = add_change(roller, &like, hour);
	usage_id_tenant(USAGE_EVERYBODY, usage.at_ms, all->id);
	*all->tenant = 0;
	if (!*license || strlen(license) >= USAGE_KEY)
		return 0;
	usage_id_license(license, usage.at_ms, add_change(roller, &like, hour)->id);
	usage_id_month(row->tenant, usage.at_ms, license,
		add_change(roller, &like, license)->id);
	if (usage.at_ms > clock_wall_ms() - USAGE_DAYS_KEPT * DAY_MS)
		usage_id_day(row->tenant, usage.at_ms, license,
			add_change(roller, &like, license)->id);
	return 0;
}

static int read_rows(struct usage_roller *roller, enum usage_kind kind, size_t *rows)
{
	struct journal_query query = {
		.kind = kind == USAGE_BANDWIDTH ? JOURNAL_BANDWIDTH : JOURNAL_SESSION,
		.after_seq = roller->cursor[kind],
		.limit = JOURNAL_QUERY_MAX};
	size_t got = query.limit;
	int r = 0;
	for (int i = 0; i < QUERIES && r == 0 && got == query.limit; i++) {
		struct store_rows found = {0};
		r = store_wait_query(roller->store->journal, &query, &found);
		for (size_t k = 0; r == 0 && k < found.count; k++)
			r = add_row(roller, kind, &found.rows[k]);
		got = found.count;
		if (got)
			query.after_seq = found.rows[got - 1].seq;
		*rows += got;
		store_rows_free(&found);
	}
	if (r == 0)
		roller->cursor[kind] = query.after_seq;
	return r;
}

static int compare(const void *left, const void *right)
{
	const struct change *a = left, *b = right;
	int by_id = strcmp(a->id, b->id);
	if (by_id)
		return by_id;
	return a->seq < b->seq ? -1 : a->seq > b->seq;
}

static int make_tasks(struct usage_roller *roller)
{
	struct task *tasks = realloc(roller->tasks, (roller->count + 1) * sizeof(*tasks));
	if (!tasks)
		return -REASON_NO_MEMORY;
	roller->tasks = tasks;
	roller->task_count = roller->started = roller->finished = 0;
	roller->status = 0;
	if (roller->count)
		qsort(roller->changes, roller->count, sizeof(*roller->changes), compare);
	for (size_t i = 0; i < roller->count; i++) {
		const struct change *change = &roller->changes[i];
		if (i && strcmp(change->id, change[-1].id) == 0) {
			tasks[roller->task_count - 1].count++;
			continue;
		}
		tasks[roller->task_count++] =
			(struct task){.roller = roller, .changes = change, .count = 1};
	}
	return 0;
}

/* ---- the pages --------------------------------------------------------------------------- */

static void on_got(void *ctx, const struct state_answer *answer);

static void ask(struct task *task)
{
	state_get(task->roller->store->state, STATE_USAGE, task->changes->id,
		post_pump_box(task->roller->pump), on_got, task);
}

static void finish(struct task *task, int status)
{
	task->roller->finished++;
	if (status && !task->roller->status)
		task->roller->status = status;
}

/* A page that cannot be gone on with must not stop all the others for ever. */
static void give_up(struct task *task, int status)
{
	log_line(LOG_ERROR, "sums of usage cannot be kept",
		LOG_S("page", task->changes->id), LOG_S("reason", reason_symbol(status)));
	finish(task, 0);
}

static void on_put(void *ctx, const struct state_answer *answer)
{
	struct task *task = ctx;
	int is_others =
		answer->status == -REASON_CONFLICT || answer->status == -REASON_NOT_FOUND;
	if (is_others && task->tries++ < TRIES)
		ask(task);
	else
		finish(task, answer->status);
}

/* *ret_new is how many of the changes the page did not have. */
static int apply(const struct task *task, struct usage_page *page, size_t *ret_new)
{
	uint64_t in[USAGE_KINDS] = {page->marks[0], page->marks[1]};
	size_t new = 0;
	for (size_t i = 0; i < task->count; i++) {
		const struct change *change = &task->changes[i];
		if (change->seq <= in[change->kind])
			continue;
		int r = usage_page_add(page, change->key, &change->sum);
		if (r && r != -REASON_BAD_VALUE)
			return r;
		page->marks[change->kind] = change->seq;
		new ++;
	}
	*ret_new = new;
	return 0;
}

static void write_page(struct task *task, const char *before)
{
	struct usage_page page = {.count = 0};
	char *body = NULL;
	size_t new = 0;
	int r = usage_page_read(before, &page);
	if (r == 0)
		r = apply(task, &page, &new);
	if (r == 0 && new)
		r = usage_page_write(&page, &body);
	usage_page_done(&page);
	if (r == -REASON_NO_MEMORY) {
		finish(task, r);
	} else if (r) {
		give_up(task, r);
	} else if (!new) {
		finish(task, 0);
	} else {
		struct state_doc doc = {STATE_USAGE, task->changes->id,
			task->changes->tenant, task->version, body};
		state_put(task->roller->store->state, &doc,
			post_pump_box(task->roller->pump), on_put, task);
	}
	free(body);
}

static void on_got(void *ctx, const struct state_answer *answer)
{
	struct task *task = ctx;
	if (answer->status && answer->status != -REASON_NOT_FOUND) {
		finish(task, answer->status);
		return;
	}
	task->version = answer->count ? answer->docs[0].version : 0;
	write_page(task, answer->count ? answer->docs[0].body : NULL);
}

static int write_pages(struct usage_roller *roller)
{
	while (roller->finished < roller->task_count) {
		while (roller->started < roller->task_count &&
			roller->started - roller->finished < WINDOW)
			ask(&roller->tasks[roller->started++]);
		post_pump_run(roller->pump, -1);
	}
	return roller->status;
}

int usage_roller_run(struct usage_roller *roller, size_t *ret_rows)
{
	size_t rows = 0;
	roller->count = 0;
	int r = read_cursor(roller);
	for (int kind = 0; kind < USAGE_KINDS && r == 0; kind++)
		r = read_rows(roller, (enum usage_kind)kind, &rows);
	if (r == 0)
		r = make_tasks(roller);
	if (r == 0)
		r = write_pages(roller);
	if (r == 0 && rows)
		r = write_cursor(roller);
	if (r == 0)
		*ret_rows = rows;
	return r;
}

/* ---- old pages --------------------------------------------------------------------------- */

static int is_old(const char *id, int64_t before_ms, int64_t now_ms)
{
	int64_t start = usage_id_start_ms(id);
	if (start < 0)
		return 0;
	if (*id == 'd')
		return start < now_ms - USAGE_DAYS_KEPT * DAY_MS;
	/* The whole month lies before. */
	return usage_month_start_ms(start + 31 * DAY_MS) <= before_ms;
}

int usage_roller_prune(struct usage_roller *roller, int64_t before_ms, int64_t now_ms)
{
	char after[STATE_ID_MAX + 1] = "";
	const size_t limit = 64; /* a reply from Redis holds all their bodies */
	size_t got = limit;
	int r = 0;
	while (r == 0 && got == limit) {
		struct store_docs docs = {0};
		r = store_wait_list(roller->store->state, STATE_USAGE, NULL,
			*after ? after : NULL, limit, &docs);
		got = docs.count;
		for (size_t i = 0; r == 0 && i < docs.count; i++) {
			if (!is_old(docs.docs[i].id, before_ms, now_ms))
				continue;
			r = store_wait_remove(roller->store->state, STATE_USAGE,
				docs.docs[i].id, docs.docs[i].version);
			r = r == -REASON_CONFLICT || r == -REASON_NOT_FOUND ? 0 : r;
		}
		if (got)
			snprintf(after, sizeof(after), "%s", docs.docs[got - 1].id);
		store_docs_free(&docs);
	}
	return r;
}
