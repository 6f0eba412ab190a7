/* x11_damage: which parts of the screen were drawn on since the last look.
 *
 * Thread: that of its display. The X server adds the parts up while nobody asks, so a source that
 * may not send loses nothing and pays nothing.
 */
#ifndef SCREEN_X11_DAMAGE_H
#define SCREEN_X11_DAMAGE_H

#include "screen/source.h"
#include "screen/x11_display.h"

struct x11_damage;

/* -REASON_DISPLAY_LACKS (DAMAGE or XFIXES), -REASON_NO_MEMORY. The display is borrowed. */
MUST_CHECK int x11_damage_new(struct x11_display *display, struct x11_damage **ret);
struct x11_damage *x11_damage_free(struct x11_damage *damage);
/* 1: the event said that there is damage. */
int x11_damage_event(const struct x11_damage *damage, const XEvent *event);
/* Takes all damage, as at most SOURCE_RECTS_MAX rectangles inside width x height. */
size_t x11_damage_take(struct x11_damage *damage, int width, int height,
	struct source_rect rects[SOURCE_RECTS_MAX]);

#endif
