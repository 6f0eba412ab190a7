/* inner: what the two ends say to each other inside the tunnel, on the control lane (inner.def), and
 * the head of a clipboard message. The payloads of the handshake are e2e/inner_payload.h.
 *
 * One message has one record, with SEAL_END. Bytes after the last known field are skipped, so that a
 * later version can add some.
 * Thread: any; values. Errors: -REASON_BAD_MESSAGE (it ends the tunnel), -REASON_LIMIT (does not
 * fit); on error the result is untouched.
 */
#ifndef E2E_INNER_H
#define E2E_INNER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/check.h"
#include "base/cursor.h"
#include "e2e/seal.h"

#define INNER_NAME_MAX 128 /* bytes of UTF-8 */
#define INNER_NAME_SIZE (INNER_NAME_MAX + 1)
#define INNER_TEXT_MAX 512
#define INNER_KEY 32
#define INNER_RECTS_MAX 16
#define INNER_MESSAGE_MAX 1536 /* no message is longer */
#define INNER_SKIP_FROM 0x80

/* Rights: bits of `wanted`, `granted`, veto and policy. */
#define INNER_RIGHT_VIEW 0x0001
#define INNER_RIGHT_CONTROL 0x0002
#define INNER_RIGHT_CLIP_TO_HOST 0x0004
#define INNER_RIGHT_CLIP_TO_VIEWER 0x0008
#define INNER_RIGHT_FILE_TO_HOST 0x0010
#define INNER_RIGHT_FILE_TO_VIEWER 0x0020
#define INNER_RIGHTS_ALL 0x003f

/* Features: bits. Unknown ones are not used. */
#define INNER_FEATURE_CLIPBOARD_LANE 0x00000001 /* UTF-8 text on lane 3 */
#define INNER_FEATURE_CLIPBOARD_RFB                                                      \
	0x00000002 /* clipboard as RFB messages on lanes 1 and 2 */

enum inner_class { INNER_NATIVE = 1, INNER_WEB = 2, INNER_MOBILE = 3 };

struct inner_acks {
	uint8_t count;
	uint8_t lane[SEAL_LANES]; /* each at most once */
	uint64_t consumed[SEAL_LANES];
};

struct inner_rect {
	uint16_t x, y, width,
		height; /* pixels; neither side is 0, nor ends beyond 65535 */
};

struct inner_rects {
	uint8_t count;
	struct inner_rect at[INNER_RECTS_MAX];
};

// clang-format off
enum inner_kind {
	INNER_SKIPPED = 0, /* an unknown one from 0x80 up */
#define MESSAGE(number, upper, lower, sender) INNER_##upper = number,
#include "e2e/inner.def"
};

/* struct inner_hello_ok and the others; `empty` is not on the wire. */
#define INNER_FIELD_u8(name) uint8_t name;
#define INNER_FIELD_u16(name) uint16_t name;
#define INNER_FIELD_u32(name) uint32_t name;
#define INNER_FIELD_u64(name) uint64_t name;
#define INNER_FIELD_text(name) char name[INNER_TEXT_MAX + 1];
#define INNER_FIELD_name(name) char name[INNER_NAME_SIZE];
#define INNER_FIELD_key(name) uint8_t name[INNER_KEY];
#define INNER_FIELD_lanes(name) uint64_t name[SEAL_LANES];
#define INNER_FIELD_acks(name) struct inner_acks name;
#define INNER_FIELD_rects(name) struct inner_rects name;

#define MESSAGE(number, upper, lower, sender) struct inner_##lower { uint8_t empty;
#define FIELD(type, name) INNER_FIELD_##type(name)
#define END(lower) };
#include "e2e/inner.def"

struct inner_message {
	enum inner_kind kind;
	union {
#define MESSAGE(number, upper, lower, sender) struct inner_##lower lower;
#include "e2e/inner.def"
	};
};
// clang-format on

/* Writes the whole message. `ret` with INNER_MESSAGE_MAX bytes always suffices. A text that is not
 * UTF-8 or too long is -REASON_BAD_VALUE: nobody sends what the other end would refuse. */
MUST_CHECK int inner_pack(const struct inner_message *message, uint8_t *ret, size_t size,
	size_t *ret_len);
/* Takes one message off the cursor. `from` is the side that sent it: messages that this side may
 * not send are refused. */
MUST_CHECK int inner_parse(struct cursor *cursor, enum seal_side from,
	struct inner_message *ret);
/* "HELLO_OK"; "UNKNOWN". For logs. */
const char *inner_name(enum inner_kind kind);
/* Valid UTF-8 of at most INNER_NAME_MAX bytes without control characters. */
bool inner_name_valid(const char *bytes, size_t len);

/* Lane 3: u32 length | that many bytes of UTF-8, in any number of records; SEAL_END on the last. */
#define INNER_CLIPBOARD_HEAD 4
#define INNER_CLIPBOARD_MAX (4 * 1024 * 1024)
void inner_clipboard_pack(uint32_t len, uint8_t ret[static INNER_CLIPBOARD_HEAD]);
/* -REASON_LIMIT above INNER_CLIPBOARD_MAX. */
MUST_CHECK int inner_clipboard_parse(struct cursor *cursor, uint32_t *ret_len);

#endif
