/* guard: how much a stranger may cost. Counts, per source (an IPv4 address or an IPv6 /64) and in
 * all, the connections that have not proved themselves, and remembers who wasted them.
 *
 * Thread: any; one lock, taken at accept and at the end of a login, never on the way of a byte.
 * Limits: relay_settings. An office of 1,000 PCs behind one address has to be able to come back
 * within half a minute after a restart, so the limit per address is 256 at once and 200 new ones a
 * second, not the 16 that would do for people; and an address from which an end is welcome right
 * now is never punished for what its neighbours do.
 * Penalties, as OpenSSH has them: what looks like an attack on the machine, not on an account (for
 * those admission has its lockout, which says why), adds seconds; from penalty_least_ms on the
 * source is turned away until they are over. When the table is full, new sources are let in. Owner: the house.
 */
#ifndef RELAY_GUARD_H
#define RELAY_GUARD_H

#include <stdint.h>

#include "base/check.h"
#include "relay/relay.h"

struct guard;

#define GUARD_SOURCES 65536

MUST_CHECK int guard_new(const struct relay_settings *settings, struct guard **ret);
void guard_set(struct guard *guard, const struct relay_settings *settings);
/* 0: one more stranger is counted, and guard_proved or guard_failed must follow. -REASON_THROTTLED
 * (this address), -REASON_BUSY (all together; from half of the limit on by chance, so that some of
 * the honest get in while a flood lasts). */
MUST_CHECK int guard_admit(struct guard *guard, const char *address);
/* From this address other nodes come: for GUARD_TRUST_MS its number of strangers is not limited. */
#define GUARD_TRUST_MS 600000
void guard_trust(struct guard *guard, const char *address);
/* The stranger is welcome; guard_left must follow. */
void guard_proved(struct guard *guard, const char *address);
/* The stranger is gone, for this reason. */
void guard_failed(struct guard *guard, const char *address, int reason);
/* One who was welcome is gone. */
void guard_left(struct guard *guard, const char *address);
int64_t guard_strangers(struct guard *guard);
/* Accepts NULL, returns NULL. */
struct guard *guard_free(struct guard *guard);

#endif
