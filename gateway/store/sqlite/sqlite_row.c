#include "store/sqlite/sqlite_row.h"

#include <string.h>

#include "base/reason.h"
#include "store/reply.h"

#define HOUR_MS INT64_C(3600000)

int sqlite_row_mark(struct sqlite_db *db, const char *name, struct journal_mark *ret)
{
	sqlite3_stmt *row;
	int r = sqlite_db_bind(db, SQL_MARK_GET, &row, "t", name);
	if (r)
		return r;
	r = sqlite_db_step(db, row);
	if (r == 0)
		r = -REASON_NOT_FOUND;
	if (r > 0 && sqlite3_column_bytes(row, 1) != JOURNAL_HASH)
		r = -REASON_STATE_DAMAGED;
	if (r > 0) {
		ret->seq = (uint64_t)sqlite3_column_int64(row, 0);
		memcpy(ret->hash, sqlite3_column_blob(row, 1), JOURNAL_HASH);
		r = 0;
	}
	sqlite_db_done(row);
	return r;
}

int sqlite_row_set_mark(struct sqlite_db *db, const char *name,
	const struct journal_mark *mark)
{
	return sqlite_db_run(db, SQL_MARK_SET, "tuh", name, mark->seq, mark->hash);
}

int sqlite_row_insert(struct sqlite_db *db, const struct journal_row *row)
{
	int r = sqlite_db_run(db, SQL_ROW_INSERT, "uittitth", row->seq,
		(int64_t)row->kind, row->tenant, row->license, row->at_ms, row->node,
		row->body, row->hash);
	if (r)
		return r;
	r = sqlite_db_run(db, SQL_HOUR_ADD, "iu", row->at_ms / HOUR_MS, row->seq);
	if (r || row->place != JOURNAL_LAST || !row->series || !*row->series)
		return r;
	return sqlite_db_run(db, SQL_ENDED_ADD, "ut", row->seq, row->series);
}

int sqlite_row_ended(struct sqlite_db *db, const char *series)
{
	sqlite3_stmt *row;
	if (!series || !*series)
		return 0;
	int r = sqlite_db_bind(db, SQL_ENDED_GET, &row, "t", series);
	if (r)
		return r;
	r = sqlite_db_step(db, row);
	sqlite_db_done(row);
	return r;
}

/* A text cell as a C string, or NULL when it holds what we never write: a NUL inside. */
static const char *text_of(sqlite3_stmt *row, int column)
{
	const char *text = (const char *)sqlite3_column_text(row, column);
	if (!text || strlen(text) != (size_t)sqlite3_column_bytes(row, column))
		return NULL;
	return text;
}

int sqlite_row_read(sqlite3_stmt *from, struct journal_row *ret)
{
	int64_t kind = sqlite3_column_int64(from, 1);
	const void *hash = sqlite3_column_blob(from, 7);
	*ret = (struct journal_row){.seq = (uint64_t)sqlite3_column_int64(from, 0),
		.kind = (enum journal_kind)kind,
		.tenant = text_of(from, 2),
		.license = text_of(from, 3),
		.at_ms = sqlite3_column_int64(from, 4),
		.node = text_of(from, 5),
		.body = text_of(from, 6)};
	if (kind < 0 || kind >= JOURNAL_KINDS || !ret->tenant || !ret->license ||
		!ret->node || !ret->body || sqlite3_column_bytes(from, 7) != JOURNAL_HASH)
		return -REASON_STATE_DAMAGED;
	memcpy(ret->hash, hash, JOURNAL_HASH);
	return 0;
}

