#include "window/window_queue.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "base/post.h"

#define EVENTS_MAX 4096
/* Kept free for releases: there are at most as many as keys that were pressed. */
#define RELEASES_ROOM 512

struct window_queue {
	struct post_item item; /* first, for the cast back; in the box while `posted` */
	pthread_mutex_t lock;
	struct post_box *box;
	void (*event)(void *ctx, const struct window_event *event);
	void *ctx;
	int posted, closed;
	size_t count;
	struct window_event events[EVENTS_MAX];
	char *text; /* of the one clipboard event that may wait */
	size_t text_len;
};

static void run(struct post_item *item);

int window_queue_new(struct window_queue **ret, struct post_box *box,
	void (*event)(void *ctx, const struct window_event *event), void *ctx)
{
	struct window_queue *queue = calloc(1, sizeof *queue);

	if (!queue)
		return -REASON_NO_MEMORY;
	queue->item.run = run;
	queue->box = box;
	queue->event = event;
	queue->ctx = ctx;
	pthread_mutex_init(&queue->lock, NULL);
	*ret = queue;
	return 0;
}

static void discard(struct window_queue *queue)
{
	pthread_mutex_destroy(&queue->lock);
	free(queue->text);
	free(queue);
}

/* Makes the newest text the waiting one's. Returns whether a new event is needed. */
static int replace_text(struct window_queue *queue, const struct window_event *event)
{
	char *copy = malloc(event->len + 1);
	int waits = queue->text != NULL;

	if (!copy)
		return 0;
	memcpy(copy, event->text, event->len);
	copy[event->len] = 0;
	free(queue->text);
	queue->text = copy;
	queue->text_len = event->len;
	return !waits;
}

static int is_release(const struct window_event *event)
{
	return (event->type == WINDOW_KEY && !event->down) ||
	       event->type == WINDOW_QUIT ||
	       (event->type == WINDOW_POINTER && !event->buttons);
}

/* Returns whether the event was merged with one that waits or must be left out. */
static int merge(struct window_queue *queue, const struct window_event *event)
{
	struct window_event *last =
		queue->count ? &queue->events[queue->count - 1] : NULL;

	if (event->type == WINDOW_POINTER && last && last->type == WINDOW_POINTER &&
		last->buttons == event->buttons) {
		*last = *event;
		return 1;
	}
	if (event->type == WINDOW_CLIPBOARD && !replace_text(queue, event))
		return 1;
	return queue->count >= EVENTS_MAX - (is_release(event) ? 0 : RELEASES_ROOM);
}

void window_queue_put(struct window_queue *queue, const struct window_event *event)
{
	int post = 0;

	pthread_mutex_lock(&queue->lock);
	if (!merge(queue, event)) {
		queue->events[queue->count++] = *event;
		post = !queue->posted;
		queue->posted = 1;
	}
	pthread_mutex_unlock(&queue->lock);
	if (post)
		post_put(queue->box, &queue->item);
}

/* On the program's thread: everything that waits. */
static void run(struct post_item *item)
{
	struct window_queue *queue = (struct window_queue *)item;
	struct window_event *events = malloc(sizeof queue->events);
	size_t count = 0;

	CHECK(events);
	pthread_mutex_lock(&queue->lock);
	char *text = queue->text;
	size_t text_len = queue->text_len;
	count = queue->count;
	memcpy(events, queue->events, count * sizeof *events);
	queue->count = 0;
	queue->text = NULL;
	pthread_mutex_unlock(&queue->lock);
	/* The callback may close the window, and with it this queue; `posted` keeps it alive. */
	for (size_t i = 0; i < count && !queue->closed; i++) {
		if (events[i].type == WINDOW_CLIPBOARD) {
			events[i].text = text;
			events[i].len = text_len;
		}
		queue->event(queue->ctx, &events[i]);
	}
	free(text);
	free(events);
	pthread_mutex_lock(&queue->lock);
	int again = queue->count && !queue->closed;
	queue->posted = again;
	int closed = queue->closed;
	pthread_mutex_unlock(&queue->lock);
	if (closed)
		discard(queue);
	else if (again)
		post_put(queue->box, item);
}

void window_queue_close(struct window_queue *queue)
{
	pthread_mutex_lock(&queue->lock);
	queue->closed = 1;
	int posted = queue->posted;
	pthread_mutex_unlock(&queue->lock);
	if (!posted)
		discard(queue);
}
