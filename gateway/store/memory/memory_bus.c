#include "store/memory/memory_bus.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "base/list.h"
#include "base/reason.h"

#define MEMORY_BUS_MAGIC 0x4d427573
#define SUBSCRIPTION_MAGIC 0x53756273

struct bus_subscription {
	uint32_t magic;
	struct list node;
	atomic_int holders; /* the bus, and every message on its way */
	int ended;          /* only on the box's thread */
	struct post_box *box;
	bus_handler handler;
	void *ctx;
	char topic[];
};

struct memory_bus {
	struct bus bus; /* first: bus * is memory_bus * */
	uint32_t magic;
	pthread_mutex_t mutex;
	struct list subscriptions;
};

struct message {
	struct post_item item;
	struct bus_subscription *to;
	char json[];
};

static void unref(struct bus_subscription *subscription)
{
	CHECK_OBJ(subscription, SUBSCRIPTION_MAGIC);
	if (atomic_fetch_sub(&subscription->holders, 1) > 1)
		return;
	subscription->magic = 0;
	free(subscription);
}

static void deliver(struct post_item *item)
{
	struct message *message = (struct message *)item;
	struct bus_subscription *to = message->to;
	CHECK_OBJ(to, SUBSCRIPTION_MAGIC);
	if (!to->ended)
		to->handler(to->ctx, to->topic, message->json);
	unref(to);
	free(message);
}

/* One message per subscriber, or none: an order must not reach half of the workers. */
static int prepare(struct memory_bus *bus, const char *topic, const char *json,
	struct post_item **ret)
{
	struct post_item *items = NULL;
	size_t size = strlen(json) + 1;
	LIST_EACH(node, &bus->subscriptions)
	{
		struct bus_subscription *to =
			LIST_ENTRY(node, struct bus_subscription, node);
		if (strcmp(to->topic, topic))
			continue;
		struct message *message = malloc(sizeof(*message) + size);
		if (!message)
			goto no_memory;
		message->item = (struct post_item){.next = items, .run = deliver};
		message->to = to;
		memcpy(message->json, json, size);
		items = &message->item;
	}
	*ret = items;
	return 0;
no_memory:
	for (struct post_item *item = items, *next; item; item = next) {
		next = item->next;
		free(item);
	}
	return -REASON_NO_MEMORY;
}

static int publish(struct bus *base, const char *topic, const char *json)
{
	struct memory_bus *bus = (struct memory_bus *)base;
	struct post_item *items = NULL;
	CHECK_OBJ(bus, MEMORY_BUS_MAGIC);
	/* Putting into the boxes within the lock keeps one publisher's order in every box. */
	pthread_mutex_lock(&bus->mutex);
	int r = prepare(bus, topic, json, &items);
	for (struct post_item *item = items, *next; item; item = next) {
		next = item->next;
		struct bus_subscription *to = ((struct message *)item)->to;
		atomic_fetch_add(&to->holders, 1);
		post_put(to->box, item);
	}
	pthread_mutex_unlock(&bus->mutex);
	return r;
}

static int subscribe(struct bus *base, const char *topic, struct post_box *box,
	bus_handler handler, void *ctx, struct bus_subscription **ret)
{
	struct memory_bus *bus = (struct memory_bus *)base;
	CHECK_OBJ(bus, MEMORY_BUS_MAGIC);
	size_t size = strlen(topic) + 1;
	struct bus_subscription *subscription = calloc(1, sizeof(*subscription) + size);
	if (!subscription)
		return -REASON_NO_MEMORY;
	subscription->magic = SUBSCRIPTION_MAGIC;
	atomic_init(&subscription->holders, 1);
	subscription->box = box;
	subscription->handler = handler;
	subscription->ctx = ctx;
	memcpy(subscription->topic, topic, size);
	pthread_mutex_lock(&bus->mutex);
	list_add_tail(&bus->subscriptions, &subscription->node);
	pthread_mutex_unlock(&bus->mutex);
	*ret = subscription;
	return 0;
}

static void unsubscribe(struct bus *base, struct bus_subscription *subscription)
{
	struct memory_bus *bus = (struct memory_bus *)base;
	CHECK_OBJ(bus, MEMORY_BUS_MAGIC);
	if (!subscription)
		return;
	CHECK_OBJ(subscription, SUBSCRIPTION_MAGIC);
	pthread_mutex_lock(&bus->mutex);
	list_remove(&subscription->node);
	pthread_mutex_unlock(&bus->mutex);
	/* Messages on their way run on this thread later and look at this first. */
	subscription->ended = 1;
	unref(subscription);
}

int memory_bus_new(struct bus **ret)
{
	static const struct bus_vtable vtable = {publish, subscribe, unsubscribe};
	struct memory_bus *bus = calloc(1, sizeof(*bus));
	if (!bus)
		return -REASON_NO_MEMORY;
	bus->bus.vtable = &vtable;
	bus->magic = MEMORY_BUS_MAGIC;
	CHECK(pthread_mutex_init(&bus->mutex, NULL) == 0);
	list_init(&bus->subscriptions);
	*ret = &bus->bus;
	return 0;
}

struct bus *memory_bus_free(struct bus *base)
{
	struct memory_bus *bus = (struct memory_bus *)base;
	if (!bus)
		return NULL;
	CHECK_OBJ(bus, MEMORY_BUS_MAGIC);
	CHECK(list_empty(&bus->subscriptions));
	pthread_mutex_destroy(&bus->mutex);
	bus->magic = 0;
	free(bus);
	return NULL;
}
