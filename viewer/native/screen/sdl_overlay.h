/* sdl_overlay: what is drawn over the picture: the quality meter, and the notice over the dimmed
 * last picture while there is no live one.
 *
 * Thread: the window's; no state. Sizes follow the window's pixels, so that text is readable on
 * high-resolution screens.
 */
#ifndef SCREEN_SDL_OVERLAY_H
#define SCREEN_SDL_OVERLAY_H

#include "base/reason.h"
#include "meter_overlay.h"

struct SDL_Renderer;
struct sdl_text;

void sdl_overlay_meter(struct SDL_Renderer *renderer, struct sdl_text *text, int window_w,
	const struct meter_model *meter, enum reason_lang lang, int points);
/* Dims everything; `title` and `detail` (may be empty) stand in the middle. */
void sdl_overlay_notice(struct SDL_Renderer *renderer, struct sdl_text *text,
	int window_w, int window_h, const char *title, const char *detail, int points);
/* One line at the foot of the picture. */
void sdl_overlay_line(struct SDL_Renderer *renderer, struct sdl_text *text, int window_w,
	int window_h, const char *line, int points);

#endif
