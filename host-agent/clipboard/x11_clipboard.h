/* x11_clipboard: the selection CLIPBOARD of an X display, read and owned (ICCCM section 2).
 *
 * What a program of the office copies is fetched as UTF-8 and reported; what the viewer copied is
 * offered to the programs, as PRIMARY too, so that the middle button pastes it. A text that came from
 * the viewer is never reported back.
 * Thread: the desktop thread; a connection of its own, nothing blocks: an owner or a requestor that
 *         stops in the middle is given up after some seconds.
 * Errors: -REASON_NO_DISPLAY, -REASON_DISPLAY_LACKS (XFIXES), -REASON_NO_MEMORY, -REASON_LIMIT.
 */
#ifndef CLIPBOARD_X11_CLIPBOARD_H
#define CLIPBOARD_X11_CLIPBOARD_H

#include <stddef.h>
#include <stdint.h>

#include "base/check.h"

struct x11_clipboard;

#define X11_CLIPBOARD_MAX (1 << 20) /* bytes */

/* Valid UTF-8, NUL-terminated, valid during the call. */
typedef void (*x11_clipboard_fn)(void *ctx, const char *utf8, size_t len);

MUST_CHECK int x11_clipboard_new(const char *display, x11_clipboard_fn fn, void *ctx,
	struct x11_clipboard **ret);
struct x11_clipboard *x11_clipboard_free(struct x11_clipboard *clipboard);

int x11_clipboard_fd(const struct x11_clipboard *clipboard);
/* Does what there is to do; before each poll. Returns when it wants to run again at the latest, -1: only
 * when the descriptor is readable. */
int64_t x11_clipboard_run(struct x11_clipboard *clipboard, int64_t now_us);

enum x11_clipboard_watch { X11_CLIPBOARD_BLIND, X11_CLIPBOARD_WATCHING };
/* Only while watching is anything read from other programs; watching begins with what is there. */
void x11_clipboard_watch(struct x11_clipboard *clipboard, enum x11_clipboard_watch watch);

/* Offers the text (valid UTF-8); it is copied. When this returns, whoever asks is given this one. */
MUST_CHECK int x11_clipboard_set(struct x11_clipboard *clipboard, const char *utf8,
	size_t len);

enum x11_clipboard_selection { X11_CLIPBOARD_CLIPBOARD, X11_CLIPBOARD_PRIMARY };
/* 1: who asks for it now is asking us. */
int x11_clipboard_owns(struct x11_clipboard *clipboard,
	enum x11_clipboard_selection selection);

/* The window that has the keys; 0: nobody knows. */
unsigned long x11_clipboard_focus(struct x11_clipboard *clipboard);
/* How often the program that has the keys has asked for our text, and how often it was given all of it: they
 * only grow. What is typed after `served` has grown comes to the program behind the text. */
struct x11_clipboard_use {
	unsigned asked, served;
};
struct x11_clipboard_use x11_clipboard_use(const struct x11_clipboard *clipboard);

#endif
