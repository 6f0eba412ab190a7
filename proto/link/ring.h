/* ring: bytes of a lane that its sender still answers for, by their position in the lane.
 *
 *   head              tail
 *    |  kept bytes     |  room      positions only grow; the byte at position p lies at p % cap
 *
 * Thread: that of the owner; a value inside its owner. Memory is taken with the first byte, doubles
 * up to what `max` needs, and is given back (wiped) when the ring runs empty after having been large.
 */
#ifndef LINK_RING_H
#define LINK_RING_H

#include <stddef.h>
#include <stdint.h>

#include "base/check.h"

struct ring {
	uint8_t *data;
	size_t cap, max;
	uint64_t head, tail;
};

void ring_init(struct ring *ring, size_t max);
void ring_done(struct ring *ring);

static inline size_t ring_len(const struct ring *ring)
{
	return (size_t)(ring->tail - ring->head);
}

/* Room behind the tail that lies in one piece, at most max - ring_len(). *ret_len is 0 when full or
 * when there is no memory. */
void ring_reserve(struct ring *ring, uint8_t **ret, size_t *ret_len);
void ring_commit(struct ring *ring, size_t len);
/* Copies as much as fits; returns how much. */
size_t ring_write(struct ring *ring, const void *bytes, size_t len);
/* Copies kept bytes from position `from` on, which all have to be there. */
void ring_copy(const struct ring *ring, uint64_t from, void *ret, size_t len);
/* Forgets what lies before `head`, or from `tail` on. */
void ring_release(struct ring *ring, uint64_t head);
void ring_truncate(struct ring *ring, uint64_t tail);

#endif
