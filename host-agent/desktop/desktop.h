/* desktop: a real desktop as an RFB byte stream. Knows pixels, keys and the clipboard; knows
 * nothing of networks, keys of the tunnel, or gateways.
 *
 *   caller's thread                    desktop thread
 *   desktop_open_stream() -- fd == libvncserver == pacer -- source (x11, vnc, pattern)
 *   desktop_clipboard_set()                 |
 *   events, through the caller's box        +-- input, clipboard        sign: a thread of its own
 *
 * Thread: all functions by the one thread that owns the box; none of them waits for the display
 *         or for the other end of a stream, except desktop_new and desktop_free.
 *         SIGPIPE is ignored in the whole process from desktop_new on.
 * Owner:  the caller owns the desktop and the descriptors that it was given.
 * Errors: 0 or -REASON_*.
 */
#ifndef DESKTOP_DESKTOP_H
#define DESKTOP_DESKTOP_H

#include <stddef.h>
#include <stdint.h>

#include "base/check.h"

struct desktop;
struct gate;
struct post_box;

/* Rights, in the order of the trust design: what a viewer may do. */
enum desktop_right {
	DESKTOP_VIEW = 1,
	DESKTOP_CONTROL = 2,
	DESKTOP_CLIP_TO_HOST = 4,
	DESKTOP_CLIP_TO_VIEWER = 8,
	DESKTOP_FILE_TO_HOST = 16,
	DESKTOP_FILE_TO_VIEWER = 32,
};

enum desktop_kind {
	DESKTOP_X11,
	DESKTOP_VNC,
	DESKTOP_PATTERN, /* a moving test picture that echoes what is typed; needs no display */
};

struct desktop_config {
	enum desktop_kind kind;
	const char *display;  /* DESKTOP_X11: ":0"; NULL: $DISPLAY */
	const char *vnc_host; /* DESKTOP_VNC */
	uint16_t vnc_port;
	const char *vnc_password_file; /* first line; NULL: the server asks for none */
	const char *name; /* title for the viewer's window, UTF-8; NULL: host name */
	/* For /bin/sh; NULL: loginctl, xdg-screensaver or xset. */
	const char *lock_command;
	int pattern_width, pattern_height; /* DESKTOP_PATTERN; 0: 1024 x 768 */
	/* DESKTOP_X11: how long keys behind a paste wait for the program; 0: half a second. */
	int64_t paste_wait_ms;
};

enum desktop_event_kind {
	DESKTOP_EV_CLIPBOARD, /* somebody at the office copied `text`; lane clipboard */
	DESKTOP_EV_ENDED_BY_PERSON, /* the button of the sign was pressed */
	DESKTOP_EV_SOURCE_LOST, /* display or VNC server gone: free this desktop, make a new one */
	DESKTOP_EV_STREAM_ENDED, /* the RFB side ended: the viewer's bytes made no sense */
	DESKTOP_EV_RESIZED, /* the screen is now `width` x `height`, or its monitors lie otherwise */
	DESKTOP_EV_CLIP_TOO_LARGE, /* a text was over the limit and not copied */
	DESKTOP_EV_ANSWERED,       /* desktop_ask(): `yes` */
};

struct desktop_event {
	enum desktop_event_kind kind;
	int reason; /* REASON_* for SOURCE_LOST and STREAM_ENDED, else 0 */
	/* CLIPBOARD: valid UTF-8 and NUL-terminated, only during the call. */
	const char *text;
	size_t len;
	int width, height;
	/* ANSWERED: to which question, and whether the person at the office permits it. */
	unsigned question;
	int yes;
};

/* Runs on the thread of the box; never after desktop_free(). */
typedef void (*desktop_event_fn)(void *ctx, const struct desktop_event *event);

struct desktop_events {
	struct post_box *box;
	desktop_event_fn fn;
	void *ctx;
};

/* Connects to the display or the VNC server and starts the desktop thread.
 * -REASON_NO_DISPLAY, -REASON_DISPLAY_LACKS (the log says what), -REASON_VNC_UNREACHABLE,
 * -REASON_FILE_UNREADABLE (password file), -REASON_NO_MEMORY, -REASON_LIMIT. */
