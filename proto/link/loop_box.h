/* loop_box: a post box (base/post.h) whose items run on a libevent loop: how threads of an end (the
 * desktop, the stretching of a ticket) speak to its main loop.
 *
 * Thread: the box's put() from any; the rest on the loop's thread.
 * Owner: the caller; what is still in the box when it is freed runs then.
 */
#ifndef LINK_LOOP_BOX_H
#define LINK_LOOP_BOX_H

#include "base/check.h"
#include "base/post.h"

struct event_base;
struct loop_box;

/* -REASON_NO_MEMORY, -REASON_LIMIT (no descriptor). */
MUST_CHECK int loop_box_new(struct event_base *base, struct loop_box **ret);
struct post_box *loop_box_post(struct loop_box *box);
/* Accepts NULL, returns NULL. */
struct loop_box *loop_box_free(struct loop_box *box);

#endif
