/* sdl_input: from SDL's events to what a host understands: X keysyms and a pointer in its picture.
 *
 * Thread: the window's. Owner: the window. Errors: none but memory at the start.
 *
 * Which keysym: SDL tells of a press twice, as a key (place and unshifted layout) and as the text it
 * types (with Shift, AltGr, Caps Lock, compose and input method). The text decides when there is
 * one, so every layout gives exactly its characters; the key decides for keys that type nothing and
 * for chords with Ctrl, Alt or the logo key. Dead keys and what an input method swallows are
 * not sent: their text comes when it is complete, each character pressed and released.
 * Right Alt waits for the next key: if the text then differs from the plain key it was AltGr,
 * which is not sent, because the character already says it all.
 * Stuck keys: whatever was pressed at the host is remembered by its place and released there, by
 * sdl_input_release() on loss of focus, of the grab, and of the stream at the latest.
 *
 * Local keys, never sent: Ctrl+Alt with Enter (full screen), G (grab), Q (quit), M (meter),
 * S (scaling), 0 (all monitors), 1 to 9 (one monitor).
 */
#ifndef INPUT_SDL_INPUT_H
#define INPUT_SDL_INPUT_H

#include <stdint.h>

#include "base/check.h"

union SDL_Event;
struct sdl_input;

enum sdl_input_hotkey {
	SDL_INPUT_FULLSCREEN,
	SDL_INPUT_GRAB,
	SDL_INPUT_QUIT,
	SDL_INPUT_METER,
	SDL_INPUT_SCALING,
	SDL_INPUT_MONITOR, /* number 0..9 */
};

struct sdl_input_out {
	void (*key)(void *ctx, uint32_t keysym, int down);
	/* RFC 6143 section 7.5.5: bit 0 left, 1 middle, 2 right, 3 to 6 wheel, 7 back. */
	void (*pointer)(void *ctx, uint16_t x, uint16_t y, uint8_t buttons);
	void (*hotkey)(void *ctx, enum sdl_input_hotkey hotkey, int number);
	/* Window to picture coordinates; 0 while there is no picture. */
	int (*place)(void *ctx, int window_x, int window_y, uint16_t *ret_x,
		uint16_t *ret_y);
	void *ctx;
};

MUST_CHECK int sdl_input_new(struct sdl_input **ret, const struct sdl_input_out *out);
void sdl_input_event(struct sdl_input *input, const union SDL_Event *event);
/* After the last event of a batch: a key whose text did not come with it has none. */
void sdl_input_settle(struct sdl_input *input);
/* Releases every key and button at the host. */
void sdl_input_release(struct sdl_input *input);
struct sdl_input *sdl_input_free(struct sdl_input *input);

#endif
