#include "rules/password.h"

#include <ctype.h>
#include <openssl/evp.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "base/reason.h"
#include "base/secret.h"
#include "base/text.h"
#include "rules/digest.h"

#define SALT 16
#define HASH 32
#define MEMORY_MAX (80 * 1024 * 1024)

struct record {
	unsigned log_n, r, p; /* log_n 0: the plain kind */
	uint8_t salt[SALT], hash[HASH];
};

static const struct record today = {.log_n = 15, .r = 8, .p = 3};

static int derive_plain(const struct record *record, const char *password,
	uint8_t ret[static HASH])
{
	uint8_t bytes[SALT + PASSWORD_MAX];
	size_t len = strlen(password);
	/* No generated one is so long. */
	if (len > PASSWORD_MAX)
		return -REASON_PASSWORD_WRONG;
	memcpy(bytes, record->salt, SALT);
	memcpy(bytes + SALT, password, len);
	int r = digest_sha256(bytes, SALT + len, ret);
	secret_wipe(bytes, sizeof(bytes));
	return r;
}

static int derive(const struct record *record, const char *password,
	uint8_t ret[static HASH])
{
	if (!record->log_n)
		return derive_plain(record, password, ret);
	if (!EVP_PBE_scrypt(password, strlen(password), record->salt, SALT,
		    UINT64_C(1) << record->log_n, record->r, record->p, MEMORY_MAX, ret,
		    HASH))
		return -REASON_NO_MEMORY;
	return 0;
}

static int number(const char **at, unsigned min, unsigned max, unsigned *ret)
{
	unsigned value = 0;
	int digits = 0;
	for (; isdigit((unsigned char)**at) && digits < 4; ++*at, digits++)
		value = value * 10 + (unsigned)(**at - '0');
	if (!digits || value < min || value > max || **at != '$')
		return -REASON_STATE_DAMAGED;
	++*at;
	*ret = value;
	return 0;
}

/* The limits keep a changed record from costing more memory than a flood of logins may. */
static int parse_cost(const char **text, struct record *record)
{
	*text += 7;
	return number(text, 10, 16, &record->log_n) || number(text, 1, 8, &record->r) ||
	       number(text, 1, 8, &record->p);
}

static int parse(const char *text, struct record *ret)
{
	struct record record = {0};
	char salt[TEXT_B64_SIZE(SALT)];
	size_t salt_len, hash_len;
	if (strlen(text) >= PASSWORD_RECORD)
		return -REASON_STATE_DAMAGED;
	if (!strncmp(text, "gen$", 4))
		text += 4;
	else if (strncmp(text, "scrypt$", 7) || parse_cost(&text, &record))
		return -REASON_STATE_DAMAGED;
	const char *end = strchr(text, '$');
	if (!end || (size_t)(end - text) != sizeof(salt) - 1)
		return -REASON_STATE_DAMAGED;
	memcpy(salt, text, sizeof(salt) - 1);
	salt[sizeof(salt) - 1] = 0;
	if (text_unb64(record.salt, SALT, &salt_len, salt) || salt_len != SALT ||
		text_unb64(record.hash, HASH, &hash_len, end + 1) || hash_len != HASH)
		return -REASON_STATE_DAMAGED;
	*ret = record;
	return 0;
}

int password_record_check(const char *record)
{
	struct record parsed;
	return parse(record, &parsed);
}

static int make(struct record *record, const char *password,
	char ret_salt[static TEXT_B64_SIZE(SALT)],
	char ret_hash[static TEXT_B64_SIZE(HASH)])
{
	int r = secret_random(record->salt, SALT);
	if (r == 0)
		r = derive(record, password, record->hash);
	if (r)
		return r;
	text_b64(ret_salt, record->salt, SALT);
	text_b64(ret_hash, record->hash, HASH);
	secret_wipe(record->hash, HASH);
	return 0;
}

int password_hash(const char *password, char ret[static PASSWORD_RECORD])
{
	struct record record = today;
	char salt[TEXT_B64_SIZE(SALT)], hash[TEXT_B64_SIZE(HASH)];
	int r = make(&record, password, salt, hash);
	if (r == 0)
		snprintf(ret, PASSWORD_RECORD, "scrypt$%u$%u$%u$%s$%s", record.log_n,
			record.r, record.p, salt, hash);
	return r;
}

int password_hash_generated(const char *password, char ret[static PASSWORD_RECORD])
{
	struct record record = {0};
	char salt[TEXT_B64_SIZE(SALT)], hash[TEXT_B64_SIZE(HASH)];
	int r = make(&record, password, salt, hash);
	if (r == 0)
		snprintf(ret, PASSWORD_RECORD, "gen$%s$%s", salt, hash);
	return r;
}

int password_check(const char *text, const char *password)
{
	struct record record;
	uint8_t hash[HASH];
	int r = parse(text, &record);
	if (r == 0)
		r = derive(&record, password, hash);
	if (r == 0 && !secret_equal(hash, record.hash, HASH))
		r = -REASON_PASSWORD_WRONG;
	secret_wipe(hash, sizeof(hash));
	return r;
}

void password_spend(const char *password)
{
	uint8_t hash[HASH];
	struct record record = today;
	/* Out of memory it costs nothing; a real check would fail as fast. */
	if (derive(&record, password, hash) == 0)
		secret_wipe(hash, sizeof(hash));
}

int password_generate(char ret[static PASSWORD_GENERATED])
{
	uint8_t digits[16];
	char text[17];
	int r = secret_random(digits, sizeof(digits));
	if (r)
		return r;
	for (size_t i = 0; i < sizeof(digits); i++)
		digits[i] &= 31;
	text_crockford(text, digits, sizeof(digits));
	for (char *c = text; *c; c++)
		*c = (char)tolower((unsigned char)*c);
	snprintf(ret, PASSWORD_GENERATED, "%.4s-%.4s-%.4s-%.4s", text, text + 4, text + 8,
		text + 12);
	secret_wipe(digits, sizeof(digits));
	secret_wipe(text, sizeof(text));
	return 0;
}
