#include "directory/oidc_visit.h"

#include <jansson.h>
#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/kdf.h>
#include <openssl/params.h>
#include <stdlib.h>
#include <string.h>

#include "base/reason.h"
#include "base/secret.h"
#include "base/text.h"
#include "rules/digest.h"

#define NONCE 12
#define TAG 16
#define PLAIN 780

int oidc_visit_key(const uint8_t master[static 32], uint8_t ret[static OIDC_VISIT_KEY])
{
	static char digest[] = "SHA256", info[] = "engawa oidc visit";
	EVP_KDF *kdf = EVP_KDF_fetch(NULL, "HKDF", NULL);
	EVP_KDF_CTX *ctx = kdf ? EVP_KDF_CTX_new(kdf) : NULL;
	OSSL_PARAM params[] = {
		OSSL_PARAM_construct_utf8_string(OSSL_KDF_PARAM_DIGEST, digest, 0),
		OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_KEY, (void *)master, 32),
		OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_INFO, info,
			sizeof(info) - 1),
		OSSL_PARAM_construct_end()};
	int good = ctx && EVP_KDF_derive(ctx, ret, OIDC_VISIT_KEY, params) == 1;
	EVP_KDF_CTX_free(ctx);
	EVP_KDF_free(kdf);
	return good ? 0 : -REASON_INTERNAL;
}

static int draw(char ret[static OIDC_VISIT_WORD])
{
	uint8_t bytes[32];
	int r = secret_random(bytes, sizeof(bytes));
	if (r == 0)
		text_b64(ret, bytes, sizeof(bytes));
	secret_wipe(bytes, sizeof(bytes));
	return r;
}

int oidc_visit_new(const char *directory, const char *back, int64_t now_ms,
	struct oidc_visit *ret)
{
	struct oidc_visit visit = {.until_ms = now_ms + OIDC_VISIT_MS};
	int r = text_copy(visit.directory, sizeof(visit.directory), directory);
	if (r == 0)
		r = text_copy(visit.back, sizeof(visit.back), back);
	if (r == 0)
		r = draw(visit.state);
	if (r == 0)
		r = draw(visit.nonce);
	if (r == 0)
		r = draw(visit.verifier);
	if (r == 0)
		*ret = visit;
	return r;
}

static int encrypt(const uint8_t *key, const char *plain, size_t len, uint8_t *out)
{
	EVP_CIPHER_CTX *ctx = EVP_CIPHER_CTX_new();
	int part, end;
	int good =
		ctx && EVP_EncryptInit_ex(ctx, EVP_aes_256_gcm(), NULL, key, out) == 1 &&
		EVP_EncryptUpdate(ctx, out + NONCE, &part, (const uint8_t *)plain,
			(int)len) == 1 &&
		EVP_EncryptFinal_ex(ctx, out + NONCE + part, &end) == 1 &&
		EVP_CIPHER_CTX_ctrl(ctx, EVP_CTRL_GCM_GET_TAG, TAG, out + NONCE + len) ==
			1;
	EVP_CIPHER_CTX_free(ctx);
	return good ? 0 : -REASON_INTERNAL;
}

static int decrypt(const uint8_t *key, const uint8_t *in, size_t len, char *plain)
{
	EVP_CIPHER_CTX *ctx = EVP_CIPHER_CTX_new();
	int part, end;
	int good =
		ctx && EVP_DecryptInit_ex(ctx, EVP_aes_256_gcm(), NULL, key, in) == 1 &&
		EVP_DecryptUpdate(ctx, (uint8_t *)plain, &part, in + NONCE, (int)len) ==
			1 &&
		EVP_CIPHER_CTX_ctrl(ctx, EVP_CTRL_GCM_SET_TAG, TAG,
			(void *)(in + NONCE + len)) == 1 &&
		EVP_DecryptFinal_ex(ctx, (uint8_t *)plain + part, &end) == 1;
	EVP_CIPHER_CTX_free(ctx);
	plain[len] = 0;
	return good ? 0 : -REASON_DIRECTORY_REFUSED;
}

int oidc_visit_seal(const uint8_t key[static OIDC_VISIT_KEY],
	const struct oidc_visit *visit, char ret[static OIDC_VISIT_SIZE])
{
	uint8_t bytes[NONCE + PLAIN + TAG];
	json_t *object = json_pack("{s:s, s:s, s:s, s:s, s:s, s:s, s:I}", "directory",
		visit->directory, "state", visit->state, "nonce", visit->nonce,
		"verifier", visit->verifier, "back", visit->back, "account",
		visit->account, "until_ms", (json_int_t)visit->until_ms);
	char *plain = object ? json_dumps(object, JSON_COMPACT) : NULL;
	size_t len = plain ? strlen(plain) : 0;
	int r = !plain ? -REASON_NO_MEMORY : len > PLAIN ? -REASON_LIMIT : 0;
	if (r == 0)
		r = secret_random(bytes, NONCE);
	if (r == 0)
		r = encrypt(key, plain, len, bytes);
	if (r == 0)
		text_b64(ret, bytes, NONCE + len + TAG);
	free(plain);
	json_decref(object);
	return r;
}

static int take(const json_t *object, const char *name, char *ret, size_t size)
{
	const char *text = json_string_value(json_object_get(object, name));
	return !text || text_copy(ret, size, text) ? -REASON_DIRECTORY_REFUSED : 0;
}

static int read_visit(const json_t *object, struct oidc_visit *visit)
{
	int r = take(object, "directory", visit->directory, sizeof(visit->directory));
	if (r == 0)
		r = take(object, "state", visit->state, sizeof(visit->state));
	if (r == 0)
		r = take(object, "nonce", visit->nonce, sizeof(visit->nonce));
	if (r == 0)
		r = take(object, "verifier", visit->verifier, sizeof(visit->verifier));
	if (r == 0)
		r = take(object, "back", visit->back, sizeof(visit->back));
	if (r == 0)
		r = take(object, "account", visit->account, sizeof(visit->account));
	visit->until_ms = json_integer_value(json_object_get(object, "until_ms"));
	return r;
}

int oidc_visit_open(const uint8_t key[static OIDC_VISIT_KEY], const char *text,
	int64_t now_ms, struct oidc_visit *ret)
{
	uint8_t bytes[NONCE + PLAIN + TAG];
	char plain[PLAIN + 1];
	struct oidc_visit visit = {0};
	size_t len;
	if (text_unb64(bytes, sizeof(bytes), &len, text) || len < NONCE + TAG ||
		decrypt(key, bytes, len - NONCE - TAG, plain))
		return -REASON_DIRECTORY_REFUSED;
	json_t *object = json_loads(plain, 0, NULL);
	int r = object ? read_visit(object, &visit) : -REASON_DIRECTORY_REFUSED;
	json_decref(object);
	if (r == 0 &&
		(visit.until_ms <= now_ms || visit.until_ms > now_ms + 2 * OIDC_VISIT_MS))
		r = -REASON_DIRECTORY_REFUSED;
	if (r == 0)
		*ret = visit;
	return r;
}

int oidc_visit_challenge(const struct oidc_visit *visit, char ret[static OIDC_VISIT_WORD])
{
	uint8_t hash[DIGEST_SIZE];
	int r = digest_sha256(visit->verifier, strlen(visit->verifier), hash);
	if (r == 0)
		text_b64(ret, hash, sizeof(hash));
	return r;
}
