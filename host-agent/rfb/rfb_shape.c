#include "rfb/rfb_shape.h"

#include <stdlib.h>
#include <string.h>

/* There are no half-transparent pixels: shadows go, edges stay. */
#define OPAQUE_FROM 128

static rfbCursorPtr make_empty(size_t width, size_t height)
{
	rfbCursorPtr shape = calloc(1, sizeof(*shape));
	if (!shape)
		return NULL;
	shape->cleanup = shape->cleanupSource = shape->cleanupMask =
		shape->cleanupRichSource = TRUE;
	shape->width = (unsigned short)width;
	shape->height = (unsigned short)height;
	shape->foreRed = shape->foreGreen = shape->foreBlue = 0xffff;
	shape->richSource = calloc(width * height, 4);
	shape->mask = calloc((width + 7) / 8, height);
	if (shape->richSource && shape->mask)
		return shape;
	rfbFreeCursor(shape);
	return NULL;
}

rfbCursorPtr rfb_shape_make(int width, int height, int hot_x, int hot_y,
	const uint32_t *argb)
{
	/* The library takes one pixel without mask for "none". */
	if (width <= 0 || height <= 0)
		return make_empty(1, 1);
	rfbCursorPtr shape = make_empty((size_t)width, (size_t)height);
	if (!shape)
		return NULL;
	shape->xhot = (unsigned short)hot_x;
	shape->yhot = (unsigned short)hot_y;
	int row = (width + 7) / 8;
	for (int y = 0; y < height; y++)
		for (int x = 0; x < width; x++) {
			uint32_t pixel = argb[y * width + x], colour = pixel & 0xffffff;
			memcpy(shape->richSource + 4 * (y * width + x), &colour, 4);
			if (pixel >> 24 >= OPAQUE_FROM)
				shape->mask[y * row + x / 8] |=
					(unsigned char)(0x80 >> x % 8);
		}
	return shape;
}
