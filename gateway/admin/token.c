#include "admin/token.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/reason.h"
#include "base/secret.h"
#include "base/text.h"
#include "rules/digest.h"

#define NAME_CHARS 9
#define PREFIX "egt_"

static void lower(char *text)
{
	for (; *text; text++)
		if (*text >= 'A' && *text <= 'Z')
			*text += 'a' - 'A';
}

int token_generate(struct token *token, char ret_text[static TOKEN_TEXT_SIZE])
{
	uint8_t secret[TOKEN_SECRET], digits[NAME_CHARS];
	char name[NAME_CHARS + 1], encoded[TEXT_B64_SIZE(TOKEN_SECRET)];

	if (secret_random(secret, sizeof(secret)) ||
		secret_random(digits, sizeof(digits)))
		return -REASON_NO_RANDOM;
	for (size_t i = 0; i < sizeof(digits); i++)
		digits[i] &= 31;
	text_crockford(name, digits, sizeof(digits));
	lower(name);
	if (digest_sha256(secret, sizeof(secret), token->hash))
		return -REASON_NO_MEMORY;
	text_b64(encoded, secret, sizeof(secret));
	snprintf(token->id, sizeof(token->id), "tok_%s", name);
	snprintf(ret_text, TOKEN_TEXT_SIZE, PREFIX "%s_%s", name, encoded);
	secret_wipe(secret, sizeof(secret));
	secret_wipe(encoded, sizeof(encoded));
	return 0;
}

int token_parse(const char *text, char ret_id[static TOKEN_ID_SIZE],
	uint8_t ret_secret[static TOKEN_SECRET])
{
	size_t prefix = strlen(PREFIX), len;
	uint8_t secret[TOKEN_SECRET];

	if (strncmp(text, PREFIX, prefix) || strlen(text) >= TOKEN_TEXT_SIZE)
		return -REASON_UNAUTHENTICATED;
	text += prefix;
	if (strspn(text, "0123456789abcdefghijklmnopqrstuvwxyz") != NAME_CHARS ||
		text[NAME_CHARS] != '_')
		return -REASON_UNAUTHENTICATED;
	if (text_unb64(secret, sizeof(secret), &len, text + NAME_CHARS + 1) ||
		len != TOKEN_SECRET)
		return -REASON_UNAUTHENTICATED;
	snprintf(ret_id, TOKEN_ID_SIZE, "tok_%.9s", text);
	memcpy(ret_secret, secret, sizeof(secret));
	secret_wipe(secret, sizeof(secret));
	return 0;
}

int token_check(const struct token *token, const uint8_t secret[static TOKEN_SECRET],
	int64_t now_ms)
{
	uint8_t hash[TOKEN_HASH];

	if (digest_sha256(secret, TOKEN_SECRET, hash) ||
		!secret_equal(hash, token->hash, sizeof(hash)))
		return -REASON_UNAUTHENTICATED;
	if (token->expires_ms && now_ms >= token->expires_ms)
		return -REASON_UNAUTHENTICATED;
	return 0;
}

int token_write(const struct token *token, char **ret)
{
	char hash[TEXT_HEX_SIZE(TOKEN_HASH)];

	text_hex(hash, token->hash, sizeof(token->hash));
	json_t *body = json_pack("{s:s, s:s, s:s, s:s, s:s, s:I, s:I}", "name",
		token->name, "role", token->role, "tenant", token->tenant, "by",
		token->by, "hash", hash, "created_ms", (json_int_t)token->created_ms,
		"expires_ms", (json_int_t)token->expires_ms);
	char *text = body ? json_dumps(body, JSON_COMPACT) : NULL;
	json_decref(body);
	if (!text)
		return -REASON_NO_MEMORY;
	*ret = text;
	return 0;
}

int token_read(const char *id, const char *body, struct token *ret)
{
	struct token token = {0};
	const char *name, *role, *tenant, *by, *hash;
	json_int_t created, expires;
	json_t *object = json_loads(body, JSON_REJECT_DUPLICATES, NULL);
	int status = -REASON_STATE_DAMAGED;

	if (object &&
		!json_unpack(object, "{s:s, s:s, s:s, s:s, s:s, s:I, s:I}", "name", &name,
			"role", &role, "tenant", &tenant, "by", &by, "hash", &hash,
			"created_ms", &created, "expires_ms", &expires) &&
		!text_unhex(token.hash, sizeof(token.hash), hash) &&
		!text_copy(token.id, sizeof(token.id), id) &&
		!text_copy(token.name, sizeof(token.name), name) &&
		!text_copy(token.role, sizeof(token.role), role) &&
		!text_copy(token.by, sizeof(token.by), by) &&
		!text_copy(token.tenant, sizeof(token.tenant), tenant)) {
		token.created_ms = created;
		token.expires_ms = expires;
		*ret = token;
		status = 0;
	}
	json_decref(object);
	return status;
}
