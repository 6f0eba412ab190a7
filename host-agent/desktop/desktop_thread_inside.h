/* desktop_thread_inside: what the files of the desktop's thread share, and nobody else includes: desktop_thread.c
 * (the loop, orders, the stream), desktop_thread_input.c (keys, pointer, clipboard), desktop_thread_picture.c
 * (what is looked at, and when it is encoded).
 *
 * Thread: the desktop's own, all of it.
 * Owner: as desktop_thread.h.
 */
#ifndef DESKTOP_DESKTOP_THREAD_INSIDE_H
#define DESKTOP_DESKTOP_THREAD_INSIDE_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdint.h>

#include "desktop/desktop_input.h"
#include "desktop/desktop_thread.h"
#include "link/gate.h"
#include "rfb/pacer.h"
#include "screen/source.h"

struct desktop_thread {
	struct desktop_outbox *outbox;
	pthread_t thread;
	int runs, wake_fd;
	atomic_llong input_ms;

	pthread_mutex_t lock; /* everything from here to the next blank line */
	struct desktop_order *first, **last;
	int current_probe; /* of the newest stream; -1: none */
	int width, height;
	struct desktop_monitor monitors[DESKTOP_MONITORS_MAX];
	size_t monitor_count;

	struct source *source;

	struct x11_clipboard *clipboard; /* NULL: the source has one */
	struct rfb_server *server;
	struct pacer pacer;
	struct desktop_input input;
	struct gate *gate; /* NULL: no stream */
	int probe;
	uint32_t rights, flags;
	size_t clip_most;            /* bytes of UTF-8 that may be copied, either way */
	struct watermark *watermark; /* NULL: none */
	int damaged, all_damaged, partial, lost;
	int busy; /* this turn may have talked to an X server: look again before sleeping */
	int64_t key_us, pointer_us;
};

static inline int desktop_thread_may(const struct desktop_thread *thread,
	enum desktop_right right)
{
	return thread->gate && (thread->rights & right) != 0;
}

/* `reason` of either sign, or 0. */
void desktop_thread_tell(struct desktop_thread *thread, enum desktop_event_kind kind,
	int reason);
/* The stream ends with this reason, and the caller is told. */
void desktop_thread_fail(struct desktop_thread *thread, int reason);

/* desktop_thread_input.c. For the RFB server: what the viewer does. */
void desktop_thread_input_key(void *ctx, uint32_t keysym, int down);
void desktop_thread_input_pointer(void *ctx, int x, int y, uint32_t buttons);
void desktop_thread_input_cut_text(void *ctx, const char *text, size_t len);

/* The viewer's text becomes the desktop's clipboard; the desktop's goes to the viewer. */
void desktop_thread_input_text(struct desktop_thread *thread, const char *text,
	size_t len);
void desktop_thread_input_to_viewer(void *ctx, const char *text, size_t len);
/* The same, of a source that has its own clipboard. */
void desktop_thread_input_source_text(struct desktop_thread *thread);

/* What was ordered before the input that is read now. */
void desktop_thread_catch_up(struct desktop_thread *thread);

/* desktop_thread_picture.c. The screen has another size, the cursor another shape. */
void desktop_thread_picture_resize(struct desktop_thread *thread);
void desktop_thread_picture_cursor(struct desktop_thread *thread);
/* What there is to do now, and doing it: PACER_SEND and PACER_MEND. */
struct pacer_step desktop_thread_picture_decide(struct desktop_thread *thread,
	int64_t now_us);
void desktop_thread_picture_encode(struct desktop_thread *thread,
	const struct pacer_step *step, int64_t now_us);

#endif
