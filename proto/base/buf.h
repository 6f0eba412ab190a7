/* buf: a byte queue with a hard maximum. Bytes enter at the end and leave at the start.
 *
 *   data                 data+start         data+end        data+cap
 *    |  already drained   |  waiting bytes    |  free room    |
 *
 * Thread: that of the owner. Memory is taken on the first byte and can be given back while empty
 * (buf_release), so that an idle leg costs no buffer. Errors: -REASON_LIMIT, -REASON_NO_MEMORY;
 * on error the buffer is as before.
 */
#ifndef BASE_BUF_H
#define BASE_BUF_H

#include <stddef.h>
#include <stdint.h>

#include "base/check.h"

struct buf {
	uint8_t *data;
	size_t start, end, cap, max;
};

void buf_init(struct buf *buf, size_t max);
/* Wipes before it frees: buffers at the two ends hold plaintext. */
void buf_done(struct buf *buf);

static inline size_t buf_len(const struct buf *buf)
{
	return buf->end - buf->start;
}

static inline const uint8_t *buf_head(const struct buf *buf)
{
	return buf->data ? buf->data + buf->start : buf->data;
}

MUST_CHECK int buf_append(struct buf *buf, const void *bytes, size_t len);
/* Room for `len` bytes at the end, to be filled and then counted in by buf_commit(). */
MUST_CHECK int buf_reserve(struct buf *buf, size_t len, uint8_t **ret);
void buf_commit(struct buf *buf, size_t len);
void buf_drain(struct buf *buf, size_t len);
/* Gives the memory back when no byte waits. */
void buf_release(struct buf *buf);

/* Big-endian writers; the reading half is base/cursor.h. */
MUST_CHECK int buf_put_u8(struct buf *buf, uint8_t value);
MUST_CHECK int buf_put_u16(struct buf *buf, uint16_t value);
MUST_CHECK int buf_put_u32(struct buf *buf, uint32_t value);
MUST_CHECK int buf_put_u64(struct buf *buf, uint64_t value);

#endif
