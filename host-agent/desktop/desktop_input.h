/* desktop_input: what the viewer types and clicks, on its way into the desktop: in order, behind a
 * paste only when the program has its text, and up again when the viewer goes.
 *
 * Thread: the desktop thread.
 */
#ifndef DESKTOP_DESKTOP_INPUT_H
#define DESKTOP_DESKTOP_INPUT_H

#include <stdint.h>

#include "clipboard/x11_clipboard.h"
#include "input/held.h"
#include "input/paste.h"

struct source;
struct x11_inject;

struct desktop_input {
	struct source *source;
	struct x11_inject *inject;       /* NULL: the source takes input */
	struct x11_clipboard *clipboard; /* NULL: the source has one */
	struct held held;
	struct paste paste;
	struct x11_clipboard_use before; /* the paste */
	int64_t wait_us;          /* for a program to ask for what it is to paste */
	unsigned long told, deaf; /* windows: told to paste; did not ask for anything */
	int middle;               /* its button is down and may paste when it goes up */
	int touched; /* an X server was talked to; cleared by whoever has noticed */
};

void desktop_input_key(struct desktop_input *input, uint32_t keysym, int down);
void desktop_input_pointer(struct desktop_input *input, int x, int y, uint32_t buttons);
/* For the clipboard, valid UTF-8; it is copied. Keys that come later paste this one. */
void desktop_input_text(struct desktop_input *input, const char *text, size_t len);
/* Lets go on what may, after the clipboard has run. Returns when it wants to run again at the latest; -1:
 * when something comes. */
int64_t desktop_input_run(struct desktop_input *input, int64_t now_us);
/* What waits goes first: it was typed. Then everything goes up. */
void desktop_input_let_go(struct desktop_input *input);
/* What waits is not permitted any more; everything goes up. */
void desktop_input_drop(struct desktop_input *input);
/* The desktop is gone. */
void desktop_input_forget(struct desktop_input *input);

#endif
