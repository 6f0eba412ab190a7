/* x11_turn: one thread at a time where X libraries keep lists for the whole program without a lock: Xft its
 * FreeType library, fonts and connections; libXtst and the generic events of libXext their connections, which they
 * enter at the first call and leave when the connection is closed.
 *
 *   int mine = x11_turn_take();
 *   …
 *   x11_turn_give(mine);
 *
 * Thread: any; not twice in one.
 */
#ifndef SCREEN_X11_TURN_H
#define SCREEN_X11_TURN_H

#include "base/check.h"

/* Waits at most X11_TURN_MS: whoever has it may be waiting for a server that hangs, in Xlib and past those lists,
 * and Xlib can wait for ever. 0: not had; to be given back all the same. */
#define X11_TURN_MS 3000
MUST_CHECK int x11_turn_take(void);
void x11_turn_give(int mine);

#endif
