#include "e2e/primitives.h"

#include <limits.h>
#include <openssl/evp.h>
#include <stdlib.h>
#include <string.h>

#include "base/reason.h"
#include "base/secret.h"

struct primitives_aead {
	EVP_CIPHER_CTX *context;
};

static int raw_public(int type, uint8_t ret[static PRIMITIVES_KEY],
	const uint8_t private_key[static PRIMITIVES_KEY])
{
	uint8_t public_key[PRIMITIVES_KEY];
	size_t len = sizeof(public_key);
	EVP_PKEY *key =
		EVP_PKEY_new_raw_private_key(type, NULL, private_key, PRIMITIVES_KEY);
	int ok = key && EVP_PKEY_get_raw_public_key(key, public_key, &len) == 1 &&
		 len == sizeof(public_key);
	EVP_PKEY_free(key);
	if (!ok)
		return -REASON_E2E_FAILED;
	memcpy(ret, public_key, sizeof(public_key));
	return 0;
}

static int raw_generate(int type, uint8_t ret_private[static PRIMITIVES_KEY],
	uint8_t ret_public[static PRIMITIVES_KEY])
{
	uint8_t private_key[PRIMITIVES_KEY];
	int result = secret_random(private_key, sizeof(private_key));
	if (result == 0)
		result = raw_public(type, ret_public, private_key);
	if (result == 0)
		memcpy(ret_private, private_key, sizeof(private_key));
	secret_wipe(private_key, sizeof(private_key));
	return result;
}

int primitives_x25519_generate(uint8_t ret_private[static PRIMITIVES_KEY],
	uint8_t ret_public[static PRIMITIVES_KEY])
{
	return raw_generate(EVP_PKEY_X25519, ret_private, ret_public);
}

int primitives_x25519_public(uint8_t ret_public[static PRIMITIVES_KEY],
	const uint8_t private_key[static PRIMITIVES_KEY])
{
	return raw_public(EVP_PKEY_X25519, ret_public, private_key);
}

int primitives_x25519_dh(uint8_t ret_shared[static PRIMITIVES_KEY],
	const uint8_t private_key[static PRIMITIVES_KEY],
	const uint8_t public_key[static PRIMITIVES_KEY])
{
	static const uint8_t zeros[PRIMITIVES_KEY];
	uint8_t shared[PRIMITIVES_KEY] = {0};
	size_t len = sizeof(shared);
	EVP_PKEY *own = EVP_PKEY_new_raw_private_key(EVP_PKEY_X25519, NULL, private_key,
		PRIMITIVES_KEY);
	EVP_PKEY *peer = EVP_PKEY_new_raw_public_key(EVP_PKEY_X25519, NULL, public_key,
		PRIMITIVES_KEY);
	EVP_PKEY_CTX *context = own ? EVP_PKEY_CTX_new(own, NULL) : NULL;
	int ok = peer && context && EVP_PKEY_derive_init(context) == 1 &&
		 EVP_PKEY_derive_set_peer(context, peer) == 1 &&
		 EVP_PKEY_derive(context, shared, &len) == 1 && len == sizeof(shared) &&
		 !secret_equal(shared, zeros, sizeof(shared));
	if (ok)
		memcpy(ret_shared, shared, sizeof(shared));
	secret_wipe(shared, sizeof(shared));
	EVP_PKEY_CTX_free(context);
	EVP_PKEY_free(peer);
	EVP_PKEY_free(own);
	return ok ? 0 : -REASON_E2E_FAILED;
}

int primitives_ed25519_generate(uint8_t ret_private[static PRIMITIVES_KEY],
	uint8_t ret_public[static PRIMITIVES_KEY])
{
	return raw_generate(EVP_PKEY_ED25519, ret_private, ret_public);
}

int primitives_ed25519_public(uint8_t ret_public[static PRIMITIVES_KEY],
	const uint8_t private_key[static PRIMITIVES_KEY])
{
	return raw_public(EVP_PKEY_ED25519, ret_public, private_key);
}

