/* x11_inject: keys and pointer of a viewer, typed into an X display by XTEST, so that what arrives
 * in a program is what was pressed, whatever layout either side has.
 *
 * A keysym that the present layout has is typed there, with Shift and AltGr set or lifted for the moment of
 * the press. One that it lacks (kana, kanji, any Unicode keysym) is put on a spare keycode first.
 * Thread: the desktop thread; a connection of its own.
 * Errors: -REASON_NO_DISPLAY, -REASON_DISPLAY_LACKS (XTEST, XKB), -REASON_NO_MEMORY.
 */
#ifndef INPUT_X11_INJECT_H
#define INPUT_X11_INJECT_H

#include <stdint.h>

#include "base/check.h"

struct x11_inject;

MUST_CHECK int x11_inject_new(const char *display, struct x11_inject **ret);
/* Lifts what is still down, gives the spare keycodes back. Accepts NULL, returns NULL. */
struct x11_inject *x11_inject_free(struct x11_inject *inject);

/* A second "down" without an "up" is a repeat. */
void x11_inject_key(struct x11_inject *inject, uint32_t keysym, int down);
/* Bit 0 is button 1; 4 to 7 are the wheel. */
void x11_inject_pointer(struct x11_inject *inject, int x, int y, uint32_t buttons);
#endif
