/* paste: what is typed behind a paste waits until the program has the text.
 *
 * A program that is told to paste asks the owner of the selection and goes on reading: what is typed at
 * once would stand before the text. So input waits behind keys that may have asked for a text of ours, until
 * that was handed over, and never long; nothing is lost, nothing changes its order. A next text waits with it: the program
 * would be given that one.
 * Thread: the desktop thread. No X here; time is an argument.
 */
#ifndef INPUT_PASTE_H
#define INPUT_PASTE_H

#include <stddef.h>
#include <stdint.h>

#include "base/check.h"
#include "input/held.h"

#define PASTE_WAIT_US 500000 /* for a program to ask, or to ask for more */
#define PASTE_DEAF_US 50000  /* for one that did not ask when it was last told to paste */
#define PASTE_TIMES 4        /* so many waits in all */
#define PASTE_QUEUE_MAX 512
#define PASTE_TEXTS_MAX (1 << 20) /* bytes of texts that wait */

/* Bits: the selections that a program may ask for. */
enum paste_from { PASTE_NOTHING = 0, PASTE_CLIPBOARD = 1, PASTE_PRIMARY = 2 };

enum paste_kind { PASTE_KEY, PASTE_POINTER, PASTE_TEXT };

struct paste_input {
	enum paste_kind kind;
	uint32_t keysym;
	int down;
	int x, y;
	uint32_t buttons;
	char *text; /* TEXT: for the clipboard; whoever takes it frees it */
	size_t len;
};

struct paste {
	int64_t until_us, most_us; /* 0: nothing to wait for */
	int64_t wait_us;
	struct paste_input queue[PASTE_QUEUE_MAX];
	size_t first, count, text_bytes;
};

/* Bits of enum paste_from: what this key asks for when it goes down while `held` are. */
unsigned paste_by_key(const struct held *held, uint32_t keysym);

/* Input waits from now on, `wait_us` for the next word of the program. */
void paste_begin(struct paste *paste, int64_t wait_us, int64_t now_us);
/* The program has asked: it will have its text soon, or ask once more. */
void paste_asked(struct paste *paste, int64_t now_us);
/* It has its text, or nobody waits any more. */
void paste_end(struct paste *paste);
int paste_waits(const struct paste *paste, int64_t now_us);
/* When waiting ends at the latest; -1: nothing waits. */
int64_t paste_until_us(const struct paste *paste);

/* Behind what waits already, and takes over its text; moves of the pointer become one. 0: there is no room. */
MUST_CHECK int paste_put(struct paste *paste, const struct paste_input *input);
/* The oldest; 0: there is none. */
int paste_take(struct paste *paste, struct paste_input *ret);
/* Nothing waits any more. */
void paste_empty(struct paste *paste);

#endif
