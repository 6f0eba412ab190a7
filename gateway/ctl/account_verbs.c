/* The verbs of accounts, and of how people sign in. */
#include <stdlib.h>
#include <string.h>

#include "base/reason.h"
#include "ctl/ctl_verbs.h"

#define ACCOUNTS "/api/v1/accounts"
#define SECURITY "/api/v1/security"

static const struct table_column account_columns[] = {{"ACCOUNT", "name"},
	{"NAME", "full_name"}, {"ROLES", "roles"}, {"COMPANY", "tenant"},
	{"STATE", "state"}, {"CODES", "totp"}, {"LAST SIGN-IN", "signed_in", TABLE_TIME},
	{"LOCKED UNTIL", "locked_until", TABLE_TIME}, {0}};
static const struct table_column account_card[] = {{"Account", "name"},
	{"Name", "full_name"}, {"Mail", "mail"}, {"Roles", "roles"},
	{"Company", "tenant"}, {"State", "state"}, {"Language", "language"},
	{"One-time codes", "totp"}, {"Recovery codes left", "recovery_codes_left"},
	{"Must change password", "must_change"},
	{"Password since", "password_changed", TABLE_TIME},
	{"Last sign-in", "signed_in", TABLE_TIME},
	{"Locked until", "locked_until", TABLE_TIME}, {"Created", "created", TABLE_TIME},
	{"Changed", "changed", TABLE_TIME}, {0}};
static const struct table_column sign_in_columns[] = {{"SINCE", "created", TABLE_TIME},
	{"SEEN", "seen", TABLE_TIME}, {"ADDRESS", "address"}, {"PROGRAM", "agent"}, {0}};

static json_t *words_json(const struct args_many *words)
{
	json_t *list = json_array();

	for (size_t i = 0; i < words->count; i++)
		json_array_append_new(list, json_string(words->items[i]));
	return list;
}

static int account_body(const struct ctl_options *options, json_t *body)
{
	int status =
		ctl_verbs_set_text(body, "full_name", "--full-name", options->full_name);

	if (!status)
		status = ctl_verbs_set_text(body, "mail", "--mail", options->mail);
	if (!status)
		status = ctl_verbs_set_text(body, "language", "--language",
			options->language);
	if (!status)
		status = ctl_verbs_set_text(body, "state", "--state", options->state);
	if (!status)
		status = ctl_verbs_set_text(body, "directory", "--directory",
			options->directory);
	if (!status)
		status = ctl_verbs_set_text(body, "directory_user", "--directory-user",
			options->directory_user);
	if (!status && options->roles.count)
		json_object_set_new(body, "roles", words_json(&options->roles));
	return status;
}

/* The one answer with a password: for people only that. */
static int act_with_password(const struct ctl_options *options, const char *path,
	const json_t *body)
{
	json_t *answer = NULL;
	int status = rest_ask(options, "POST", path, body, &answer);

	if (!status && options->json)
		ctl_verbs_print_json(answer);
	else if (!status)
		printf("Password  %s   (shown only now; to be changed at the first "
		       "sign-in)\n",
			json_string_value(json_object_get(answer, "password")));
	json_decref(answer);
	return status;
}

int account_verbs_create(void *arg, int count, char **words)
{
	struct ctl_options *options = arg;
	json_t *body = json_object();
	int status = 0;

	if (count < 1 || !options->roles.count)
		status = program_fail(-REASON_USAGE, "NAME and --role ROLE are needed.");
	if (!status)
		status = ctl_verbs_set_text(body, "name", "NAME", words[0]);
	if (!status)
		status = ctl_verbs_set_text(body, "tenant", "--tenant", options->tenant);
	if (!status)
		status = account_body(options, body);
	if (!status)
		status = act_with_password(options, ACCOUNTS, body);
	json_decref(body);
	return status;
}

int account_verbs_list(void *arg, int count UNUSED, char **words UNUSED)
{
	struct ctl_options *options = arg;
	struct rest_path path;

	rest_path(&path, ACCOUNTS);
	rest_path_query(&path, "q", options->q);
	rest_path_query(&path, "state", options->state);
	rest_path_query(&path, "tenant", options->tenant);
	if (options->roles.count)
		rest_path_query(&path, "role", options->roles.items[0]);
	return ctl_verbs_list(options, path.text, account_columns);
}

int account_verbs_show(void *arg, int count, char **words)
{
	struct rest_path path;
	int status = ctl_verbs_path(&path, ACCOUNTS, NULL, count, words);
	return status ? status : ctl_verbs_show(arg, path.text, account_card);
}

int account_verbs_change(void *arg, int count, char **words)
{
	struct rest_path path;
	json_t *body = json_object();
	int status = ctl_verbs_path(&path, ACCOUNTS, NULL, count, words);

	if (!status)
		status = account_body(arg, body);
	if (!status)
		status = ctl_verbs_change(arg, path.text, body);
	json_decref(body);
	return status;
}

static int act(void *arg, const char *method, const char *tail, int count, char **words)
{
	struct rest_path path;
	int status = ctl_verbs_path(&path, ACCOUNTS, tail, count, words);
	return status ? status : ctl_verbs_act(arg, method, path.text, NULL);
}