int primitives_ed25519_sign(uint8_t ret_signature[static PRIMITIVES_SIGNATURE],
	const uint8_t private_key[static PRIMITIVES_KEY], const void *bytes, size_t len)
{
	uint8_t signature[PRIMITIVES_SIGNATURE];
	size_t size = sizeof(signature);
	EVP_PKEY *key = EVP_PKEY_new_raw_private_key(EVP_PKEY_ED25519, NULL, private_key,
		PRIMITIVES_KEY);
	EVP_MD_CTX *context = EVP_MD_CTX_new();
	int ok = key && context &&
		 EVP_DigestSignInit(context, NULL, NULL, NULL, key) == 1 &&
		 EVP_DigestSign(context, signature, &size, bytes, len) == 1 &&
		 size == sizeof(signature);
	EVP_MD_CTX_free(context);
	EVP_PKEY_free(key);
	if (!ok)
		return -REASON_E2E_FAILED;
	memcpy(ret_signature, signature, sizeof(signature));
	return 0;
}

int primitives_ed25519_verify(const uint8_t signature[static PRIMITIVES_SIGNATURE],
	const uint8_t public_key[static PRIMITIVES_KEY], const void *bytes, size_t len)
{
	EVP_PKEY *key = EVP_PKEY_new_raw_public_key(EVP_PKEY_ED25519, NULL, public_key,
		PRIMITIVES_KEY);
	EVP_MD_CTX *context = EVP_MD_CTX_new();
	int ok = key && context &&
		 EVP_DigestVerifyInit(context, NULL, NULL, NULL, key) == 1 &&
		 EVP_DigestVerify(context, signature, PRIMITIVES_SIGNATURE, bytes, len) ==
			 1;
	EVP_MD_CTX_free(context);
	EVP_PKEY_free(key);
	return ok ? 0 : -REASON_E2E_FAILED;
}

int primitives_sha256(uint8_t ret[static PRIMITIVES_HASH], const void *a, size_t a_len,
	const void *b, size_t b_len)
{
	uint8_t hash[PRIMITIVES_HASH];
	EVP_MD_CTX *context = EVP_MD_CTX_new();
	int ok = context && EVP_DigestInit_ex(context, EVP_sha256(), NULL) == 1 &&
		 EVP_DigestUpdate(context, a, a_len) == 1 &&
		 EVP_DigestUpdate(context, b, b_len) == 1 &&
		 EVP_DigestFinal_ex(context, hash, NULL) == 1;
	EVP_MD_CTX_free(context);
	if (ok)
		memcpy(ret, hash, sizeof(hash));
	secret_wipe(hash, sizeof(hash));
	return ok ? 0 : -REASON_NO_MEMORY;
}

int primitives_hmac(uint8_t ret[static PRIMITIVES_HASH],
	const uint8_t key[static PRIMITIVES_HASH], const void *bytes, size_t len)
{
	uint8_t mac[PRIMITIVES_HASH];
	size_t size = 0;
	int ok = EVP_Q_mac(NULL, "HMAC", NULL, "SHA256", NULL, key, PRIMITIVES_HASH,
			 bytes, len, mac, sizeof(mac), &size) &&
		 size == sizeof(mac);
	if (ok)
		memcpy(ret, mac, sizeof(mac));
	secret_wipe(mac, sizeof(mac));
	return ok ? 0 : -REASON_NO_MEMORY;
}

int primitives_hkdf(uint8_t *const ret[], size_t count,
	const uint8_t chaining_key[static PRIMITIVES_HASH], const void *input, size_t len)
{
	uint8_t temp[PRIMITIVES_HASH], outputs[3][PRIMITIVES_HASH];
	uint8_t chained[PRIMITIVES_HASH + 1]; /* output(i) || byte(i + 1) */
	CHECK(count == 2 || count == 3);
	int result = primitives_hmac(temp, chaining_key, input, len);
	for (size_t i = 0; i < count && result == 0; i++) {
		size_t start = i ? 0 : PRIMITIVES_HASH;
		chained[PRIMITIVES_HASH] = (uint8_t)(i + 1);
		result = primitives_hmac(outputs[i], temp, chained + start,
			sizeof(chained) - start);
		memcpy(chained, outputs[i], PRIMITIVES_HASH);
	}
	for (size_t i = 0; i < count && result == 0; i++)
		memcpy(ret[i], outputs[i], PRIMITIVES_HASH);
	secret_wipe(temp, sizeof(temp));
	secret_wipe(outputs, sizeof(outputs));
	secret_wipe(chained, sizeof(chained));
	return result;
}

