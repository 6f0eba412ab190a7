/* x11_panel: a small window above all others with some lines of text and one or two buttons: the sign that
 * a session runs, and the question whether one may begin.
 *
 * It never takes the focus, and can be dragged aside. With one line the buttons are beside it, else below.
 * Thread: made and freed by any one thread, which never waits for the display: everything that talks to the
 *         X server does so on a thread of the panel's own, which ends by itself after x11_panel_free().
 *         `fn` runs on that thread, at most once with a time or a failure.
 * Errors: -REASON_NO_MEMORY, -REASON_LIMIT. A display that is not there is told by X11_PANEL_FAILED.
 */
#ifndef SIGN_X11_PANEL_H
#define SIGN_X11_PANEL_H

#include <stddef.h>
#include <stdint.h>

#include "base/check.h"

struct x11_panel;

#define X11_PANEL_LINES 6
#define X11_PANEL_BUTTONS 2
#define X11_PANEL_TEXT 256 /* bytes of UTF-8; more is cut */

enum x11_panel_place { X11_PANEL_TOP, X11_PANEL_CENTRE }; /* of the first monitor */

enum x11_panel_word {
	X11_PANEL_FIRST,   /* the first button was pressed */
	X11_PANEL_SECOND,  /* the second */
	X11_PANEL_TIME_UP, /* nobody did, for `time_ms` */
	X11_PANEL_FAILED,  /* it could not be shown, or the display is gone */
};

typedef void (*x11_panel_fn)(void *ctx, enum x11_panel_word word);

/* Copied. Unused texts are NULL. */
struct x11_panel_look {
	enum x11_panel_place place;
	const char *lines[X11_PANEL_LINES];
	const char *buttons[X11_PANEL_BUTTONS];
	int64_t time_ms; /* 0: as long as it takes */
	/* A further line: before, the seconds that are left, after. */
	const char *count_before, *count_after;
};

/* `display` NULL: $DISPLAY. */
MUST_CHECK int x11_panel_new(const char *display, const struct x11_panel_look *look,
	x11_panel_fn fn, void *ctx, struct x11_panel **ret);
/* Takes it away; `fn` does not run any more. Accepts NULL, returns NULL. */
struct x11_panel *x11_panel_free(struct x11_panel *panel);

#endif
