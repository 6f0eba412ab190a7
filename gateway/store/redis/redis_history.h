/* redis_history: looking into the journal in Redis, in steps: pages of a query, the walk of a verification. A
 * step is small, so that Redis serves others in between; each has its own deadline.
 *
 * Thread: as store/journal.h.
 */
#ifndef REDIS_REDIS_HISTORY_H
#define REDIS_REDIS_HISTORY_H

#include <stdint.h>

#include "base/post.h"
#include "store/journal.h"

struct redis_link;

/* `prefix` is borrowed. */
void redis_history_query(struct redis_link *link, const char *prefix,
	const struct journal_query *query, struct post_box *box, journal_done done,
	void *ctx);
void redis_history_verify(struct redis_link *link, const char *prefix,
	const struct journal_point *points, size_t count, struct post_box *box,
	journal_done done, void *ctx);
void redis_history_look(struct redis_link *link, const char *prefix, struct post_box *box,
	journal_done done, void *ctx);

#endif
