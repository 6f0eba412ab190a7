/* bus: orders and news between administration and the relay, within one node as between fifty.
 *
 * Thread: bus_publish from any thread, never blocks. A subscriber's callback runs on the thread of
 * its box, for messages published after the subscription, in order per publisher. Delivery is at
 * least once within 1 s to every node that is up.
 */
#ifndef STORE_BUS_H
#define STORE_BUS_H

#include "base/check.h"
#include "base/post.h"

typedef void (*bus_handler)(void *ctx, const char *topic, const char *json);

struct bus;
struct bus_subscription;

struct bus_vtable {
	int (*publish)(struct bus *, const char *topic, const char *json);
	int (*subscribe)(struct bus *, const char *topic, struct post_box *, bus_handler,
		void *ctx, struct bus_subscription **ret);
	void (*unsubscribe)(struct bus *, struct bus_subscription *);
};

struct bus {
	const struct bus_vtable *vtable;
};

/* Topics: "orders" (relay/orders.h), "news" (live pages of the console). */
MUST_CHECK static inline int bus_publish(struct bus *bus, const char *topic,
	const char *json)
{
	return bus->vtable->publish(bus, topic, json);
}

MUST_CHECK static inline int bus_subscribe(struct bus *bus, const char *topic,
	struct post_box *box, bus_handler handler, void *ctx,
	struct bus_subscription **ret)
{
	return bus->vtable->subscribe(bus, topic, box, handler, ctx, ret);
}

/* From the box's own thread; afterwards the handler is not called any more. Accepts NULL. */
static inline void bus_unsubscribe(struct bus *bus, struct bus_subscription *subscription)
{
	bus->vtable->unsubscribe(bus, subscription);
}

#endif