int account_verbs_delete(void *arg, int count, char **words)
{
	return act(arg, "DELETE", NULL, count, words);
}

int account_verbs_password(void *arg, int count, char **words)
{
	struct rest_path path;
	int status = ctl_verbs_path(&path, ACCOUNTS, "/password", count, words);
	return status ? status : act_with_password(arg, path.text, NULL);
}

int account_verbs_unlock(void *arg, int count, char **words)
{
	return act(arg, "POST", "/unlock", count, words);
}

int account_verbs_totp_remove(void *arg, int count, char **words)
{
	return act(arg, "DELETE", "/totp", count, words);
}

int account_verbs_sign_ins(void *arg, int count, char **words)
{
	struct rest_path path;
	int status = ctl_verbs_path(&path, ACCOUNTS, "/sign-ins", count, words);
	return status ? status : ctl_verbs_list(arg, path.text, sign_in_columns);
}

int account_verbs_sign_out(void *arg, int count, char **words)
{
	return act(arg, "DELETE", "/sign-ins", count, words);
}

static void security_path(const struct ctl_options *options, struct rest_path *ret)
{
	rest_path(ret, SECURITY);
	rest_path_query(ret, "tenant", options->tenant);
}

int account_verbs_security_show(void *arg, int count UNUSED, char **words UNUSED)
{
	struct rest_path path;

	security_path(arg, &path);
	return ctl_verbs_print(arg, "GET", path.text, NULL);
}

static int set_flag(json_t *body, const char *member, const char *flag, const char *value)
{
	if (!value)
		return 0;
	if (strcmp(value, "yes") && strcmp(value, "no"))
		return program_fail(-REASON_USAGE, "%s %s: yes or no expected.", flag,
			value);
	json_object_set_new(body, member, json_boolean(!strcmp(value, "yes")));
	return 0;
}

/* 30s, 15m, 12h, 90d; 0. */
static int set_duration(json_t *body, const char *member, const char *flag,
	const char *value)
{
	static const struct {
		const char *unit;
		json_int_t ms;
	} units[] = {{"s", 1000}, {"m", 60000}, {"h", 3600000}, {"d", 86400000}};
	size_t digits = value ? strspn(value, "0123456789") : 0;

	if (!value)
		return 0;
	for (size_t i = 0; digits && digits < 7 && i < ARRAY_LEN(units); i++)
		if (!strcmp(value + digits, units[i].unit) || !strcmp(value, "0")) {
			json_object_set_new(body, member,
				json_integer(atol(value) * units[i].ms));
			return 0;
		}
	return program_fail(-REASON_USAGE, "%s %s: 30s, 15m, 12h or 90d expected.", flag,
		value);
}

/* An inner object only when something of it was given. Takes it over. */
static int set_object(json_t *body, const char *member, json_t *object, int status)
{
	if (json_object_size(object))
		json_object_set(body, member, object);
	json_decref(object);
	return status;
}

static int password_body(const struct ctl_options *options, json_t *body)
{
	json_t *rule = json_object();
	int status = ctl_verbs_set_number(rule, "min_length", "--min-length",
		options->min_length);

	if (!status)
		status = ctl_verbs_set_number(rule, "min_classes", "--min-classes",
			options->min_classes);
	if (!status)
		status = ctl_verbs_set_number(rule, "history", "--history",
			options->history);
	if (!status)
		status = set_duration(rule, "max_age_ms", "--max-age", options->max_age);
	if (!status)
		status = set_flag(rule, "common", "--refuse-common",
			options->refuse_common);
	return set_object(body, "password", rule, status);
}

static int lockout_body(const struct ctl_options *options, json_t *body)
{
	json_t *lockout = json_object();
	int status = ctl_verbs_set_number(lockout, "failures", "--failures",
		options->failures);

	if (!status)
		status = set_duration(lockout, "lock_ms", "--lock", options->lock);
	return set_object(body, "lockout", lockout, status);
}

/* "any" alone: from everywhere. */
static void addresses_body(const struct ctl_options *options, json_t *body)
{
	const struct args_many *given = &options->addresses;

	if (given->count == 1 && !strcmp(given->items[0], "any"))
		json_object_set_new(body, "addresses", json_array());
	else if (given->count)
		json_object_set_new(body, "addresses", words_json(given));
}

static int security_body(const struct ctl_options *options, json_t *body)
{
	int status = set_flag(body, "totp_required", "--totp", options->totp);

	if (!status)
		status = set_duration(body, "idle_ms", "--idle", options->idle);
	if (!status)
		status = set_duration(body, "absolute_ms", "--longest", options->longest);
	if (!status)
		status = password_body(options, body);
	if (!status)
		status = lockout_body(options, body);
	addresses_body(options, body);
	if (!status && !json_object_size(body))
		status = program_fail(-REASON_USAGE, "Nothing to set is given.");
	return status;
}

int account_verbs_security_set(void *arg, int count UNUSED, char **words UNUSED)
{
	struct rest_path path;
	json_t *body = json_object();
	int status = security_body(arg, body);

	security_path(arg, &path);
	if (!status)
		status = ctl_verbs_act(arg, "PATCH", path.text, body);
	json_decref(body);
	return status;
}
