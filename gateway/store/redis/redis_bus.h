/* redis_bus: orders and news between nodes.
 *
 * Subscribers on this node are served at once from memory, also while Redis is away. For the others
 * a message goes into the stream PREFIX:bus, an order into PREFIX:orders, which keep the last BUS_KEPT of
 * them; every node reads on from where it was, so that what was published while it was reconnecting, or
 * stood still, still arrives, once. A node that was away for longer than that has orders lost: it says so
 * and lets all its viewers be looked at again.
 * What cannot be delivered to Redis waits here, up to BUS_WAITING messages; then publishing answers
 * -REASON_STORE_UNAVAILABLE. PREFIX:bus:RUN is the number of the last message of a node's run.
 *
 * Thread: store/bus.h.
 */
#ifndef REDIS_REDIS_BUS_H
#define REDIS_REDIS_BUS_H

#include "base/check.h"
#include "store/bus.h"

#define REDIS_BUS_KEPT 10000
#define REDIS_BUS_WAITING 1024

struct redis_address;
struct redis_link;

/* Before the link starts; `address` and `run` (this run of this node) are borrowed. */
MUST_CHECK int redis_bus_new(struct redis_link *link, struct redis_address *address,
	const char *run, struct bus **ret);
/* After the link started: waits until the place is known from which messages are heard.
 * -REASON_STORE_UNAVAILABLE. */
MUST_CHECK int redis_bus_wait(struct bus *bus);
/* After the link stopped. Accepts NULL, returns NULL. */
struct bus *redis_bus_free(struct bus *bus);

#endif
