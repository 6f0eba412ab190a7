/* inner_payload: what travels inside the handshake: p2 in message 2 (host), p3 in message 3 (viewer);
 * p1 is empty. TLV: u8 type | u16 length | value; unknown types are skipped, known ones twice are
 * refused; at most 2 KiB.
 *
 * p2 goes to somebody who has proved nothing yet: it holds nothing private.
 * Thread: any; values. Errors: -REASON_BAD_MESSAGE, -REASON_BAD_VALUE (when packing), -REASON_LIMIT;
 * on error the result is untouched.
 */
#ifndef E2E_INNER_PAYLOAD_H
#define E2E_INNER_PAYLOAD_H

#include "e2e/inner.h"

#define INNER_PAYLOAD_MAX 2048

struct inner_payload_host { /* p2 */
	uint8_t version;    /* chosen application version: prologue_version() */
};

struct inner_payload_viewer {       /* p3 */
	char user[INNER_NAME_SIZE]; /* may be empty */
	char device[INNER_NAME_SIZE];
	enum inner_class class;
	uint16_t wanted; /* INNER_RIGHT_* */
};

MUST_CHECK int inner_payload_pack_host(const struct inner_payload_host *payload,
	uint8_t ret[static INNER_PAYLOAD_MAX], size_t *ret_len);
MUST_CHECK int inner_payload_parse_host(const void *bytes, size_t len,
	struct inner_payload_host *ret);
MUST_CHECK int inner_payload_pack_viewer(const struct inner_payload_viewer *payload,
	uint8_t ret[static INNER_PAYLOAD_MAX], size_t *ret_len);
MUST_CHECK int inner_payload_parse_viewer(const void *bytes, size_t len,
	struct inner_payload_viewer *ret);

#endif
