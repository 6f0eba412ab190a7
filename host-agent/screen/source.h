/* source: where the pixels of a desktop come from, and where keys go: X11, a VNC server, or a
 * test pattern.
 *
 * Thread: the desktop thread, after the source was made. No function waits for people; a source
 *         that has to wait for a peer does so on a thread of its own.
 * Units:  pixels are uint32_t 0x??RRGGBB (the top byte means nothing), origin top left.
 */
#ifndef SCREEN_SOURCE_H
#define SCREEN_SOURCE_H

#include <stddef.h>
#include <stdint.h>

struct source_rect {
	int x, y, w, h;
};

struct source_cursor {
	int width, height, hot_x, hot_y;
	const uint32_t *argb; /* straight alpha; valid until the next call */
};

enum source_news {
	SOURCE_DAMAGED = 1, /* pixels may have changed: source_damage() tells where */
	SOURCE_RESIZED =
		2,         /* width, height and monitors are new; everything is damaged */
	SOURCE_CURSOR = 4, /* the pointer has another shape */
	SOURCE_CUT_TEXT =
		8,        /* source_cut_text() has a text: only sources that carry one */
	SOURCE_LOST = 16, /* gone for good: nothing but source_free() may follow */
};

/* Somebody looks (source_news) at least so often while a viewer is there: not everything is told. */
#define SOURCE_LOOK_US 2000000
#define SOURCE_MONITORS_MAX 16
#define SOURCE_RECTS_MAX 32

struct source {
	const struct source_ops *ops;
	int width, height;
	struct source_rect monitors[SOURCE_MONITORS_MAX];
	size_t monitor_count;
};

struct source_ops {
	void (*free)(struct source *source);
	/* Readable when source_news() should be asked. It must be asked before each poll, too. */
	int (*fd)(const struct source *source);
	/* Bits of enum source_news since the last call. */
	uint32_t (*news)(struct source *source);
	/* Takes what was damaged: at most SOURCE_RECTS_MAX rectangles inside the screen. */
	size_t (*damage)(struct source *source,
		struct source_rect rects[SOURCE_RECTS_MAX]);
	/* The newest pixels of a rectangle inside the screen, `*ret_stride` pixels a row, valid until the
	 * next call of any function; NULL: try later (the screen is changing its size). */
	const uint32_t *(*capture)(struct source *source, const struct source_rect *rect,
		int *ret_stride);
	/* 0: the pointer has no shape. */
	int (*cursor)(struct source *source, struct source_cursor *ret);
	/* Where the pointer is. 0: not known. */
	int (*pointer_at)(struct source *source, int *ret_x, int *ret_y);

	/* Input and clipboard, for sources that bring them along; NULL: somebody else does it. */
	void (*key)(struct source *source, uint32_t keysym, int down);
	void (*pointer)(struct source *source, int x, int y, uint32_t buttons);
	void (*set_cut_text)(struct source *source, const char *utf8, size_t len);
	/* Valid until the next call; NULL: none. */
	const char *(*cut_text)(struct source *source, size_t *ret_len);
};

/* Accepts NULL, returns NULL. */
static inline struct source *source_free(struct source *source)
{
	if (source)
		source->ops->free(source);
	return NULL;
}

/* Joins rectangles that lie close, so that few captures cover all. Returns how many are left; all
 * stay inside the hull of the given ones. */
size_t source_coalesce(struct source_rect *rects, size_t count, size_t most);
/* The part inside width x height; 0 when nothing is left. */
int source_clip(struct source_rect *rect, int width, int height);

#endif
