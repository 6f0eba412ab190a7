#include "rules/account.h"

#include <string.h>

#include "base/reason.h"
#include "base/secret.h"
#include "base/text.h"
#include "rules/document.h"

static const char *const states[] = {"enabled", "disabled", NULL};
static const char *const languages[] = {"en", "ja", NULL};

int account_name_good(const char *name)
{
	size_t len = strlen(name);
	return len && len < ACCOUNT_NAME_SIZE &&
	       strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789.-_@") == len;
}

static int read_roles(const json_t *object, struct account *account,
	struct field_error *error)
{
	const json_t *roles = json_object_get(object, "roles"), *item;
	unsigned bits = 0;
	size_t i;
	if (!roles || json_is_null(roles))
		return 0;
	if (!json_is_array(roles) || !json_array_size(roles))
		return field_fail(error, "roles",
			"a list of at least one role is expected");
	json_array_foreach(roles, i, item)
	{
		enum role role;
		if (!json_is_string(item) || role_parse(json_string_value(item), &role))
			return field_fail(error, "roles",
				"operator, admin, helpdesk or auditor is expected");
		bits |= ROLE_BIT(role);
	}
	if ((bits & ROLE_BIT(ROLE_OPERATOR)) && *account->tenant)
		return field_fail(error, "roles", "an operator belongs to no tenant");
	account->roles = bits;
	return 0;
}

static int read_directory(const json_t *object, struct account *account,
	struct field_error *error)
{
	int r = field_text(object, "directory", FIELD_MAY, account->directory,
		sizeof(account->directory), error);
	if (r == 0 && *account->directory && !directory_id_good(account->directory))
		r = field_fail(error, "directory", "the id of a directory is expected");
	if (r == 0)
		r = field_text(object, "directory_user", FIELD_MAY,
			account->directory_user, sizeof(account->directory_user), error);
	if (r == 0 && *account->directory_user &&
		!directory_user_good(account->directory_user))
		r = field_fail(error, "directory_user", "a name is expected");
	return r;
}

static int read_open_fields(const json_t *object, struct account *account,
	struct field_error *error)
{
	int r = field_text(object, "full_name", FIELD_MAY, account->full_name,
		sizeof(account->full_name), error);
	if (r == 0)
		r = field_text(object, "mail", FIELD_MAY, account->mail,
			sizeof(account->mail), error);
	if (r == 0)
		r = field_word(object, "language", FIELD_MAY, languages,
			&account->language, error);
	if (r == 0)
		r = field_word(object, "state", FIELD_MAY, states, &account->state,
			error);
	if (r == 0)
		r = field_flag(object, "must_change", &account->must_change, error);
	if (r == 0)
		r = read_directory(object, account, error);
	return r ? r : read_roles(object, account, error);
}

static int read_record(const char *text, char ret[static PASSWORD_RECORD],
	struct field_error *error)
{
	if (!text || (*text && password_record_check(text)))
		return field_fail(error, "password", "is not a password record");
	CHECK(text_copy(ret, PASSWORD_RECORD, text) == 0);
	return 0;
}

static int read_passwords(const json_t *object, struct account *account,
	struct field_error *error)
{
	const json_t *old = json_object_get(object, "old_passwords"), *item;
	const json_t *record = json_object_get(object, "password");
	size_t i;
	int r = record ? read_record(json_string_value(record), account->password, error)
		       : 0;
	json_array_foreach(old, i, item)
	{
		if (r || i == PASSWORD_RULE_HISTORY)
			break;
		r = read_record(json_string_value(item), account->old_passwords[i],
			error);
		account->old_count = i + 1;
	}
	return r;
}

static int read_secret(const json_t *object, const char *name, uint8_t *ret, int *ret_has,
	struct field_error *error)
{
	const json_t *value = json_object_get(object, name);
	*ret_has = value && !json_is_null(value);
	return *ret_has ? field_hex(object, name, FIELD_NEED, ret, TOTP_SECRET, error)
			: 0;
}

