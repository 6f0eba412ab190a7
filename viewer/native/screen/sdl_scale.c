#include "screen/sdl_scale.h"

#include <string.h>

#define HALVINGS_MAX 4

static int at_least(int value, int least)
{
	return value > least ? value : least;
}

static struct sdl_scale_rect fit(const struct sdl_scale_rect *view, int w, int h)
{
	struct sdl_scale_rect place;

	if ((int64_t)view->w * h > (int64_t)view->h * w) {
		place.w = w;
		place.h = at_least((int)((int64_t)view->h * w / view->w), 1);
	} else {
		place.h = h;
		place.w = at_least((int)((int64_t)view->w * h / view->h), 1);
	}
	place.x = (w - place.w) / 2;
	place.y = (h - place.h) / 2;
	return place;
}

/* One axis of pixel for pixel: in the middle if there is room, else as far along as the pointer. */
static int slide(int view, int window, int at)
{
	if (view <= window)
		return (window - view) / 2;
	at = at < 0 ? 0 : at >= window ? window - 1 : at;
	return -(int)((int64_t)(view - window) * at / at_least(window - 1, 1));
}

struct sdl_scale_rect sdl_scale_place(enum sdl_scale scale,
	const struct sdl_scale_rect *view, int window_w, int window_h, int at_x, int at_y)
{
	int times = 1;

	window_w = at_least(window_w, 1);
	window_h = at_least(window_h, 1);
	if (view->w <= 0 || view->h <= 0)
		return (struct sdl_scale_rect){0, 0, 0, 0};
	if (scale == SDL_SCALE_INTEGER) {
		int across = window_w / view->w, down = window_h / view->h;
		times = across < down ? across : down;
	}
	if (scale == SDL_SCALE_FIT || times == 0)
		return fit(view, window_w, window_h);
	struct sdl_scale_rect place = {.w = view->w * times, .h = view->h * times};
	place.x = slide(place.w, window_w, at_x);
	place.y = slide(place.h, window_h, at_y);
	return place;
}

static uint16_t pick(int start, int len, int place, int place_len, int at)
{
	int64_t offset = place_len > 0 ? (int64_t)(at - place) * len / place_len : 0;

	if (at < place || offset < 0)
		offset = 0;
	if (offset > len - 1)
		offset = len - 1;
	return (uint16_t)(start + offset);
}

void sdl_scale_pick(const struct sdl_scale_rect *view, const struct sdl_scale_rect *place,
	int window_x, int window_y, uint16_t *ret_x, uint16_t *ret_y)
{
	*ret_x = pick(view->x, view->w, place->x, place->w, window_x);
	*ret_y = pick(view->y, view->h, place->y, place->h, window_y);
}

int sdl_scale_halvings(int view_w, int place_w)
{
	int halvings = 0;

	while (halvings < HALVINGS_MAX && place_w > 0 &&
		view_w >> halvings >= 2 * place_w)
		halvings++;
	return halvings;
}

struct sdl_scale_rect sdl_scale_halved(const struct picture_rect *rect, int halvings)
{
	int block = 1 << halvings;
	int right = (rect->x + rect->w + block - 1) >> halvings;
	int bottom = (rect->y + rect->h + block - 1) >> halvings;
	struct sdl_scale_rect halved = {
		.x = rect->x >> halvings, .y = rect->y >> halvings};

	halved.w = right - halved.x;
	halved.h = bottom - halved.y;
	return halved;
}

static uint32_t average(const struct picture *picture, uint32_t x, uint32_t y,
	uint32_t block)
{
	uint32_t right = x + block < picture->width ? x + block : picture->width;
	uint32_t bottom = y + block < picture->height ? y + block : picture->height;
	uint32_t red = 0, green = 0, blue = 0, count = 0;

	for (uint32_t row = y; row < bottom; row++) {
		const uint8_t *at =
			picture->pixels + (size_t)row * picture->stride + 4 * (size_t)x;
		for (uint32_t column = x; column < right; column++, at += 4, count++) {
			uint32_t pixel;
			memcpy(&pixel, at, sizeof pixel);
			red += pixel >> 16 & 255;
			green += pixel >> 8 & 255;
			blue += pixel & 255;
		}
	}
	if (!count)
		return 0;
	return (red / count) << 16 | (green / count) << 8 | blue / count;
}

void sdl_scale_shrink(const struct picture *picture, int halvings,
	const struct sdl_scale_rect *rect, uint8_t *ret, size_t ret_stride)
{
	uint32_t block = 1u << halvings;

	for (int y = 0; y < rect->h; y++) {
		uint8_t *at = ret + (size_t)y * ret_stride;
		for (int x = 0; x < rect->w; x++, at += 4) {
			uint32_t pixel =
				average(picture, (uint32_t)(rect->x + x) << halvings,
					(uint32_t)(rect->y + y) << halvings, block);
			memcpy(at, &pixel, sizeof pixel);
		}
	}
}
