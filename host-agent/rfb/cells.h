/* cells: in which order the parts of a dirty screen are sent when the line cannot take all of it at
 * once: what a person just typed or points at first, and nothing waits for ever.
 *
 * Thread: the desktop thread. Time is an argument, in microseconds. Owner: rfb_server. Errors: -REASON_NO_MEMORY.
 */
#ifndef RFB_CELLS_H
#define RFB_CELLS_H

#include "base/check.h"
#include "rfb/tiles.h"

#define CELL_W (2 * TILE)
#define CELL_H TILE

struct cells;

MUST_CHECK int cells_new(int width, int height, struct cells **ret);
struct cells *cells_free(struct cells *cells);

enum cells_weight { CELLS_NORMAL, CELLS_URGENT };

/* The picture changed there. */
void cells_touch(struct cells *cells, const struct tiles_rect *rect, int64_t now_us,
	enum cells_weight weight);

/* One choice: forget the counts, count what waits, choose. */
void cells_begin(struct cells *cells);
/* `rect` waits to be sent. Since `rested_us` at least (0: no matter) its cells must not have changed. */
void cells_count(struct cells *cells, const struct tiles_rect *rect, int64_t rested_us);
/* Reports cells, best first, until `pixels` are reached; at least one if any waits. */
void cells_choose(struct cells *cells, int64_t pixels, int focus_x, int focus_y,
	int64_t now_us, tiles_changed_fn fn, void *ctx);

#endif
