/* vnc_source: a desktop that some VNC server already shows (Xvnc, x11vnc, a vendor's).
 *
 * Thread: the desktop thread; libvncclient, which blocks in the middle of a message, runs on a
 *         thread of its own behind it. Security: None, or VNC password.
 * Errors: -REASON_VNC_UNREACHABLE, -REASON_FILE_UNREADABLE, -REASON_NO_MEMORY, -REASON_LIMIT.
 * The clipboard carries Latin-1 only: libvncclient 0.9.14 knows no other.
 */
#ifndef SCREEN_VNC_SOURCE_H
#define SCREEN_VNC_SOURCE_H

#include "base/check.h"
#include "screen/source.h"

/* Blocks until the server has answered or 10 s are over. The first line of `password_file` is the
 * password; NULL: none. */
MUST_CHECK int vnc_source_new(const char *host, uint16_t port, const char *password_file,
	struct source **ret);

#endif
