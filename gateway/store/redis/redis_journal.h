/* redis_journal: rows into the journal of a store that many nodes share.
 *
 * There is one chain for the whole store, and every node writes its end: it hashes its rows after the
 * head it knows and appends them if that still is the head, else once more after the new one.
 * One command at a time, with all rows that wait in it. Rows also carry the node's own numbers, so
 * that a command of which nobody knows whether it ran is repeated without harm.
 *
 *   waiting -> sending -> answered                      Redis takes them
 *         \       \
 *          '-------'--> spool -> answered -> sending    Redis is away, full, or has not caught up yet
 *
 * Thread: append from any; the rest on the link's.
 */
#ifndef REDIS_REDIS_JOURNAL_H
#define REDIS_REDIS_JOURNAL_H

#include "base/check.h"
#include "store/journal.h"
#include "store/store_open.h"

struct redis_address;
struct redis_health;
struct redis_link;

/* All borrowed; `run` is this run of this node. */
struct redis_journal_parts {
	struct redis_link *link;
	const struct redis_address *address;
	struct redis_health *health;
	const char *node, *run;
};

/* Before the link starts. Errors of journal_spool_open(). */
MUST_CHECK int redis_journal_new(const struct redis_journal_parts *parts,
	struct journal **ret, char error[static STORE_ERROR]);
/* After the link started: waits until the head of the chain is known. -REASON_STORE_UNAVAILABLE, -REASON_VERSION
 * (the store has an older form of chain). */
MUST_CHECK int redis_journal_wait(struct journal *journal);
/* Waits until every row is in Redis or in the spool; the link still runs. */
void redis_journal_drain(struct journal *journal);
/* After the link stopped. Accepts NULL, returns NULL. */
struct journal *redis_journal_free(struct journal *journal);

#endif
