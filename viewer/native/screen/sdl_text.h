/* sdl_text: lines of text on the picture, Latin and Japanese, where a font can be found.
 *
 * Thread: the window's. Owner: the window. Without any font nothing is drawn: the picture and its
 * dimming still tell. Errors: none.
 */
#ifndef SCREEN_SDL_TEXT_H
#define SCREEN_SDL_TEXT_H

#include <stddef.h>
#include <stdint.h>

struct SDL_Renderer;
struct sdl_text;

/* `font`: a file that is tried first; NULL: only the usual places. Never NULL but without memory. */
struct sdl_text *sdl_text_new(const char *font);
/* Height of a line at `size` points; 0 without a font. */
int sdl_text_height(struct sdl_text *text, int size);
/* The width the line would take. */
int sdl_text_width(struct sdl_text *text, int size, const char *utf8);
/* `color` is 0xAARRGGBB. */
void sdl_text_draw(struct sdl_text *text, struct SDL_Renderer *renderer, int size,
	const char *utf8, int x, int y, uint32_t color);
struct sdl_text *sdl_text_free(struct sdl_text *text);

#endif
