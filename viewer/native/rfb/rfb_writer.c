#include "rfb/rfb_writer.h"

#include <errno.h>
#include <pthread.h>
#include <rfb/rfbproto.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/reason.h"

#define WAITING_MAX ((size_t)1 << 20)
#define MOVE_LEN 6

struct rfb_writer {
	pthread_mutex_t lock;
	struct buf out;
	int fd, wake_fd;
	uint8_t move[MOVE_LEN]; /* the pointer event that waits behind `out` */
	int move_waits;
	uint8_t buttons; /* of the last pointer event */
};

int rfb_writer_new(struct rfb_writer **ret, int fd)
{
	struct rfb_writer *writer = calloc(1, sizeof *writer);

	if (!writer)
		return -REASON_NO_MEMORY;
	writer->fd = fd;
	writer->wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (writer->wake_fd < 0) {
		free(writer);
		return -REASON_NO_MEMORY;
	}
	pthread_mutex_init(&writer->lock, NULL);
	buf_init(&writer->out, WAITING_MAX);
	*ret = writer;
	return 0;
}

static int flush_locked(struct rfb_writer *writer)
{
	while (buf_len(&writer->out)) {
		ssize_t n = send(writer->fd, buf_head(&writer->out),
			buf_len(&writer->out), MSG_DONTWAIT | MSG_NOSIGNAL);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0 && errno != EAGAIN && errno != EWOULDBLOCK)
			return -REASON_PEER_LOST;
		if (n < 0) {
			uint64_t one = 1;
			ssize_t woken = write(writer->wake_fd, &one, sizeof one);
			(void)woken; /* the counter is full: awake already */
			return 0;
		}
		buf_drain(&writer->out, (size_t)n);
		if (!buf_len(&writer->out) && writer->move_waits) {
			writer->move_waits = 0;
			int r = buf_append(&writer->out, writer->move, MOVE_LEN);
			if (r)
				return r;
		}
	}
	buf_release(&writer->out);
	return 0;
}

/* The move that waits goes first: a click must not overtake the way to its place. */
static int append_locked(struct rfb_writer *writer, const void *bytes, size_t len)
{
	int r = 0;

	if (writer->move_waits)
		r = buf_append(&writer->out, writer->move, MOVE_LEN);
	writer->move_waits = 0;
	r = r ? r : buf_append(&writer->out, bytes, len);
	return r ? r : flush_locked(writer);
}

static int say(struct rfb_writer *writer, const void *bytes, size_t len)
{
	pthread_mutex_lock(&writer->lock);
	int r = append_locked(writer, bytes, len);
	pthread_mutex_unlock(&writer->lock);
	return r;
}

static void put16(uint8_t *at, uint16_t value)
{
	at[0] = (uint8_t)(value >> 8);
	at[1] = (uint8_t)value;
}

static void put32(uint8_t *at, uint32_t value)
{
	put16(at, (uint16_t)(value >> 16));
	put16(at + 2, (uint16_t)value);
}

int rfb_writer_key(struct rfb_writer *writer, uint32_t keysym, int down)
{
	uint8_t msg[8] = {rfbKeyEvent, down ? 1 : 0};

	put32(msg + 4, keysym);
	return say(writer, msg, sizeof msg);
}

int rfb_writer_pointer(struct rfb_writer *writer, uint16_t x, uint16_t y, uint8_t buttons)
{
	uint8_t msg[MOVE_LEN] = {rfbPointerEvent, buttons};
	int r = 0;

	put16(msg + 2, x);
	put16(msg + 4, y);
	pthread_mutex_lock(&writer->lock);
	if (buttons == writer->buttons && buf_len(&writer->out)) {
		memcpy(writer->move, msg, sizeof msg);
		writer->move_waits = 1;
	} else {
		writer->buttons = buttons;
		r = append_locked(writer, msg, sizeof msg);
	}
	pthread_mutex_unlock(&writer->lock);
	return r;
}

int rfb_writer_format(struct rfb_writer *writer)
{
	static const uint8_t msg[20] = {
		rfbSetPixelFormat, 0, 0, 0, /* */
		32, 24, 0, 1,               /* bits, depth, little-endian, true colour */
		0, 255, 0, 255, 0, 255, 16, 8, 0, 0, 0, 0, /* maxima, shifts */
	};

	return say(writer, msg, sizeof msg);
}

int rfb_writer_encodings(struct rfb_writer *writer, int quality, int compression)
{
	/* ExtendedDesktopSize is left out: libvncclient 0.9.14 takes the valid screen id 0 for a
	 * mistake and then keeps the old size. DesktopSize says the same for our purpose. */
	uint32_t wanted[10] = {
		rfbEncodingCopyRect,
		rfbEncodingTight,
		rfbEncodingZRLE,
		rfbEncodingHextile,
		rfbEncodingRaw,
		rfbEncodingRichCursor,
		rfbEncodingNewFBSize,
		rfbEncodingLastRect,
		(uint32_t)rfbEncodingCompressLevel0 + (uint32_t)compression,
		(uint32_t)rfbEncodingQualityLevel0 + (uint32_t)quality,
	};
	size_t count = ARRAY_LEN(wanted) - (quality < 0 ? 1 : 0);
	uint8_t msg[4 + sizeof wanted] = {rfbSetEncodings};

	put16(msg + 2, (uint16_t)count);
	for (size_t i = 0; i < count; i++)
		put32(msg + 4 + 4 * i, wanted[i]);
	return say(writer, msg, 4 + 4 * count);
}

int rfb_writer_request(struct rfb_writer *writer, int incremental, uint16_t width,
	uint16_t height)
{
	uint8_t msg[10] = {rfbFramebufferUpdateRequest, incremental ? 1 : 0};

	put16(msg + 6, width);
	put16(msg + 8, height);
	return say(writer, msg, sizeof msg);
}

int rfb_writer_flush(struct rfb_writer *writer)
{
	pthread_mutex_lock(&writer->lock);
	int r = flush_locked(writer);
	pthread_mutex_unlock(&writer->lock);
	return r;
}

int rfb_writer_wake_fd(const struct rfb_writer *writer)
{
	return writer->wake_fd;
}

size_t rfb_writer_waiting(struct rfb_writer *writer)
{
	uint64_t count;

	pthread_mutex_lock(&writer->lock);
	ssize_t n = read(writer->wake_fd, &count, sizeof count);
	(void)n; /* not set: nothing to take back */
	size_t waiting = buf_len(&writer->out);
	pthread_mutex_unlock(&writer->lock);
	return waiting;
}
