/* Path 15/15: pixels appear. */
#include "screen/sdl_window.h"

#include <SDL2/SDL.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "screen/sdl_overlay.h"
#include "screen/sdl_text.h"

#define START_W 1280
#define START_H 800
#define LEAST_SIDE 160
#define NOTICE_SIZE 256
#define POINTS 15

struct sdl_window {
	SDL_Window *window;
	SDL_Renderer *renderer;
	SDL_Texture *texture; /* the picture, halved `halvings` times */
	SDL_Cursor *cursor;
	struct sdl_text *text;
	enum reason_lang lang;
	enum sdl_scale scale;
	uint32_t wake_event;
	struct picture picture;
	struct sdl_scale_rect view, place; /* place in the renderer's pixels */
	struct picture_rect wanted_view;
	int halvings, drawable_w, drawable_h;
	int at_x, at_y; /* the pointer, in the renderer's pixels */
	int fullscreen, grabbed, sized_once, dirty, noticed, metered;
	char title[NOTICE_SIZE], detail[NOTICE_SIZE], line[NOTICE_SIZE];
	struct meter_model meter;
};

/* SDL would also try the bare console; a person who has no desktop wants to be told. */
static int has_display(void)
{
	const char *x11 = getenv("DISPLAY"), *wayland = getenv("WAYLAND_DISPLAY");

	return (x11 && *x11) || (wayland && *wayland);
}

static int start_video(void)
{
	if (!has_display())
		return -REASON_NO_DISPLAY;
	SDL_SetMainReady();
	/* Signals belong to the program's event loop. */
	SDL_SetHint(SDL_HINT_NO_SIGNAL_HANDLERS, "1");
	SDL_SetHint(SDL_HINT_VIDEODRIVER, "x11,wayland");
	SDL_SetHint(SDL_HINT_VIDEO_X11_NET_WM_BYPASS_COMPOSITOR, "0");
	SDL_SetHint(SDL_HINT_MOUSE_FOCUS_CLICKTHROUGH, "1");
	SDL_SetHint(SDL_HINT_VIDEO_MINIMIZE_ON_FOCUS_LOSS, "0");
	SDL_SetHint(SDL_HINT_APP_NAME, "Engawa");
	if (SDL_InitSubSystem(SDL_INIT_VIDEO))
		return -REASON_NO_DISPLAY;
	SDL_EnableScreenSaver();
	return 0;
}

static int make_window(struct sdl_window *window,
	const struct sdl_window_options *options)
{
	uint32_t flags = SDL_WINDOW_RESIZABLE | SDL_WINDOW_ALLOW_HIGHDPI;

	window->fullscreen = options->fullscreen;
	if (options->fullscreen)
		flags |= SDL_WINDOW_FULLSCREEN_DESKTOP;
	window->window = SDL_CreateWindow(options->title, SDL_WINDOWPOS_UNDEFINED,
		SDL_WINDOWPOS_UNDEFINED, START_W, START_H, flags);
	if (!window->window)
		return -REASON_NO_DISPLAY;
	SDL_SetWindowMinimumSize(window->window, LEAST_SIDE, LEAST_SIDE);
	window->renderer = SDL_CreateRenderer(window->window, -1, 0);
	if (!window->renderer)
		window->renderer =
			SDL_CreateRenderer(window->window, -1, SDL_RENDERER_SOFTWARE);
	return window->renderer ? 0 : -REASON_NO_DISPLAY;
}

int sdl_window_new(struct sdl_window **ret, const struct sdl_window_options *options)
{
	struct sdl_window *window = calloc(1, sizeof *window);
	int r;

	if (!window)
		return -REASON_NO_MEMORY;
	r = start_video();
	if (r) {
		free(window);
		return r;
	}
	window->lang = options->lang;
	window->scale = options->scale;
	window->wake_event = SDL_RegisterEvents(1);
	r = make_window(window, options);
	if (r) {
		sdl_window_free(window);
		return r;
	}
	window->text = sdl_text_new(options->font);
	window->dirty = 1;
	SDL_StartTextInput();
	*ret = window;
	return 0;
}

