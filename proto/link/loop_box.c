#include "link/loop_box.h"

#include <event2/event.h>
#include <pthread.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "base/reason.h"

struct loop_box {
	struct post_box post; /* first: put() gets a pointer to it */
	pthread_mutex_t lock;
	struct post_item *head, **tail;
	int fd;
	struct event *readable;
};

static void put(struct post_box *post, struct post_item *item)
{
	struct loop_box *box = (struct loop_box *)post;
	item->next = NULL;
	pthread_mutex_lock(&box->lock);
	int first = !box->head;
	*box->tail = item;
	box->tail = &item->next;
	/* Under the lock: after it the box may already be gone. A full counter wakes too. */
	if (first)
		(void)!write(box->fd, &(uint64_t){1}, sizeof(uint64_t));
	pthread_mutex_unlock(&box->lock);
}

static void run_all(struct loop_box *box)
{
	pthread_mutex_lock(&box->lock);
	struct post_item *item = box->head;
	box->head = NULL;
	box->tail = &box->head;
	pthread_mutex_unlock(&box->lock);
	while (item) {
		struct post_item *next = item->next;
		item->run(item);
		item = next;
	}
}

static void on_readable(evutil_socket_t fd, short what UNUSED, void *ctx)
{
	uint64_t count;
	(void)!read(fd, &count, sizeof(count));
	run_all(ctx);
}

int loop_box_new(struct event_base *base, struct loop_box **ret)
{
	struct loop_box *box = calloc(1, sizeof(*box));
	if (!box)
		return -REASON_NO_MEMORY;
	box->post.put = put;
	box->tail = &box->head;
	box->fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
	if (box->fd < 0) {
		free(box);
		return -REASON_LIMIT;
	}
	box->readable = event_new(base, box->fd, EV_READ | EV_PERSIST, on_readable, box);
	if (!box->readable || event_add(box->readable, NULL) < 0) {
		if (box->readable)
			event_free(box->readable);
		close(box->fd);
		free(box);
		return -REASON_NO_MEMORY;
	}
	pthread_mutex_init(&box->lock, NULL);
	*ret = box;
	return 0;
}

struct post_box *loop_box_post(struct loop_box *box)
{
	return &box->post;
}

struct loop_box *loop_box_free(struct loop_box *box)
{
	if (!box)
		return NULL;
	while (box->head)
		run_all(box);
	event_free(box->readable);
	close(box->fd);
	pthread_mutex_destroy(&box->lock);
	free(box);
	return NULL;
}
