/* elsewhere: viewers whose host is not on this node, and hosts that have gone to another one.
 *
 * A viewer that has proved itself and whose host is on another node is sent there when ends can reach that node:
 * REFUSED (at PROVE) with the address and a join token (rules/join.h); a viewer that is in already (its host
 * moved, or it waits to resume) is told to come again, and is sent on at its PROVE. Where a host is, nodes tell
 * each other by leases (store/state.h) and by news on the bus:
 *   {"type":"host","act":"came","id":"lic_…","tenant":"…","node":"…"}
 *
 * Thread: the desk that asks; answers come back to it. One desk of a node listens to the news for all.
 * Owner: the desk. Errors: those of bus_subscribe() (store/bus.h).
 */
#ifndef RELAY_ELSEWHERE_H
#define RELAY_ELSEWHERE_H

#include "base/check.h"
#include "relay/whereabouts.h"

struct desk;
struct leg;

#define ELSEWHERE_NEWS "news"

/* status 0: another node has announced this host. -REASON_NOT_FOUND: none has; those of the store. */
typedef void (*elsewhere_found)(void *ctx, int status, const struct whereabouts *at);
void elsewhere_find(struct desk *desk, const char *license, elsewhere_found done,
	void *ctx);
/* Whether this viewer can be sent to that node. */
int elsewhere_is_open(const struct leg *viewer, const struct whereabouts *at);

/* A token for this viewer, who has just proved itself here, at that node; it is stored before it is given. */
typedef void (*elsewhere_token)(void *ctx, int status, const char *token);
void elsewhere_join(const struct leg *viewer, const struct whereabouts *at,
	elsewhere_token done, void *ctx);

/* A viewer with a wish whose host is not here: told to come again when it can be sent on, refused, or left
 * waiting. */
void elsewhere_seek(struct leg *viewer);
/* No way leads to where its host is: one that resumes waits until the host comes to another place. */
void elsewhere_failed(struct leg *viewer);

/* The first desk of a house that opens listens for all. */
MUST_CHECK int elsewhere_listen(struct desk *desk);
void elsewhere_stop(struct desk *desk);
/* Removes tokens that nobody came with. */
void elsewhere_sweep(struct desk *desk);

#endif