int sqlite_row_range(struct sqlite_db *db, int64_t from_ms, int64_t to_ms,
	uint64_t *ret_first, uint64_t *ret_last)
{
	sqlite3_stmt *row;
	int64_t from = from_ms ? from_ms / HOUR_MS : INT64_MIN;
	int64_t to = to_ms ? (to_ms - 1) / HOUR_MS : INT64_MAX;
	int r = sqlite_db_bind(db, SQL_HOUR_BOUNDS, &row, "ii", from, to);
	if (r)
		return r;
	r = sqlite_db_step(db, row);
	if (r > 0) {
		*ret_first = (uint64_t)sqlite3_column_int64(row, 0);
		*ret_last = (uint64_t)sqlite3_column_int64(row, 1);
		r = 0;
	}
	sqlite_db_done(row);
	return r;
}

static int seq_range(struct sqlite_db *db, const struct journal_query *query,
	uint64_t *ret_first, uint64_t *ret_last)
{
	int r = sqlite_row_range(db, query->from_ms, query->to_ms, ret_first, ret_last);
	if (!query->after_seq)
		return r;
	if (query->order == JOURNAL_NEWEST_FIRST && *ret_last >= query->after_seq)
		*ret_last = query->after_seq - 1;
	if (query->order == JOURNAL_OLDEST_FIRST && *ret_first <= query->after_seq)
		*ret_first = query->after_seq + 1;
	return r;
}

static enum sqlite_sql statement_for(const struct journal_query *query)
{
	int down = query->order == JOURNAL_NEWEST_FIRST;
	if (query->license)
		return down ? SQL_ROW_LICENSE_DOWN : SQL_ROW_LICENSE;
	if (query->tenant)
		return down ? SQL_ROW_TENANT_DOWN : SQL_ROW_TENANT;
	return down ? SQL_ROW_KIND_DOWN : SQL_ROW_KIND;
}

int sqlite_row_query(struct sqlite_db *db, const struct journal_query *query,
	struct reply *reply)
{
	/* Parameters ?7 and ?8 are the tenant and the license; fewer where nobody asks. */
	const char *letters = query->license  ? "iuuiiutt"
			      : query->tenant ? "iuuiiut"
					      : "iuuiiu";
	size_t limit =
		query->limit < JOURNAL_QUERY_MAX ? query->limit : JOURNAL_QUERY_MAX;
	uint64_t first = 1, last = 0;
	sqlite3_stmt *row;
	struct journal_row found;
	int r = seq_range(db, query, &first, &last);
	if (r || first > last)
		return r;
	r = sqlite_db_bind(db, statement_for(query), &row, letters, (int64_t)query->kind,
		first, last, query->from_ms ? query->from_ms : INT64_MIN,
		query->to_ms ? query->to_ms : INT64_MAX, (uint64_t)limit, query->tenant,
		query->license);
	if (r)
		return r;
	while ((r = sqlite_db_step(db, row)) > 0) {
		r = sqlite_row_read(row, &found);
		if (r == 0)
			r = reply_row(reply, &found);
		if (r)
			break;
	}
	sqlite_db_done(row);
	return r;
}

/* Which rows the hour index promises for the hour last looked at. */
struct hour {
	int64_t hour;
	uint64_t first, last;
};

/* A row outside the range of its hour would be missing from every answer that is asked for by
 * time, although the chain is in order. */
static int check_hour(struct sqlite_db *db, struct hour *hour,
	const struct journal_row *row, struct journal_check *check)
{
	sqlite3_stmt *found;
	if (row->at_ms / HOUR_MS != hour->hour) {
		*hour = (struct hour){.hour = row->at_ms / HOUR_MS, .first = UINT64_MAX};
		int r = sqlite_db_bind(db, SQL_HOUR_GET, &found, "i", hour->hour);
		if (r)
			return r;
		r = sqlite_db_step(db, found);
		if (r > 0) {
			hour->first = (uint64_t)sqlite3_column_int64(found, 0);
			hour->last = (uint64_t)sqlite3_column_int64(found, 1);
		}
		sqlite_db_done(found);
		if (r < 0)
			return r;
	}
	if (row->seq >= hour->first && row->seq <= hour->last)
		return 0;
	journal_chain_bad(check, row->seq, "hidden");
	return 1;
}

