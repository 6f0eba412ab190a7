#include "alert/alert_rows.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/reason.h"
#include "store/store_wait.h"

/* Beside the claims of licenses, which all begin with lic_. */
#define LEASE "alerts"
#define LEASE_MS 10000
#define STEP 500
#define AGAIN_MOST 20000
#define OLDEST_MS (INT64_C(7) * 86400000)
#define CURSOR "alerts/cursor"

int alert_rows_lease(struct alert_rows *rows)
{
	struct state *state = rows->store->state;
	int status = -REASON_NOT_FOUND;

	if (rows->holds)
		status = store_wait_renew(state, LEASE, rows->node, LEASE_MS);
	if (!status)
		return 0;
	rows->holds = 0;
	status = store_wait_claim(state, LEASE, rows->node, rows->node, LEASE_MS, NULL);
	if (status)
		return status;
	rows->holds = 1;
	return 1;
}

void alert_rows_release(struct alert_rows *rows)
{
	if (rows->holds)
		(void)!store_wait_release(rows->store->state, LEASE, rows->node, 0);
	rows->holds = 0;
}

static int find_end(struct alert_rows *rows)
{
	int status = 0;

	for (int kind = 0; !status && kind < JOURNAL_KINDS; kind++) {
		struct journal_query query = {.kind = (enum journal_kind)kind,
			.limit = 1,
			.order = JOURNAL_NEWEST_FIRST};
		struct store_rows found = {0};
		status = store_wait_query(rows->store->journal, &query, &found);
		rows->cursors[kind] = !status && found.count ? found.rows[0].seq : 0;
		store_rows_free(&found);
	}
	return status;
}

int alert_rows_find(struct alert_rows *rows)
{
	struct store_docs docs = {0};
	int status = store_wait_get(rows->store->state, STATE_META, CURSOR, &docs);

	if (status == -REASON_NOT_FOUND) {
		rows->version = 0;
		rows->dirty = 1;
		return find_end(rows);
	}
	if (status)
		return status;
	json_t *body = json_loads(docs.docs[0].body, 0, NULL);
	for (int kind = 0; kind < JOURNAL_KINDS; kind++)
		rows->cursors[kind] = (uint64_t)json_integer_value(json_object_get(body,
			journal_kind_name((enum journal_kind)kind)));
	rows->version = docs.docs[0].version;
	json_decref(body);
	store_docs_free(&docs);
	return 0;
}

int alert_rows_save(struct alert_rows *rows)
{
	struct state_doc doc = {
		.kind = STATE_META, .id = CURSOR, .tenant = "", .version = rows->version};

	if (!rows->dirty)
		return 0;
	json_t *body = json_object();
	for (int kind = 0; kind < JOURNAL_KINDS; kind++)
		json_object_set_new(body, journal_kind_name((enum journal_kind)kind),
			json_integer((json_int_t)rows->cursors[kind]));
	char *text = json_dumps(body, JSON_COMPACT);
	json_decref(body);
	if (!text)
		return -REASON_NO_MEMORY;
	doc.body = text;
	int status = store_wait_put(rows->store->state, &doc, &rows->version);
	free(text);
	if (!status)
		rows->dirty = 0;
	return status;
}

static int take_row(const struct journal_row *row, alert_rows_take take, void *ctx)
{
	struct alert_event events[ALERT_EVENT_MOST];
	const struct alert_row plain = {.kind = journal_kind_name(row->kind),
		.tenant = row->tenant,
		.license = row->license,
		.body = row->body,
		.at_ms = row->at_ms};
	/* Somebody put a year of history back: nobody is to be woken for it. */
	if (row->at_ms < clock_wall_ms() - OLDEST_MS)
		return 0;
	size_t count = alert_event_of(&plain, events);
	int status = 0;

	for (size_t i = 0; !status && i < count; i++)
		status = take(ctx, &events[i]);
	return status;
}

static int read_kind(struct alert_rows *rows, enum journal_kind kind,
	alert_rows_take take, void *ctx)
{
	size_t count = STEP;
	int status = 0;

	while (!status && count == STEP) {
		struct journal_query query = {
			.kind = kind, .after_seq = rows->cursors[kind], .limit = STEP};
		struct store_rows found = {0};
		status = store_wait_query(rows->store->journal, &query, &found);
		count = found.count;
		for (size_t i = 0; !status && i < count; i++) {
			status = take_row(&found.rows[i], take, ctx);
			if (status)
				break;
			rows->cursors[kind] = found.rows[i].seq;
			rows->dirty = 1;
		}
		store_rows_free(&found);
		/* Long catching up must not outlive the lease. */
		if (!status && count == STEP)
			status = store_wait_renew(rows->store->state, LEASE, rows->node,
				LEASE_MS);
	}
	return status;
}

int alert_rows_read(struct alert_rows *rows, alert_rows_take take, void *ctx)
{
	int status = 0;

	for (int kind = 0; !status && kind < JOURNAL_KINDS; kind++)
		status = read_kind(rows, (enum journal_kind)kind, take, ctx);
	return status;
}

static int again_kind(struct alert_rows *rows, enum journal_kind kind, int64_t from_ms,
	alert_rows_take take, void *ctx)
{
	struct journal_query query = {.kind = kind, .from_ms = from_ms, .limit = STEP};
	size_t count = STEP, seen = 0;
	int status = 0;

	while (!status && count == STEP && seen < AGAIN_MOST) {
		struct store_rows found = {0};
		status = store_wait_query(rows->store->journal, &query, &found);
		count = found.count;
		for (size_t i = 0; !status && i < count; i++) {
			if (found.rows[i].seq > rows->cursors[kind]) {
				count = 0;
				break;
			}
			query.after_seq = found.rows[i].seq;
			status = take_row(&found.rows[i], take, ctx);
		}
		seen += found.count;
		store_rows_free(&found);
	}
	return status;
}

int alert_rows_again(struct alert_rows *rows, int64_t from_ms, alert_rows_take take,
	void *ctx)
{
	int status = 0;

	for (int kind = 0; !status && kind < JOURNAL_KINDS; kind++)
		status = again_kind(rows, (enum journal_kind)kind, from_ms, take, ctx);
	return status;
}
