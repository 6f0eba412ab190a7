/* sealed_box: the cipher of what is sealed at rest, and the text in which a box stands in a store.
 *
 * XAES-256-GCM (C2SP): AES-256-GCM under a key that is derived anew for each box from the data key
 * and the first half of a random 192-bit nonce; the other half is the GCM nonce. Plain GCM would
 * bear 2^32 boxes per key with random nonces, and a counter could repeat after a restore or between
 * nodes; with this nobody has to count.
 *
 *   box   = nonce, 24 bytes || ciphertext || tag, 16 bytes
 *   text  = {"sealed":1,"key":GENERATION,"box":"base64url"}, exactly so, without blanks
 *
 * Thread: any; no state. Errors: -REASON_NO_MEMORY, -REASON_NO_RANDOM, -REASON_STATE_DAMAGED (not
 * this key, not this place, or changed).
 */
#ifndef SEALED_SEALED_BOX_H
#define SEALED_SEALED_BOX_H

#include <stddef.h>
#include <stdint.h>

#include "base/check.h"

#define SEALED_BOX_KEY 32
#define SEALED_BOX_NONCE 24
#define SEALED_BOX_MORE                                                                  \
	(SEALED_BOX_NONCE + 16) /* a box is so much longer than what is in it */

/* Bytes that are bound to a box without being in it; a box opens only with the same. */
struct sealed_place {
	uint8_t bytes[320];
	size_t len;
};
/* Adds a part; parts cannot run into each other. They must fit: ids and tenants have limits. */
void sealed_box_bind(struct sealed_place *place, const char *part);
void sealed_box_bind_number(struct sealed_place *place, int64_t number);

/* `ret` has room for len + SEALED_BOX_MORE. */
MUST_CHECK int sealed_box_close(const uint8_t key[static SEALED_BOX_KEY],
	const struct sealed_place *place, const void *plain, size_t len, uint8_t *ret);
/* `ret` has room for len - SEALED_BOX_MORE. */
MUST_CHECK int sealed_box_open(const uint8_t key[static SEALED_BOX_KEY],
	const struct sealed_place *place, const uint8_t *box, size_t len, uint8_t *ret);
/* With a nonce of the caller's, for the vectors of the specification. */
MUST_CHECK int sealed_box_close_with(const uint8_t nonce[static SEALED_BOX_NONCE],
	const uint8_t key[static SEALED_BOX_KEY], const struct sealed_place *place,
	const void *plain, size_t len, uint8_t *ret);

/* HKDF-SHA256 (RFC 5869) of a key that is uniformly random; `salt` may be NULL. */
MUST_CHECK int sealed_box_derive(const uint8_t key[static SEALED_BOX_KEY],
	const uint8_t *salt, size_t salt_len, const char *info,
	uint8_t ret[static SEALED_BOX_KEY]);

/* Whether a text has the form of a sealed body. */
int sealed_box_is_text(const char *text);
/* Seals `len` bytes into a text that the caller frees. */
MUST_CHECK int sealed_box_text(const uint8_t key[static SEALED_BOX_KEY],
	uint32_t generation, const struct sealed_place *place, const void *plain,
	size_t len, char **ret);
/* The number of the key; 0: the text is not of the form. */
uint32_t sealed_box_generation(const char *text);
/* Bytes that opening this text can give at most, the NUL behind them counted. */
size_t sealed_box_room(const char *text);
/* Opens a text into `ret`, which has sealed_box_room(); puts a NUL behind. */
MUST_CHECK int sealed_box_untext(const uint8_t key[static SEALED_BOX_KEY],
	const struct sealed_place *place, const char *text, char *ret, size_t *ret_len);

#endif
