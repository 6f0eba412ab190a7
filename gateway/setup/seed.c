#include "setup/seed.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/reason.h"
#include "base/secret.h"
#include "base/text.h"
#include "rules/account.h"
#include "rules/role.h"
#include "setup/chronicle.h"
#include "store/store_open.h"
#include "store/store_wait.h"

#define SEED_MAX 32768

static int fail(char *error, int reason, const char *what)
{
	snprintf(error, DATA_DIR_ERROR, "%s", what);
	return reason < 0 ? reason : -reason;
}

static int make_token(struct token *ret, char ret_text[static TOKEN_TEXT_SIZE])
{
	struct token token = {.created_ms = clock_wall_ms()};

	text_clip(token.name, sizeof(token.name), "admin.token");
	text_clip(token.role, sizeof(token.role), role_name(ROLE_OPERATOR));
	text_clip(token.by, sizeof(token.by), "gateway");
	int status = token_generate(&token, ret_text);
	if (!status)
		*ret = token;
	return status;
}

/* The account must set a password of its own at its first sign-in. */
static int make_account(char ret_password[static SEED_PASSWORD], json_t **ret)
{
	struct account account = {
		.roles = ROLE_BIT(ROLE_OPERATOR), .created_ms = clock_wall_ms()};
	char password[PASSWORD_GENERATED], record[PASSWORD_RECORD], *body = NULL;
	int status = password_generate(password);

	if (!status)
		status = password_hash(password, record);
	if (status)
		return status;
	text_clip(account.name, sizeof(account.name), SEED_ACCOUNT);
	account.changed_ms = account.created_ms;
	account_set_password(&account, record, account.created_ms);
	account_end_sign_ins(&account, account.created_ms);
	account.must_change = 1;
	status = account_write(&account, NULL, &body);
	if (!status) {
		*ret = json_loads(body, 0, NULL);
		memcpy(ret_password, password, sizeof(password));
	}
	free(body);
	secret_wipe(password, sizeof(password));
	return status ? status : *ret ? 0 : -REASON_NO_MEMORY;
}

static int make_seed(const struct token *token, json_t *account, char **ret)
{
	uint8_t random[12];
	char id[TEXT_HEX_SIZE(12)], *body;
	int status = secret_random(random, sizeof(random));

	if (!status)
		status = token_write(token, &body);
	if (status)
		return status;
	text_hex(id, random, sizeof(random));
	json_t *seed = json_pack("{s:s, s:s, s:o, s:O}", "id", id, "token_id", token->id,
		"token", json_loads(body, 0, NULL), "account", account);
	free(body);
	*ret = seed ? json_dumps(seed, JSON_INDENT(2)) : NULL;
	json_decref(seed);
	return *ret ? 0 : -REASON_NO_MEMORY;
}

int seed_make(const char *path, char ret_password[static SEED_PASSWORD],
	char error[static DATA_DIR_ERROR])
{
	char text[TOKEN_TEXT_SIZE], *seed = NULL;
	json_t *account = NULL;
	struct token token;
	int status = make_token(&token, text);

	if (!status)
		status = make_account(ret_password, &account);
	if (!status)
		status = make_seed(&token, account, &seed);
	if (status) {
		fail(error, status, "the first operator could not be made");
		goto out;
	}
	status = data_dir_write(path, "seed.json", seed, strlen(seed), 0600, error);
	if (!status)
		status = data_dir_write(path, "admin.token", text, strlen(text), 0600,
			error);
out:
	secret_wipe(text, sizeof(text));
	json_decref(account);
	free(seed);
	return status;
}

static int put_once(struct store *store, enum state_kind kind, const char *id,
	const char *tenant, const json_t *body)
{
	char *text = json_dumps(body, JSON_COMPACT);
	struct state_doc doc = {.kind = kind, .id = id, .tenant = tenant, .body = text};
	uint64_t version;
	int status =
		text ? store_wait_put(store->state, &doc, &version) : -REASON_NO_MEMORY;

	free(text);
	return status == -REASON_CONFLICT
		       ? 0
		       : status; /* it is there: an earlier try got so far */
}

static int is_taken(struct store *store, const char *id, int *ret)
{
	struct store_docs docs = {0};
	int status = store_wait_get(store->state, STATE_META, id, &docs);

	*ret = !status;
	if (!status)
		store_docs_free(&docs);
	return status == -REASON_NOT_FOUND ? 0 : status;
}

static int take(struct store *store, const char *mark, const char *node,
	const json_t *seed)
{
	const char *token_id = json_string_value(json_object_get(seed, "token_id"));
	const json_t *token = json_object_get(seed, "token");
	const json_t *account = json_object_get(seed, "account");

	if (!token_id || !json_is_object(token) || !json_is_object(account))
		return -REASON_STATE_DAMAGED;
	int status = chronicle_write(store, AUDIT_ACCOUNT_CREATED,
		json_pack("{s:s, s:[s]}", "account", SEED_ACCOUNT, "roles", "operator"));
	if (!status)
		status = chronicle_write(store, AUDIT_TOKEN_CREATED,
			json_pack("{s:s, s:[s]}", "token", token_id, "scopes",
				"operator"));
	if (!status)
		status = put_once(store, STATE_ACCOUNT, SEED_ACCOUNT, "", account);
	if (!status)
		status = put_once(store, STATE_TOKEN, token_id, "", token);
	if (status)
		return status;
	json_t *taken = json_pack("{s:s, s:I}", "node", node, "at_ms",
		(json_int_t)clock_wall_ms());
	status = put_once(store, STATE_META, mark, "", taken);
	json_decref(taken);
	return status;
}

int seed_apply(const char *path, struct store *store, const char *node,
	char error[static DATA_DIR_ERROR])
{
	char *text, mark[80];
	int taken, status = data_dir_read(path, "seed.json", SEED_MAX, &text, error);

	if (status)
		return status;
	json_t *seed = json_loads(text, JSON_REJECT_DUPLICATES, NULL);
	const char *id = json_string_value(json_object_get(seed, "id"));
	data_dir_wipe(text);
	if (!id || strlen(id) > 64) {
		json_decref(seed);
		return fail(error, REASON_STATE_DAMAGED, "seed.json is damaged");
	}
	snprintf(mark, sizeof(mark), "seed/%s", id);
	status = is_taken(store, mark, &taken);
	if (!status && !taken)
		status = take(store, mark, node, seed);
	if (status)
		fail(error, status, "seed.json could not be brought into the store");
	json_decref(seed);
	return status;
}
