/* sdl_window: the window on the screen of the person at home.
 *
 * Path 15/15: pixels appear.
 * Thread: one for its whole life, the window thread of window/window.c; SDL's video must not be
 * touched from another, but for sdl_window_wake(). Owner: window/window.c.
 * Only what was damaged is copied to the renderer's texture; nothing is drawn while nothing changes.
 * Errors: -REASON_NO_DISPLAY, -REASON_NO_MEMORY.
 */
#ifndef SCREEN_SDL_WINDOW_H
#define SCREEN_SDL_WINDOW_H

#include <stddef.h>
#include <stdint.h>

#include "base/check.h"
#include "base/reason.h"
#include "meter_overlay.h"
#include "rfb/picture.h"
#include "screen/sdl_scale.h"

union SDL_Event;
struct sdl_window;

struct sdl_window_options {
	const char *title;
	const char *font; /* NULL: the usual places */
	enum reason_lang lang;
	enum sdl_scale scale;
	int fullscreen;
};

MUST_CHECK int sdl_window_new(struct sdl_window **ret,
	const struct sdl_window_options *options);
/* Blocks until something happens (at most `timeout_ms`; -1: for ever), hands out every event that
 * is there, and returns. No processor is used meanwhile. */
void sdl_window_wait(struct sdl_window *window, int timeout_ms,
	void (*event)(void *ctx, const union SDL_Event *event), void *ctx);
/* From any thread: ends the waiting. */
void sdl_window_wake(struct sdl_window *window);

/* The kinds of event that concern others than the window and the input. */
enum sdl_window_kind { SDL_WINDOW_OTHER, SDL_WINDOW_CLOSED, SDL_WINDOW_COPIED };
enum sdl_window_kind sdl_window_kind(const union SDL_Event *event);
/* Sees to resizes, exposure and the like; to be called for every event. */
void sdl_window_event(struct sdl_window *window, const union SDL_Event *event);
/* A picture of another size or place; the pixels are those of the next damage. */
void sdl_window_picture(struct sdl_window *window, const struct picture *picture);
void sdl_window_damage(struct sdl_window *window, const struct picture_rect *rects,
	size_t count);
void sdl_window_cursor(struct sdl_window *window, const struct picture_cursor *cursor);
/* Part of the picture that is shown; w 0: all of it. */
void sdl_window_view(struct sdl_window *window, const struct picture_rect *view);
/* NULL: live again. */
void sdl_window_notice(struct sdl_window *window, const char *title, const char *detail);
/* A line at the foot of the picture; "": none. */
void sdl_window_line(struct sdl_window *window, const char *line);
/* NULL hides it. */
void sdl_window_meter(struct sdl_window *window, const struct meter_model *meter);

void sdl_window_toggle_fullscreen(struct sdl_window *window);
/* Returns whether the keyboard is grabbed now. */
int sdl_window_toggle_grab(struct sdl_window *window);
enum sdl_scale sdl_window_next_scale(struct sdl_window *window);
/* Where a point of the window is in the picture; 0 when there is none. */
int sdl_window_pick(struct sdl_window *window, int x, int y, uint16_t *ret_x,
	uint16_t *ret_y);
/* Draws if anything changed. */
void sdl_window_draw(struct sdl_window *window);
struct sdl_window *sdl_window_free(struct sdl_window *window);

#endif
