/* sqlite_row: journal rows and marks as SQL.
 *
 * Thread: that of the connection. Errors: as sqlite_db.h.
 */
#ifndef SQLITE_SQLITE_ROW_H
#define SQLITE_SQLITE_ROW_H

#include "base/check.h"
#include "store/journal_chain.h"
#include "store/sqlite/sqlite_db.h"

struct reply;

/* "head" or "anchor". -REASON_NOT_FOUND; -REASON_STATE_DAMAGED. */
MUST_CHECK int sqlite_row_mark(struct sqlite_db *db, const char *name,
	struct journal_mark *ret);
MUST_CHECK int sqlite_row_set_mark(struct sqlite_db *db, const char *name,
	const struct journal_mark *mark);
MUST_CHECK int sqlite_row_insert(struct sqlite_db *db, const struct journal_row *row);
/* 1: the series has had its last row. */
MUST_CHECK int sqlite_row_ended(struct sqlite_db *db, const char *series);
MUST_CHECK int sqlite_row_query(struct sqlite_db *db, const struct journal_query *query,
	struct reply *reply);
/* Walks the whole chain; `ret` is filled also on error. The points are borrowed by it. */
MUST_CHECK int sqlite_row_verify(struct sqlite_db *db, const struct journal_point *points,
	size_t count, struct journal_check *ret);
/* journal_copy() and journal_bring(): `head` is what the chain ends with, before and
 * after; the rows go on from there. */
MUST_CHECK int sqlite_row_copy(struct sqlite_db *db, uint64_t after_seq,
	struct reply *reply);
MUST_CHECK int sqlite_row_bring(struct sqlite_db *db, const struct journal_row *rows,
	size_t count, struct journal_mark *head);
MUST_CHECK int sqlite_row_look(struct sqlite_db *db, struct journal_answer *ret);
/* Adds to how many there are: a kind's name, or "stub". */
MUST_CHECK int sqlite_row_count(struct sqlite_db *db, const char *name, int64_t more);
/* Whether `from` is a row of ours; its strings live until the next step. -REASON_STATE_DAMAGED; its seq is
 * set all the same. */
MUST_CHECK int sqlite_row_read(sqlite3_stmt *from, struct journal_row *ret);
/* The range of seq that can hold rows of these times; 0: open. first > last: none. */
MUST_CHECK int sqlite_row_range(struct sqlite_db *db, int64_t from_ms, int64_t to_ms,
	uint64_t *ret_first, uint64_t *ret_last);

#endif
