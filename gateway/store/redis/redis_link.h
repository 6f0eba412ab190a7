/* redis_link: the thread that speaks with Redis. It has one event_base and the connection for commands; the
 * journal and the bus live on it too.
 *
 * Thread: redis_link_ask() and _post() from any, and they never block: while Redis is away an ask is
 * answered on the spot. Everything else on the link's own thread, or before redis_link_start().
 * Owner: redis_store.
 */
#ifndef REDIS_REDIS_LINK_H
#define REDIS_REDIS_LINK_H

#include "base/check.h"
#include "store/redis/redis_address.h"
#include "store/redis/redis_ask.h"

#define REDIS_LINK_WAITING 32768

struct event_base;
struct redis_health;
struct redis_link;

struct redis_item {
	struct redis_item *next;
	void (*run)(struct redis_item *item);
};

/* Somebody on the link's thread: told when the connection came up or went, and at the end of each
 * turn in which items were run (so that many become one command). Either may be NULL. */
struct redis_guest {
	struct redis_guest *next;
	void (*changed)(struct redis_guest *guest, int up);
	void (*turn)(struct redis_guest *guest);
};

/* `address` and `health` are borrowed. */
MUST_CHECK int redis_link_new(struct redis_address *address, struct redis_health *health,
	struct redis_link **ret);
struct event_base *redis_link_base(struct redis_link *link);
void redis_link_join(struct redis_link *link, struct redis_guest *guest);
/* Starts the thread and waits until Redis has been reached once or has not.
 * -REASON_STORE_UNAVAILABLE, -REASON_CONFIG, -REASON_NO_MEMORY. */
MUST_CHECK int redis_link_start(struct redis_link *link, char error[static STORE_ERROR]);
/* The thread answers what it has, then ends; the guests may be taken down then. */
void redis_link_stop(struct redis_link *link);
struct redis_link *redis_link_free(struct redis_link *link);

/* Takes the ask. Its `done` runs on the link's thread, or at once on this one. */
void redis_link_ask(struct redis_link *link, struct redis_ask *ask);
/* Runs on the link's thread, also while Redis is away; on this one when the link is stopped. */
void redis_link_post(struct redis_link *link, struct redis_item *item);

/* On the link's thread. */
void redis_link_send(struct redis_link *link, struct redis_ask *ask);
int redis_link_up(const struct redis_link *link);

#endif
