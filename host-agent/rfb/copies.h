/* copies: finds what merely moved. Scrolling and moving a window change every pixel of an area,
 * yet hardly any of them is new; who finds the shift sends a hundredth (RFC 6143 section 7.7.2).
 *
 * A vector is guessed from distinctive stretches of old pixels that appear elsewhere in the new ones;
 * then every block is compared in full. A wrong guess costs time, never a wrong pixel.
 * Thread: any; the finder keeps the last vector, because motions go on.
 * Owner: rfb_server. Errors: -REASON_NO_MEMORY.
 */
#ifndef RFB_COPIES_H
#define RFB_COPIES_H

#include "base/check.h"
#include "rfb/tiles.h"

struct copies;

MUST_CHECK int copies_new(struct copies **ret);
struct copies *copies_free(struct copies *copies);

/* new[x][y] == old[x - dx][y - dy] for every pixel of every reported rectangle. */
struct copies_vector {
	int dx, dy;
};

/* Looks inside `rect` only. `old` is the whole picture, `fresh` begins at the rectangle.
 * Reports destination rectangles in picture coordinates, disjoint, in any order; some of
 * their pixels may be as before. Returns the number of pixels reported; 0: nothing worth it. */
int64_t copies_find(struct copies *copies, const uint32_t *old, int old_stride,
	const uint32_t *fresh, int fresh_stride, const struct tiles_rect *rect,
	struct copies_vector *ret, tiles_changed_fn fn, void *ctx);

#endif
