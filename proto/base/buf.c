#include "base/buf.h"

#include <stdlib.h>
#include <string.h>

#include "base/reason.h"
#include "base/secret.h"

#define FIRST_SIZE 512

void buf_init(struct buf *buf, size_t max)
{
	CHECK(max <= SIZE_MAX / 8); /* sizes below are computed without overflow */
	*buf = (struct buf){.max = max};
}

static void let_go(struct buf *buf)
{
	if (buf->data)
		secret_wipe(buf->data, buf->cap);
	free(buf->data);
	buf->data = NULL;
	buf->start = buf->end = buf->cap = 0;
}

void buf_done(struct buf *buf)
{
	let_go(buf);
}

void buf_release(struct buf *buf)
{
	if (buf_len(buf) == 0)
		let_go(buf);
}

/* Not realloc(): that could leave plaintext behind in memory nobody wipes any more. */
static int grow(struct buf *buf, size_t need)
{
	/* A quarter more than the maximum, so that a queue which stays full is moved to the front
	 * once per quarter and not once per append. */
	size_t limit = buf->max + buf->max / 4;
	size_t cap = buf->cap ? buf->cap : FIRST_SIZE / 2;
	do
		cap *= 2;
	while (cap < need);
	if (cap > limit)
		cap = limit;
	CHECK(cap >= need && cap > buf->cap);
	uint8_t *data = malloc(cap);
	if (!data)
		return -REASON_NO_MEMORY;
	size_t len = buf_len(buf), max = buf->max;
	if (len)
		memcpy(data, buf_head(buf), len);
	let_go(buf);
	*buf = (struct buf){.data = data, .end = len, .cap = cap, .max = max};
	return 0;
}

static int make_room(struct buf *buf, size_t len)
{
	size_t waiting = buf_len(buf);
	if (len > buf->max - waiting)
		return -REASON_LIMIT;
	if (len <= buf->cap - buf->end)
		return 0;
	/* Moving is paid for by what was drained: at most four bytes for each. */
	if (waiting + len > buf->cap || buf->start < waiting / 4)
		return grow(buf, waiting + len);
	memmove(buf->data, buf->data + buf->start, waiting);
	buf->start = 0;
	buf->end = waiting;
	return 0;
}

int buf_append(struct buf *buf, const void *bytes, size_t len)
{
	int r = make_room(buf, len);
	if (r || !len)
		return r;
	memcpy(buf->data + buf->end, bytes, len);
	buf->end += len;
	return 0;
}

int buf_reserve(struct buf *buf, size_t len, uint8_t **ret)
{
	int r = make_room(buf, len);
	if (!r)
		*ret = buf->data ? buf->data + buf->end : NULL;
	return r;
}

void buf_commit(struct buf *buf, size_t len)
{
	CHECK(len <= buf->cap - buf->end && len <= buf->max - buf_len(buf));
	buf->end += len;
}

void buf_drain(struct buf *buf, size_t len)
{
	CHECK(len <= buf_len(buf));
	buf->start += len;
	if (buf->start == buf->end)
		buf->start = buf->end = 0;
}

static int put(struct buf *buf, uint64_t value, size_t len)
{
	uint8_t bytes[8];
	for (size_t i = 0; i < len; i++)
		bytes[i] = (uint8_t)(value >> 8 * (len - 1 - i));
	return buf_append(buf, bytes, len);
}

int buf_put_u8(struct buf *buf, uint8_t value)
{
	return put(buf, value, 1);
}

int buf_put_u16(struct buf *buf, uint16_t value)
{
	return put(buf, value, 2);
}

int buf_put_u32(struct buf *buf, uint32_t value)
{
	return put(buf, value, 4);
}

int buf_put_u64(struct buf *buf, uint64_t value)
{
	return put(buf, value, 8);
}