void sdl_window_wait(struct sdl_window *window, int timeout_ms,
	void (*event)(void *ctx, const SDL_Event *event), void *ctx)
{
	SDL_Event next;
	int any = timeout_ms < 0 ? SDL_WaitEvent(&next)
				 : SDL_WaitEventTimeout(&next, timeout_ms);

	while (any) {
		if (next.type != window->wake_event)
			event(ctx, &next);
		any = SDL_PollEvent(&next);
	}
}

void sdl_window_wake(struct sdl_window *window)
{
	SDL_Event wake = {.type = window->wake_event};

	SDL_PushEvent(&wake);
}

/* Where things stand, anew: after a resize, another picture, view, scaling or pointer. */
static void arrange(struct sdl_window *window)
{
	const struct picture_rect *wanted = &window->wanted_view;
	int w = (int)window->picture.width, h = (int)window->picture.height;
	struct sdl_scale_rect view = {0, 0, w, h};

	if (wanted->w && wanted->h && wanted->x + wanted->w <= w &&
		wanted->y + wanted->h <= h)
		view = (struct sdl_scale_rect){
			wanted->x, wanted->y, wanted->w, wanted->h};
	SDL_GetRendererOutputSize(window->renderer, &window->drawable_w,
		&window->drawable_h);
	window->view = view;
	window->place = sdl_scale_place(window->scale, &view, window->drawable_w,
		window->drawable_h, window->at_x, window->at_y);
	window->dirty = 1;
}

static void drop_texture(struct sdl_window *window)
{
	if (window->texture)
		SDL_DestroyTexture(window->texture);
	window->texture = NULL;
}

static void upload(struct sdl_window *window, const struct picture_rect *rect)
{
	const struct picture *picture = &window->picture;
	struct sdl_scale_rect part = sdl_scale_halved(rect, window->halvings);
	const SDL_Rect target = {part.x, part.y, part.w, part.h};
	void *pixels;
	int pitch;

	if (!window->halvings) {
		SDL_UpdateTexture(window->texture, &target,
			picture->pixels + (size_t)rect->y * picture->stride +
				4 * (size_t)rect->x,
			(int)picture->stride);
		return;
	}
	if (SDL_LockTexture(window->texture, &target, &pixels, &pitch))
		return;
	sdl_scale_shrink(picture, window->halvings, &part, pixels, (size_t)pitch);
	SDL_UnlockTexture(window->texture);
}

/* A texture for this picture at this scaling, filled. */
static void prepare(struct sdl_window *window)
{
	int halvings = sdl_scale_halvings(window->view.w, window->place.w);
	const struct picture_rect all = {
		0, 0, (uint16_t)window->picture.width, (uint16_t)window->picture.height};
	struct sdl_scale_rect size = sdl_scale_halved(&all, halvings);

	if (window->texture && halvings == window->halvings)
		return;
	drop_texture(window);
	window->halvings = halvings;
	window->texture = SDL_CreateTexture(window->renderer, SDL_PIXELFORMAT_RGB888,
		SDL_TEXTUREACCESS_STREAMING, size.w, size.h);
	if (window->texture)
		upload(window, &all);
}

/* A first picture that fits in the screen gets a window of its size, a larger one the screen. */
static void fit_window(struct sdl_window *window, int w, int h)
{
	int display = SDL_GetWindowDisplayIndex(window->window);
	SDL_Rect room;

	if (SDL_GetDisplayUsableBounds(display < 0 ? 0 : display, &room))
		return;
	SDL_SetWindowSize(window->window, w < room.w ? w : room.w,
		h < room.h ? h : room.h);
	SDL_SetWindowPosition(window->window, SDL_WINDOWPOS_CENTERED,
		SDL_WINDOWPOS_CENTERED);
}

void sdl_window_picture(struct sdl_window *window, const struct picture *picture)
{
	drop_texture(window);
	window->picture = *picture;
	if (!window->sized_once && !window->fullscreen)
		fit_window(window, (int)picture->width, (int)picture->height);
	window->sized_once = 1;
	arrange(window);
}

