#include "base/license_key.h"

#include <ctype.h>
#include <string.h>

#include "base/reason.h"
#include "base/secret.h"
#include "base/text.h"

#define CHARS 25
#define SECRET_CHARS (CHARS - LICENSE_KEY_PUBLIC)
#define PREFIX "lic_"

/* 8 characters of 5 bits are 5 bytes, most significant bit first. */
static void pack_secret(uint8_t ret[static LICENSE_KEY_SECRET], const uint8_t *digits)
{
	for (int i = 0; i < SECRET_CHARS / 8; i++) {
		uint64_t bits = 0;
		for (int k = 0; k < 8; k++)
			bits = bits << 5 | digits[8 * i + k];
		for (int k = 0; k < 5; k++)
			ret[5 * i + k] = (uint8_t)(bits >> (32 - 8 * k));
	}
}

static void unpack_secret(uint8_t *ret_digits,
	const uint8_t secret[static LICENSE_KEY_SECRET])
{
	for (int i = 0; i < SECRET_CHARS / 8; i++) {
		uint64_t bits = 0;
		for (int k = 0; k < 5; k++)
			bits = bits << 8 | secret[5 * i + k];
		for (int k = 0; k < 8; k++)
			ret_digits[8 * i + k] = bits >> (35 - 5 * k) & 31;
	}
}

int license_key_generate(struct license_key *ret)
{
	uint8_t digits[LICENSE_KEY_PUBLIC];
	struct license_key key;
	int result = secret_random(digits, sizeof(digits));
	if (result == 0)
		result = secret_random(key.secret, sizeof(key.secret));
	if (result == 0) {
		for (size_t i = 0; i < sizeof(digits); i++)
			digits[i] &= 31;
		text_crockford(key.public_id, digits, sizeof(digits));
		*ret = key;
	}
	secret_wipe(&key, sizeof(key));
	return result;
}

int license_key_parse(const char *text, struct license_key *ret)
{
	uint8_t digits[CHARS];
	if (text_uncrockford(digits, CHARS, text) < 0)
		return -REASON_LICENSE_KEY_MALFORMED;
	text_crockford(ret->public_id, digits, LICENSE_KEY_PUBLIC);
	pack_secret(ret->secret, digits + LICENSE_KEY_PUBLIC);
	secret_wipe(digits, sizeof(digits));
	return 0;
}

void license_key_print(const struct license_key *key,
	char ret[static LICENSE_KEY_TEXT_SIZE])
{
	uint8_t digits[SECRET_CHARS];
	char plain[CHARS + 1];
	memcpy(plain, key->public_id, LICENSE_KEY_PUBLIC);
	unpack_secret(digits, key->secret);
	text_crockford(plain + LICENSE_KEY_PUBLIC, digits, SECRET_CHARS);
	for (int i = 0; i < CHARS; i++) {
		if (i && i % 5 == 0)
			*ret++ = '-';
		*ret++ = plain[i];
	}
	*ret = 0;
	secret_wipe(digits, sizeof(digits));
	secret_wipe(plain, sizeof(plain));
}

void license_key_id(const char public_id[static LICENSE_KEY_PUBLIC_SIZE],
	char ret[static LICENSE_KEY_ID_SIZE])
{
	size_t prefix = strlen(PREFIX);
	memcpy(ret, PREFIX, prefix);
	for (size_t i = 0; i < LICENSE_KEY_PUBLIC; i++)
		ret[prefix + i] = (char)tolower((unsigned char)public_id[i]);
	ret[prefix + LICENSE_KEY_PUBLIC] = 0;
}

int license_key_id_parse(const char *text,
	char ret_public_id[static LICENSE_KEY_PUBLIC_SIZE])
{
	uint8_t digits[LICENSE_KEY_PUBLIC];
	char public_id[LICENSE_KEY_PUBLIC_SIZE];
	if (strncmp(text, PREFIX, strlen(PREFIX)) == 0)
		text += strlen(PREFIX);
	/* An id is a name, not something typed from paper: one spelling, so that two texts never
	 * mean the same row. */
	if (strlen(text) != LICENSE_KEY_PUBLIC ||
		text_uncrockford(digits, LICENSE_KEY_PUBLIC, text) < 0)
		return -REASON_LICENSE_KEY_MALFORMED;
	text_crockford(public_id, digits, LICENSE_KEY_PUBLIC);
	for (size_t i = 0; i < LICENSE_KEY_PUBLIC; i++)
		if (toupper((unsigned char)text[i]) != public_id[i])
			return -REASON_LICENSE_KEY_MALFORMED;
	memcpy(ret_public_id, public_id, sizeof(public_id));
	return 0;
}
