/* frame: what a gateway sees: 1 byte type, 3 bytes length (big-endian), payload.
 *
 * Path 05/11: records become frames, and frames records again.
 * Thread: any; pure functions over the caller's bytes. The same frames travel over TLS (a byte
 * stream) and over WebSocket (one frame per binary message).
 */
#ifndef WIRE_FRAME_H
#define WIRE_FRAME_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/check.h"

#define FRAME_HEADER 4
#define FRAME_DATA_MAX 65535    /* payload of DATA: one sealed record */
#define FRAME_CONTROL_MAX 16384 /* payload of everything else */
#define FRAME_MAX (FRAME_HEADER + FRAME_DATA_MAX)
#define FRAME_SKIP_FROM                                                                  \
	0x80 /* unknown types from here up are skipped, below they end the leg */

enum frame_type {
#define MESSAGE(number, SYMBOL, name, direction, help) FRAME_##SYMBOL = number,
#define FIELD(name, type, field, size, need, help)
#define END(name)
#include "wire/messages.def"
#undef MESSAGE
#undef FIELD
#undef END
	FRAME_PING = 0x09, /* 8 opaque bytes, answered by PONG with the same */
	FRAME_PONG = 0x0A,
	FRAME_DATA = 0x10, /* one sealed record, 16..65535 bytes */
};

struct frame {
	uint8_t type;
	uint32_t len;
	const uint8_t *payload; /* a view into the parsed bytes */
};

/* Looks at the start of `bytes`. 1: a whole frame, *ret is set and frame_size() bytes belong to
 * it. 0: more bytes are needed. -REASON_PROTOCOL: the length is not allowed for the type, or the
 * type is unknown below FRAME_SKIP_FROM; the verdict is given as soon as the header is there. */
MUST_CHECK int frame_parse(const uint8_t *bytes, size_t len, struct frame *ret);

static inline size_t frame_size(const struct frame *frame)
{
	return FRAME_HEADER + frame->len;
}

void frame_header(uint8_t ret[static FRAME_HEADER], uint8_t type, uint32_t len);

/* "HELLO", "DATA"; "UNKNOWN". */
const char *frame_type_name(uint8_t type);

#endif
