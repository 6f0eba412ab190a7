#include "store/journal_checkpoint.h"

#include <inttypes.h>
#include <jansson.h>
#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/kdf.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/reason.h"
#include "base/secret.h"
#include "base/text.h"

#define INFO "engawa journal checkpoint 1"
#define SEED 32
#define SIGNED_MAX 512

struct journal_signer {
	EVP_PKEY *key;
	uint8_t public_key[JOURNAL_CHECKPOINT_PUBLIC];
};

static int derive(const uint8_t *master, uint8_t ret[static SEED])
{
	char digest[] = "SHA256", info[] = INFO;
	OSSL_PARAM params[] = {
		OSSL_PARAM_construct_utf8_string(OSSL_KDF_PARAM_DIGEST, digest, 0),
		OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_KEY, (void *)master, 32),
		OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_INFO, info,
			strlen(INFO)),
		OSSL_PARAM_construct_end()};
	EVP_KDF *kdf = EVP_KDF_fetch(NULL, "HKDF", NULL);
	EVP_KDF_CTX *ctx = kdf ? EVP_KDF_CTX_new(kdf) : NULL;
	int good = ctx && EVP_KDF_derive(ctx, ret, SEED, params) > 0;
	EVP_KDF_CTX_free(ctx);
	EVP_KDF_free(kdf);
	return good ? 0 : -REASON_NO_MEMORY;
}

int journal_checkpoint_signer_new(const uint8_t *master, struct journal_signer **ret)
{
	uint8_t seed[SEED];
	size_t len = JOURNAL_CHECKPOINT_PUBLIC;
	struct journal_signer *signer = calloc(1, sizeof(*signer));
	int r = signer ? derive(master, seed) : -REASON_NO_MEMORY;
	if (r == 0) {
		signer->key = EVP_PKEY_new_raw_private_key(EVP_PKEY_ED25519, NULL, seed,
			sizeof(seed));
		if (!signer->key || EVP_PKEY_get_raw_public_key(signer->key,
					    signer->public_key, &len) <= 0)
			r = -REASON_NO_MEMORY;
	}
	secret_wipe(seed, sizeof(seed));
	if (r)
		journal_checkpoint_signer_free(signer);
	else
		*ret = signer;
	return r;
}

struct journal_signer *journal_checkpoint_signer_free(struct journal_signer *signer)
{
	if (!signer)
		return NULL;
	EVP_PKEY_free(signer->key);
	free(signer);
	return NULL;
}

void journal_checkpoint_signer_public(const struct journal_signer *signer,
	uint8_t ret[static JOURNAL_CHECKPOINT_PUBLIC])
{
	memcpy(ret, signer->public_key, JOURNAL_CHECKPOINT_PUBLIC);
}

/* ---- what is signed ---------------------------------------------------------------------- */

struct signed_text {
	uint8_t bytes[SIGNED_MAX];
	size_t len;
};

static void add(struct signed_text *text, const void *bytes, size_t len)
{
	CHECK(text->len + len + 24 < sizeof(text->bytes));
	text->len += (size_t)snprintf((char *)text->bytes + text->len,
		sizeof(text->bytes) - text->len, "%zu:", len);
	memcpy(text->bytes + text->len, bytes, len);
	text->len += len;
	text->bytes[text->len++] = ',';
}

static void add_number(struct signed_text *text, int64_t number)
{
	char digits[24];
	int len = snprintf(digits, sizeof(digits), "%" PRId64, number);
	add(text, digits, (size_t)len);
}

static struct signed_text text_of(const struct journal_checkpoint *checkpoint)
{
	struct signed_text text = {.len = 0};
	add(&text, "engawa-checkpoint-1", strlen("engawa-checkpoint-1"));
	add_number(&text, (int64_t)checkpoint->point.seq);
	add(&text, checkpoint->point.hash, JOURNAL_HASH);
	add_number(&text, checkpoint->point.at_ms);
	add(&text, checkpoint->node, strlen(checkpoint->node));
	add_number(&text, (int64_t)checkpoint->rows);
	return text;
}