MUST_CHECK int desktop_new(const struct desktop_config *config,
	const struct desktop_events *events, struct desktop **ret);
/* Ends the stream and the sign, releases every key. Accepts NULL, returns NULL. */
struct desktop *desktop_free(struct desktop *desktop);

enum desktop_stream_flag {
	DESKTOP_RFB_CLIPBOARD =
		1, /* clipboard by RFB cut text too, not only by event and call */
};

/* Starts an RFB server (security None, it speaks first) on a new stream and gives the other end:
 * non-blocking, close-on-exec, owned by the caller. A stream that was open ends before.
 * `rights` are bits of desktop_right; the gate gets a reference.
 * The caller tells the end of a stream by desktop_close_stream(), not by close(2) alone. */
MUST_CHECK int desktop_open_stream(struct desktop *desktop, uint32_t rights,
	uint32_t flags, struct gate *gate, int *ret_fd);
/* Ends the stream, if any: no byte of it is looked at any more, held keys and buttons go up. */
void desktop_close_stream(struct desktop *desktop);
/* Only ever narrows what desktop_open_stream() gave. Without VIEW no more picture is sent. */
void desktop_rights(struct desktop *desktop, uint32_t rights);

/* Held keys and buttons go up; the stream stays. For a viewer that is out of reach at the moment. */
void desktop_let_go(struct desktop *desktop);

#define DESKTOP_CLIPBOARD_MAX (1 << 20) /* bytes of UTF-8 */

/* The viewer's clipboard becomes the office's, if the stream has CLIP_TO_HOST. The text is copied.
 * -REASON_LIMIT, -REASON_BAD_VALUE (not UTF-8), -REASON_VETO (no stream or no right). */
MUST_CHECK int desktop_clipboard_set(struct desktop *desktop, const char *text,
	size_t len);

/* Larger texts are not copied, either way; 0: DESKTOP_CLIPBOARD_MAX. Until the next call. */
void desktop_clip_limit(struct desktop *desktop, int64_t max_bytes);

#define DESKTOP_WATERMARK_MAX 401 /* bytes of UTF-8 with NUL; more is cut */

/* Puts this text over every picture that leaves, not over the screen itself, until the next call; NULL: none.
 * Errors of screen/watermark.h: then the former one stays, and no session may rely on it. */
MUST_CHECK int desktop_watermark(struct desktop *desktop, const char *text);

/* When the viewer last typed, clicked, pointed or pasted (monotonic ms); 0: never. */
int64_t desktop_input_ms(const struct desktop *desktop);

/* Shows the sign that a session runs, with a button that ends it at once (ENDED_BY_PERSON), or
 * takes it away (text NULL). `button` NULL: "End" or 終了, by locale. Only where there is an X display:
 * -REASON_NO_DISPLAY else. */
MUST_CHECK int desktop_sign(struct desktop *desktop, const char *text,
	const char *button);

#define DESKTOP_ASK_LINES 5

/* Asks the person at the office a question of these lines (NULL ends them); one that was open is taken
 * back. ANSWERED with its number follows: nobody answers for `wait_ms`, or nobody can be asked any more: no.
 * -REASON_NO_DISPLAY, -REASON_NO_MEMORY, -REASON_LIMIT: nobody can be asked. */
MUST_CHECK int desktop_ask(struct desktop *desktop,
	const char *const lines[static DESKTOP_ASK_LINES], int64_t wait_ms,
	unsigned *ret_question);
/* Takes the question back. Its answer may still be on the way. */
void desktop_ask_no_more(struct desktop *desktop);

/* Locks the session of the office PC; runs on, and says in the log how it went. */
void desktop_lock(struct desktop *desktop);

void desktop_size(const struct desktop *desktop, int *ret_width, int *ret_height);

#define DESKTOP_MONITORS_MAX 16
struct desktop_monitor {
	int x, y, width, height;
};
/* Where the monitors lie in the picture; returns how many. */
size_t desktop_monitors(const struct desktop *desktop,
	struct desktop_monitor ret[static DESKTOP_MONITORS_MAX]);

#endif
