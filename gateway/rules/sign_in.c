#include "rules/sign_in.h"

#include <stdlib.h>
#include <string.h>

#include "base/reason.h"
#include "base/secret.h"
#include "base/text.h"
#include "rules/digest.h"

static int parse(const char *cookie, uint8_t ret[static SIGN_IN_SECRET])
{
	size_t len;

	if (strlen(cookie) != SIGN_IN_COOKIE - 1 ||
		text_unb64(ret, SIGN_IN_SECRET, &len, cookie) || len != SIGN_IN_SECRET)
		return -REASON_UNAUTHENTICATED;
	return 0;
}

static int id_of(const uint8_t secret[static SIGN_IN_SECRET], char ret[static SIGN_IN_ID])
{
	uint8_t hash[DIGEST_SIZE];
	int status = digest_sha256(secret, SIGN_IN_SECRET, hash);

	if (!status)
		text_hex(ret, hash, sizeof(hash));
	return status;
}

int sign_in_generate(struct sign_in *sign_in, char ret_cookie[static SIGN_IN_COOKIE])
{
	uint8_t secret[SIGN_IN_SECRET];
	int status = secret_random(secret, sizeof(secret));

	if (!status)
		status = id_of(secret, sign_in->id);
	if (!status)
		text_b64(ret_cookie, secret, sizeof(secret));
	secret_wipe(secret, sizeof(secret));
	return status;
}

int sign_in_id(const char *cookie, char ret[static SIGN_IN_ID])
{
	uint8_t secret[SIGN_IN_SECRET];
	int status = parse(cookie, secret);

	if (!status)
		status = id_of(secret, ret);
	secret_wipe(secret, sizeof(secret));
	return status;
}

int sign_in_csrf(const char *cookie, char ret[static SIGN_IN_COOKIE])
{
	static const char purpose[] = "engawa csrf 1";
	uint8_t text[sizeof(purpose) + SIGN_IN_SECRET], hash[DIGEST_SIZE];
	int status = parse(cookie, text + sizeof(purpose));

	memcpy(text, purpose, sizeof(purpose));
	if (!status)
		status = digest_sha256(text, sizeof(text), hash);
	if (!status)
		text_b64(ret, hash, sizeof(hash));
	secret_wipe(text, sizeof(text));
	return status;
}

int sign_in_read(const char *id, const char *body, struct sign_in *ret)
{
	struct field_error error;
	struct sign_in one = {0};
	json_t *object;

	if (text_copy(one.id, sizeof(one.id), id) || field_parse(body, &object, &error))
		return -REASON_STATE_DAMAGED;
	if (field_text(object, "account", FIELD_NEED, one.account, sizeof(one.account),
		    &error) ||
		field_text(object, "tenant", FIELD_MAY, one.tenant, sizeof(one.tenant),
			&error) ||
		field_text(object, "address", FIELD_MAY, one.address, sizeof(one.address),
			&error) ||
		field_text(object, "agent", FIELD_MAY, one.agent, sizeof(one.agent),
			&error) ||
		field_text(object, "directory", FIELD_MAY, one.directory,
			sizeof(one.directory), &error) ||
		field_integer(object, "epoch", FIELD_NEED, 0, INT64_MAX, &one.epoch,
			&error) ||
		field_time(object, "created_ms", &one.created_ms, &error) ||
		field_time(object, "seen_ms", &one.seen_ms, &error) ||
		field_time(object, "proved_ms", &one.proved_ms, &error) ||
		field_flag(object, "second_factor", &one.second_factor, &error)) {
		json_decref(object);
		return -REASON_STATE_DAMAGED;
	}
	json_decref(object);
	*ret = one;
	return 0;
}

int sign_in_write(const struct sign_in *sign_in, char **ret)
{
	json_t *object = json_pack("{s:s, s:s, s:s, s:s, s:s, s:I, s:I, s:I, s:I, s:b}",
		"account", sign_in->account, "tenant", sign_in->tenant, "address",
		sign_in->address, "agent", sign_in->agent, "directory",
		sign_in->directory, "epoch", (json_int_t)sign_in->epoch, "created_ms",
		(json_int_t)sign_in->created_ms, "seen_ms", (json_int_t)sign_in->seen_ms,
		"proved_ms", (json_int_t)sign_in->proved_ms, "second_factor",
		sign_in->second_factor);

	if (!object)
		return -REASON_NO_MEMORY;
	int status = field_print(object, ret);
	json_decref(object);
	return status;
}

int64_t sign_in_idle_end(const struct sign_in *sign_in,
	const struct account_security *security)
{
	int64_t idle = sign_in->seen_ms + security->idle_ms,
		end = sign_in_end(sign_in, security);
	return idle < end ? idle : end;
}

int64_t sign_in_end(const struct sign_in *sign_in,
	const struct account_security *security)
{
	return sign_in->created_ms + security->absolute_ms;
}

int sign_in_check(const struct sign_in *sign_in, const struct account *account,
	const struct account_security *security, int64_t now_ms)
{
	if (strcmp(sign_in->account, account->name) ||
		strcmp(sign_in->tenant, account->tenant) ||
		account->state != ACCOUNT_ENABLED || sign_in->epoch != account->epoch ||
		now_ms >= sign_in_idle_end(sign_in, security))
		return -REASON_UNAUTHENTICATED;
	return 0;
}

int64_t sign_in_step_up_until(const struct sign_in *sign_in, int64_t step_up_ms,
	int64_t now_ms)
{
	int64_t since = now_ms - sign_in->proved_ms;

	/* A clock that was set back does not make a proof last longer. */
	return since > -step_up_ms && since < step_up_ms ? sign_in->proved_ms + step_up_ms
							 : 0;
}