int journal_checkpoint_sign(const struct journal_signer *signer,
	struct journal_checkpoint *checkpoint)
{
	struct signed_text text = text_of(checkpoint);
	size_t len = JOURNAL_CHECKPOINT_SIGNATURE;
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	int good = ctx && EVP_DigestSignInit(ctx, NULL, NULL, NULL, signer->key) > 0 &&
		   EVP_DigestSign(ctx, checkpoint->signature, &len, text.bytes,
			   text.len) > 0;
	EVP_MD_CTX_free(ctx);
	return good ? 0 : -REASON_NO_MEMORY;
}

int journal_checkpoint_check(const struct journal_signer *signer,
	const struct journal_checkpoint *checkpoint)
{
	struct signed_text text = text_of(checkpoint);
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	if (!ctx || EVP_DigestVerifyInit(ctx, NULL, NULL, NULL, signer->key) <= 0) {
		EVP_MD_CTX_free(ctx);
		return -REASON_NO_MEMORY;
	}
	int good = EVP_DigestVerify(ctx, checkpoint->signature,
			   JOURNAL_CHECKPOINT_SIGNATURE, text.bytes, text.len) == 1;
	EVP_MD_CTX_free(ctx);
	return good ? 0 : -REASON_PROOF_WRONG;
}

/* ---- as JSON ----------------------------------------------------------------------------- */

int journal_checkpoint_write(const struct journal_checkpoint *checkpoint, char **ret)
{
	char hash[TEXT_HEX_SIZE(JOURNAL_HASH)];
	char signature[TEXT_B64_SIZE(JOURNAL_CHECKPOINT_SIGNATURE)];
	text_hex(hash, checkpoint->point.hash, JOURNAL_HASH);
	text_b64(signature, checkpoint->signature, JOURNAL_CHECKPOINT_SIGNATURE);
	json_t *object = json_pack("{s:I, s:s, s:I, s:s, s:I, s:s}", "seq",
		(json_int_t)checkpoint->point.seq, "hash", hash, "at_ms",
		(json_int_t)checkpoint->point.at_ms, "node", checkpoint->node, "rows",
		(json_int_t)checkpoint->rows, "signature", signature);
	char *text = object ? json_dumps(object, JSON_COMPACT) : NULL;
	json_decref(object);
	if (!text)
		return -REASON_NO_MEMORY;
	*ret = text;
	return 0;
}

static int fill(struct journal_checkpoint *ret, const char *hash, const char *node,
	const char *signature)
{
	size_t len = 0;
	if (text_unhex(ret->point.hash, JOURNAL_HASH, hash) ||
		text_copy(ret->node, sizeof(ret->node), node) ||
		text_unb64(ret->signature, JOURNAL_CHECKPOINT_SIGNATURE, &len,
			signature) ||
		len != JOURNAL_CHECKPOINT_SIGNATURE)
		return -REASON_BAD_VALUE;
	return 0;
}

int journal_checkpoint_read(const char *text, struct journal_checkpoint *ret)
{
	const char *hash, *node, *signature;
	json_int_t seq, at_ms, rows;
	struct journal_checkpoint found = {.rows = 0};
	json_t *object = json_loads(text, JSON_REJECT_DUPLICATES, NULL);
	int r = -REASON_BAD_VALUE;
	if (!json_unpack(object, "{s:I, s:s, s:I, s:s, s:I, s:s}", "seq", &seq, "hash",
		    &hash, "at_ms", &at_ms, "node", &node, "rows", &rows, "signature",
		    &signature) &&
		seq > 0 && rows >= 0)
		r = fill(&found, hash, node, signature);
	if (r == 0) {
		found.point.seq = (uint64_t)seq;
		found.point.at_ms = at_ms;
		found.rows = (uint64_t)rows;
		*ret = found;
	}
	json_decref(object);
	return r;
}

void journal_checkpoint_id(uint64_t seq, char ret[static JOURNAL_CHECKPOINT_ID])
{
	snprintf(ret, JOURNAL_CHECKPOINT_ID, JOURNAL_CHECKPOINT_PREFIX "%020" PRIu64,
		seq);
}
