/* desktop_thread: the thread that turns pixels into RFB and RFB into keys. Everything here but the
 * order queue belongs to it.
 *
 * Thread: desktop_thread_new/free/put and desktop_thread_cut by the caller's thread.
 */
#ifndef DESKTOP_DESKTOP_THREAD_H
#define DESKTOP_DESKTOP_THREAD_H

#include <stdint.h>

#include "base/check.h"
#include "desktop/desktop_events.h"

struct desktop_thread;
struct gate;
struct source;
struct watermark;

enum desktop_order_kind {
	ORDER_OPEN,
	ORDER_CLOSE,
	ORDER_RIGHTS,
	ORDER_LET_GO,
	ORDER_CLIPBOARD,
	ORDER_CLIP_LIMIT,
	ORDER_WATERMARK,
	ORDER_STOP
};

struct desktop_order {
	struct desktop_order *next;
	enum desktop_order_kind kind;
	uint32_t rights, flags;
	int fd;    /* OPEN: the library's end */
	int probe; /* OPEN: the caller's end once more, to see how full the stream is */
	struct gate *gate;
	struct watermark *watermark; /* WATERMARK: taken over; NULL: none */
	size_t most;                 /* CLIP_LIMIT: bytes */
	size_t len;
	char text[];
};

/* Takes over the source, also on error. `paste_wait_ms` as in struct desktop_config. `display` is for input and clipboard of an X source, NULL: the
 * source brings its own. */
MUST_CHECK int desktop_thread_new(struct source *source, int own_input,
	const char *display, const char *name, int64_t paste_wait_ms,
	struct desktop_outbox *outbox, struct desktop_thread **ret);
/* Accepts NULL, returns NULL. */
struct desktop_thread *desktop_thread_free(struct desktop_thread *thread);

/* Takes over the order, its descriptors, its gate and its watermark. */
void desktop_thread_put(struct desktop_thread *thread, struct desktop_order *order);
/* Breaks the present stream off at once, even out of a blocked write. */
void desktop_thread_cut(struct desktop_thread *thread);
/* When the viewer last typed, clicked, pointed or pasted (monotonic ms); 0: never. */
int64_t desktop_thread_input_ms(struct desktop_thread *thread);
void desktop_thread_size(struct desktop_thread *thread, int *ret_width, int *ret_height);
size_t desktop_thread_monitors(struct desktop_thread *thread,
	struct desktop_monitor ret[static DESKTOP_MONITORS_MAX]);

#endif
