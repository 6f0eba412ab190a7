/* decoder_ipc: what the viewer and its decoder child say to each other on one stream socket.
 *
 *   u8 type | u24 length | payload           big-endian, parsed with base/cursor.h only
 *
 * Thread: any; no state. The viewer treats every event as if an attacker had written it: the child
 * decodes what a possibly hostile host sends. Errors: -REASON_BAD_MESSAGE (the child is then
 * killed), -REASON_LIMIT (writer's buffer full).
 */
#ifndef RFB_DECODER_IPC_H
#define RFB_DECODER_IPC_H

#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/check.h"
#include "base/cursor.h"
#include "rfb/picture.h"

#define DECODER_IPC_HEADER 4
#define DECODER_IPC_RECTS_MAX 128
/* The longest message there is, a pointer's shape, with its header. */
#define DECODER_IPC_MAX                                                                  \
	(DECODER_IPC_HEADER + 8 + (size_t)PICTURE_CURSOR_MAX * PICTURE_CURSOR_MAX * 4)

/* The fds a child finds open, in this order; everything else is closed. */
enum decoder_ipc_fd { DECODER_FD_RFB = 3, DECODER_FD_IPC = 4, DECODER_FD_PIXELS = 5 };

enum decoder_event_type {
	DECODER_EVENT_SIZE = 1, /* u16 width, u16 height: from the next damage on */
	DECODER_EVENT_DAMAGE,   /* u16 count, count * (u16 x, y, w, h) */
	DECODER_EVENT_CURSOR,   /* u16 width, height, hot_x, hot_y, pixels u32 */
	DECODER_EVENT_PONG, /* u32 progress, u32 unread bytes, u32 cpu ms of the decoding thread */
	DECODER_EVENT_ENDED, /* u16 reason: the stream is over, the child leaves on its own */
};

struct decoder_event {
	enum decoder_event_type type;
	uint16_t width, height, hot_x, hot_y;
	struct picture_rect rects[DECODER_IPC_RECTS_MAX];
	size_t rect_count;
	const uint8_t *bytes; /* the cursor's pixels (big-endian) */
	size_t len;
	uint32_t progress, unread, cpu_ms;
	int reason;
};

enum decoder_command_type {
	DECODER_COMMAND_START = 1, /* i8 quality, i8 compression */
	DECODER_COMMAND_KEY,       /* u8 down, u32 keysym */
	DECODER_COMMAND_POINTER,   /* u16 x, u16 y, u8 buttons */
	DECODER_COMMAND_PING,
};

struct decoder_command {
	enum decoder_command_type type;
	uint8_t down, buttons;
	int8_t quality, compression;
	uint16_t x, y;
	uint32_t keysym;
};

/* The first whole message in `in`: its type and a cursor over its payload, which stay valid until
 * the caller drains *ret_len bytes. *ret_len is 0 when more bytes are needed. */
MUST_CHECK int decoder_ipc_next(const struct buf *in, uint8_t *ret_type,
	struct cursor *ret_body, size_t *ret_len);

/* An event in the eyes of the viewer. Damage is cut to `now`, and what is left of it lies inside. */
MUST_CHECK int decoder_ipc_event(uint8_t type, struct cursor body,
	const struct picture *now, struct decoder_event *ret);
MUST_CHECK int decoder_ipc_command(uint8_t type, struct cursor body,
	struct decoder_command *ret);

/* The writing halves. */
MUST_CHECK int decoder_ipc_put_event(struct buf *out, const struct decoder_event *event);
MUST_CHECK int decoder_ipc_put_command(struct buf *out,
	const struct decoder_command *command);

#endif
