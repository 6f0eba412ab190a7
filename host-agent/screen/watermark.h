/* watermark: who looks, faintly and again and again over the picture that leaves the office, so that a
 * photograph of the screen at home names them. Never on the local screen.
 *
 * Each pixel is moved a little towards the middle, by its place on the screen alone: what stands still
 * stays equal to itself, and costs nothing when it is compared and sent.
 * Thread: made by any, used by one; frees by any. Owner: whoever made it.
 * Errors: -REASON_NO_MEMORY, -REASON_MISSING_PROGRAM: no font to write with.
 */
#ifndef SCREEN_WATERMARK_H
#define SCREEN_WATERMARK_H

#include <stdint.h>

#include "base/check.h"

struct source_rect;
struct watermark;

#define WATERMARK_TEXT_MAX 400 /* bytes of UTF-8 */

MUST_CHECK int watermark_new(const char *text, struct watermark **ret);
/* The rectangle of the screen with the text over it; `pixels` as from source.capture. The result lives
 * until the next call and has `rect->w` pixels a row. NULL: no memory, and nothing may be shown. */
const uint32_t *watermark_over(struct watermark *watermark,
	const struct source_rect *rect, const uint32_t *pixels, int stride);
/* Accepts NULL, returns NULL. */
struct watermark *watermark_free(struct watermark *watermark);

#endif
