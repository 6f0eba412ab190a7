/* memory_journal: the journal interface over plain memory; for tests. Chained like the real ones.
 *
 * Thread: as store/journal.h; one lock. Owner: memory_store. Errors: -REASON_NO_MEMORY.
 */
#ifndef MEMORY_MEMORY_JOURNAL_H
#define MEMORY_MEMORY_JOURNAL_H

#include "base/check.h"
#include "store/journal.h"

MUST_CHECK int memory_journal_new(const char *node, struct journal **ret);
/* Accepts NULL, returns NULL. */
struct journal *memory_journal_free(struct journal *journal);

#endif
