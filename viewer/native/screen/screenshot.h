/* screenshot: the picture as a PNG file, at its own size, without any window.
 *
 * Thread: any. The file appears whole or not at all, mode 0600: it shows somebody's desktop.
 * Errors: -REASON_FILE_UNWRITABLE, -REASON_DISK_FULL, -REASON_NO_MEMORY, -REASON_NOT_FOUND when
 * there is no picture yet.
 */
#ifndef SCREEN_SCREENSHOT_H
#define SCREEN_SCREENSHOT_H

#include "base/check.h"
#include "rfb/picture.h"

MUST_CHECK int screenshot_write(const char *path, const struct picture *picture);

#endif
