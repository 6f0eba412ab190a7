/* x11_source: the pixels of an X display, through DAMAGE and MIT-SHM.
 *
 * Path 01/15: damaged pixels are copied.
 * Thread: the desktop thread. Errors: -REASON_NO_DISPLAY, -REASON_DISPLAY_LACKS (the log names the
 *         extension), -REASON_NO_MEMORY. Owner: as source.h.
 */
#ifndef SCREEN_X11_SOURCE_H
#define SCREEN_X11_SOURCE_H

#include "base/check.h"
#include "screen/source.h"

/* `display` NULL: $DISPLAY. */
MUST_CHECK int x11_source_new(const char *display, struct source **ret);

#endif
