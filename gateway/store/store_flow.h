/* store_flow: many documents into a store, one after another without waiting for each: for what brings in
 * thousands of them. A store that writes several at once is many times faster that way.
 *
 * Thread: one that may block. Owner: the caller.
 */
#ifndef STORE_STORE_FLOW_H
#define STORE_STORE_FLOW_H

#include "base/check.h"
#include "store/state.h"

struct store_flow;

MUST_CHECK int store_flow_new(struct state *state, struct store_flow **ret);
/* Waits only when many are under way. -REASON_*: an earlier one failed, this one was not begun. */
MUST_CHECK int store_flow_put(struct store_flow *flow, const struct state_doc *doc);
MUST_CHECK int store_flow_remove(struct store_flow *flow, enum state_kind kind,
	const char *id);
/* Waits for all. 0 or the first error; conflicts and what is not there are counted instead. */
MUST_CHECK int store_flow_wait(struct store_flow *flow, uint64_t *ret_missed);
/* Waits for all. Accepts NULL, returns NULL. */
struct store_flow *store_flow_free(struct store_flow *flow);

#endif
