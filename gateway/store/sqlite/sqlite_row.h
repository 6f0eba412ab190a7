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
MUST_CHECK int sqlite_row_query(struct sqlite_db *db, const struct journal_query *query,
	struct reply *reply);
/* Walks the whole chain; `ret` is filled also on error. */
MUST_CHECK int sqlite_row_verify(struct sqlite_db *db, struct journal_check *ret);
/* At most `most` rows from the start; *ret_gone is how many went. */
MUST_CHECK int sqlite_row_purge(struct sqlite_db *db, int64_t before_ms, size_t most,
	size_t *ret_gone);

#endif
