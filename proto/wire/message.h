/* message: the control messages as C structs, made from messages.def: one struct, one parser and
 * one writer per message.
 *
 * Thread: any; no state. A parsed message owns nothing: strings are arrays of their largest size
 * with a NUL, so a struct can be copied and dropped. A message that carries secrets (prove) is
 * wiped by its owner.
 */
#ifndef WIRE_MESSAGE_H
#define WIRE_MESSAGE_H

#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/check.h"
#include "wire/frame.h"

#define MESSAGE_STR(field, size) char field[(size) + 1];
#define MESSAGE_NUM(field, size) uint64_t field;
#define MESSAGE_BIN(field, size) uint8_t field[size];
#define MESSAGE_OBJ(field, size)                                                         \
	char field[(size) + 1]; /* compact JSON, "" when absent */

#define MESSAGE(number, SYMBOL, name, direction, help) struct message_##name {
#define FIELD(name, kind, field, size, need, help) MESSAGE_##kind(field, size)
#define END(name)                                                                        \
	}                                                                                \
	;
#include "wire/messages.def"
#undef MESSAGE
#undef FIELD
#undef END

/* message_hello_parse(payload, len, &hello), message_hello_write(&hello, &buf), …
 * parse: -REASON_BAD_MESSAGE for what is not a JSON object (duplicates, depth over 8, NUL, invalid
 *   UTF-8), lacks a needed field, or has a field of wrong kind or size; *ret is untouched then.
 * write: appends the whole frame with its header; empty MAY fields (0, "", all zero) are left out.
 *   -REASON_LIMIT when the payload is over FRAME_CONTROL_MAX, -REASON_BAD_VALUE when the parser of
 *   the other side would not take it. */
#define MESSAGE(number, SYMBOL, name, direction, help)                                   \
	MUST_CHECK int message_##name##_parse(const uint8_t *payload, size_t len,        \
		struct message_##name *ret);                                             \
	MUST_CHECK int message_##name##_write(const struct message_##name *message,      \
		struct buf *out);
#define FIELD(name, kind, field, size, need, help)
#define END(name)
#include "wire/messages.def"
#undef MESSAGE
#undef FIELD
#undef END

/* PING, PONG, DATA. */
MUST_CHECK int message_raw_write(uint8_t type, const void *payload, size_t len,
	struct buf *out);

#endif
