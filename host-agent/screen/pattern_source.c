#include "screen/pattern_source.h"

#include <stdlib.h>
#include <string.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include "base/reason.h"

#define MARKER 48
#define TICK_NS 33000000

struct pattern_source {
	struct source source;
	int timer;
	uint32_t *pixels;
	unsigned step; /* of the marker */
	int next_cell; /* where the next typed letter goes */
	int pointer_x, pointer_y;
	struct source_rect damaged[SOURCE_RECTS_MAX];
	size_t damaged_count;
	uint32_t news;
	char *cut_text;
	size_t cut_len;
};

static struct pattern_source *self(struct source *source)
{
	return (struct pattern_source *)source;
}

static uint32_t board(int x, int y)
{
	return ((x ^ y) & 32) ? 0xc0c0c0 : 0xe0e0e0;
}

static void damage(struct pattern_source *source, struct source_rect rect)
{
	if (!source_clip(&rect, source->source.width, source->source.height))
		return;
	if (source->damaged_count == SOURCE_RECTS_MAX)
		source->damaged_count = source_coalesce(source->damaged,
			source->damaged_count, SOURCE_RECTS_MAX / 2);
	source->damaged[source->damaged_count++] = rect;
	source->news |= SOURCE_DAMAGED;
}

static void paint(struct pattern_source *source, struct source_rect rect, int64_t colour)
{
	if (!source_clip(&rect, source->source.width, source->source.height))
		return;
	for (int y = rect.y; y < rect.y + rect.h; y++)
		for (int x = rect.x; x < rect.x + rect.w; x++)
			source->pixels[y * source->source.width + x] =
				colour < 0 ? board(x, y) : (uint32_t)colour;
	damage(source, rect);
}

static struct source_rect marker(const struct pattern_source *source)
{
	int width = source->source.width, height = source->source.height;
	return (struct source_rect){(int)(source->step * 7) % width,
		height / 2 + (int)(source->step * 3) % (height / 2 + 1), MARKER, MARKER};
}

static void move_marker(struct pattern_source *source)
{
	paint(source, marker(source), -1);
	source->step++;
	paint(source, marker(source), 0x2060c0 + source->step % 64);
}

static void pattern_free(struct source *base)
{
	struct pattern_source *source = self(base);
	if (source->timer >= 0)
		close(source->timer);
	free(source->pixels);
	free(source->cut_text);
	free(source);
}

static int pattern_fd(const struct source *base)
{
	return ((const struct pattern_source *)base)->timer;
}

static uint32_t pattern_news(struct source *base)
{
	struct pattern_source *source = self(base);
	uint64_t ticks;
	if (read(source->timer, &ticks, sizeof(ticks)) == (ssize_t)sizeof(ticks))
		move_marker(source);
	uint32_t news = source->news;
	source->news = 0;
	return news;
}

static size_t pattern_damage(struct source *base,
	struct source_rect rects[SOURCE_RECTS_MAX])
{
	struct pattern_source *source = self(base);
	size_t count = source->damaged_count;
	memcpy(rects, source->damaged, count * sizeof(*rects));
	source->damaged_count = 0;
	return count;
}

static const uint32_t *pattern_capture(struct source *base,
	const struct source_rect *rect, int *ret_stride)
{
	*ret_stride = base->width;
	return self(base)->pixels + rect->y * base->width + rect->x;
}

static int pattern_cursor(struct source *base, struct source_cursor *ret)
{
	static const uint32_t shape[4] = {0xff000000, 0xffffffff, 0xffffffff, 0x00000000};
	(void)base;
	*ret = (struct source_cursor){2, 2, 0, 0, shape};
	return 1;
}

static int pattern_pointer_at(struct source *base, int *ret_x, int *ret_y)
{
	*ret_x = self(base)->pointer_x;
	*ret_y = self(base)->pointer_y;
	return 1;
}

static void pattern_key(struct source *base, uint32_t keysym, int down)
{
	struct pattern_source *source = self(base);
	int per_row = base->width / PATTERN_CELL, rows = base->height / 2 / PATTERN_CELL;
	if (!down || per_row * rows == 0)
		return;
	struct source_rect cell = {source->next_cell % per_row * PATTERN_CELL,
		source->next_cell / per_row * PATTERN_CELL, PATTERN_CELL, PATTERN_CELL};
	source->next_cell = (source->next_cell + 1) % (per_row * rows);
	paint(source, cell, keysym & 0xffffff);
}

static void pattern_pointer(struct source *base, int x, int y, uint32_t buttons)
{
	struct pattern_source *source = self(base);
	source->pointer_x = x;
	source->pointer_y = y;
	if (buttons)
		paint(source, (struct source_rect){x - 2, y - 2, 5, 5},
			buttons * 0x302010);
}

/* Gives every text back, so that both directions can be seen. */
static void pattern_set_cut_text(struct source *base, const char *utf8, size_t len)
{
	struct pattern_source *source = self(base);
	char *text = malloc(len + 1);
	if (!text)
		return;
	memcpy(text, utf8, len);
	text[len] = 0;
	free(source->cut_text);
	source->cut_text = text;
	source->cut_len = len;
	source->news |= SOURCE_CUT_TEXT;
}

static const char *pattern_cut_text(struct source *base, size_t *ret_len)
{
	*ret_len = self(base)->cut_len;
	return self(base)->cut_text;
}

static const struct source_ops ops = {
	.free = pattern_free,
	.fd = pattern_fd,
	.news = pattern_news,
	.damage = pattern_damage,
	.capture = pattern_capture,
	.cursor = pattern_cursor,
	.pointer_at = pattern_pointer_at,
	.key = pattern_key,
	.pointer = pattern_pointer,
	.set_cut_text = pattern_set_cut_text,
	.cut_text = pattern_cut_text,
};

int pattern_source_new(int width, int height, enum pattern_motion motion,
	struct source **ret)
{
	struct pattern_source *source = calloc(1, sizeof(*source));
	if (!source)
		return -REASON_NO_MEMORY;
	source->source = (struct source){.ops = &ops,
		.width = width,
		.height = height,
		.monitors = {{0, 0, width, height}},
		.monitor_count = 1};
	source->timer = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC);
	source->pixels = calloc((size_t)width * (size_t)height, sizeof(uint32_t));
	if (!source->pixels || source->timer < 0) {
		pattern_free(&source->source);
		return -REASON_NO_MEMORY;
	}
	const struct itimerspec tick = {{0, TICK_NS}, {0, TICK_NS}};
	if (motion == PATTERN_MOVING)
		timerfd_settime(source->timer, 0, &tick, NULL);
	paint(source, (struct source_rect){0, 0, width, height}, -1);
	move_marker(source);
	*ret = &source->source;
	return 0;
}
