/* keymap: what is known about keys without asking any X server: keysyms and characters, and which
 * spare keycode takes the next character that the layout lacks.
 *
 * Thread: any; time is an argument. Keysyms as in RFC 6143 section 7.5.4 and X11's keysymdef.h.
 */
#ifndef INPUT_KEYMAP_H
#define INPUT_KEYMAP_H

#include <stddef.h>
#include <stdint.h>

#include "base/check.h"

/* The character of a keysym; 0: it has none (function keys). */
uint32_t keymap_character(uint32_t keysym);
/* Another keysym for the same character, as keyboard layouts may have that one; 0: none. */
uint32_t keymap_twin(uint32_t keysym);
/* 1: Shift, Control, Caps_Lock and the like: pressed as they are. */
int keymap_is_modifier(uint32_t keysym);
/* 1: a key whose meaning does not depend on Shift (Return, F5, arrows), so that Shift stays as held. */
int keymap_is_function(uint32_t keysym);

/* Spare keycodes, lent out in turn. A program that is slow to notice a new mapping would read an
 * older key press by the newer one, so each stays untouched for as long as possible. */
#define KEYMAP_SPARES_MAX 96
#define KEYMAP_REST_US                                                                   \
	500000 /* a spare used later than this is reused only if none is older */

struct keymap_spare {
	uint32_t code, keysym;
	int64_t used_us;
	int down;
};

struct keymap_spares {
	struct keymap_spare all[KEYMAP_SPARES_MAX];
	size_t count;
};

/* The spare that already has this keysym; NULL: none. */
struct keymap_spare *keymap_spare_of(struct keymap_spares *spares, uint32_t keysym);
/* The one to be remapped next; NULL: all are held down. */
struct keymap_spare *keymap_spare_next(struct keymap_spares *spares);

#endif