static int read_codes(const json_t *object, struct account *account,
	struct field_error *error)
{
	const json_t *hashes = json_object_get(object, "recovery"), *item;
	struct totp_recovery *recovery = &account->recovery;
	size_t i;
	int r = read_secret(object, "totp", account->totp, &account->has_totp, error);
	if (r == 0)
		r = read_secret(object, "totp_new", account->totp_new,
			&account->has_totp_new, error);
	if (r == 0)
		r = field_integer(object, "totp_step", FIELD_MAY, 0, INT64_MAX,
			&account->totp_step, error);
	json_array_foreach(hashes, i, item)
	{
		const char *hash = json_string_value(item);
		if (r || i == TOTP_RECOVERY)
			break;
		if (!hash || text_unhex(recovery->hashes[i], DIGEST_SIZE, hash))
			return field_fail(error, "recovery", "is not a list of hashes");
		recovery->count = i + 1;
	}
	return r;
}

static int read_all(const json_t *object, struct account *account,
	struct field_error *error)
{
	int r = field_text(object, "name", FIELD_NEED, account->name,
		sizeof(account->name), error);
	if (r == 0 && !account_name_good(account->name))
		r = field_fail(error, "name", "1 to 64 of a-z 0-9 . - _ @ are expected");
	if (r == 0)
		r = field_text(object, "tenant", FIELD_MAY, account->tenant,
			sizeof(account->tenant), error);
	if (r == 0)
		r = field_time(object, "created_ms", &account->created_ms, error);
	if (r == 0)
		r = field_time(object, "changed_ms", &account->changed_ms, error);
	if (r == 0)
		r = field_time(object, "password_ms", &account->password_ms, error);
	if (r == 0)
		r = field_time(object, "signed_in_ms", &account->signed_in_ms, error);
	if (r == 0)
		r = field_integer(object, "epoch", FIELD_MAY, 0, INT64_MAX,
			&account->epoch, error);
	if (r == 0)
		r = read_passwords(object, account, error);
	if (r == 0)
		r = read_codes(object, account, error);
	if (r == 0)
		r = read_open_fields(object, account, error);
	if (r == 0 && !account->roles)
		r = field_fail(error, "roles", "is needed");
	return r;
}

int account_read(const char *body, struct account *ret, struct field_error *error)
{
	struct account account = {0};
	json_t *object;
	int r = field_parse(body, &object, error);
	if (r)
		return r;
	r = read_all(object, &account, error);
	json_decref(object);
	if (r == 0)
		*ret = account;
	return r;
}

int account_change(struct account *account, const json_t *changes,
	struct field_error *error)
{
	static const char *const known[] = {"full_name", "mail", "language", "roles",
		"state", "must_change", "directory", "directory_user", NULL};
	struct account changed = *account;
	if (!json_is_object(changes))
		return field_fail(error, "", "a JSON object is expected");
	int r = field_known(changes, known, error);
	if (r == 0)
		r = read_open_fields(changes, &changed, error);
	if (r == 0)
		*account = changed;
	return r;
}

void account_set_password(struct account *account, const char *record, int64_t now_ms)
{
	CHECK(password_record_check(record) == 0);
	if (*account->password) {
		memmove(account->old_passwords[1], account->old_passwords[0],
			(PASSWORD_RULE_HISTORY - 1) * sizeof(account->old_passwords[0]));
		memcpy(account->old_passwords[0], account->password, PASSWORD_RECORD);
		if (account->old_count < PASSWORD_RULE_HISTORY)
			account->old_count++;
	}
	CHECK(text_copy(account->password, PASSWORD_RECORD, record) == 0);
	account->password_ms = now_ms;
	account->must_change = 0;
}

void account_end_sign_ins(struct account *account, int64_t now_ms)
{
	account->epoch = now_ms > account->epoch ? now_ms : account->epoch + 1;
}

