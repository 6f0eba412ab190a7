/* alert_states: what lasts and is looked at again and again: office PCs and nodes that are away, the
 * disk, the certificate, the node's own probes.
 *
 * Thread: one that may block. Errors: those of the store.
 */
#ifndef ALERT_ALERT_STATES_H
#define ALERT_ALERT_STATES_H

#include "alert/alert_book.h"
#include "alert/alert_raise.h"
#include "base/check.h"

struct alert_states {
	struct alert_book *book;
	const struct alert_raise *raise;
	const char *dir;
};

/* Of the whole cluster: by the node that has the lease. */
MUST_CHECK int alert_states_hosts(const struct alert_states *states);
MUST_CHECK int alert_states_nodes(const struct alert_states *states);
/* Of this node. `value` is below the rule's threshold (percent free, days left): raised. */
MUST_CHECK int alert_states_low(const struct alert_states *states, enum alert_when when,
	int64_t value);
MUST_CHECK int alert_states_disk(const struct alert_states *states);
/* The probe of `what` fails since then; 0: it does not. */
MUST_CHECK int alert_states_outage(const struct alert_states *states, const char *what,
	int64_t since_ms);
/* Ends those of a kind that were not met since the last time. */
void alert_states_end(const struct alert_states *states, enum alert_when when);

#endif
