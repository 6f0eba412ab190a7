/* cursor: the one way in which bytes from outside are parsed. Never reads past its end.
 *
 * Thread: any; a cursor is a value on the stack and borrows the bytes. Integers are big-endian.
 * Errors: -REASON_BAD_MESSAGE when too few bytes are left; then the cursor has not moved, so a
 * parser either has all its bytes or leaves no trace.
 */
#ifndef BASE_CURSOR_H
#define BASE_CURSOR_H

#include <stddef.h>
#include <stdint.h>

#include "base/check.h"

struct cursor {
	const uint8_t *at, *end;
};

static inline struct cursor cursor_of(const void *bytes, size_t len)
{
	const uint8_t *at = bytes;
	return (struct cursor){at, len ? at + len : at};
}

static inline size_t cursor_left(const struct cursor *cursor)
{
	return (size_t)(cursor->end - cursor->at);
}

MUST_CHECK int cursor_u8(struct cursor *cursor, uint8_t *ret);
MUST_CHECK int cursor_u16(struct cursor *cursor, uint16_t *ret);
MUST_CHECK int cursor_u24(struct cursor *cursor, uint32_t *ret);
MUST_CHECK int cursor_u32(struct cursor *cursor, uint32_t *ret);
MUST_CHECK int cursor_u64(struct cursor *cursor, uint64_t *ret);
/* A view into the parsed bytes; nothing is copied. */
MUST_CHECK int cursor_bytes(struct cursor *cursor, size_t len, const uint8_t **ret);

#endif
