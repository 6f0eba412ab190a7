/* window: the façade of the desktop half: a window that shows a picture and reports input, driven
 * from an event loop that knows nothing of SDL.
 *
 * Thread: all functions on one thread, the program's; none blocks for long. Inside is a second thread
 * that owns everything of SDL and sleeps in SDL's own wait, which watches the display connection:
 * SDL's events have no descriptor for libevent, polling them would cost processor time at idle, and
 * an X client that is slow to hand over its clipboard would stop the tunnel. The two exchange
 * through a mailbox under one lock; `event` is posted to the program's own box (base/post.h).
 * Owner: the program. A picture must outlive the window (free the window before the decoder).
 * Errors: -REASON_NO_DISPLAY, -REASON_NO_MEMORY.
 *
 * Local keys (Ctrl+Alt+...) are listed in input/sdl_input.h.
 */
#ifndef WINDOW_WINDOW_H
#define WINDOW_WINDOW_H

#include <stddef.h>
#include <stdint.h>

#include "base/check.h"
#include "base/reason.h"
#include "meter_overlay.h"
#include "rfb/picture.h"
#include "screen/sdl_scale.h"

struct post_box;
struct window;

enum window_event_type {
	WINDOW_KEY,            /* keysym, down */
	WINDOW_POINTER,        /* x, y, buttons */
	WINDOW_CLIPBOARD,      /* text, len: copied locally, to be sent to the host */
	WINDOW_CLIPBOARD_LONG, /* len: over the limit, not to be sent; tell the person */
	WINDOW_QUIT,           /* the person closed it or pressed Ctrl+Alt+Q */
};

struct window_event {
	enum window_event_type type;
	uint32_t keysym;
	int down;
	uint16_t x, y;
	uint8_t buttons;
	const char *text; /* UTF-8 with its NUL, valid during the call */
	size_t len;
};

struct window_options {
	const char *title;
	const char *font; /* a font file to be tried first; NULL */
	enum reason_lang lang;
	enum sdl_scale scale;
	int fullscreen;
	struct post_box *box; /* of the thread that calls window_new() */
	/* Runs on that thread, never inside another window_*() call, and not after window_free(). */
	void (*event)(void *ctx, const struct window_event *event);
	void *ctx;
};

/* Why the picture is dimmed. */
enum window_notice {
	WINDOW_LIVE, /* it is not */
	WINDOW_CONNECTING,
	WINDOW_WAITING, /* for somebody at the office */
	WINDOW_CODE,    /* a one-time code is typed; `detail` is how far it is */
	WINDOW_RECONNECTING,
	WINDOW_DECODER_RESTARTS,
	WINDOW_ENDED,
};

MUST_CHECK int window_new(struct window **ret, const struct window_options *options);

/* Of decoder_events: a picture of another size, its changes, its pointer. */
void window_picture(struct window *window, const struct picture *picture);
void window_damage(struct window *window, const struct picture_rect *rects, size_t count);
void window_cursor(struct window *window, const struct picture_cursor *cursor);

/* The host's clipboard. -REASON_LIMIT over 1 MiB, -REASON_BAD_VALUE if not UTF-8. */
MUST_CHECK int window_clipboard(struct window *window, const char *utf8, size_t len);
/* Dims the last picture under a text in the person's language; `detail` (NULL or a sentence, such
 * as reason_text()) stands below. All keys are released at the host first. */
void window_notice(struct window *window, enum window_notice notice, const char *detail);
/* A line at the foot of the picture, which stays live; NULL: none. */
void window_line(struct window *window, const char *line);
/* New figures; shown while the meter is (Ctrl+Alt+M). */
void window_meter(struct window *window, const struct meter_model *meter);
/* The host's monitors in the picture, for Ctrl+Alt+1 to 9 (0: all). 0 of them: the picture is one. */
#define WINDOW_MONITORS_MAX 9
void window_monitors(struct window *window, const struct picture_rect *monitors,
	size_t count);
/* Key-up events for whatever is down at the host: before the stream is changed. */
void window_release_keys(struct window *window);

/* Accepts NULL, returns NULL. Waits for the window's thread. */
struct window *window_free(struct window *window);

#endif
