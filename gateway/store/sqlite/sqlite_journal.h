/* sqlite_journal: the journal interface over the database. Rows, the head of the chain and the hours
 * they belong to are written in one transaction.
 *
 * Thread: as store/journal.h. Owner: sqlite_store; its threads outlive this. A long verify has a
 * thread and a connection of its own, so that it delays neither rows nor answers.
 */
#ifndef SQLITE_SQLITE_JOURNAL_H
#define SQLITE_SQLITE_JOURNAL_H

#include "base/check.h"
#include "store/journal.h"
#include "store/sqlite/sqlite_thread.h"

/* `node` NULL: for reading only. */
MUST_CHECK int sqlite_journal_new(const char *node, struct journal **ret);
/* A look at the end of the chain before anything is added to it: rows that no head covers were not
 * written by us. -REASON_STATE_DAMAGED. */
MUST_CHECK int sqlite_journal_chain_end(struct sqlite_db *db);
/* Before `db` goes to the writer: a transaction that is undone takes the cached head along. */
void sqlite_journal_watch(struct journal *journal, struct sqlite_db *db);
/* Before the first question. */
void sqlite_journal_serve(struct journal *journal, struct sqlite_thread *writer,
	struct sqlite_thread *reader, struct sqlite_thread *auditor);
/* Accepts NULL, returns NULL. */
struct journal *sqlite_journal_free(struct journal *journal);

#endif
