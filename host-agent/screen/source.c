#include "screen/source.h"

static struct source_rect hull(const struct source_rect *a, const struct source_rect *b)
{
	int x1 = a->x < b->x ? a->x : b->x;
	int y1 = a->y < b->y ? a->y : b->y;
	int x2 = a->x + a->w > b->x + b->w ? a->x + a->w : b->x + b->w;
	int y2 = a->y + a->h > b->y + b->h ? a->y + a->h : b->y + b->h;
	return (struct source_rect){x1, y1, x2 - x1, y2 - y1};
}

static int64_t area(const struct source_rect *rect)
{
	return (int64_t)rect->w * rect->h;
}

/* A capture costs a round trip, which pays for copying about this many pixels in vain. */
#define TRIP_PIXELS 16384

static int64_t loss(const struct source_rect *a, const struct source_rect *b)
{
	struct source_rect both = hull(a, b);
	return area(&both) - area(a) - area(b) - TRIP_PIXELS;
}

/* The pair whose joining wastes least. */
static int64_t best_pair(const struct source_rect *rects, size_t count, size_t *ret_a,
	size_t *ret_b)
{
	int64_t best = INT64_MAX;
	for (size_t a = 0; a < count; a++)
		for (size_t b = a + 1; b < count; b++) {
			int64_t cost = loss(&rects[a], &rects[b]);
			if (cost >= best)
				continue;
			best = cost;
			*ret_a = a;
			*ret_b = b;
		}
	return best;
}

size_t source_coalesce(struct source_rect *rects, size_t count, size_t most)
{
	while (count > 1) {
		size_t a = 0, b = 1;
		if (best_pair(rects, count, &a, &b) > 0 && count <= most)
			break;
		rects[a] = hull(&rects[a], &rects[b]);
		rects[b] = rects[--count];
	}
	return count;
}

int source_clip(struct source_rect *rect, int width, int height)
{
	int x2 = rect->x + rect->w, y2 = rect->y + rect->h;
	rect->x = rect->x < 0 ? 0 : rect->x;
	rect->y = rect->y < 0 ? 0 : rect->y;
	rect->w = (x2 > width ? width : x2) - rect->x;
	rect->h = (y2 > height ? height : y2) - rect->y;
	return rect->w > 0 && rect->h > 0;
}
