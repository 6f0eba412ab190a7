#include "desktop/desktop_events.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "base/post.h"
#include "base/reason.h"

struct desktop_outbox {
	struct desktop_events events;
	atomic_int references; /* one per event under way, one of the desktop */
	int closed;            /* read and written on the box's thread only */
};

struct item {
	struct post_item post;
	struct desktop_outbox *outbox;
	struct desktop_event event;
	char text[];
};

int desktop_events_open(const struct desktop_events *events, struct desktop_outbox **ret)
{
	struct desktop_outbox *outbox = calloc(1, sizeof(*outbox));
	if (!outbox)
		return -REASON_NO_MEMORY;
	outbox->events = *events;
	atomic_init(&outbox->references, 1);
	*ret = outbox;
	return 0;
}

static void drop(struct desktop_outbox *outbox)
{
	if (atomic_fetch_sub(&outbox->references, 1) == 1)
		free(outbox);
}

struct desktop_outbox *desktop_events_close(struct desktop_outbox *outbox)
{
	if (!outbox)
		return NULL;
	outbox->closed = 1;
	drop(outbox);
	return NULL;
}

static void deliver(struct post_item *post)
{
	struct item *item = (struct item *)post;
	struct desktop_outbox *outbox = item->outbox;
	if (!outbox->closed)
		outbox->events.fn(outbox->events.ctx, &item->event);
	drop(outbox);
	free(item);
}

void desktop_events_put(struct desktop_outbox *outbox, const struct desktop_event *event)
{
	struct item *item = calloc(1, sizeof(*item) + event->len + 1);
	if (!item)
		return;
	item->post.run = deliver;
	item->outbox = outbox;
	item->event = *event;
	if (event->text) {
		memcpy(item->text, event->text, event->len);
		item->event.text = item->text;
	}
	atomic_fetch_add(&outbox->references, 1);
	post_put(outbox->events.box, &item->post);
}
