#include "store/sealed/sealed_box.h"

#include <inttypes.h>
#include <openssl/evp.h>
#include <openssl/kdf.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/reason.h"
#include "base/secret.h"
#include "base/text.h"

#define TAG 16
#define GCM_NONCE 12
#define HEAD "{\"sealed\":1,\"key\":"
#define MIDDLE ",\"box\":\""
#define TAIL "\"}"

void sealed_box_bind(struct sealed_place *place, const char *part)
{
	size_t size = strlen(part) + 1; /* the NUL ends it */
	CHECK(size <= sizeof(place->bytes) - place->len);
	memcpy(place->bytes + place->len, part, size);
	place->len += size;
}

void sealed_box_bind_number(struct sealed_place *place, int64_t number)
{
	char text[24];
	snprintf(text, sizeof(text), "%" PRId64, number);
	sealed_box_bind(place, text);
}

/* The subkey of CMAC (SP 800-38B): the encrypted zero block, doubled in GF(2^128). */
static void double_block(uint8_t block[static 16])
{
	uint8_t carry = block[0] >> 7;
	for (int i = 0; i < 15; i++)
		block[i] = (uint8_t)(block[i] << 1 | block[i + 1] >> 7);
	block[15] = (uint8_t)(block[15] << 1 ^ (carry ? 0x87 : 0));
}

/* Two CMACs of one block each: "\0\1X\0" nonce and "\0\2X\0" nonce. */
static int derive(EVP_CIPHER_CTX *ctx, const uint8_t key[static 32],
	const uint8_t nonce[static GCM_NONCE], uint8_t ret[static 32])
{
	uint8_t subkey[16] = {0}, blocks[32];
	int len;
	if (!EVP_EncryptInit_ex(ctx, EVP_aes_256_ecb(), NULL, key, NULL) ||
		!EVP_CIPHER_CTX_set_padding(ctx, 0) ||
		!EVP_EncryptUpdate(ctx, subkey, &len, subkey, 16))
		return -REASON_NO_MEMORY;
	double_block(subkey);
	for (int i = 0; i < 2; i++) {
		uint8_t *block = blocks + 16 * i;
		const uint8_t head[4] = {0, (uint8_t)(i + 1), 'X', 0};
		memcpy(block, head, sizeof(head));
		memcpy(block + sizeof(head), nonce, GCM_NONCE);
		for (int at = 0; at < 16; at++)
			block[at] ^= subkey[at];
	}
	int good = EVP_EncryptUpdate(ctx, ret, &len, blocks, sizeof(blocks));
	secret_wipe(subkey, sizeof(subkey));
	secret_wipe(blocks, sizeof(blocks));
	return good ? 0 : -REASON_NO_MEMORY;
}

static int start(const uint8_t nonce[static SEALED_BOX_NONCE],
	const uint8_t key[static SEALED_BOX_KEY], const struct sealed_place *place,
	int encrypts, EVP_CIPHER_CTX **ret)
{
	uint8_t derived[32];
	int len;
	EVP_CIPHER_CTX *ctx = EVP_CIPHER_CTX_new();
	int r = ctx ? derive(ctx, key, nonce, derived) : -REASON_NO_MEMORY;
	if (r == 0 && (!EVP_CIPHER_CTX_reset(ctx) ||
			      !EVP_CipherInit_ex(ctx, EVP_aes_256_gcm(), NULL, derived,
				      nonce + GCM_NONCE, encrypts) ||
			      !EVP_CipherUpdate(ctx, NULL, &len, place->bytes,
				      (int)place->len)))
		r = -REASON_NO_MEMORY;
	secret_wipe(derived, sizeof(derived));
	if (r)
		EVP_CIPHER_CTX_free(ctx);
	else
		*ret = ctx;
	return r;
}

int sealed_box_close_with(const uint8_t nonce[static SEALED_BOX_NONCE],
	const uint8_t key[static SEALED_BOX_KEY], const struct sealed_place *place,
	const void *plain, size_t len, uint8_t *ret)
{
	EVP_CIPHER_CTX *ctx;
	uint8_t *out = ret + SEALED_BOX_NONCE;
	int done = 0;
	int r = start(nonce, key, place, 1, &ctx);
	if (r)
		return r;
	memcpy(ret, nonce, SEALED_BOX_NONCE);
	if (!EVP_EncryptUpdate(ctx, out, &done, plain, (int)len) ||
		!EVP_EncryptFinal_ex(ctx, out + done, &done) ||
		!EVP_CIPHER_CTX_ctrl(ctx, EVP_CTRL_GCM_GET_TAG, TAG, out + len))
		r = -REASON_NO_MEMORY;
	EVP_CIPHER_CTX_free(ctx);
	return r;
}

int sealed_box_close(const uint8_t key[static SEALED_BOX_KEY],
	const struct sealed_place *place, const void *plain, size_t len, uint8_t *ret)
{
	uint8_t nonce[SEALED_BOX_NONCE];
	int r = secret_random(nonce, sizeof(nonce));
	return r ? r : sealed_box_close_with(nonce, key, place, plain, len, ret);
}

