/* tiles: compares a fresh capture with the picture that the viewer has, so that only what really
 * changed is encoded. X reports what was drawn, not what became different.
 *
 * Thread: any; no state. Pixels 0x??RRGGBB, strides in pixels.
 */
#ifndef RFB_TILES_H
#define RFB_TILES_H

#include <stdint.h>

#define TILE 64 /* pixels; tiles lie on a grid that starts at the picture's origin */

struct tiles_rect {
	int x, y, w, h;
};

/* Gets each changed part once, left to right and top to bottom. */
typedef void (*tiles_changed_fn)(void *ctx, const struct tiles_rect *changed);

/* Compares the rectangle `rect` of `picture` with `fresh` (whose first pixel is the rectangle's) and
 * reports what differs, a tight box per tile, neighbours of the same height joined. Returns the
 * number of pixels reported. */
int64_t tiles_compare(const uint32_t *picture, int picture_stride, const uint32_t *fresh,
	int fresh_stride, const struct tiles_rect *rect, tiles_changed_fn fn, void *ctx);
/* Copies with the top byte cleared. */
void tiles_copy(uint32_t *picture, int picture_stride, const uint32_t *fresh,
	int fresh_stride, const struct tiles_rect *rect);
/* 1: the rectangle has at most `most` (<= 96) colours, so that it shrinks well without loss. */
int tiles_few_colours(const uint32_t *picture, int stride, const struct tiles_rect *rect,
	int most);

#endif
