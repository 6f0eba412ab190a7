/* redis_carry: rows and stubs out of a journal in Redis and into one, as they stand (journal_copy(),
 * journal_bring()).
 *
 * Thread: as store/journal.h.
 */
#ifndef REDIS_REDIS_CARRY_H
#define REDIS_REDIS_CARRY_H

#include "store/journal.h"
#include "store/redis/redis_link.h"

void redis_carry_copy(struct redis_link *link, const char *prefix, uint64_t after_seq,
	struct post_box *box, journal_done reader, void *ctx);
void redis_carry_bring(struct redis_link *link, const char *prefix,
	const struct journal_point *anchor, const struct journal_row *rows, size_t count,
	struct post_box *box, journal_done reader, void *ctx);

#endif
