#include "rules/totp.h"

#include <ctype.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <stdio.h>
#include <string.h>

#include "base/reason.h"
#include "base/secret.h"
#include "base/text.h"

#define MODULUS 1000000
#define CODE_CHARS 16 /* Crockford digits of a recovery code */

static const char base32[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";

int totp_generate(uint8_t ret[static TOTP_SECRET])
{
	return secret_random(ret, TOTP_SECRET);
}

void totp_print(const uint8_t secret[static TOTP_SECRET],
	char ret[static TOTP_SECRET_TEXT])
{
	for (size_t i = 0; i < TOTP_SECRET_TEXT - 1; i++) {
		size_t byte = i * 5 / 8, shift = i * 5 % 8;
		unsigned pair = (unsigned)secret[byte] << 8;
		if (byte + 1 < TOTP_SECRET)
			pair |= secret[byte + 1];
		ret[i] = base32[pair >> (11 - shift) & 31];
	}
	ret[TOTP_SECRET_TEXT - 1] = '\0';
}

int totp_parse(const char *text, uint8_t ret[static TOTP_SECRET])
{
	uint8_t secret[TOTP_SECRET] = {0};
	size_t bits = 0;

	if (strlen(text) != TOTP_SECRET_TEXT - 1)
		return -REASON_BAD_VALUE;
	for (; *text; text++) {
		const char *found = strchr(base32, toupper((unsigned char)*text));
		if (!found)
			return -REASON_BAD_VALUE;
		unsigned value = (unsigned)(found - base32);
		for (int bit = 4; bit >= 0; bit--, bits++)
			secret[bits / 8] |=
				(uint8_t)((value >> bit & 1) << (7 - bits % 8));
	}
	memcpy(ret, secret, TOTP_SECRET);
	secret_wipe(secret, sizeof(secret));
	return 0;
}

int totp_uri(const char *account, const uint8_t secret[static TOTP_SECRET],
	char ret[static TOTP_URI])
{
	char escaped[TOTP_URI / 2], text[TOTP_SECRET_TEXT];
	size_t len = 0;

	for (; *account; account++) {
		if (len + 4 > sizeof(escaped))
			return -REASON_LIMIT;
		if (isalnum((unsigned char)*account) || strchr("-._~", *account))
			escaped[len++] = *account;
		else
			len += (size_t)snprintf(escaped + len, 4, "%%%02X",
				(unsigned char)*account);
	}
	escaped[len] = '\0';
	totp_print(secret, text);
	snprintf(ret, TOTP_URI,
		"otpauth://totp/Engawa:%s?secret=%s&issuer=Engawa&algorithm=SHA1"
		"&digits=6&period=30",
		escaped, text);
	secret_wipe(text, sizeof(text));
	return 0;
}

/* RFC 4226 section 5.3. */
static int step_code(const uint8_t secret[static TOTP_SECRET], int64_t step,
	char ret[static TOTP_CODE])
{
	uint8_t counter[8], hash[EVP_MAX_MD_SIZE];
	unsigned len;

	for (int i = 0; i < 8; i++)
		counter[i] = (uint8_t)((uint64_t)step >> (56 - 8 * i));
	if (!HMAC(EVP_sha1(), secret, TOTP_SECRET, counter, sizeof(counter), hash, &len))
		return -REASON_NO_MEMORY;
	const uint8_t *at = hash + (hash[len - 1] & 15);
	unsigned value = (at[0] & 0x7fu) << 24 | (unsigned)at[1] << 16 |
			 (unsigned)at[2] << 8 | at[3];
	snprintf(ret, TOTP_CODE, "%06u", value % MODULUS);
	secret_wipe(hash, sizeof(hash));
	return 0;
}

int totp_code(const uint8_t secret[static TOTP_SECRET], int64_t at_ms,
	char ret[static TOTP_CODE])
{
	return step_code(secret, at_ms / TOTP_STEP_MS, ret);
}

int totp_check(const uint8_t secret[static TOTP_SECRET], const char *code, int64_t now_ms,
	int64_t *used_step)
{
	int64_t now = now_ms / TOTP_STEP_MS, found = 0;
	char expected[TOTP_CODE];

	if (strlen(code) != TOTP_CODE - 1 || now < 1)
		return -REASON_TOTP_WRONG;
	/* All three are looked at, whichever fits: the time tells nothing. */
	for (int64_t step = now - 1; step <= now + 1; step++) {
		int status = step_code(secret, step, expected);
		if (status)
			return status;
		if (secret_equal(expected, code, TOTP_CODE - 1) && step > *used_step)
			found = step;
	}
	secret_wipe(expected, sizeof(expected));
	if (!found)
		return -REASON_TOTP_WRONG;
	*used_step = found;
	return 0;
}

static int hash_code(const char *code, uint8_t ret[static DIGEST_SIZE])
{
	uint8_t digits[CODE_CHARS];

	/* One way to write it: people type o for 0 and leave hyphens out. */
	if (text_uncrockford(digits, CODE_CHARS, code))
		return -REASON_TOTP_WRONG;
	int status = digest_sha256(digits, sizeof(digits), ret);
	secret_wipe(digits, sizeof(digits));
	return status;
}

int totp_recovery_make(struct totp_recovery *ret,
	char ret_codes[static TOTP_RECOVERY][PASSWORD_GENERATED])
{
	struct totp_recovery made = {.count = TOTP_RECOVERY};

	for (size_t i = 0; i < TOTP_RECOVERY; i++) {
		int status = password_generate(ret_codes[i]);
		if (!status)
			status = hash_code(ret_codes[i], made.hashes[i]);
		if (status)
			return status;
	}
	*ret = made;
	return 0;
}

int totp_recovery_use(struct totp_recovery *recovery, const char *code)
{
	uint8_t hash[DIGEST_SIZE];
	int status = hash_code(code, hash);

	if (status)
		return status;
	for (size_t i = 0; i < recovery->count; i++) {
		if (!secret_equal(hash, recovery->hashes[i], sizeof(hash)))
			continue;
		recovery->count--;
		memmove(recovery->hashes[i], recovery->hashes[recovery->count],
			sizeof(hash));
		return 0;
	}
	return -REASON_TOTP_WRONG;
}
