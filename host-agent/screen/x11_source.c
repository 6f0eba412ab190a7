/* Path 01/15: damaged pixels are copied from the X server into our memory. */
#include "screen/x11_source.h"

#include <X11/Xutil.h>
#include <X11/extensions/XShm.h>
#include <X11/extensions/Xfixes.h>
#include <stdlib.h>
#include <sys/ipc.h>
#include <sys/shm.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/reason.h"
#include "screen/x11_damage.h"
#include "screen/x11_layout.h"

/* RFB carries a shape within one buffer of the library; larger ones are for show. */
#define CURSOR_MAX 64
#define SIDE_MAX 16384

struct x11_source {
	struct source source;
	struct x11_display *display;
	struct x11_damage *damage;
	int layout_event, fixes_event;
	int64_t layout_us; /* when it was last read */
	Visual *visual;
	int depth;

	/* Shared with the server when `shm_works`, else pixels travel through the socket. */
	int shm_works;
	XShmSegmentInfo segment;
	XImage *image, *fetched;
	uint32_t *converted; /* when the server's pixels look different from ours */
	size_t converted_size;
	uint32_t cursor[CURSOR_MAX * CURSOR_MAX];
};

static struct x11_source *self(struct source *source)
{
	return (struct x11_source *)source;
}

static void drop_image(struct x11_source *source)
{
	if (source->fetched)
		XDestroyImage(source->fetched);
	source->fetched = NULL;
	if (!source->image)
		return;
	if (!source->display->lost)
		XShmDetach(source->display->x, &source->segment);
	shmdt(source->segment.shmaddr);
	source->image->data = NULL;
	XDestroyImage(source->image);
	source->image = NULL;
}

/* The segment is ours alone (0600) and has no name from the moment that both sides hold it, so
 * nobody else on the machine can attach to the picture, and none is left behind after a crash. */
static int attach(struct x11_source *source, size_t size)
{
	source->segment.shmid = shmget(IPC_PRIVATE, size, IPC_CREAT | 0600);
	if (source->segment.shmid < 0)
		return 0;
	source->segment.shmaddr = shmat(source->segment.shmid, NULL, 0);
	source->segment.readOnly = False;
	int errors = source->display->errors;
	int attached = source->segment.shmaddr != (char *)-1 &&
		       XShmAttach(source->display->x, &source->segment) &&
		       !x11_display_failed(source->display, errors);
	shmctl(source->segment.shmid, IPC_RMID, NULL);
	if (attached)
		return 1;
	if (source->segment.shmaddr != (char *)-1)
		shmdt(source->segment.shmaddr);
	return 0;
}

/* A display on another machine has no memory to share: then capture() falls back to XGetImage. */
static void make_image(struct x11_source *source)
{
	drop_image(source);
	if (!source->shm_works)
		return;
	XImage *image = XShmCreateImage(source->display->x, source->visual,
		(unsigned)source->depth, ZPixmap, NULL, &source->segment,
		(unsigned)source->source.width, (unsigned)source->source.height);
	if (!image)
		return;
	size_t size = (size_t)image->bytes_per_line * (size_t)image->height;
	if (!attach(source, size)) {
		log_line(LOG_WARN, "no shared memory with the X server: capture is slow");
		source->shm_works = 0;
		XDestroyImage(image);
		return;
	}
	image->data = source->segment.shmaddr;
	source->image = image;
}

static void x11_free(struct source *base)
{
	struct x11_source *source = self(base);
	if (source->display)
		drop_image(source);
	x11_damage_free(source->damage);
	x11_display_close(source->display);
	free(source->converted);
	free(source);
}

static int x11_fd(const struct source *base)
{
	return ConnectionNumber(((const struct x11_source *)base)->display->x);
}

static uint32_t read_layout(struct x11_source *source)
{
	const struct source before = source->source;
	source->layout_us = clock_mono_us();
	if (!x11_layout_read(source->display, &source->source))
		return 0;
	if (x11_layout_same(&before, &source->source))
		return 0;
	if (source->source.width != before.width ||
		source->source.height != before.height)
		make_image(source);
	return SOURCE_RESIZED | SOURCE_DAMAGED;
}

static uint32_t x11_news(struct source *base)
{
	struct x11_source *source = self(base);
	uint32_t news = 0;
	int layout_changed = 0;
	while (x11_display_pending(source->display) > 0) {
		XEvent event;
		XNextEvent(source->display->x, &event);
		if (x11_damage_event(source->damage, &event))
			news |= SOURCE_DAMAGED;
		else if (event.type == source->fixes_event + XFixesCursorNotify)
			news |= SOURCE_CURSOR;
		else
			layout_changed |= x11_layout_event(source->layout_event, &event);
	}
	/* Of a monitor that somebody has only declared (xrandr --setmonitor) the server tells nobody. */
	if (clock_mono_us() - source->layout_us >= SOURCE_LOOK_US)
		layout_changed = 1;
	if (layout_changed && !source->display->lost)
		news |= read_layout(source);
	return source->display->lost ? SOURCE_LOST : news;
}

static size_t x11_take_damage(struct source *base,
	struct source_rect rects[SOURCE_RECTS_MAX])
{
	return x11_damage_take(self(base)->damage, base->width, base->height, rects);
}

static int same_pixels(const XImage *image)
{
	const uint32_t one = 1;
	int little = *(const char *)&one == 1;
	return image->bits_per_pixel == 32 && image->red_mask == 0xff0000 &&
	       image->green_mask == 0xff00 && image->blue_mask == 0xff &&
	       image->byte_order == (little ? LSBFirst : MSBFirst);
}

