/* primitives: the cryptographic building blocks; the only file of this part that knows OpenSSL.
 *
 * Thread: functions: any; an aead belongs to one thread at a time. Contexts are made once per key
 * and direction: sealing and opening allocate nothing.
 * Errors: -REASON_E2E_FAILED (bad key, tag or signature), -REASON_NO_RANDOM, -REASON_NO_MEMORY;
 * on error nothing that was computed is left in `ret`.
 * Owner: an aead its caller; everything else is on his stack.
 */
#ifndef E2E_PRIMITIVES_H
#define E2E_PRIMITIVES_H

#include <stddef.h>
#include <stdint.h>

#include "base/check.h"

#define PRIMITIVES_KEY 32 /* X25519 and Ed25519, private and public; AES-256; psk */
#define PRIMITIVES_HASH 32
#define PRIMITIVES_TAG 16
#define PRIMITIVES_SIGNATURE 64

/* X25519, RFC 7748. A result of all zeros (a public key of small order) is refused. */
MUST_CHECK int primitives_x25519_generate(uint8_t ret_private[static PRIMITIVES_KEY],
	uint8_t ret_public[static PRIMITIVES_KEY]);
MUST_CHECK int primitives_x25519_public(uint8_t ret_public[static PRIMITIVES_KEY],
	const uint8_t private_key[static PRIMITIVES_KEY]);
MUST_CHECK int primitives_x25519_dh(uint8_t ret_shared[static PRIMITIVES_KEY],
	const uint8_t private_key[static PRIMITIVES_KEY],
	const uint8_t public_key[static PRIMITIVES_KEY]);

/* Ed25519, RFC 8032; the private key is the 32-byte seed. */
MUST_CHECK int primitives_ed25519_generate(uint8_t ret_private[static PRIMITIVES_KEY],
	uint8_t ret_public[static PRIMITIVES_KEY]);
MUST_CHECK int primitives_ed25519_public(uint8_t ret_public[static PRIMITIVES_KEY],
	const uint8_t private_key[static PRIMITIVES_KEY]);
MUST_CHECK int primitives_ed25519_sign(uint8_t ret_signature[static PRIMITIVES_SIGNATURE],
	const uint8_t private_key[static PRIMITIVES_KEY], const void *bytes, size_t len);
MUST_CHECK int
primitives_ed25519_verify(const uint8_t signature[static PRIMITIVES_SIGNATURE],
	const uint8_t public_key[static PRIMITIVES_KEY], const void *bytes, size_t len);

/* SHA-256 of a || b; either may be empty. `ret` may be the same memory as `a`. */
MUST_CHECK int primitives_sha256(uint8_t ret[static PRIMITIVES_HASH], const void *a,
	size_t a_len, const void *b, size_t b_len);
MUST_CHECK int primitives_hmac(uint8_t ret[static PRIMITIVES_HASH],
	const uint8_t key[static PRIMITIVES_HASH], const void *bytes, size_t len);
/* HKDF as Noise revision 34 section 4.3 has it: `count` outputs of 32 bytes, 2 or 3. Outputs may
 * be the same memory as `chaining_key`. */
MUST_CHECK int primitives_hkdf(uint8_t *const ret[], size_t count,
	const uint8_t chaining_key[static PRIMITIVES_HASH], const void *input,
	size_t len);
MUST_CHECK int primitives_pbkdf2(uint8_t ret[static PRIMITIVES_KEY], const void *secret,
	size_t secret_len, const void *salt, size_t salt_len, unsigned rounds);

/* AES-256-GCM with the nonce of Noise section 12.4: four zero bytes, then `n` big-endian. */
struct primitives_aead;

MUST_CHECK int primitives_aead_new(struct primitives_aead **ret);
MUST_CHECK int primitives_aead_key(struct primitives_aead *aead,
	const uint8_t key[static PRIMITIVES_KEY]);
/* Writes len + 16 bytes. `ret` is `plain` itself, or does not overlap it. */
MUST_CHECK int primitives_aead_seal(struct primitives_aead *aead, uint64_t n,
	const void *ad, size_t ad_len, const uint8_t *plain, size_t len, uint8_t *ret);
/* Writes len - 16 bytes. On error they are wiped: nobody sees what was not authenticated. */
MUST_CHECK int primitives_aead_open(struct primitives_aead *aead, uint64_t n,
	const void *ad, size_t ad_len, const uint8_t *sealed, size_t len, uint8_t *ret);
/* Wipes the key. Accepts NULL, returns NULL. */
struct primitives_aead *primitives_aead_free(struct primitives_aead *aead);

#endif
