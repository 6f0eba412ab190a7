/* memory_state: the state interface over plain memory: for tests, and for gateways that may forget.
 *
 * Thread: as store/state.h; one lock, nothing waits. Owner: memory_store. Errors: -REASON_NO_MEMORY.
 */
#ifndef MEMORY_MEMORY_STATE_H
#define MEMORY_MEMORY_STATE_H

#include "base/check.h"
#include "store/state.h"

MUST_CHECK int memory_state_new(struct state **ret);
/* Accepts NULL, returns NULL. */
struct state *memory_state_free(struct state *state);

#endif
