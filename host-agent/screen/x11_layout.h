/* x11_layout: how large the screen is and where its monitors lie, also when that changes.
 *
 * Thread: that of its display.
 */
#ifndef SCREEN_X11_LAYOUT_H
#define SCREEN_X11_LAYOUT_H

#include "screen/source.h"
#include "screen/x11_display.h"

/* Asks to be told about changes. -REASON_DISPLAY_LACKS (RANDR). */
MUST_CHECK int x11_layout_watch(struct x11_display *display, int *ret_first_event);
/* 1: the event said that the layout changed, and Xlib has taken note of it. */
int x11_layout_event(int first_event, XEvent *event);
/* Fills in size and monitors as they are now; at least one monitor. 0: the server did not answer. */
int x11_layout_read(struct x11_display *display, struct source *source);
/* 1: of the same size, with the same monitors. */
int x11_layout_same(const struct source *a, const struct source *b);

#endif
