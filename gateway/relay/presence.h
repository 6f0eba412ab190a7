/* presence: what people and other nodes may know about a host: that it is here (a lease that is
 * renewed), when it was seen, and what it says of its machine.
 *
 * The lease says where the host is (relay/whereabouts.h). The first announcement of a leg takes the place of any
 * other node's, for the newest leg of a host is the host; later ones only keep it, and a leg whose place another
 * node has taken ends. Each first one is told on the bus (relay/elsewhere.h).
 *
 * Thread: the desk of the host's leg. Answers of the store come back to that desk; the leg may be
 * gone by then.
 * The document STATE_HOST (id = license) belongs to admission, which writes who is bound; here only
 * these members are changed: "online" (0, 1), "node", "seen" (ms since 1970), "address", "program",
 * "inventory". A document that is not there is not made: nobody is bound then.
 */
#ifndef RELAY_PRESENCE_H
#define RELAY_PRESENCE_H

#include <stdint.h>

struct leg;

void presence_host_came(struct leg *leg);
void presence_host_left(struct leg *leg);
/* REPORT: kept, and written at the next tick, but not more often than every five seconds. */
void presence_host_reports(struct leg *leg, const char *inventory);
/* Somebody says that it came at another node: if that is so, this leg ends with HOST_REPLACED. */
void presence_make_sure(struct leg *leg);
void presence_tick(struct leg *leg, int64_t now_ms);

#endif
