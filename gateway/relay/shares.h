/* shares: what each company may carry at this node, one throttle each way for all its sessions here.
 * A company's cap is for all nodes together; a node grants itself an equal part of it, so that nobody
 * has to be asked while bytes flow: sessions that sit unevenly get less than the cap, never more.
 *
 * Thread: any; one lock, taken when a session begins, ends or gets another policy, never for DATA.
 * Owner: the house (relay.c). A share lives while a session has it.
 */
#ifndef RELAY_SHARES_H
#define RELAY_SHARES_H

#include <stdint.h>

#include "base/check.h"

struct share;
struct shares;
struct throttle;

MUST_CHECK int shares_new(struct shares **ret);
/* Accepts NULL, returns NULL. Every share was left before. */
struct shares *shares_free(struct shares *shares);

/* A session joins, or learns the cap anew (bytes a second, of all nodes): the last word counts for all
 * of them. -REASON_NO_MEMORY. */
MUST_CHECK int shares_enter(struct shares *shares, const char *tenant, int64_t rate,
	struct share **ret);
/* Accepts NULL, returns NULL. */
struct share *shares_leave(struct shares *shares, struct share *share);
/* `side`: enum hello_side of the end that sends. */
struct throttle *shares_way(struct share *share, int side);
/* So many nodes serve, this one included. */
void shares_set_nodes(struct shares *shares, int nodes);

#endif
