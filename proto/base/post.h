/* post: how a result comes back to the thread that asked. Slow work is done elsewhere; its end is
 * posted to the asker's loop and runs there as a callback.
 *
 * Thread: post_put() from any thread; `run` runs once, on the thread of the box. A box is
 * implemented by a worker's inbox, by the office threads, and by post_pump for programs and tests
 * without a loop. Owner: whoever puts an item owns nothing afterwards; `run` frees or keeps it.
 */
#ifndef BASE_POST_H
#define BASE_POST_H

#include "base/check.h"

struct post_item {
	struct post_item *next;
	void (*run)(struct post_item *item);
};

struct post_box {
	void (*put)(struct post_box *box, struct post_item *item);
};

static inline void post_put(struct post_box *box, struct post_item *item)
{
	box->put(box, item);
}

/* A box that a plain thread empties by itself: waits at most `ms` (-1: for ever) for the first
 * item, then runs all that are there. Returns how many ran. */
struct post_pump;
MUST_CHECK int post_pump_new(struct post_pump **ret); /* -REASON_NO_MEMORY */
struct post_box *post_pump_box(struct post_pump *pump);
int post_pump_run(struct post_pump *pump, int ms);
struct post_pump *post_pump_free(struct post_pump *pump);

#endif
