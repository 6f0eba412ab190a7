#include "rules/token.h"

#include <stdio.h>
#include <string.h>

#include "base/reason.h"
#include "base/secret.h"
#include "base/text.h"
#include "rules/digest.h"

#define PREFIX "egt_"
#define RANDOM 32

int token_generate(char ret_text[static TOKEN_TEXT_SIZE])
{
	uint8_t bytes[RANDOM];
	char text[TEXT_B64_SIZE(RANDOM)];
	_Static_assert(sizeof(PREFIX) - 1 + sizeof(text) == TOKEN_TEXT_SIZE,
		"the text fits exactly");
	int r = secret_random(bytes, sizeof(bytes));
	if (r)
		return r;
	text_b64(text, bytes, sizeof(bytes));
	snprintf(ret_text, TOKEN_TEXT_SIZE, PREFIX "%s", text);
	secret_wipe(bytes, sizeof(bytes));
	secret_wipe(text, sizeof(text));
	return 0;
}

int token_id(const char *text, char ret[static TOKEN_ID_SIZE])
{
	uint8_t hash[DIGEST_SIZE];
	if (strnlen(text, TOKEN_TEXT_SIZE) != TOKEN_TEXT_SIZE - 1 ||
		strncmp(text, PREFIX, sizeof(PREFIX) - 1))
		return -REASON_UNAUTHENTICATED;
	int r = digest_sha256(text, TOKEN_TEXT_SIZE - 1, hash);
	if (r)
		return r;
	text_hex(ret, hash, sizeof(hash));
	return 0;
}

static int read_scopes(const json_t *object, struct token *token,
	struct field_error *error)
{
	const json_t *scopes = json_object_get(object, "scopes"), *item;
	size_t i;
	if (!json_is_array(scopes) || !json_array_size(scopes))
		return field_fail(error, "scopes",
			"a list of at least one permission is expected");
	json_array_foreach(scopes, i, item)
	{
		enum role_permission permission;
		const char *name = json_string_value(item);
		if (!name || role_permission_parse(name, &permission))
			return field_fail(error, "scopes", "\"%.40s\" is no permission",
				name ? name : "?");
		token->scopes |= ROLE_SCOPE(permission);
	}
	return 0;
}

static int read_all(const json_t *object, struct token *token, struct field_error *error)
{
	int r = field_text(object, "name", FIELD_NEED, token->name, sizeof(token->name),
		error);
	if (r == 0)
		r = field_text(object, "account", FIELD_MAY, token->account,
			sizeof(token->account), error);
	if (r == 0)
		r = field_text(object, "tenant", FIELD_MAY, token->tenant,
			sizeof(token->tenant), error);
	if (r == 0)
		r = field_time(object, "created_ms", &token->created_ms, error);
	if (r == 0)
		r = field_time(object, "expires_ms", &token->expires_ms, error);
	return r ? r : read_scopes(object, token, error);
}

int token_read(const char *body, struct token *ret, struct field_error *error)
{
	struct token token = {0};
	json_t *object;
	int r = field_parse(body, &object, error);
	if (r)
		return r;
	r = read_all(object, &token, error);
	json_decref(object);
	if (r == 0)
		*ret = token;
	return r;
}

int token_write(const struct token *token, char **ret)
{
	json_t *scopes = json_array();
	int bad = !scopes;
	for (size_t i = 0; i < ROLE_PERMISSIONS; i++)
		if (token->scopes & ROLE_SCOPE(i))
			bad |= json_array_append_new(scopes,
				json_string(role_permission_name(i)));
	json_t *object = json_pack("{s:s, s:s, s:s, s:I, s:I, s:o}", "name", token->name,
		"account", token->account, "tenant", token->tenant, "created_ms",
		(json_int_t)token->created_ms, "expires_ms",
		(json_int_t)token->expires_ms, "scopes", scopes);
	int r = bad || !object ? -REASON_NO_MEMORY : field_print(object, ret);
	json_decref(object);
	return r;
}

int token_admit(const struct token *token, int64_t now_ms)
{
	return token->expires_ms && now_ms >= token->expires_ms ? -REASON_UNAUTHENTICATED
								: 0;
}

int token_may(const struct token *token, unsigned roles, enum role_permission permission)
{
	return (token->scopes & ROLE_SCOPE(permission)) && role_may(roles, permission);
}
