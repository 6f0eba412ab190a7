/* picture: the desktop as the decoder child leaves it in shared memory, and the limits of it.
 *
 * Thread: a value; whoever holds one may read the pixels from any thread while the decoder that
 * owns them lives. A pixel is 0x00RRGGBB in the byte order of the machine. The child writes at any
 * time, so two looks at one pixel may differ: copy before deciding anything by its content.
 */
#ifndef RFB_PICTURE_H
#define RFB_PICTURE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The mapping has this size for ever (untouched pages cost nothing), so no width and height that
 * passed picture_fits() can lead a reader out of it, whenever they change. */
#define PICTURE_BYTES ((size_t)512 << 20)
#define PICTURE_SIDE_MAX 16384

struct picture {
	const uint8_t *pixels;
	uint32_t width, height; /* 0: nothing has arrived yet */
	uint32_t stride;        /* bytes from row to row */
};

struct picture_rect {
	uint16_t x, y, w, h;
};

/* The host's pointer: not premultiplied 0xAARRGGBB. */
#define PICTURE_CURSOR_MAX 256
struct picture_cursor {
	uint16_t width, height, hot_x, hot_y;
	const uint32_t *pixels; /* width * height */
};

static inline bool picture_fits(uint32_t width, uint32_t height)
{
	return width > 0 && height > 0 && width <= PICTURE_SIDE_MAX &&
	       height <= PICTURE_SIDE_MAX && (size_t)width * height * 4 <= PICTURE_BYTES;
}

#endif