void account_remove_totp(struct account *account)
{
	secret_wipe(account->totp, sizeof(account->totp));
	secret_wipe(account->totp_new, sizeof(account->totp_new));
	account->has_totp = account->has_totp_new = 0;
	account->totp_step = 0;
	account->recovery = (struct totp_recovery){0};
}

static json_t *roles_json(const struct account *account)
{
	json_t *roles = json_array();
	for (size_t i = 0; i < ROLES; i++)
		if ((account->roles & ROLE_BIT(i)) &&
			json_array_append_new(roles,
				json_string(role_name((enum role)i)))) {
			json_decref(roles);
			return NULL;
		}
	return roles;
}

static json_t *old_json(const struct account *account)
{
	json_t *old = json_array();
	for (size_t i = 0; i < account->old_count; i++)
		if (json_array_append_new(old, json_string(account->old_passwords[i]))) {
			json_decref(old);
			return NULL;
		}
	return old;
}

static json_t *secret_json(const uint8_t secret[static TOTP_SECRET], int has)
{
	char text[TEXT_HEX_SIZE(TOTP_SECRET)];
	if (!has)
		return json_null();
	text_hex(text, secret, TOTP_SECRET);
	json_t *made = json_string(text);
	secret_wipe(text, sizeof(text));
	return made;
}

static json_t *recovery_json(const struct totp_recovery *recovery)
{
	char text[TEXT_HEX_SIZE(DIGEST_SIZE)];
	json_t *hashes = json_array();
	for (size_t i = 0; i < recovery->count; i++) {
		text_hex(text, recovery->hashes[i], DIGEST_SIZE);
		if (json_array_append_new(hashes, json_string(text))) {
			json_decref(hashes);
			return NULL;
		}
	}
	return hashes;
}

static int set_open_fields(json_t *object, const struct account *account)
{
	return document_set(object,
		json_pack("{s:s, s:s, s:s, s:s, s:s, s:s, s:b, s:I, s:I, s:I, s:I, s:o, "
			  "s:s, s:s}",
			"name", account->name, "tenant", account->tenant, "full_name",
			account->full_name, "mail", account->mail, "language",
			languages[account->language], "state", states[account->state],
			"must_change", account->must_change, "created_ms",
			(json_int_t)account->created_ms, "changed_ms",
			(json_int_t)account->changed_ms, "password_ms",
			(json_int_t)account->password_ms, "signed_in_ms",
			(json_int_t)account->signed_in_ms, "roles", roles_json(account),
			"directory", account->directory, "directory_user",
			account->directory_user));
}

static int set_secrets(json_t *object, const struct account *account)
{
	return document_set(object,
		json_pack("{s:s, s:o, s:I, s:o, s:o, s:I, s:o}", "password",
			account->password, "old_passwords", old_json(account), "epoch",
			(json_int_t)account->epoch, "totp",
			secret_json(account->totp, account->has_totp), "totp_new",
			secret_json(account->totp_new, account->has_totp_new),
			"totp_step", (json_int_t)account->totp_step, "recovery",
			recovery_json(&account->recovery)));
}

int account_write(const struct account *account, const char *before, char **ret)
{
	json_t *object;
	int r = document_open(before, &object);
	if (r == 0)
		r = set_open_fields(object, account);
	if (r == 0)
		r = set_secrets(object, account);
	return document_close(object, r, ret);
}

int account_show(const struct account *account, char **ret)
{
	json_t *object = json_object();
	int r = set_open_fields(object, account);
	if (r == 0 &&
		(json_object_set_new(object, "totp", json_boolean(account->has_totp)) ||
			json_object_set_new(object, "recovery_codes_left",
				json_integer((json_int_t)account->recovery.count))))
		r = -REASON_NO_MEMORY;
	return document_close(object, r, ret);
}

const char *account_directory_user(const struct account *account)
{
	return *account->directory_user ? account->directory_user : account->name;
}
