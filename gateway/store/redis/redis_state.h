/* redis_state: documents, claims and presence in Redis. Keys (after "PREFIX:"):
 *
 *   doc:KIND           hash   id → "VERSION LENGTH\n" tenant body
 *   ids:KIND           zset   all ids, in order
 *   ids:KIND:TENANT    zset   those of one tenant
 *   claim:LICENSE      hash   session, fence, holder; expires
 *   fence              string the highest fence drawn
 *   at:LICENSE         hash   node, value; expires
 *
 * Thread, errors: store/state.h. -REASON_DISK_FULL: Redis' memory or disk.
 */
#ifndef REDIS_REDIS_STATE_H
#define REDIS_REDIS_STATE_H

#include "base/check.h"
#include "store/state.h"

struct redis_link;

/* `prefix` is borrowed. */
MUST_CHECK int redis_state_new(struct redis_link *link, const char *prefix,
	struct state **ret);
/* A fence that somebody has drawn; from any thread. */
void redis_state_saw(struct state *state, uint64_t fence);
/* As store_draw_fence(). */
uint64_t redis_state_draw(struct state *state);
/* Accepts NULL, returns NULL. */
struct state *redis_state_free(struct state *state);

#endif
