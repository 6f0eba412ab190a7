/* redis_pulse: looks every two seconds whether Redis still is the store that it was, and what its clock says.
 *
 * A store has a mark of its own. Without it, or with another, it was emptied (FLUSHALL), restored, or is
 * not the same Redis: that is said loudly, and everybody puts back what is his (presence, claims).
 *
 * Thread: the link's. Owner: redis_link.
 */
#ifndef REDIS_REDIS_PULSE_H
#define REDIS_REDIS_PULSE_H

#include "base/check.h"

struct redis_address;
struct redis_health;
struct redis_link;
struct redis_pulse;

struct state;

/* All borrowed; `run` is the mark of a store that has none; `state` is told the highest fence drawn. */
struct redis_pulse_parts {
	struct redis_link *link;
	const struct redis_address *address;
	const char *run;
	struct redis_health *health;
	struct state *state;
};

/* Before the link starts. -REASON_NO_MEMORY. */
MUST_CHECK int redis_pulse_new(const struct redis_pulse_parts *parts,
	struct redis_pulse **ret);
/* After the link stopped. Accepts NULL, returns NULL. */
struct redis_pulse *redis_pulse_free(struct redis_pulse *pulse);

#endif