void sdl_window_damage(struct sdl_window *window, const struct picture_rect *rects,
	size_t count)
{
	const struct picture *picture = &window->picture;

	window->dirty = 1;
	for (size_t i = 0; window->texture && i < count; i++)
		if (rects[i].x + rects[i].w <= (int)picture->width &&
			rects[i].y + rects[i].h <= (int)picture->height)
			upload(window, &rects[i]);
}

void sdl_window_cursor(struct sdl_window *window, const struct picture_cursor *cursor)
{
	SDL_Surface *surface = SDL_CreateRGBSurfaceWithFormat(0, cursor->width,
		cursor->height, 32, SDL_PIXELFORMAT_ARGB8888);

	if (!surface)
		return;
	for (int y = 0; y < cursor->height; y++)
		memcpy((uint8_t *)surface->pixels + (size_t)y * (size_t)surface->pitch,
			cursor->pixels + (size_t)y * cursor->width,
			(size_t)cursor->width * 4);
	SDL_Cursor *made = SDL_CreateColorCursor(surface, cursor->hot_x, cursor->hot_y);
	SDL_FreeSurface(surface);
	if (!made)
		return;
	SDL_SetCursor(made);
	if (window->cursor)
		SDL_FreeCursor(window->cursor);
	window->cursor = made;
}

void sdl_window_view(struct sdl_window *window, const struct picture_rect *view)
{
	window->wanted_view = *view;
	arrange(window);
}

void sdl_window_notice(struct sdl_window *window, const char *title, const char *detail)
{
	window->noticed = title != NULL;
	text_clip(window->title, sizeof window->title, title ? title : "");
	text_clip(window->detail, sizeof window->detail, detail ? detail : "");
	window->dirty = 1;
}

void sdl_window_line(struct sdl_window *window, const char *line)
{
	text_clip(window->line, sizeof window->line, line);
	window->dirty = 1;
}

void sdl_window_meter(struct sdl_window *window, const struct meter_model *meter)
{
	if (!meter && !window->metered)
		return;
	window->metered = meter != NULL;
	if (meter)
		window->meter = *meter;
	window->dirty = 1;
}

void sdl_window_toggle_fullscreen(struct sdl_window *window)
{
	window->fullscreen = !window->fullscreen;
	SDL_SetWindowFullscreen(window->window,
		window->fullscreen ? SDL_WINDOW_FULLSCREEN_DESKTOP : 0);
	arrange(window);
}

int sdl_window_toggle_grab(struct sdl_window *window)
{
	window->grabbed = !window->grabbed;
	SDL_SetWindowKeyboardGrab(window->window, window->grabbed ? SDL_TRUE : SDL_FALSE);
	return window->grabbed;
}

enum sdl_scale sdl_window_next_scale(struct sdl_window *window)
{
	window->scale =
		window->scale == SDL_SCALE_INTEGER ? SDL_SCALE_FIT : window->scale + 1;
	arrange(window);
	return window->scale;
}

/* SDL tells places in points of the desktop; the renderer has more pixels on dense screens. */
static void to_drawable(struct sdl_window *window, int *x, int *y)
{
	int w, h;

	SDL_GetWindowSize(window->window, &w, &h);
	if (w > 0 && h > 0) {
		*x = (int)((int64_t)*x * window->drawable_w / w);
		*y = (int)((int64_t)*y * window->drawable_h / h);
	}
}

int sdl_window_pick(struct sdl_window *window, int x, int y, uint16_t *ret_x,
	uint16_t *ret_y)
{
	if (!window->picture.width || window->noticed)
		return 0;
	to_drawable(window, &x, &y);
	sdl_scale_pick(&window->view, &window->place, x, y, ret_x, ret_y);
	return 1;
}

