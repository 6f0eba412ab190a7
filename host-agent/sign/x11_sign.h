/* x11_sign: tells whoever sits at the office PC that somebody looks on, with a button to end it.
 *
 * A small bar at the top centre of the first monitor, above all windows. It never takes the focus,
 * and can be dragged aside.
 * Thread: made and freed by any one thread; it draws and listens on a thread of its own, so that the
 *         button works while everything else waits. `fn` runs on that thread.
 * Errors: -REASON_NO_DISPLAY, -REASON_NO_MEMORY, -REASON_LIMIT.
 */
#ifndef SIGN_X11_SIGN_H
#define SIGN_X11_SIGN_H

#include "base/check.h"

struct x11_sign;

#define X11_SIGN_TEXT_MAX 256 /* bytes of UTF-8; more is cut */

typedef void (*x11_sign_fn)(void *ctx);

MUST_CHECK int x11_sign_new(const char *display, const char *text, const char *button,
	x11_sign_fn fn, void *ctx, struct x11_sign **ret);
/* Takes it away; `fn` does not run any more. Accepts NULL, returns NULL. */
struct x11_sign *x11_sign_free(struct x11_sign *sign);

#endif