int sealed_box_open(const uint8_t key[static SEALED_BOX_KEY],
	const struct sealed_place *place, const uint8_t *box, size_t len, uint8_t *ret)
{
	EVP_CIPHER_CTX *ctx;
	int done = 0;
	if (len < SEALED_BOX_MORE)
		return -REASON_STATE_DAMAGED;
	size_t inside = len - SEALED_BOX_MORE;
	int r = start(box, key, place, 0, &ctx);
	if (r)
		return r;
	if (!EVP_DecryptUpdate(ctx, ret, &done, box + SEALED_BOX_NONCE, (int)inside) ||
		!EVP_CIPHER_CTX_ctrl(ctx, EVP_CTRL_GCM_SET_TAG, TAG,
			(void *)(box + len - TAG)) ||
		EVP_DecryptFinal_ex(ctx, ret + done, &done) != 1) {
		/* Nothing of what does not belong here may be taken for something. */
		secret_wipe(ret, inside);
		r = -REASON_STATE_DAMAGED;
	}
	EVP_CIPHER_CTX_free(ctx);
	return r;
}

int sealed_box_derive(const uint8_t key[static SEALED_BOX_KEY], const uint8_t *salt,
	size_t salt_len, const char *info, uint8_t ret[static SEALED_BOX_KEY])
{
	size_t len = SEALED_BOX_KEY;
	EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_id(EVP_PKEY_HKDF, NULL);
	int good = ctx && EVP_PKEY_derive_init(ctx) > 0 &&
		   EVP_PKEY_CTX_set_hkdf_md(ctx, EVP_sha256()) > 0 &&
		   (!salt_len ||
			   EVP_PKEY_CTX_set1_hkdf_salt(ctx, salt, (int)salt_len) > 0) &&
		   EVP_PKEY_CTX_set1_hkdf_key(ctx, key, SEALED_BOX_KEY) > 0 &&
		   EVP_PKEY_CTX_add1_hkdf_info(ctx, (const unsigned char *)info,
			   (int)strlen(info)) > 0 &&
		   EVP_PKEY_derive(ctx, ret, &len) > 0;
	EVP_PKEY_CTX_free(ctx);
	return good ? 0 : -REASON_NO_MEMORY;
}

/* Where the box begins and how many letters it has; NULL: not of the form. */
static const char *box_in(const char *text, uint32_t *ret_generation, size_t *ret_len)
{
	char *end;
	size_t len = strlen(text);
	if (strncmp(text, HEAD, sizeof(HEAD) - 1))
		return NULL;
	const char *number = text + sizeof(HEAD) - 1;
	unsigned long generation = strtoul(number, &end, 10);
	if (*number < '1' || *number > '9' || generation > UINT32_MAX ||
		strncmp(end, MIDDLE, sizeof(MIDDLE) - 1))
		return NULL;
	const char *box = end + sizeof(MIDDLE) - 1;
	size_t rest = len - (size_t)(box - text);
	if (rest < sizeof(TAIL) - 1 || strcmp(text + len - (sizeof(TAIL) - 1), TAIL))
		return NULL;
	*ret_generation = (uint32_t)generation;
	*ret_len = rest - (sizeof(TAIL) - 1);
	return box;
}

int sealed_box_is_text(const char *text)
{
	return sealed_box_generation(text) != 0;
}

uint32_t sealed_box_generation(const char *text)
{
	uint32_t generation;
	size_t len;
	return box_in(text, &generation, &len) ? generation : 0;
}

size_t sealed_box_room(const char *text)
{
	return strlen(text) + 1;
}

int sealed_box_text(const uint8_t key[static SEALED_BOX_KEY], uint32_t generation,
	const struct sealed_place *place, const void *plain, size_t len, char **ret)
{
	size_t box_len = len + SEALED_BOX_MORE;
	size_t size = sizeof(HEAD) + 12 + sizeof(MIDDLE) + TEXT_B64_SIZE(box_len) +
		      sizeof(TAIL);
	uint8_t *box = malloc(box_len);
	char *text = malloc(size);
	int r = box && text ? sealed_box_close(key, place, plain, len, box)
			    : -REASON_NO_MEMORY;
	if (r == 0) {
		int at = snprintf(text, size, HEAD "%" PRIu32 MIDDLE, generation);
		text_b64(text + at, box, box_len);
		at += (int)strlen(text + at);
		memcpy(text + at, TAIL, sizeof(TAIL));
	}
	free(box);
	if (r)
		free(text);
	else
		*ret = text;
	return r;
}

static int untext(const uint8_t key[static SEALED_BOX_KEY],
	const struct sealed_place *place, char *letters, uint8_t *box, size_t size,
	char *ret, size_t *ret_len)
{
	size_t len;
	if (text_unb64(box, size, &len, letters) || len < SEALED_BOX_MORE)
		return -REASON_STATE_DAMAGED;
	int r = sealed_box_open(key, place, box, len, (uint8_t *)ret);
	if (r)
		return r;
	*ret_len = len - SEALED_BOX_MORE;
	ret[*ret_len] = 0;
	return 0;
}

int sealed_box_untext(const uint8_t key[static SEALED_BOX_KEY],
	const struct sealed_place *place, const char *text, char *ret, size_t *ret_len)
{
	uint32_t generation;
	size_t len;
	const char *from = box_in(text, &generation, &len);
	if (!from)
		return -REASON_STATE_DAMAGED;
	/* The letters, to which a NUL is put, and the bytes that they stand for. */
	char *letters = malloc(2 * len + 2);
	if (!letters)
		return -REASON_NO_MEMORY;
	memcpy(letters, from, len);
	letters[len] = 0;
	int r = untext(key, place, letters, (uint8_t *)letters + len + 1, len + 1, ret,
		ret_len);
	free(letters);
	return r;
}
