/* window_queue: events on their way from the window's thread to the program's.
 *
 * Thread: window_queue_put() on the window's, the rest on the program's. Bounded: of pointer moves
 * with the same buttons only the last waits, of clipboards only the last; when the program does not
 * take thousands of events, further presses and moves are left out, releases never.
 * Owner: shared by the window and by an item in the program's box; the last one frees it, so an item
 * that runs after the window is gone does nothing. Errors: -REASON_NO_MEMORY.
 */
#ifndef WINDOW_WINDOW_QUEUE_H
#define WINDOW_WINDOW_QUEUE_H

#include "base/check.h"
#include "window/window.h"

struct window_queue;

MUST_CHECK int window_queue_new(struct window_queue **ret, struct post_box *box,
	void (*event)(void *ctx, const struct window_event *event), void *ctx);
/* Copies the event and its text. */
void window_queue_put(struct window_queue *queue, const struct window_event *event);
/* No event is delivered from here on. */
void window_queue_close(struct window_queue *queue);

#endif
