#include "rfb/tiles.h"

#include <string.h>

#define COLOUR 0x00ffffffu
#define SLOTS 256

static int row_differs(const uint32_t *a, const uint32_t *b, int w)
{
	uint32_t difference = 0;
	for (int i = 0; i < w; i++)
		difference |= a[i] ^ b[i];
	return (difference & COLOUR) != 0;
}

static int first_difference(const uint32_t *a, const uint32_t *b, int w)
{
	int i = 0;
	while (i < w && !((a[i] ^ b[i]) & COLOUR))
		i++;
	return i;
}

static int last_difference(const uint32_t *a, const uint32_t *b, int w)
{
	int i = w - 1;
	while (i >= 0 && !((a[i] ^ b[i]) & COLOUR))
		i--;
	return i;
}

/* Shrinks the tile to the box around what differs; 0: nothing does. */
static int tighten(const uint32_t *picture, int picture_stride, const uint32_t *fresh,
	int fresh_stride, struct tiles_rect *tile)
{
	int top = -1, bottom = -1, left = tile->w, right = -1;
	for (int y = 0; y < tile->h; y++) {
		const uint32_t *a = picture + (int64_t)y * picture_stride;
		const uint32_t *b = fresh + (int64_t)y * fresh_stride;
		if (!row_differs(a, b, tile->w))
			continue;
		top = top < 0 ? y : top;
		bottom = y;
		int first = first_difference(a, b, left);
		left = first < left ? first : left;
		int last = last_difference(a, b, tile->w);
		right = last > right ? last : right;
	}
	if (top < 0)
		return 0;
	*tile = (struct tiles_rect){
		tile->x + left, tile->y + top, right - left + 1, bottom - top + 1};
	return 1;
}

struct run {
	struct tiles_rect rect;
	tiles_changed_fn fn;
	void *ctx;
	int64_t pixels;
};

static void flush(struct run *run)
{
	if (!run->rect.w)
		return;
	run->pixels += (int64_t)run->rect.w * run->rect.h;
	run->fn(run->ctx, &run->rect);
	run->rect.w = 0;
}

static void add(struct run *run, const struct tiles_rect *rect)
{
	struct tiles_rect *last = &run->rect;
	if (last->w && last->y == rect->y && last->h == rect->h &&
		last->x + last->w == rect->x) {
		last->w += rect->w;
		return;
	}
	flush(run);
	*last = *rect;
}

static int grid_end(int at, int end)
{
	int next = (at / TILE + 1) * TILE;
	return next < end ? next : end;
}

int64_t tiles_compare(const uint32_t *picture, int picture_stride, const uint32_t *fresh,
	int fresh_stride, const struct tiles_rect *rect, tiles_changed_fn fn, void *ctx)
{
	struct run run = {.fn = fn, .ctx = ctx};
	int right = rect->x + rect->w, bottom = rect->y + rect->h;
	for (int y = rect->y; y < bottom; y = grid_end(y, bottom)) {
		for (int x = rect->x; x < right; x = grid_end(x, right)) {
			struct tiles_rect tile = {
				x, y, grid_end(x, right) - x, grid_end(y, bottom) - y};
			const uint32_t *a = picture + (int64_t)y * picture_stride + x;
			const uint32_t *b = fresh +
					    (int64_t)(y - rect->y) * fresh_stride +
					    (x - rect->x);
			if (tighten(a, picture_stride, b, fresh_stride, &tile))
				add(&run, &tile);
		}
		flush(&run);
	}
	return run.pixels;
}

void tiles_copy(uint32_t *picture, int picture_stride, const uint32_t *fresh,
	int fresh_stride, const struct tiles_rect *rect)
{
	picture += (int64_t)rect->y * picture_stride + rect->x;
	for (int y = 0; y < rect->h; y++) {
		for (int x = 0; x < rect->w; x++)
			picture[x] = fresh[x] & COLOUR;
		picture += picture_stride;
		fresh += fresh_stride;
	}
}

int tiles_few_colours(const uint32_t *picture, int stride, const struct tiles_rect *rect,
	int most)
{
	uint32_t seen[SLOTS], last = ~0u;
	int count = 0;
	memset(seen, 0xff, sizeof(seen)); /* no colour: its top byte is set */
	picture += (int64_t)rect->y * stride + rect->x;
	for (int y = 0; y < rect->h; y++, picture += stride)
		for (int x = 0; x < rect->w; x++) {
			uint32_t colour = picture[x];
			if (colour == last)
				continue;
			last = colour;
			unsigned slot = (colour * 2654435761u) >> 24;
			while (seen[slot] != colour && seen[slot] != ~0u)
				slot = (slot + 1) % SLOTS;
			if (seen[slot] == colour)
				continue;
			if (++count > most)
				return 0;
			seen[slot] = colour;
		}
	return 1;
}