static uint32_t channel(unsigned long pixel, unsigned long mask)
{
	if (!mask)
		return 0;
	unsigned long most = mask >> __builtin_ctzl(mask);
	unsigned long value = (pixel & mask) >> __builtin_ctzl(mask);
	return (uint32_t)(value * 255 / most);
}

/* Any true-colour format: 15, 16 or 30 bits, or another order of bytes. */
static const uint32_t *convert(struct x11_source *source, XImage *image)
{
	size_t need = (size_t)image->width * (size_t)image->height;
	if (source->converted_size < need) {
		free(source->converted);
		source->converted = malloc(need * sizeof(uint32_t));
		source->converted_size = source->converted ? need : 0;
		if (!source->converted)
			return NULL;
	}
	uint32_t *to = source->converted;
	for (int y = 0; y < image->height; y++)
		for (int x = 0; x < image->width; x++) {
			unsigned long pixel = XGetPixel(image, x, y);
			*to++ = channel(pixel, image->red_mask) << 16 |
				channel(pixel, image->green_mask) << 8 |
				channel(pixel, image->blue_mask);
		}
	return source->converted;
}

static XImage *fetch(struct x11_source *source, const struct source_rect *rect)
{
	Display *x = source->display->x;
	XImage *image = source->image;
	if (!image) {
		if (source->fetched)
			XDestroyImage(source->fetched);
		source->fetched = XGetImage(x, source->display->root, rect->x, rect->y,
			(unsigned)rect->w, (unsigned)rect->h, AllPlanes, ZPixmap);
		return source->fetched;
	}
	/* The server packs the rows of just this rectangle from the start of the segment. */
	image->width = rect->w;
	image->height = rect->h;
	image->bytes_per_line = (rect->w * image->bits_per_pixel + 31) / 32 * 4;
	if (!XShmGetImage(x, source->display->root, image, rect->x, rect->y, AllPlanes))
		return NULL;
	return image;
}

static const uint32_t *x11_capture(struct source *base, const struct source_rect *rect,
	int *ret_stride)
{
	struct x11_source *source = self(base);
	if (source->display->lost)
		return NULL;
	/* Fails when the screen has just become smaller; the event about it is on its way. */
	XImage *image = fetch(source, rect);
	if (!image)
		return NULL;
	if (!same_pixels(image)) {
		*ret_stride = image->width;
		return convert(source, image);
	}
	*ret_stride = image->bytes_per_line / 4;
	return (const uint32_t *)(const void *)image->data;
}

/* X cursors come with colours already multiplied by alpha; viewers want them straight. */
static uint32_t straight(uint32_t pixel)
{
	uint32_t alpha = pixel >> 24, out = alpha << 24;
	if (!alpha)
		return 0;
	for (int shift = 0; shift <= 16; shift += 8) {
		uint32_t value = ((pixel >> shift) & 255) * 255 / alpha;
		out |= (value > 255 ? 255 : value) << shift;
	}
	return out;
}

static int x11_cursor(struct source *base, struct source_cursor *ret)
{
	struct x11_source *source = self(base);
	if (source->display->lost)
		return 0;
	XFixesCursorImage *image = XFixesGetCursorImage(source->display->x);
	if (!image)
		return 0;
	int width = image->width > CURSOR_MAX ? CURSOR_MAX : image->width;
	int height = image->height > CURSOR_MAX ? CURSOR_MAX : image->height;
	for (int y = 0; y < height; y++)
		for (int x = 0; x < width; x++)
			source->cursor[y * width + x] =
				straight((uint32_t)image->pixels[y * image->width + x]);
	*ret = (struct source_cursor){width, height,
		image->xhot < width ? image->xhot : width - 1,
		image->yhot < height ? image->yhot : height - 1, source->cursor};
	XFree(image);
	return width > 0 && height > 0;
}

static int x11_pointer_at(struct source *base, int *ret_x, int *ret_y)
{
	struct x11_display *display = self(base)->display;
	Window root, child;
	int x, y;
	unsigned mask;
	return !display->lost && XQueryPointer(display->x, display->root, &root, &child,
					 ret_x, ret_y, &x, &y, &mask);
}

static const struct source_ops ops = {
	.free = x11_free,
	.fd = x11_fd,
	.news = x11_news,
	.damage = x11_take_damage,
	.capture = x11_capture,
	.cursor = x11_cursor,
	.pointer_at = x11_pointer_at,
};

static int setup(struct x11_source *source)
{
	Display *x = source->display->x;
	int errors;
	source->visual = DefaultVisual(x, source->display->screen);
	source->depth = DefaultDepth(x, source->display->screen);
	if (source->visual->class != TrueColor) {
		log_line(LOG_ERROR, "X visual not usable", LOG_S("needs", "TrueColor"));
		return -REASON_DISPLAY_LACKS;
	}
	int r = x11_damage_new(source->display, &source->damage);
	if (r == 0)
		r = x11_layout_watch(source->display, &source->layout_event);
	if (r < 0)
		return r;
	if (!x11_layout_read(source->display, &source->source) ||
		source->source.width > SIDE_MAX || source->source.height > SIDE_MAX)
		return -REASON_NO_DISPLAY;
	XFixesQueryExtension(x, &source->fixes_event, &errors);
	XFixesSelectCursorInput(x, source->display->root, XFixesDisplayCursorNotifyMask);
	source->shm_works = XShmQueryExtension(x);
	make_image(source);
	return 0;
}

int x11_source_new(const char *display, struct source **ret)
{
	struct x11_source *source = calloc(1, sizeof(*source));
	if (!source)
		return -REASON_NO_MEMORY;
	source->source.ops = &ops;
	int r = x11_display_open(display, &source->display);
	if (r == 0)
		r = setup(source);
	if (r < 0) {
		x11_free(&source->source);
		return r;
	}
	*ret = &source->source;
	return 0;
}
