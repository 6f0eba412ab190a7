/* sqlite_purge: rows whose time is over become stubs, and stubs at the start of the chain go.
 *
 * Thread: that of the connection, inside a transaction. Errors: as sqlite_db.h.
 */
#ifndef SQLITE_SQLITE_PURGE_H
#define SQLITE_SQLITE_PURGE_H

#include "base/check.h"
#include "store/journal.h"
#include "store/sqlite/sqlite_db.h"

/* Rows looked at per transaction: rows that wait to be written wait no longer than that. */
#define SQLITE_PURGE_STEP 1000

/* How far a purge has come: kinds in turn, and last the stubs. */
struct sqlite_purge {
	int kind;       /* JOURNAL_KINDS: the stubs */
	uint64_t after; /* the last row looked at */
	uint64_t gone;
	int done;
};

/* One step: `ret` is how far it is then; `at` stays, so that the step can be taken again. */
MUST_CHECK int sqlite_purge_step(struct sqlite_db *db, const struct journal_purge *rule,
	const struct sqlite_purge *at, struct sqlite_purge *ret);

#endif
