#include "store/sqlite/sqlite_purge.h"

#include <stdlib.h>
#include <string.h>

#include "base/reason.h"
#include "store/journal_chain.h"
#include "store/sqlite/sqlite_row.h"

/* What a step has found: read to the end before anything is deleted. */
struct found {
	size_t seen, count;
	uint64_t last;
	struct journal_stub stubs[SQLITE_PURGE_STEP];
};

static int keep_found(sqlite3_stmt *row, const struct journal_purge *rule,
	struct found *found)
{
	struct journal_row old;
	int r = sqlite_row_read(row, &old);
	found->seen++;
	found->last = old.seq;
	if (r || old.at_ms >= journal_purge_before(rule, old.kind, old.tenant))
		return r;
	r = journal_chain_stub(&old, &found->stubs[found->count]);
	found->count += r == 0;
	return r;
}

static int find_rows(struct sqlite_db *db, const struct journal_purge *rule,
	const struct sqlite_purge *at, struct found *found)
{
	int64_t before = journal_purge_latest(rule, (enum journal_kind)at->kind);
	uint64_t first = 1, last = 0;
	sqlite3_stmt *row;
	int r = before > 0 ? sqlite_row_range(db, 0, before, &first, &last) : 0;
	if (r || first > last)
		return r;
	r = sqlite_db_bind(db, SQL_ROW_OLD, &row, "iuuiu", (int64_t)at->kind, at->after,
		last, before, (uint64_t)SQLITE_PURGE_STEP);
	if (r)
		return r;
	while ((r = sqlite_db_step(db, row)) > 0) {
		r = keep_found(row, rule, found);
		if (r)
			break;
	}
	sqlite_db_done(row);
	return r;
}

static int replace(struct sqlite_db *db, const struct found *found)
{
	int r = 0;
	for (size_t i = 0; i < found->count && r == 0; i++) {
		const struct journal_stub *stub = &found->stubs[i];
		r = sqlite_db_run(db, SQL_STUB_INSERT, "uiihh", stub->seq,
			(int64_t)stub->kind, stub->at_ms, stub->rest, stub->hash);
		if (r == 0)
			r = sqlite_db_run(db, SQL_ROW_DELETE, "u", stub->seq);
	}
	return r;
}

static int step_rows(struct sqlite_db *db, const struct journal_purge *rule,
	const struct sqlite_purge *at, struct sqlite_purge *ret)
{
	struct found *found = calloc(1, sizeof(*found));
	if (!found)
		return -REASON_NO_MEMORY;
	const char *name = journal_kind_name((enum journal_kind)at->kind);
	int r = find_rows(db, rule, at, found);
	if (r == 0)
		r = replace(db, found);
	if (r == 0)
		r = sqlite_row_count(db, name, -(int64_t)found->count);
	if (r == 0)
		r = sqlite_row_count(db, "stub", (int64_t)found->count);
	if (r == 0) {
		*ret = (struct sqlite_purge){
			at->kind, found->last, at->gone + found->count, 0};
		if (found->seen < SQLITE_PURGE_STEP)
			*ret = (struct sqlite_purge){at->kind + 1, 0, ret->gone, 0};
	}
	free(found);
	return r;
}

/* The number of the oldest row, or of the one to come. */
static int first_row(struct sqlite_db *db, uint64_t *ret)
{
	struct journal_mark head;
	sqlite3_stmt *row;
	int r = sqlite_row_mark(db, "head", &head);
	if (r == 0)
		r = sqlite_db_bind(db, SQL_ROW_FIRST, &row, "");
	if (r)
		return r;
	r = sqlite_db_step(db, row);
	*ret = r > 0 ? (uint64_t)sqlite3_column_int64(row, 0) : head.seq + 1;
	sqlite_db_done(row);
	return r < 0 ? r : 0;
}

/* Moves the mark over the stubs that may go, as many as follow one another. */
static int pass_stubs(struct sqlite_db *db, uint64_t first, int64_t before_ms,
	struct journal_mark *anchor, int64_t *ret_count)
{
	sqlite3_stmt *row;
	int64_t count = 0;
	int r = sqlite_db_bind(db, SQL_STUB_HEAD, &row, "uu", first,
		(uint64_t)SQLITE_PURGE_STEP);
	if (r)
		return r;
	while ((r = sqlite_db_step(db, row)) > 0) {
		if (sqlite3_column_int64(row, 1) >= before_ms ||
			(uint64_t)sqlite3_column_int64(row, 0) != anchor->seq + 1 ||
			sqlite3_column_bytes(row, 2) != JOURNAL_HASH)
			break;
		anchor->seq++;
		memcpy(anchor->hash, sqlite3_column_blob(row, 2), JOURNAL_HASH);
		count++;
	}
	sqlite_db_done(row);
	*ret_count = count;
	return r < 0 ? r : 0;
}

static int step_stubs(struct sqlite_db *db, const struct journal_purge *rule,
	const struct sqlite_purge *at, struct sqlite_purge *ret)
{
	struct journal_mark anchor;
	uint64_t first = 0;
	int64_t count = 0;
	int r = sqlite_row_mark(db, "anchor", &anchor);
	if (r == 0)
		r = first_row(db, &first);
	if (r == 0)
		r = pass_stubs(db, first, rule->stubs_before_ms, &anchor, &count);
	if (r == 0 && count) {
		r = sqlite_row_set_mark(db, "anchor", &anchor);
		if (r == 0)
			r = sqlite_db_run(db, SQL_STUB_DELETE, "u", anchor.seq);
		if (r == 0)
			r = sqlite_db_run(db, SQL_HOUR_DELETE, "u", anchor.seq);
		if (r == 0)
			r = sqlite_db_run(db, SQL_ENDED_DELETE, "u", anchor.seq);
		if (r == 0)
			r = sqlite_row_count(db, "stub", -count);
	}
	if (r == 0)
		*ret = (struct sqlite_purge){
			at->kind, 0, at->gone, count < SQLITE_PURGE_STEP};
	return r == -REASON_NOT_FOUND ? -REASON_STATE_DAMAGED : r;
}

int sqlite_purge_step(struct sqlite_db *db, const struct journal_purge *rule,
	const struct sqlite_purge *at, struct sqlite_purge *ret)
{
	return at->kind < JOURNAL_KINDS ? step_rows(db, rule, at, ret)
					: step_stubs(db, rule, at, ret);
}
