/* noise_symmetric: the SymmetricState of Noise revision 34 section 5.2: chaining key ck, hash h and
 * the handshake's CipherState.
 *
 * Thread: that of the owner. Errors: -REASON_E2E_FAILED, -REASON_NO_MEMORY; the handshake that
 * owns it ends itself at the first one.
 */
#ifndef E2E_NOISE_SYMMETRIC_H
#define E2E_NOISE_SYMMETRIC_H

#include "e2e/noise_cipher.h"

struct noise_symmetric {
	uint8_t ck[PRIMITIVES_HASH], h[PRIMITIVES_HASH];
	struct noise_cipher *cipher;
};

/* InitializeSymmetric. */
MUST_CHECK int noise_symmetric_init(struct noise_symmetric *symmetric,
	const char *protocol);
MUST_CHECK int noise_symmetric_mix_key(struct noise_symmetric *symmetric,
	const uint8_t input[static PRIMITIVES_KEY]);
MUST_CHECK int noise_symmetric_mix_hash(struct noise_symmetric *symmetric,
	const void *bytes, size_t len);
MUST_CHECK int noise_symmetric_mix_key_and_hash(struct noise_symmetric *symmetric,
	const uint8_t input[static PRIMITIVES_KEY]);
/* EncryptAndHash: *ret_len is len, or len + 16 when there is a key. */
MUST_CHECK int noise_symmetric_encrypt_and_hash(struct noise_symmetric *symmetric,
	const uint8_t *plain, size_t len, uint8_t *ret, size_t *ret_len);
/* DecryptAndHash: *ret_len is len, or len - 16 when there is a key. */
MUST_CHECK int noise_symmetric_decrypt_and_hash(struct noise_symmetric *symmetric,
	const uint8_t *sealed, size_t len, uint8_t *ret, size_t *ret_len);
/* Split: first = initiator to responder. */
MUST_CHECK int noise_symmetric_split(struct noise_symmetric *symmetric,
	uint64_t rekey_every, struct noise_cipher **ret_first,
	struct noise_cipher **ret_second);
/* Wipes. Harmless on a zeroed or half-built one, and twice. */
void noise_symmetric_done(struct noise_symmetric *symmetric);

#endif