enum sdl_window_kind sdl_window_kind(const SDL_Event *event)
{
	if (event->type == SDL_QUIT) /* also when its only window is closed */
		return SDL_WINDOW_CLOSED;
	/* SDL 2.26 tells of no copy made by others: look whenever the person comes back. */
	if (event->type == SDL_CLIPBOARDUPDATE ||
		(event->type == SDL_WINDOWEVENT &&
			(event->window.event == SDL_WINDOWEVENT_FOCUS_GAINED ||
				event->window.event == SDL_WINDOWEVENT_ENTER)))
		return SDL_WINDOW_COPIED;
	return SDL_WINDOW_OTHER;
}

void sdl_window_event(struct sdl_window *window, const SDL_Event *event)
{
	switch (event->type) {
	case SDL_WINDOWEVENT:
		arrange(window);
		break;
	case SDL_MOUSEMOTION:
		window->at_x = event->motion.x;
		window->at_y = event->motion.y;
		to_drawable(window, &window->at_x, &window->at_y);
		if (window->scale == SDL_SCALE_ONE &&
			(window->place.w > window->drawable_w ||
				window->place.h > window->drawable_h))
			arrange(window);
		break;
	case SDL_RENDER_TARGETS_RESET:
	case SDL_RENDER_DEVICE_RESET:
		drop_texture(window);
		arrange(window);
		break;
	default:
		break;
	}
}

static void draw_picture(struct sdl_window *window)
{
	const struct sdl_scale_rect *place = &window->place;
	const struct picture_rect view = {(uint16_t)window->view.x,
		(uint16_t)window->view.y, (uint16_t)window->view.w,
		(uint16_t)window->view.h};

	if (!window->picture.width || place->w <= 0)
		return;
	prepare(window);
	if (!window->texture)
		return;
	struct sdl_scale_rect part = sdl_scale_halved(&view, window->halvings);
	const SDL_Rect from = {part.x, part.y, part.w, part.h};
	const SDL_Rect to = {place->x, place->y, place->w, place->h};
	/* Whole multiples stay sharp; everything between is filtered. */
	int whole = !window->halvings && place->w % window->view.w == 0 &&
		    place->h % window->view.h == 0;
	SDL_SetTextureScaleMode(window->texture,
		whole ? SDL_ScaleModeNearest : SDL_ScaleModeLinear);
	SDL_RenderCopy(window->renderer, window->texture, &from, &to);
}

/* Text of about the same size on every screen. */
static int points(struct sdl_window *window)
{
	int w, h;

	SDL_GetWindowSize(window->window, &w, &h);
	return w > 0 && window->drawable_w > w ? POINTS * window->drawable_w / w : POINTS;
}

void sdl_window_draw(struct sdl_window *window)
{
	if (!window->dirty)
		return;
	window->dirty = 0;
	if (SDL_GetWindowFlags(window->window) &
		(SDL_WINDOW_MINIMIZED | SDL_WINDOW_HIDDEN))
		return; /* an event comes when it is shown again */
	SDL_SetRenderDrawColor(window->renderer, 0, 0, 0, 255);
	SDL_RenderClear(window->renderer);
	draw_picture(window);
	if (window->noticed)
		sdl_overlay_notice(window->renderer, window->text, window->drawable_w,
			window->drawable_h, window->title, window->detail,
			points(window));
	if (*window->line)
		sdl_overlay_line(window->renderer, window->text, window->drawable_w,
			window->drawable_h, window->line, points(window));
	if (window->metered)
		sdl_overlay_meter(window->renderer, window->text, window->drawable_w,
			&window->meter, window->lang, points(window));
	SDL_RenderPresent(window->renderer);
}

struct sdl_window *sdl_window_free(struct sdl_window *window)
{
	if (!window)
		return NULL;
	sdl_text_free(window->text);
	drop_texture(window);
	if (window->cursor)
		SDL_FreeCursor(window->cursor);
	if (window->renderer)
		SDL_DestroyRenderer(window->renderer);
	if (window->window)
		SDL_DestroyWindow(window->window);
	SDL_QuitSubSystem(SDL_INIT_VIDEO);
	free(window);
	return NULL;
}
