/* sdl_clipboard: the local clipboard, UTF-8 both ways, without going round in circles.
 *
 * Thread: the window's. Owner: the window. What came from the host is not sent back to it, and
 * what the host already has is not sent again. Texts over the limit are not shortened: half
 * a text looks whole when it is pasted.
 */
#ifndef CLIPBOARD_SDL_CLIPBOARD_H
#define CLIPBOARD_SDL_CLIPBOARD_H

#include <stddef.h>

#include "base/check.h"

#define SDL_CLIPBOARD_MAX ((size_t)1 << 20)

struct sdl_clipboard;

struct sdl_clipboard_out {
	/* A new text of the local clipboard; NULL: there is one of `len` bytes, and it is too long. */
	void (*text)(void *ctx, const char *utf8, size_t len);
	void *ctx;
};

MUST_CHECK int sdl_clipboard_new(struct sdl_clipboard **ret,
	const struct sdl_clipboard_out *out);
/* Something may have been copied locally: the person comes back to the window. What X11 hands over
 * in pieces (INCR, some hundred KiB and more) SDL 2.26 does not read. */
void sdl_clipboard_look(struct sdl_clipboard *clipboard);
/* The host's clipboard becomes the local one. -REASON_LIMIT, -REASON_BAD_VALUE (not UTF-8). */
MUST_CHECK int sdl_clipboard_set(struct sdl_clipboard *clipboard, const char *utf8,
	size_t len);
struct sdl_clipboard *sdl_clipboard_free(struct sdl_clipboard *clipboard);

#endif
