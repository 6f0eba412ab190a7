/* sdl_keysym: from SDL's keys and from Unicode to X keysyms, which is what RFB speaks
 * (RFC 6143 section 7.5.4; the numbers are those of X11's keysymdef.h).
 *
 * Thread: any; constant tables.
 */
#ifndef INPUT_SDL_KEYSYM_H
#define INPUT_SDL_KEYSYM_H

#include <stdint.h>

/* A character. Latin-1 is itself, control characters have their keys, all others are
 * 0x01000000 + code point; 0 for what is no character. */
uint32_t sdl_keysym_unicode(uint32_t code_point);

/* A key that types no character, or one of the keypad: `keycode` is SDL_Keycode, `num_lock` not 0
 * when the keypad types digits. 0 for keys that type: their character decides. */
uint32_t sdl_keysym_key(int32_t keycode, int num_lock);

/* The character a typing key has by itself on this layout, upper case when `upper`; 0 if none. */
uint32_t sdl_keysym_plain(int32_t keycode, int upper);

#endif
