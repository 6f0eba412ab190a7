#include "rfb/copies.h"

#include <stdlib.h>
#include <string.h>

#include "base/reason.h"

#define COLOUR 0x00ffffffu
#define SPAN 32           /* pixels of a stretch */
#define BLOCK 16          /* side of what is compared in full and copied */
#define SAMPLES 1024      /* stretches taken from the old pixels */
#define SLOTS 4096        /* power of two, several times SAMPLES */
#define VECTORS 512       /* power of two: different guesses counted */
#define VOTES_LEAST 6     /* below this a guess is chance */
#define PIXELS_LEAST 8192 /* smaller areas are encoded as quickly as examined */

struct sample {
	uint64_t hash; /* 0: free */
	int x, y;
	int twice; /* the same stretch again: says nothing about where it went */
};

struct vote {
	int dx, dy, count;
};

struct copies {
	struct copies_vector last;
	struct sample samples[SLOTS];
	struct vote votes[VECTORS];
};

/* One look: both pictures, in coordinates of the rectangle. */
struct look {
	const uint32_t *old, *fresh;
	int old_stride, fresh_stride;
	int w, h;
};

int copies_new(struct copies **ret)
{
	*ret = calloc(1, sizeof(**ret));
	return *ret ? 0 : -REASON_NO_MEMORY;
}

struct copies *copies_free(struct copies *copies)
{
	free(copies);
	return NULL;
}

static const uint32_t *old_at(const struct look *look, int x, int y)
{
	return look->old + (int64_t)y * look->old_stride + x;
}

static const uint32_t *fresh_at(const struct look *look, int x, int y)
{
	return look->fresh + (int64_t)y * look->fresh_stride + x;
}

/* Polynomial hash, so that it can roll along a row. */
#define BASE 0x9e3779b97f4a7c15ull

static uint64_t power_of_base(int exponent)
{
	uint64_t out = 1;
	while (exponent--)
		out *= BASE;
	return out;
}

static uint64_t hash_span(const uint32_t *pixels)
{
	uint64_t hash = 0;
	for (int i = 0; i < SPAN; i++)
		hash = hash * BASE + (pixels[i] & COLOUR) + 1;
	return hash;
}

/* Enough changes of colour to be recognised again: not blank paper, not a ruled line. */
static int distinctive(const uint32_t *pixels)
{
	int changes = 0;
	for (int i = 1; i < SPAN; i++)
		changes += ((pixels[i] ^ pixels[i - 1]) & COLOUR) != 0;
	return changes >= 4;
}

static struct sample *slot_of(struct copies *copies, uint64_t hash)
{
	unsigned at = (unsigned)(hash >> 40) % SLOTS;
	while (copies->samples[at].hash && copies->samples[at].hash != hash)
		at = (at + 1) % SLOTS;
	return &copies->samples[at];
}

static int take_samples(struct copies *copies, const struct look *look)
{
	int taken = 0, columns = look->w / SPAN;
	/* Odd, so that the samples are spread over all rows modulo four: of the new picture only
	 * every fourth is looked at, and an even step can miss all of what moved. */
	int step = (int)((int64_t)columns * look->h / (4 * SAMPLES)) | 1;
	memset(copies->samples, 0, sizeof(copies->samples));
	for (int64_t at = 0; at < (int64_t)columns * look->h && taken < SAMPLES;
		at += step) {
		int x = (int)(at / look->h) * SPAN, y = (int)(at % look->h);
		const uint32_t *pixels = old_at(look, x, y);
		if (!distinctive(pixels))
			continue;
		uint64_t hash = hash_span(pixels) | 1;
		struct sample *sample = slot_of(copies, hash);
		if (sample->hash) {
			sample->twice = 1;
			continue;
		}
		*sample = (struct sample){hash, x, y, 0};
		taken++;
	}
	return taken;
}

static void cast_vote(struct copies *copies, int dx, int dy)
{
	unsigned at = ((unsigned)dx * 40503u ^ (unsigned)dy * 2654435761u) % VECTORS;
	for (int probe = 0; probe < 8; probe++, at = (at + 1) % VECTORS) {
		struct vote *vote = &copies->votes[at];
		if (vote->count && (vote->dx != dx || vote->dy != dy))
			continue;
		*vote = (struct vote){dx, dy, vote->count + 1};
		return;
	}
}

static void vote_along_row(struct copies *copies, const struct look *look, int y,
	uint64_t leaving)
{
	const uint32_t *row = fresh_at(look, 0, y);
	uint64_t hash = hash_span(row);
	for (int x = 0;; x++) {
		const struct sample *sample = slot_of(copies, hash | 1);
		if (sample->hash && !sample->twice && (sample->x != x || sample->y != y))
			cast_vote(copies, x - sample->x, y - sample->y);
		if (x + SPAN >= look->w)
			return;
		hash = (hash - ((row[x] & COLOUR) + 1) * leaving) * BASE +
		       (row[x + SPAN] & COLOUR) + 1;
	}
}

/* The vector with most votes. Every fourth row of the new picture is enough: a motion that shows in
 * none of them has moved hardly anything. */