int primitives_pbkdf2(uint8_t ret[static PRIMITIVES_KEY], const void *secret,
	size_t secret_len, const void *salt, size_t salt_len, unsigned rounds)
{
	uint8_t key[PRIMITIVES_KEY];
	CHECK(secret_len <= INT_MAX && salt_len <= INT_MAX && rounds <= INT_MAX);
	int ok = PKCS5_PBKDF2_HMAC(secret, (int)secret_len, salt, (int)salt_len,
			 (int)rounds, EVP_sha256(), sizeof(key), key) == 1;
	if (ok)
		memcpy(ret, key, sizeof(key));
	secret_wipe(key, sizeof(key));
	return ok ? 0 : -REASON_E2E_FAILED;
}

int primitives_aead_new(struct primitives_aead **ret)
{
	struct primitives_aead *aead = calloc(1, sizeof(*aead));
	if (!aead)
		return -REASON_NO_MEMORY;
	aead->context = EVP_CIPHER_CTX_new();
	/* The cipher is looked up once, here; a later key or nonce keeps it. */
	if (!aead->context || EVP_CipherInit_ex(aead->context, EVP_aes_256_gcm(), NULL,
				      NULL, NULL, 1) != 1) {
		primitives_aead_free(aead);
		return -REASON_NO_MEMORY;
	}
	*ret = aead;
	return 0;
}

int primitives_aead_key(struct primitives_aead *aead,
	const uint8_t key[static PRIMITIVES_KEY])
{
	if (EVP_CipherInit_ex(aead->context, NULL, NULL, key, NULL, 1) != 1)
		return -REASON_E2E_FAILED;
	return 0;
}

static int start(struct primitives_aead *aead, uint64_t n, const void *ad, size_t ad_len,
	int seal)
{
	uint8_t iv[12] = {0};
	for (int i = 0; i < 8; i++)
		iv[4 + i] = (uint8_t)(n >> (56 - 8 * i));
	int moved;
	if (EVP_CipherInit_ex(aead->context, NULL, NULL, NULL, iv, seal) != 1)
		return -REASON_E2E_FAILED;
	if (ad_len && EVP_CipherUpdate(aead->context, NULL, &moved, ad, (int)ad_len) != 1)
		return -REASON_E2E_FAILED;
	return 0;
}

int primitives_aead_seal(struct primitives_aead *aead, uint64_t n, const void *ad,
	size_t ad_len, const uint8_t *plain, size_t len, uint8_t *ret)
{
	int moved = 0, rest = 0;
	if (len > INT_MAX - PRIMITIVES_TAG || ad_len > INT_MAX ||
		start(aead, n, ad, ad_len, 1))
		return -REASON_E2E_FAILED;
	int ok = (!len || EVP_CipherUpdate(aead->context, ret, &moved, plain, (int)len) ==
				  1) &&
		 EVP_CipherFinal_ex(aead->context, ret + moved, &rest) == 1 &&
		 (size_t)moved + (size_t)rest == len &&
		 EVP_CIPHER_CTX_ctrl(aead->context, EVP_CTRL_AEAD_GET_TAG, PRIMITIVES_TAG,
			 ret + len) == 1;
	if (!ok)
		secret_wipe(ret, len + PRIMITIVES_TAG);
	return ok ? 0 : -REASON_E2E_FAILED;
}

int primitives_aead_open(struct primitives_aead *aead, uint64_t n, const void *ad,
	size_t ad_len, const uint8_t *sealed, size_t len, uint8_t *ret)
{
	int moved = 0, rest = 0;
	uint8_t tag[PRIMITIVES_TAG], none;
	if (len < PRIMITIVES_TAG || len > INT_MAX || ad_len > INT_MAX ||
		start(aead, n, ad, ad_len, 0))
		return -REASON_E2E_FAILED;
	len -= PRIMITIVES_TAG;
	memcpy(tag, sealed + len, PRIMITIVES_TAG);
	int ok = (!len || EVP_CipherUpdate(aead->context, ret, &moved, sealed,
				  (int)len) == 1) &&
		 EVP_CIPHER_CTX_ctrl(aead->context, EVP_CTRL_AEAD_SET_TAG, PRIMITIVES_TAG,
			 tag) == 1 &&
		 EVP_CipherFinal_ex(aead->context, len ? ret + moved : &none, &rest) ==
			 1 &&
		 (size_t)moved + (size_t)rest == len;
	if (!ok)
		secret_wipe(ret, len);
	return ok ? 0 : -REASON_E2E_FAILED;
}

struct primitives_aead *primitives_aead_free(struct primitives_aead *aead)
{
	if (aead)
		EVP_CIPHER_CTX_free(aead->context);
	free(aead);
	return NULL;
}
