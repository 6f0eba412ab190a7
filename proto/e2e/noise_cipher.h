/* noise_cipher: the CipherState of Noise revision 34 section 5.1: a key, a counter, and nothing
 * that could use one of them twice.
 *
 * Thread: that of the owner. Errors: -REASON_E2E_FAILED; the first one wipes the key, and every
 * later call fails: there is no resynchronising and no second try. -REASON_NO_MEMORY.
 */
#ifndef E2E_NOISE_CIPHER_H
#define E2E_NOISE_CIPHER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/check.h"
#include "e2e/primitives.h"

/* Records per key (SECURITY section 3): at most 4 GiB, far below the bounds of AES-GCM. */
#define NOISE_CIPHER_REKEY_EVERY 65536
/* The nonce 2^64-1 belongs to REKEY; no message ever uses it. */
#define NOISE_CIPHER_N_MAX UINT64_MAX

struct noise_cipher;

/* Without a key. `rekey_every`: when n becomes a multiple of it, k = REKEY(k); 0 is never (the
 * handshake's own CipherState); tests use small ones. */
MUST_CHECK int noise_cipher_new(struct noise_cipher **ret, uint64_t rekey_every);
/* InitializeKey: n = 0. */
MUST_CHECK int noise_cipher_initialize_key(struct noise_cipher *cipher,
	const uint8_t key[static PRIMITIVES_KEY]);
bool noise_cipher_has_key(const struct noise_cipher *cipher);
/* n of the next message. */
uint64_t noise_cipher_nonce(const struct noise_cipher *cipher);
/* SetNonce: only forward, so that no (key, n) can come again; going back kills the cipher. */
MUST_CHECK int noise_cipher_set_nonce(struct noise_cipher *cipher, uint64_t n);
/* EncryptWithAd: len + 16 bytes; without a key `len` bytes as they are. `ret` may be `plain`. */
MUST_CHECK int noise_cipher_encrypt_with_ad(struct noise_cipher *cipher, const void *ad,
	size_t ad_len, const uint8_t *plain, size_t len, uint8_t *ret);
/* DecryptWithAd: len - 16 bytes; without a key `len` bytes as they are. `ret` may be `sealed`. */
MUST_CHECK int noise_cipher_decrypt_with_ad(struct noise_cipher *cipher, const void *ad,
	size_t ad_len, const uint8_t *sealed, size_t len, uint8_t *ret);
MUST_CHECK int noise_cipher_rekey(struct noise_cipher *cipher);
/* Wipes the key and refuses everything from now on. */
void noise_cipher_kill(struct noise_cipher *cipher);
/* Wipes. Accepts NULL, returns NULL. */
struct noise_cipher *noise_cipher_free(struct noise_cipher *cipher);

#endif