static int guess(struct copies *copies, const struct look *look,
	struct copies_vector *ret)
{
	if (take_samples(copies, look) < VOTES_LEAST)
		return 0;
	memset(copies->votes, 0, sizeof(copies->votes));
	uint64_t leaving = power_of_base(SPAN - 1);
	for (int y = 0; y < look->h; y += 4)
		vote_along_row(copies, look, y, leaving);
	const struct vote *best = &copies->votes[0];
	for (int i = 1; i < VECTORS; i++)
		if (copies->votes[i].count > best->count)
			best = &copies->votes[i];
	*ret = (struct copies_vector){best->dx, best->dy};
	return best->count >= VOTES_LEAST;
}

static int same_rows(const uint32_t *a, int a_stride, const uint32_t *b, int b_stride,
	int w, int h)
{
	uint32_t difference = 0;
	for (int y = 0; y < h && !(difference & COLOUR);
		y++, a += a_stride, b += b_stride)
		for (int x = 0; x < w; x++)
			difference |= a[x] ^ b[x];
	return !(difference & COLOUR);
}

static int changed(const struct look *look, const struct tiles_rect *block)
{
	return !same_rows(fresh_at(look, block->x, block->y), look->fresh_stride,
		old_at(look, block->x, block->y), look->old_stride, block->w, block->h);
}

/* 1: the block is exactly what lay at its source. */
static int moved(const struct look *look, const struct tiles_rect *block,
	const struct copies_vector *v)
{
	int x = block->x - v->dx, y = block->y - v->dy;
	if (x < 0 || y < 0 || x + block->w > look->w || y + block->h > look->h)
		return 0;
	return same_rows(fresh_at(look, block->x, block->y), look->fresh_stride,
		old_at(look, x, y), look->old_stride, block->w, block->h);
}

static struct tiles_rect block_at(const struct look *look, int x, int y)
{
	return (struct tiles_rect){x, y, x + BLOCK < look->w ? BLOCK : look->w - x,
		y + BLOCK < look->h ? BLOCK : look->h - y};
}

/* Looks at one block in nine. 1: at least one changed block in `share` came along this vector. */
static int explains(const struct look *look, const struct copies_vector *v, int share)
{
	int changes = 0, moves = 0;
	for (int y = 0; y < look->h; y += 3 * BLOCK)
		for (int x = 0; x < look->w; x += 3 * BLOCK) {
			struct tiles_rect block = block_at(look, x, y);
			if (!changed(look, &block))
				continue;
			changes++;
			moves += moved(look, &block, v);
		}
	return moves > 0 && moves * share >= changes;
}

struct report {
	const struct tiles_rect *rect; /* of the look */
	tiles_changed_fn fn;
	void *ctx;
	struct tiles_rect pending; /* grows downwards while rows have the same run */
	int64_t pixels;
};

static void flush(struct report *report)
{
	struct tiles_rect out = report->pending;
	if (!out.w)
		return;
	out.x += report->rect->x;
	out.y += report->rect->y;
	report->pixels += (int64_t)out.w * out.h;
	report->fn(report->ctx, &out);
	report->pending.w = 0;
}

static void emit(struct report *report, struct tiles_rect *run)
{
	struct tiles_rect *pending = &report->pending;
	if (!run->w)
		return;
	if (pending->w == run->w && pending->x == run->x &&
		pending->y + pending->h == run->y) {
		pending->h += run->h;
	} else {
		flush(report);
		*pending = *run;
	}
	run->w = 0;
}

/* A run begins with a block that changed and goes on over blank ones in between: copying those is
 * right as well, and few long rectangles are much cheaper for everybody than many short ones. */
static void report_row(const struct look *look, int y, const struct copies_vector *v,
	struct report *report)
{
	struct tiles_rect run = {0};
	for (int x = 0; x < look->w; x += BLOCK) {
		struct tiles_rect block = block_at(look, x, y);
		if ((!run.w && !changed(look, &block)) || !moved(look, &block, v)) {
			emit(report, &run);
			continue;
		}
		block.x = run.w ? run.x : x;
		block.w += run.w;
		run = block;
	}
	emit(report, &run);
}

int64_t copies_find(struct copies *copies, const uint32_t *old, int old_stride,
	const uint32_t *fresh, int fresh_stride, const struct tiles_rect *rect,
	struct copies_vector *ret, tiles_changed_fn fn, void *ctx)
{
	struct look look = {old + (int64_t)rect->y * old_stride + rect->x, fresh,
		old_stride, fresh_stride, rect->w, rect->h};
	struct report report = {.rect = rect, .fn = fn, .ctx = ctx};
	struct copies_vector v = copies->last;
	if (rect->w < 2 * SPAN || rect->h < 2 * BLOCK ||
		(int64_t)rect->w * rect->h < PIXELS_LEAST)
		return 0;
	if ((!v.dx && !v.dy) || !explains(&look, &v, 2)) {
		if (!guess(copies, &look, &v) || !explains(&look, &v, 8))
			return 0;
	}
	for (int y = 0; y < rect->h; y += BLOCK)
		report_row(&look, y, &v, &report);
	flush(&report);
	copies->last = v;
	*ret = v;
	return report.pixels;
}
