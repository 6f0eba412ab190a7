#include "e2e/noise_cipher.h"

#include <stdlib.h>
#include <string.h>

#include "base/reason.h"
#include "base/secret.h"

struct noise_cipher {
	struct primitives_aead *aead;
	uint64_t n, rekey_every;
	bool has_key, dead;
};

int noise_cipher_new(struct noise_cipher **ret, uint64_t rekey_every)
{
	struct noise_cipher *cipher = calloc(1, sizeof(*cipher));
	if (!cipher)
		return -REASON_NO_MEMORY;
	int result = primitives_aead_new(&cipher->aead);
	if (result < 0) {
		noise_cipher_free(cipher);
		return result;
	}
	cipher->rekey_every = rekey_every;
	*ret = cipher;
	return 0;
}

int noise_cipher_initialize_key(struct noise_cipher *cipher,
	const uint8_t key[static PRIMITIVES_KEY])
{
	if (cipher->dead)
		return -REASON_E2E_FAILED;
	int result = primitives_aead_key(cipher->aead, key);
	if (result < 0) {
		noise_cipher_kill(cipher);
		return result;
	}
	cipher->has_key = true;
	cipher->n = 0;
	return 0;
}

bool noise_cipher_has_key(const struct noise_cipher *cipher)
{
	return cipher->has_key;
}

uint64_t noise_cipher_nonce(const struct noise_cipher *cipher)
{
	return cipher->n;
}

int noise_cipher_set_nonce(struct noise_cipher *cipher, uint64_t n)
{
	if (cipher->dead || n < cipher->n) {
		noise_cipher_kill(cipher);
		return -REASON_E2E_FAILED;
	}
	cipher->n = n;
	return 0;
}

int noise_cipher_rekey(struct noise_cipher *cipher)
{
	static const uint8_t zeros[PRIMITIVES_KEY];
	uint8_t next[PRIMITIVES_KEY + PRIMITIVES_TAG];
	if (cipher->dead || !cipher->has_key)
		return -REASON_E2E_FAILED;
	int result = primitives_aead_seal(cipher->aead, NOISE_CIPHER_N_MAX, NULL, 0,
		zeros, sizeof(zeros), next);
	if (result == 0)
		result = primitives_aead_key(cipher->aead, next);
	secret_wipe(next, sizeof(next));
	if (result < 0)
		noise_cipher_kill(cipher);
	return result;
}

/* n of a message that went well is gone for ever, and at the border so is its key. */
static int advance(struct noise_cipher *cipher)
{
	cipher->n++;
	if (cipher->rekey_every && cipher->n % cipher->rekey_every == 0)
		return noise_cipher_rekey(cipher);
	return 0;
}

/* primitives_aead_seal or primitives_aead_open: what surrounds them must not differ. */
static int crypt_with_ad(struct noise_cipher *cipher, typeof(primitives_aead_seal) *aead,
	const void *ad, size_t ad_len, const uint8_t *from, size_t len, uint8_t *ret)
{
	if (cipher->dead)
		return -REASON_E2E_FAILED;
	if (!cipher->has_key) {
		if (len)
			memmove(ret, from, len);
		return 0;
	}
	int result = -REASON_E2E_FAILED;
	if (cipher->n != NOISE_CIPHER_N_MAX)
		result = aead(cipher->aead, cipher->n, ad, ad_len, from, len, ret);
	if (result == 0)
		result = advance(cipher);
	if (result < 0)
		noise_cipher_kill(cipher);
	return result;
}

int noise_cipher_encrypt_with_ad(struct noise_cipher *cipher, const void *ad,
	size_t ad_len, const uint8_t *plain, size_t len, uint8_t *ret)
{
	return crypt_with_ad(cipher, primitives_aead_seal, ad, ad_len, plain, len, ret);
}

int noise_cipher_decrypt_with_ad(struct noise_cipher *cipher, const void *ad,
	size_t ad_len, const uint8_t *sealed, size_t len, uint8_t *ret)
{
	return crypt_with_ad(cipher, primitives_aead_open, ad, ad_len, sealed, len, ret);
}

void noise_cipher_kill(struct noise_cipher *cipher)
{
	/* The key schedule is wiped with the context that holds it. */
	cipher->aead = primitives_aead_free(cipher->aead);
	cipher->has_key = false;
	cipher->dead = true;
}

struct noise_cipher *noise_cipher_free(struct noise_cipher *cipher)
{
	if (cipher)
		primitives_aead_free(cipher->aead);
	free(cipher);
	return NULL;
}
