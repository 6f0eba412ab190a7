/* rfb_writer: everything the viewer says in RFB (RFC 6143 section 7.5), from two threads of the
 * decoder child: the commands of the person, and the requests for more picture.
 *
 * Thread: any, one lock inside. Nothing blocks: what the stream does not take waits here, so that
 * the command thread keeps answering while the tunnel reconnects. A key is never dropped; of
 * pointer moves that wait only the last is kept. Owner: the child, as long as it lives.
 * Errors: -REASON_LIMIT, -REASON_PEER_LOST.
 */
#ifndef RFB_RFB_WRITER_H
#define RFB_RFB_WRITER_H

#include <stddef.h>
#include <stdint.h>

#include "base/check.h"
#include "rfb/picture.h"

struct rfb_writer;

/* `fd` is borrowed and may be in blocking mode. */
MUST_CHECK int rfb_writer_new(struct rfb_writer **ret, int fd);
MUST_CHECK int rfb_writer_key(struct rfb_writer *writer, uint32_t keysym, int down);
MUST_CHECK int rfb_writer_pointer(struct rfb_writer *writer, uint16_t x, uint16_t y,
	uint8_t buttons);
/* 32 bit 0x00RRGGBB little-endian. */
MUST_CHECK int rfb_writer_format(struct rfb_writer *writer);
/* quality -1: without loss. */
MUST_CHECK int rfb_writer_encodings(struct rfb_writer *writer, int quality,
	int compression);
MUST_CHECK int rfb_writer_request(struct rfb_writer *writer, int incremental,
	uint16_t width, uint16_t height);

/* Tries again; to be called when the stream is writable. */
MUST_CHECK int rfb_writer_flush(struct rfb_writer *writer);
/* Readable when bytes began to wait: wakes the thread that polls. */
int rfb_writer_wake_fd(const struct rfb_writer *writer);
/* Takes the wake-up back and tells how many bytes wait. */
size_t rfb_writer_waiting(struct rfb_writer *writer);

#endif
