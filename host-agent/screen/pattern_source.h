/* pattern_source: a desktop without a display, for tests and benches: always the same pictures.
 *
 * A grey chessboard; a marker that, when moving, wanders on every
 * 33 ms; letters that are typed appear as blocks whose colour is the keysym, one after the other.
 * Thread: the desktop thread. Owner: as source.h. Errors: -REASON_NO_MEMORY.
 */
#ifndef SCREEN_PATTERN_SOURCE_H
#define SCREEN_PATTERN_SOURCE_H

#include "base/check.h"
#include "screen/source.h"

#define PATTERN_CELL 16 /* side of a typed block, pixels; the first is at the top left */

enum pattern_motion { PATTERN_STILL, PATTERN_MOVING };

MUST_CHECK int pattern_source_new(int width, int height, enum pattern_motion motion,
	struct source **ret);

#endif
