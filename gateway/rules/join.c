#include "rules/join.h"

#include <string.h>

#include "base/reason.h"
#include "base/secret.h"
#include "rules/field.h"

static int id_of(const uint8_t secret[static JOIN_SECRET], char ret[static JOIN_ID])
{
	uint8_t hash[DIGEST_SIZE];
	int r = digest_sha256(secret, JOIN_SECRET, hash);
	if (r == 0)
		text_hex(ret, hash, sizeof(hash));
	return r;
}

int join_generate(char ret_token[static JOIN_TOKEN], char ret_id[static JOIN_ID])
{
	uint8_t secret[JOIN_SECRET];
	int r = secret_random(secret, sizeof(secret));
	if (r == 0)
		r = id_of(secret, ret_id);
	if (r == 0)
		text_b64(ret_token, secret, sizeof(secret));
	secret_wipe(secret, sizeof(secret));
	return r;
}

int join_id(const char *token, char ret[static JOIN_ID])
{
	uint8_t secret[JOIN_SECRET];
	size_t len;
	if (strlen(token) != JOIN_TOKEN - 1 ||
		text_unb64(secret, sizeof(secret), &len, token) || len != sizeof(secret))
		return -REASON_JOIN_SPENT;
	int r = id_of(secret, ret);
	secret_wipe(secret, sizeof(secret));
	return r;
}

static int read_all(const json_t *object, struct join *ret, struct field_error *error)
{
	int64_t resume_only = 0;
	int r = field_text(object, "license", FIELD_NEED, ret->license,
		sizeof(ret->license), error);
	if (r == 0)
		r = field_text(object, "device", FIELD_NEED, ret->device,
			sizeof(ret->device), error);
	if (r == 0)
		r = field_text(object, "node", FIELD_NEED, ret->node, sizeof(ret->node),
			error);
	if (r == 0)
		r = field_text(object, "from", FIELD_NEED, ret->from, sizeof(ret->from),
			error);
	if (r == 0)
		r = field_integer(object, "expires_ms", FIELD_NEED, 0, INT64_MAX,
			&ret->expires_ms, error);
	if (r == 0)
		r = field_integer(object, "resume_only", FIELD_NEED, 0, 0xffff,
			&resume_only, error);
	ret->resume_only = (int)resume_only;
	return r;
}

int join_read(const char *body, struct join *ret)
{
	struct field_error error;
	struct join one = {0};
	json_t *object;
	if (field_parse(body, &object, &error))
		return -REASON_STATE_DAMAGED;
	int r = read_all(object, &one, &error);
	json_decref(object);
	if (r)
		return -REASON_STATE_DAMAGED;
	*ret = one;
	return 0;
}

int join_write(const struct join *join, char **ret)
{
	json_t *object = json_pack("{s:s, s:s, s:s, s:s, s:I, s:i}", "license",
		join->license, "device", join->device, "node", join->node, "from",
		join->from, "expires_ms", (json_int_t)join->expires_ms, "resume_only",
		join->resume_only);
	int r = object ? field_print(object, ret) : -REASON_NO_MEMORY;
	json_decref(object);
	return r;
}

int join_check(const struct join *join, const char *license, const char *device,
	const char *node, int64_t now_ms)
{
	int here = !strcmp(join->node, node) || !strcmp(join->from, node);
	/* The clocks of two nodes may differ a little; one that was put back must not make it last. */
	int in_time =
		now_ms < join->expires_ms && join->expires_ms - now_ms <= 2 * JOIN_MS;
	return here && in_time && !strcmp(join->license, license) &&
			       !strcmp(join->device, device)
		       ? 0
		       : -REASON_JOIN_SPENT;
}
