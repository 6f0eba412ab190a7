/* redis_purge: rows whose time is over become stubs, and stubs at the start of the chain go. In small steps, as
 * redis_history: some rows of a kind are read, those that may go are digested here (Redis has no
 * SHA-256) and replaced there; last the stubs.
 *
 * Thread: as store/journal.h.
 */
#ifndef REDIS_REDIS_PURGE_H
#define REDIS_REDIS_PURGE_H

#include "base/post.h"
#include "store/journal.h"

struct redis_link;

/* `prefix` is borrowed. */
void redis_purge_start(struct redis_link *link, const char *prefix,
	const struct journal_purge *rule, struct post_box *box, journal_done done,
	void *ctx);

#endif
