/* sqlite_state: the state interface over the database: docs in a table; claims and presence in
 * memory (memory/lease.h), because one process has the file and they end with it. Only the range of
 * fences is on the disk, ahead of the drawing.
 *
 * Thread: as store/state.h. Owner: sqlite_store; its threads outlive this.
 * Errors: those of the database (sqlite_db.h), -REASON_NO_MEMORY.
 */
#ifndef SQLITE_SQLITE_STATE_H
#define SQLITE_SQLITE_STATE_H

#include "base/check.h"
#include "store/sqlite/sqlite_thread.h"
#include "store/state.h"

/* `db` is a writing connection, used before its thread has it: makes the first range of fences
 * durable. NULL (and writer NULL): for reading only. */
MUST_CHECK int sqlite_state_new(struct sqlite_db *db, struct state **ret);
/* Before the first question. */
void sqlite_state_serve(struct state *state, struct sqlite_thread *writer,
	struct sqlite_thread *reader);
/* Accepts NULL, returns NULL. */
struct state *sqlite_state_free(struct state *state);

#endif
