/* sdl_scale: where the picture stands in the window, and its pixels made smaller.
 *
 * Thread: any; pure arithmetic. Coordinates: "picture" is the host's, "view" the part of it that is
 * shown (all, or one monitor), "window" the window's own pixels.
 */
#ifndef SCREEN_SDL_SCALE_H
#define SCREEN_SDL_SCALE_H

#include <stddef.h>
#include <stdint.h>

#include "rfb/picture.h"

enum sdl_scale {
	SDL_SCALE_FIT,     /* as large as the window allows */
	SDL_SCALE_ONE,     /* pixel for pixel; a larger picture follows the pointer */
	SDL_SCALE_INTEGER, /* the largest whole multiple, or fit when even 1 is too large */
};

struct sdl_scale_rect {
	int x, y, w, h;
};

/* The view's place in the window: centred, black around it. `at_x` and `at_y` are the pointer's,
 * for SDL_SCALE_ONE. */
struct sdl_scale_rect sdl_scale_place(enum sdl_scale scale,
	const struct sdl_scale_rect *view, int window_w, int window_h, int at_x,
	int at_y);

/* The pixel of the picture under a pixel of the window; the nearest one for the black around. */
void sdl_scale_pick(const struct sdl_scale_rect *view, const struct sdl_scale_rect *place,
	int window_x, int window_y, uint16_t *ret_x, uint16_t *ret_y);

/* How many times both sides are halved by averaging before the renderer's filter does the rest:
 * below one half a linear filter leaves out pixels, and with them the strokes of letters. */
int sdl_scale_halvings(int view_w, int place_w);

/* The rectangle of the halved picture that a rectangle of the picture has a share in. */
struct sdl_scale_rect sdl_scale_halved(const struct picture_rect *rect, int halvings);

/* Averages blocks of 2^halvings squared; `rect` is in halved coordinates. At the right and lower
 * edge blocks may be smaller. */
void sdl_scale_shrink(const struct picture *picture, int halvings,
	const struct sdl_scale_rect *rect, uint8_t *ret, size_t ret_stride);

#endif
