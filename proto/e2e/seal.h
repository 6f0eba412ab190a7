/* seal: the records of the tunnel. Before this file bytes are readable, after it they are not.
 *
 * Path 04/12: sealed, nobody reads from here on; opened, and only here.
 *
 *   record     AES-256-GCM of the plaintext | tag 16           20..65535 bytes, one relay frame
 *   plaintext  u8 lane | u8 flags | u16be len | payload | zero padding to the bucket
 *
 * Buckets hide what is typed: plaintexts of control and input from the viewer are multiples of 64
 * bytes, clipboard (both ways) of 1024, picture and file none, picture of 256 on request. Near the
 * largest record the bucket is cut at its end.
 *
 * A record is built and opened where it lies: the payload is copied once, by the caller, to
 * record + SEAL_HEAD, and comes out as a view.
 *
 * Thread: that of the owner. No allocation per record.
 * Errors: -REASON_E2E_FAILED. The first one, in either direction, wipes both keys; from then on
 * everything is refused: close the tunnel, never resynchronise.
 */
#ifndef E2E_SEAL_H
#define E2E_SEAL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/check.h"

#define SEAL_HEAD 4
#define SEAL_TAG 16
#define SEAL_RECORD_MAX 65535
#define SEAL_PAYLOAD_MAX (SEAL_RECORD_MAX - SEAL_TAG - SEAL_HEAD) /* 65,515 */
#define SEAL_LANES 5
#define SEAL_PICTURE_BUCKET 256

enum seal_lane { SEAL_CONTROL, SEAL_INPUT, SEAL_PICTURE, SEAL_CLIPBOARD, SEAL_FILE };
enum seal_side { SEAL_HOST, SEAL_VIEWER };

/* flags */
#define SEAL_END 0x01 /* the last record of an application message */

struct noise_cipher;
struct seal;

struct seal_view {
	enum seal_lane lane;
	uint8_t flags;
	const uint8_t *payload; /* inside the record that was opened */
	size_t len;
};

/* Takes both ciphers over (noise_finish()), on error too. `side` is our own. */
MUST_CHECK int seal_new(struct seal **ret, enum seal_side side, struct noise_cipher *send,
	struct noise_cipher *receive);
/* Picture records sent from now on fill buckets of 256 bytes. */
void seal_pad_picture(struct seal *seal);
/* Bytes of the record that carries `len` <= SEAL_PAYLOAD_MAX bytes on this lane. */
size_t seal_size(const struct seal *seal, enum seal_lane lane, size_t len);
/* The payload lies at record + SEAL_HEAD; `record` has room for seal_size() bytes. Seals it there
 * and returns the length of the record. A wrong lane, flag or length is a bug, not an error. */
MUST_CHECK int seal_record(struct seal *seal, enum seal_lane lane, uint8_t flags,
	uint8_t *record, size_t len, size_t *ret_len);
/* Opens the record where it lies; on error it is wiped. */
MUST_CHECK int seal_open(struct seal *seal, uint8_t *record, size_t len,
	struct seal_view *ret);
/* Records so far, which is n of the next one. */
uint64_t seal_sent(const struct seal *seal);
uint64_t seal_received(const struct seal *seal);
bool seal_dead(const struct seal *seal);
/* Wipes. Accepts NULL, returns NULL. */
struct seal *seal_free(struct seal *seal);

#endif
