/* x11_display: one connection to an X server that can neither end the process nor lie about
 * being alive. Xlib's defaults are exit(1) on any error; here errors are counted and a dead server is a flag.
 *
 * Thread: a connection belongs to the thread that uses it; each part (capture, input, clipboard,
 *         sign) has its own, so that none waits for another.
 * Errors: -REASON_NO_DISPLAY, -REASON_NO_MEMORY.
 */
#ifndef SCREEN_X11_DISPLAY_H
#define SCREEN_X11_DISPLAY_H

#include <X11/Xlib.h>

#include "base/check.h"

struct x11_display {
	Display *x;
	int screen;
	Window root;
	int lost; /* the server is gone: no Xlib call may follow */
	int errors; /* counts X errors of this connection; compare around a call and XSync */
};

/* `name` NULL: $DISPLAY. */
MUST_CHECK int x11_display_open(const char *name, struct x11_display **ret);
/* Accepts NULL, returns NULL. */
struct x11_display *x11_display_close(struct x11_display *display);

/* Reads what has come and says how many events wait. 0 also when the server is gone. */
int x11_display_pending(struct x11_display *display);
/* Sends everything and waits for the answer; nonzero when an error came since `errors`. */
int x11_display_failed(struct x11_display *display, int errors);

#endif
