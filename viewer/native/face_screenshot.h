/* face_screenshot: one picture of the office desktop as a PNG, without any window; for scripts and for
 * machines without a display.
 *
 * Thread: main. It ends the viewer by itself: 0 when the file is written, -REASON_TIMEOUT when no picture came.
 */
#ifndef VIEWER_FACE_SCREENSHOT_H
#define VIEWER_FACE_SCREENSHOT_H

#include <stdint.h>

#include "base/check.h"

struct face;

/* `after_ms` counts from the first whole picture, so that a slow line is no empty file. `path` is
 * borrowed. -REASON_FILE_UNWRITABLE at once when there can be no such file. */
MUST_CHECK int face_screenshot_new(struct face **ret, const char *path, int64_t after_ms);
struct face *face_screenshot_free(struct face *face);

#endif
