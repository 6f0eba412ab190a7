#include "rfb/cells.h"

#include <stdlib.h>

#include "base/reason.h"

/* A cell that waits moves this much nearer per millisecond: from the far corner of a large
 * screen to the pointer in half a second. */
#define NEARER_PER_MS 8
#define URGENT_NEARER 100000

struct cell {
	int64_t since_us; /* first change that was not sent; 0: none */
	int64_t changed_us;
	int64_t pixels; /* that wait */
	int64_t distance;
	enum cells_weight weight;
	int index;
};

struct cells {
	int width, height, columns, rows;
	struct cell *all;
	struct cell **order; /* room for the waiting ones, to be sorted */
};

int cells_new(int width, int height, struct cells **ret)
{
	struct cells *cells = calloc(1, sizeof(*cells));
	if (!cells)
		return -REASON_NO_MEMORY;
	cells->width = width;
	cells->height = height;
	cells->columns = (width + CELL_W - 1) / CELL_W;
	cells->rows = (height + CELL_H - 1) / CELL_H;
	size_t count = (size_t)cells->columns * (size_t)cells->rows;
	cells->all = calloc(count, sizeof(*cells->all));
	cells->order = calloc(count, sizeof(*cells->order));
	if (!cells->all || !cells->order) {
		cells_free(cells);
		return -REASON_NO_MEMORY;
	}
	for (size_t i = 0; i < count; i++)
		cells->all[i].index = (int)i;
	*ret = cells;
	return 0;
}

struct cells *cells_free(struct cells *cells)
{
	if (!cells)
		return NULL;
	free(cells->all);
	free(cells->order);
	free(cells);
	return NULL;
}

static struct tiles_rect box(const struct cells *cells, const struct cell *cell)
{
	int x = cell->index % cells->columns * CELL_W;
	int y = cell->index / cells->columns * CELL_H;
	return (struct tiles_rect){x, y,
		x + CELL_W < cells->width ? CELL_W : cells->width - x,
		y + CELL_H < cells->height ? CELL_H : cells->height - y};
}

static int64_t overlap(int from, int to, int other_from, int other_to)
{
	int start = from > other_from ? from : other_from;
	int end = to < other_to ? to : other_to;
	return end > start ? end - start : 0;
}

/* Calls fn for each cell under the rectangle, with the pixels that both share. */
typedef void (*cell_fn)(struct cell *cell, int64_t pixels, int64_t now_us, int argument);

static void each(struct cells *cells, const struct tiles_rect *rect, cell_fn fn,
	int64_t now_us, int argument)
{
	for (int row = rect->y / CELL_H; row < cells->rows; row++) {
		int64_t h = overlap(row * CELL_H, (row + 1) * CELL_H, rect->y,
			rect->y + rect->h);
		if (!h)
			break;
		for (int column = rect->x / CELL_W; column < cells->columns; column++) {
			int64_t w = overlap(column * CELL_W, (column + 1) * CELL_W,
				rect->x, rect->x + rect->w);
			if (!w)
				break;
			fn(&cells->all[row * cells->columns + column], w * h, now_us,
				argument);
		}
	}
}

static void touch(struct cell *cell, int64_t pixels, int64_t now_us, int weight)
{
	(void)pixels;
	cell->changed_us = now_us;
	if (!cell->since_us)
		cell->since_us = now_us;
	if (weight == CELLS_URGENT)
		cell->weight = CELLS_URGENT;
}

void cells_touch(struct cells *cells, const struct tiles_rect *rect, int64_t now_us,
	enum cells_weight weight)
{
	each(cells, rect, touch, now_us, (int)weight);
}

void cells_begin(struct cells *cells)
{
	for (int i = 0; i < cells->columns * cells->rows; i++)
		cells->all[i].pixels = 0;
}

static void count(struct cell *cell, int64_t pixels, int64_t rested_us, int unused)
{
	(void)unused;
	if (!rested_us || cell->changed_us <= rested_us)
		cell->pixels += pixels;
}

void cells_count(struct cells *cells, const struct tiles_rect *rect, int64_t rested_us)
{
	each(cells, rect, count, rested_us, 0);
}

static int nearer(const void *a, const void *b)
{
	const struct cell *one = *(struct cell *const *)a,
			  *two = *(struct cell *const *)b;
	if (one->distance != two->distance)
		return one->distance < two->distance ? -1 : 1;
	return one->index - two->index;
}

static int64_t distance(const struct cells *cells, const struct cell *cell, int focus_x,
	int focus_y, int64_t now_us)
{
	struct tiles_rect at = box(cells, cell);
	int64_t out = llabs(at.x + at.w / 2 - (int64_t)focus_x) +
		      llabs(at.y + at.h / 2 - (int64_t)focus_y);
	if (cell->since_us)
		out -= (now_us - cell->since_us) / 1000 * NEARER_PER_MS;
	return cell->weight == CELLS_URGENT ? out - URGENT_NEARER : out;
}

void cells_choose(struct cells *cells, int64_t pixels, int focus_x, int focus_y,
	int64_t now_us, tiles_changed_fn fn, void *ctx)
{
	size_t waiting = 0;
	for (int i = 0; i < cells->columns * cells->rows; i++) {
		struct cell *cell = &cells->all[i];
		if (!cell->pixels)
			continue;
		cell->distance = distance(cells, cell, focus_x, focus_y, now_us);
		cells->order[waiting++] = cell;
	}
	qsort(cells->order, waiting, sizeof(*cells->order), nearer);
	for (size_t i = 0; i < waiting; i++) {
		struct cell *cell = cells->order[i];
		if (i > 0 && cell->pixels > pixels)
			return;
		pixels -= cell->pixels;
		cell->since_us = 0;
		cell->weight = CELLS_NORMAL;
		struct tiles_rect at = box(cells, cell);
		fn(ctx, &at);
	}
}