/* -REASON_STATE_DAMAGED for what cannot be ours; its seq is set all the same. */
static int read_stub(sqlite3_stmt *from, struct journal_stub *ret)
{
	int64_t kind = sqlite3_column_int64(from, 1);
	*ret = (struct journal_stub){.seq = (uint64_t)sqlite3_column_int64(from, 0),
		.kind = (enum journal_kind)kind,
		.at_ms = sqlite3_column_int64(from, 4)};
	if (kind < 0 || kind >= JOURNAL_KINDS ||
		sqlite3_column_bytes(from, 7) != JOURNAL_HASH ||
		sqlite3_column_bytes(from, 8) != JOURNAL_HASH)
		return -REASON_STATE_DAMAGED;
	memcpy(ret->hash, sqlite3_column_blob(from, 7), JOURNAL_HASH);
	memcpy(ret->rest, sqlite3_column_blob(from, 8), JOURNAL_HASH);
	return 0;
}

static int walk_stub(sqlite3_stmt *at, struct journal_check *check)
{
	struct journal_stub stub;
	if (read_stub(at, &stub)) {
		journal_chain_bad(check, stub.seq, "hash");
		return 1;
	}
	return journal_chain_gone(check, &stub);
}

static int walk_row(struct sqlite_db *db, sqlite3_stmt *at, struct hour *hour,
	struct journal_check *check)
{
	struct journal_row row;
	if (sqlite_row_read(at, &row)) {
		journal_chain_bad(check, row.seq, "hash");
		return 1;
	}
	int r = journal_chain_row(check, &row);
	return r ? r : check_hour(db, hour, &row, check);
}

static int walk(struct sqlite_db *db, struct journal_check *check)
{
	sqlite3_stmt *at;
	struct hour hour = {.hour = INT64_MIN};
	int r = sqlite_db_bind(db, SQL_ROW_ALL, &at, "");
	if (r)
		return r;
	while ((r = sqlite_db_step(db, at)) > 0) {
		r = sqlite3_column_type(at, 8) == SQLITE_NULL
			    ? walk_row(db, at, &hour, check)
			    : walk_stub(at, check);
		if (r)
			break;
	}
	sqlite_db_done(at);
	return r < 0 ? r : 0;
}

int sqlite_row_verify(struct sqlite_db *db, const struct journal_point *points,
	size_t count, struct journal_check *ret)
{
	struct journal_mark anchor = {0}, head = {0};
	journal_chain_start(ret, &anchor, NULL, 0);
	int r = sqlite_row_mark(db, "anchor", &anchor);
	if (r == 0)
		r = sqlite_row_mark(db, "head", &head);
	if (r == -REASON_NOT_FOUND || r == -REASON_STATE_DAMAGED) {
		/* Without its ends nothing can be said of the chain. */
		journal_chain_bad(ret, 1, "order");
		return 0;
	}
	journal_chain_start(ret, &anchor, points, count);
	if (r == 0)
		r = walk(db, ret);
	if (r == 0)
		journal_chain_end(ret, &head);
	return r;
}

static int copy_one(sqlite3_stmt *at, struct reply *reply)
{
	struct journal_row row;
	struct journal_stub stub;
	char body[2 * JOURNAL_HASH + 1];
	if (sqlite3_column_type(at, 8) == SQLITE_NULL) {
		int r = sqlite_row_read(at, &row);
		return r ? r : reply_row(reply, &row);
	}
	int r = read_stub(at, &stub);
	if (r)
		return r;
	journal_stub_row(&stub, &row, body);
	return reply_row(reply, &row);
}

