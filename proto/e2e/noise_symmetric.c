#include "e2e/noise_symmetric.h"

#include <string.h>

#include "base/reason.h"
#include "base/secret.h"

int noise_symmetric_init(struct noise_symmetric *symmetric, const char *protocol)
{
	size_t len = strlen(protocol);
	memset(symmetric->h, 0, sizeof(symmetric->h));
	int result = 0;
	if (len <= sizeof(symmetric->h))
		memcpy(symmetric->h, protocol, len);
	else
		result = primitives_sha256(symmetric->h, protocol, len, NULL, 0);
	if (result < 0)
		return result;
	memcpy(symmetric->ck, symmetric->h, sizeof(symmetric->ck));
	return noise_cipher_new(&symmetric->cipher, 0);
}

int noise_symmetric_mix_key(struct noise_symmetric *symmetric,
	const uint8_t input[static PRIMITIVES_KEY])
{
	uint8_t key[PRIMITIVES_KEY];
	int result = primitives_hkdf((uint8_t *const[]){symmetric->ck, key}, 2,
		symmetric->ck, input, PRIMITIVES_KEY);
	if (result == 0)
		result = noise_cipher_initialize_key(symmetric->cipher, key);
	secret_wipe(key, sizeof(key));
	return result;
}

int noise_symmetric_mix_hash(struct noise_symmetric *symmetric, const void *bytes,
	size_t len)
{
	return primitives_sha256(symmetric->h, symmetric->h, sizeof(symmetric->h), bytes,
		len);
}

int noise_symmetric_mix_key_and_hash(struct noise_symmetric *symmetric,
	const uint8_t input[static PRIMITIVES_KEY])
{
	uint8_t hash[PRIMITIVES_HASH], key[PRIMITIVES_KEY];
	int result = primitives_hkdf((uint8_t *const[]){symmetric->ck, hash, key}, 3,
		symmetric->ck, input, PRIMITIVES_KEY);
	if (result == 0)
		result = noise_symmetric_mix_hash(symmetric, hash, sizeof(hash));
	if (result == 0)
		result = noise_cipher_initialize_key(symmetric->cipher, key);
	secret_wipe(hash, sizeof(hash));
	secret_wipe(key, sizeof(key));
	return result;
}

int noise_symmetric_encrypt_and_hash(struct noise_symmetric *symmetric,
	const uint8_t *plain, size_t len, uint8_t *ret, size_t *ret_len)
{
	size_t sealed = len;
	if (noise_cipher_has_key(symmetric->cipher))
		sealed += PRIMITIVES_TAG;
	int result = noise_cipher_encrypt_with_ad(symmetric->cipher, symmetric->h,
		sizeof(symmetric->h), plain, len, ret);
	if (result == 0)
		result = noise_symmetric_mix_hash(symmetric, ret, sealed);
	if (result == 0)
		*ret_len = sealed;
	return result;
}

int noise_symmetric_decrypt_and_hash(struct noise_symmetric *symmetric,
	const uint8_t *sealed, size_t len, uint8_t *ret, size_t *ret_len)
{
	size_t tag = noise_cipher_has_key(symmetric->cipher) ? PRIMITIVES_TAG : 0;
	uint8_t h[PRIMITIVES_HASH];
	if (len < tag)
		return -REASON_E2E_FAILED;
	/* h covers the ciphertext, which decrypting in place would overwrite: taken first, kept
	 * only if it opens. */
	int result =
		primitives_sha256(h, symmetric->h, sizeof(symmetric->h), sealed, len);
	if (result == 0)
		result = noise_cipher_decrypt_with_ad(symmetric->cipher, symmetric->h,
			sizeof(symmetric->h), sealed, len, ret);
	if (result < 0)
		return result;
	memcpy(symmetric->h, h, sizeof(h));
	*ret_len = len - tag;
	return 0;
}

int noise_symmetric_split(struct noise_symmetric *symmetric, uint64_t rekey_every,
	struct noise_cipher **ret_first, struct noise_cipher **ret_second)
{
	uint8_t keys[2][PRIMITIVES_KEY];
	struct noise_cipher *ciphers[2] = {NULL, NULL};
	int result = primitives_hkdf((uint8_t *const[]){keys[0], keys[1]}, 2,
		symmetric->ck, NULL, 0);
	for (int i = 0; i < 2 && result == 0; i++) {
		result = noise_cipher_new(&ciphers[i], rekey_every);
		if (result == 0)
			result = noise_cipher_initialize_key(ciphers[i], keys[i]);
	}
	secret_wipe(keys, sizeof(keys));
	if (result < 0) {
		noise_cipher_free(ciphers[0]);
		noise_cipher_free(ciphers[1]);
		return result;
	}
	*ret_first = ciphers[0];
	*ret_second = ciphers[1];
	return 0;
}

void noise_symmetric_done(struct noise_symmetric *symmetric)
{
	symmetric->cipher = noise_cipher_free(symmetric->cipher);
	secret_wipe(symmetric->ck, sizeof(symmetric->ck));
	secret_wipe(symmetric->h, sizeof(symmetric->h));
}
