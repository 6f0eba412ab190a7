#include "link/ring.h"

#include <stdlib.h>
#include <string.h>

#include "base/secret.h"

#define RING_FIRST 4096
#define RING_LARGE (64 * 1024)

void ring_init(struct ring *ring, size_t max)
{
	CHECK(max > 0);
	*ring = (struct ring){.max = max};
}

static void give_back(struct ring *ring)
{
	if (ring->data)
		secret_wipe(ring->data, ring->cap);
	free(ring->data);
	ring->data = NULL;
	ring->cap = 0;
}

void ring_done(struct ring *ring)
{
	give_back(ring);
	ring->head = ring->tail;
}

static void grow(struct ring *ring)
{
	size_t cap = ring->cap ? 2 * ring->cap : RING_FIRST;
	uint8_t *data = malloc(cap);
	if (!data)
		return; /* the caller sees less room, or none */
	/* Positions keep their places modulo the new size. */
	size_t kept = ring_len(ring);
	for (uint64_t at = ring->head; kept;) {
		size_t from = at & (ring->cap - 1), to = at & (cap - 1);
		size_t run = ring->cap - from < cap - to ? ring->cap - from : cap - to;
		run = run < kept ? run : kept;
		memcpy(data + to, ring->data + from, run);
		at += run;
		kept -= run;
	}
	give_back(ring);
	ring->data = data;
	ring->cap = cap;
}

void ring_reserve(struct ring *ring, uint8_t **ret, size_t *ret_len)
{
	*ret = NULL;
	*ret_len = 0;
	size_t len = ring_len(ring);
	if (len >= ring->max)
		return;
	/* More than half full: a larger ring gives longer pieces to read into. */
	if (ring->cap < ring->max && 2 * len >= ring->cap)
		grow(ring);
	if (len >= ring->cap)
		return;
	size_t at = ring->tail & (ring->cap - 1);
	size_t room = ring->cap - len;
	if (room > ring->max - len)
		room = ring->max - len;
	*ret = ring->data + at;
	*ret_len = room < ring->cap - at ? room : ring->cap - at;
}

void ring_commit(struct ring *ring, size_t len)
{
	CHECK(ring_len(ring) + len <= ring->cap);
	ring->tail += len;
}

size_t ring_write(struct ring *ring, const void *bytes, size_t len)
{
	size_t done = 0;
	while (done < len) {
		uint8_t *place;
		size_t room;
		ring_reserve(ring, &place, &room);
		if (!room)
			break;
		room = room < len - done ? room : len - done;
		memcpy(place, (const uint8_t *)bytes + done, room);
		ring_commit(ring, room);
		done += room;
	}
	return done;
}

void ring_copy(const struct ring *ring, uint64_t from, void *ret, size_t len)
{
	CHECK(from >= ring->head && from <= ring->tail && len <= ring->tail - from);
	if (!len)
		return;
	size_t at = from & (ring->cap - 1);
	size_t first = len < ring->cap - at ? len : ring->cap - at;
	memcpy(ret, ring->data + at, first);
	memcpy((uint8_t *)ret + first, ring->data, len - first);
}

void ring_release(struct ring *ring, uint64_t head)
{
	CHECK(head >= ring->head && head <= ring->tail);
	ring->head = head;
	if (ring->head == ring->tail && ring->cap > RING_LARGE)
		give_back(ring);
}

void ring_truncate(struct ring *ring, uint64_t tail)
{
	CHECK(tail >= ring->head && tail <= ring->tail);
	ring->tail = tail;
}
