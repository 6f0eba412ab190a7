/* face_window: the office desktop in a window: pixels from the decoder child, keys, mouse and clipboard back, the
 * last picture dimmed while the session is being brought back, and the quality meter.
 *
 * Thread: main. Errors: -REASON_NO_DISPLAY, -REASON_MISSING_PROGRAM (the decoder), -REASON_NO_MEMORY.
 * Owner: the program; freed after the viewer.
 */
#ifndef VIEWER_FACE_WINDOW_H
#define VIEWER_FACE_WINDOW_H

#include "base/check.h"

struct event_base;
struct face;

struct face_window_config {
	struct event_base *base;
	const char *title;
	int full_screen, lossless;
};

/* The window is there at once, so that a missing display is said before anybody signs in. */
MUST_CHECK int face_window_new(struct face **ret,
	const struct face_window_config *config);
struct face *face_window_free(struct face *face);

#endif
