#include "rules/digest.h"

#include <openssl/evp.h>
#include <string.h>

#include "base/reason.h"
#include "base/text.h"

int digest_sha256(const void *bytes, size_t len, uint8_t ret[static DIGEST_SIZE])
{
	return EVP_Digest(bytes, len, ret, NULL, EVP_sha256(), NULL) ? 0
								     : -REASON_NO_MEMORY;
}

/* The points of small order and their non-canonical spellings: with one of them as a key there are
 * signatures that fit many messages, so it proves nothing about who signed. */
static int is_weak(const uint8_t key[static 32])
{
	static const char *const weak[] = {
		"0000000000000000000000000000000000000000000000000000000000000000",
		"0100000000000000000000000000000000000000000000000000000000000000",
		"26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05",
		"c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a",
		"ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
		"edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
		"eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
	};
	uint8_t mine[32], other[32];
	memcpy(mine, key, 32);
	mine[31] &= 0x7f; /* the sign of x */
	for (size_t i = 0; i < ARRAY_LEN(weak); i++) {
		CHECK(text_unhex(other, 32, weak[i]) == 0);
		if (memcmp(mine, other, 32) == 0)
			return 1;
	}
	return 0;
}

int digest_verify(const uint8_t device[static 32], const void *bytes, size_t len,
	const uint8_t signature[static 64])
{
	int good = 0;
	if (is_weak(device))
		return -REASON_PROOF_WRONG;
	EVP_PKEY *key = EVP_PKEY_new_raw_public_key(EVP_PKEY_ED25519, NULL, device, 32);
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	if (key && ctx && EVP_DigestVerifyInit(ctx, NULL, NULL, NULL, key) == 1)
		good = EVP_DigestVerify(ctx, signature, 64, bytes, len) == 1;
	EVP_MD_CTX_free(ctx);
	EVP_PKEY_free(key);
	return good ? 0 : -REASON_PROOF_WRONG;
}

int digest_device(const uint8_t device[static 32], char ret[static DIGEST_DEVICE_SIZE])
{
	uint8_t hash[DIGEST_SIZE];
	int r = digest_sha256(device, 32, hash);
	if (r)
		return r;
	memcpy(ret, "dev_", 4);
	text_hex(ret + 4, hash, 8);
	return 0;
}
