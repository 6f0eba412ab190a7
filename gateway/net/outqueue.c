#include "net/outqueue.h"

#include <stdlib.h>
#include <string.h>

#include "base/reason.h"

/* A page less the allocator's and our own header; a large rest gets one piece of its size. */
#define PIECE_LEAST (4096 - 64)

struct outqueue_piece {
	struct outqueue_piece *next;
	size_t start, end, cap;
	uint8_t bytes[];
};

static size_t fill(struct outqueue_piece *piece, const uint8_t *bytes, size_t len)
{
	size_t room = piece->cap - piece->end;
	size_t part = len < room ? len : room;
	memcpy(piece->bytes + piece->end, bytes, part);
	piece->end += part;
	return part;
}

int outqueue_append(struct outqueue *queue, const void *bytes, size_t len)
{
	const uint8_t *at = bytes;
	struct outqueue_piece *last = queue->last, *fresh = NULL;
	size_t room = last ? last->cap - last->end : 0;
	if (len > room) {
		size_t cap = len - room < PIECE_LEAST ? PIECE_LEAST : len - room;
		fresh = malloc(sizeof(*fresh) + cap);
		if (!fresh)
			return -REASON_NO_MEMORY;
		*fresh = (struct outqueue_piece){.cap = cap};
	}
	queue->len += len;
	if (last && len) {
		size_t part = fill(last, at, len);
		at += part;
		len -= part;
	}
	if (!fresh)
		return 0;
	fill(fresh, at, len);
	if (last)
		last->next = fresh;
	else
		queue->first = fresh;
	queue->last = fresh;
	return 0;
}

int outqueue_vectors(const struct outqueue *queue,
	struct iovec ret[static OUTQUEUE_PIECES])
{
	int count = 0;
	for (struct outqueue_piece *piece = queue->first;
		piece && count < OUTQUEUE_PIECES; piece = piece->next)
		ret[count++] = (struct iovec){
			piece->bytes + piece->start, piece->end - piece->start};
	return count;
}

void outqueue_drain(struct outqueue *queue, size_t len)
{
	CHECK(len <= queue->len);
	queue->len -= len;
	while (queue->first) {
		struct outqueue_piece *piece = queue->first;
		size_t waiting = piece->end - piece->start;
		if (len < waiting) {
			piece->start += len;
			return;
		}
		len -= waiting;
		queue->first = piece->next;
		free(piece);
	}
	queue->last = NULL;
}

void outqueue_clear(struct outqueue *queue)
{
	outqueue_drain(queue, queue->len);
}
