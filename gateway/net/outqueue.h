/* outqueue: bytes that the kernel did not take yet, in pieces, so that appending never moves what
 * waits and an empty queue holds no memory.
 *
 * Thread: that of the owner. Errors: -REASON_NO_MEMORY; the queue is as before then.
 */
#ifndef NET_OUTQUEUE_H
#define NET_OUTQUEUE_H

#include <stddef.h>
#include <stdint.h>
#include <sys/uio.h>

#include "base/check.h"

struct outqueue_piece;

struct outqueue {
	struct outqueue_piece *first, *last;
	size_t len;
};

#define OUTQUEUE_PIECES 16 /* that one write takes */

MUST_CHECK int outqueue_append(struct outqueue *queue, const void *bytes, size_t len);
/* The first bytes as vectors for writev(2); returns how many vectors. */
int outqueue_vectors(const struct outqueue *queue,
	struct iovec ret[static OUTQUEUE_PIECES]);
void outqueue_drain(struct outqueue *queue, size_t len);
void outqueue_clear(struct outqueue *queue);

#endif
