/* rfb_shape: the pointer's shape as RFB carries it (RFC 6143 section 7.8.1): colours and a mask of
 * one bit each.
 *
 * Thread: any; no state.
 */
#ifndef RFB_RFB_SHAPE_H
#define RFB_RFB_SHAPE_H

#include <rfb/rfb.h>

/* From straight alpha; `width` or `height` 0: no visible pointer. libvncserver frees it. NULL: no memory. */
rfbCursorPtr rfb_shape_make(int width, int height, int hot_x, int hot_y,
	const uint32_t *argb);

#endif