int sqlite_row_copy(struct sqlite_db *db, uint64_t after_seq, struct reply *reply)
{
	struct journal_answer *answer = reply_journal_answer(reply);
	struct journal_mark anchor;
	sqlite3_stmt *at;
	int r = sqlite_row_mark(db, "anchor", &anchor);
	if (r == 0)
		r = sqlite_db_bind(db, SQL_ROW_COPY, &at, "uu", after_seq,
			(uint64_t)JOURNAL_QUERY_MAX);
	if (r)
		return r == -REASON_NOT_FOUND ? -REASON_STATE_DAMAGED : r;
	answer->last_seq = anchor.seq;
	memcpy(answer->last_hash, anchor.hash, JOURNAL_HASH);
	while ((r = sqlite_db_step(db, at)) > 0) {
		r = copy_one(at, reply);
		if (r)
			break;
	}
	sqlite_db_done(at);
	return r;
}

static int bring_one(struct sqlite_db *db, const struct journal_row *row,
	struct journal_mark *head)
{
	struct journal_stub stub;
	int is_stub = journal_is_stub(row);
	int r = is_stub ? journal_row_stub(row, &stub) : sqlite_row_insert(db, row);
	if (r == 0 && is_stub)
		r = sqlite_db_run(db, SQL_STUB_INSERT, "uiihh", stub.seq,
			(int64_t)stub.kind, stub.at_ms, stub.rest, stub.hash);
	if (r == 0)
		r = sqlite_row_count(db, is_stub ? "stub" : journal_kind_name(row->kind),
			1);
	head->seq = row->seq;
	memcpy(head->hash, row->hash, JOURNAL_HASH);
	return r;
}

int sqlite_row_bring(struct sqlite_db *db, const struct journal_row *rows, size_t count,
	struct journal_mark *head)
{
	int r = 0;
	for (size_t i = 0; i < count && r == 0; i++)
		r = bring_one(db, &rows[i], head);
	return r ? r : sqlite_row_set_mark(db, "head", head);
}

int sqlite_row_count(struct sqlite_db *db, const char *name, int64_t more)
{
	return more ? sqlite_db_run(db, SQL_COUNT_ADD, "ti", name, more) : 0;
}

static int read_count(struct sqlite_db *db, const char *name, uint64_t *ret)
{
	sqlite3_stmt *row;
	int r = sqlite_db_bind(db, SQL_COUNT_GET, &row, "t", name);
	if (r)
		return r;
	r = sqlite_db_step(db, row);
	*ret = r > 0 ? (uint64_t)sqlite3_column_int64(row, 0) : 0;
	sqlite_db_done(row);
	return r < 0 ? r : 0;
}

static int read_first_ms(struct sqlite_db *db, int64_t *ret)
{
	sqlite3_stmt *row;
	int r = sqlite_db_bind(db, SQL_ROW_FIRST, &row, "");
	if (r)
		return r;
	r = sqlite_db_step(db, row);
	*ret = r > 0 ? sqlite3_column_int64(row, 1) : 0;
	sqlite_db_done(row);
	return r < 0 ? r : 0;
}

int sqlite_row_look(struct sqlite_db *db, struct journal_answer *ret)
{
	struct journal_mark anchor, head;
	int64_t pages = 0, size = 0;
	int r = sqlite_row_mark(db, "anchor", &anchor);
	if (r == 0)
		r = sqlite_row_mark(db, "head", &head);
	for (int kind = 0; kind < JOURNAL_KINDS && r == 0; kind++)
		r = read_count(db, journal_kind_name((enum journal_kind)kind),
			&ret->facts.rows[kind]);
	if (r == 0)
		r = read_count(db, "stub", &ret->facts.stubs);
	if (r == 0)
		r = read_first_ms(db, &ret->facts.first_ms);
	if (r == 0)
		r = sqlite_db_number(db, "PRAGMA page_count", &pages);
	if (r == 0)
		r = sqlite_db_number(db, "PRAGMA page_size", &size);
	if (r)
		return r == -REASON_NOT_FOUND ? -REASON_STATE_DAMAGED : r;
	ret->facts.anchor_seq = anchor.seq;
	ret->facts.bytes = (uint64_t)pages * (uint64_t)size;
	ret->last_seq = head.seq;
	memcpy(ret->last_hash, head.hash, JOURNAL_HASH);
	return 0;
}
