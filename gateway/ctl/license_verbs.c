/* The verbs of licenses. */
#include <string.h>

#include "base/reason.h"
#include "base/secret.h"
#include "base/text.h"
#include "ctl/ctl_verbs.h"

#define LICENSES "/api/v1/licenses"

static const struct table_column list_columns[] = {{"LICENSE", "id"},
	{"HOLDER", "holder"}, {"STATE", "state", TABLE_STATE}, {"GROUP", "group"},
	{"EXPIRES", "expires", TABLE_TIME}, {"LABELS", "labels", TABLE_MAP}, {0}};

static const struct table_column card_columns[] = {{"License", "id"},
	{"Holder", "holder"}, {"Company", "tenant"}, {"State", "state", TABLE_STATE},
	{"Group", "group"}, {"Labels", "labels", TABLE_MAP},
	{"Expires", "expires", TABLE_TIME}, {"Created", "created", TABLE_TIME},
	{"Changed", "changed", TABLE_TIME}, {"Note", "note"}, {"Directory", "directory"},
	{"Name there", "directory_user"}, {"Office PC", "host"},
	{"PC connected", "online"}, {"Locked until", "locked_until", TABLE_TIME},
	{"One-time codes", "totp"}, {"Policy of its own", "policy", TABLE_MAP}, {0}};

static const struct table_column secret_columns[] = {{"License", "id"},
	{"Holder", "holder"}, {"Key", "key"}, {"Password", "password"}, {0}};

static json_t *labels_of(const struct args_many *labels)
{
	json_t *object = json_object();
	for (size_t i = 0; i < labels->count; i++) {
		const char *text = labels->items[i], *equals = strchr(text, '=');
		if (!equals || equals == text) {
			json_decref(object);
			program_fail(-REASON_USAGE, "--label %s: K=V expected.", text);
			return NULL;
		}
		json_object_setn_new(object, text, (size_t)(equals - text),
			json_string(equals + 1));
	}
	return object;
}

static void set_text(json_t *body, const char *name, const char *value)
{
	if (value)
		json_object_set_new(body, name, json_string(value));
}

/* jansson would drop it, and the gateway would miss it. */
static int check_text(const char *flag, const char *value)
{
	return !value || text_utf8_valid(value, strlen(value))
		       ? 0
		       : program_fail(-REASON_BAD_VALUE, "%s %s: UTF-8 expected.", flag,
				 value);
}

static int check_texts(const struct ctl_options *options)
{
	int status = check_text("--holder", options->holder);

	if (!status)
		status = check_text("--tenant", options->tenant);
	if (!status)
		status = check_text("--group", options->group);
	if (!status)
		status = check_text("--note", options->note);
	if (!status)
		status = check_text("--directory", options->directory);
	if (!status)
		status = check_text("--directory-user", options->directory_user);
	for (size_t i = 0; !status && i < options->labels.count; i++)
		status = check_text("--label", options->labels.items[i]);
	return status;
}

/* The members that creating and changing have in common. Told on error. */
static int body_of(const struct ctl_options *options, json_t *body)
{
	char expires[CTL_VERBS_TIME] = "";
	int never = options->expires && !strcmp(options->expires, "never");
	int status = check_texts(options);

	if (!status && !never)
		status = ctl_verbs_time("--expires", options->expires, 1, expires);

	if (status)
		return status;
	set_text(body, "holder", options->holder);
	set_text(body, "tenant", options->tenant);
	set_text(body, "group", options->group);
	set_text(body, "note", options->note);
	set_text(body, "directory", options->directory);
	set_text(body, "directory_user", options->directory_user);
	set_text(body, "expires", *expires ? expires : NULL);
	if (never)
		json_object_set_new(body, "expires", json_null());
	if (options->labels.count) {
		json_t *labels = labels_of(&options->labels);
		if (!labels)
			return -REASON_USAGE;
		json_object_set_new(body, "labels", labels);
	}
	return 0;
}

static int print_secrets(const struct ctl_options *options, const json_t *answer)
{
	if (options->json) {
		ctl_verbs_print_json(answer);
		return 0;
	}
	for (size_t i = 0; secret_columns[i].head; i++)
		if (json_object_get(answer, secret_columns[i].key))
			printf("%-9s %s\n", secret_columns[i].head,
				json_string_value(json_object_get(answer,
					secret_columns[i].key)));
	puts("Keep them now: they are shown only once.");
	return 0;
}

/* A POST whose answer is shown once. */
static int post_secret(struct ctl_options *options, const char *path, const json_t *body)
{
	json_t *answer = NULL;
	int status = rest_ask(options, "POST", path, body, &answer);

	if (!status)
		status = print_secrets(options, answer);
	json_decref(answer);
	return status;
}

int license_verbs_create(void *arg, int count UNUSED, char **words UNUSED)
{
	struct ctl_options *options = arg;
	json_t *body = json_object();
	int status;

	if (!options->holder)
		status = program_fail(-REASON_USAGE, "--holder NAME is missing.");
	else
		status = body_of(options, body);
	if (!status)
		status = post_secret(options, LICENSES, body);
	json_decref(body);
	return status;
}

static int list_path(const struct ctl_options *options, struct rest_path *path)
{
	rest_path(path, LICENSES);
	rest_path_query(path, "state", options->state);
	rest_path_query(path, "tenant", options->tenant);
	rest_path_query(path, "group", options->group);
	rest_path_query(path, "holder", options->holder);
	rest_path_query(path, "q", options->q);
	if (options->online || options->offline)
		rest_path_query(path, "online", options->online ? "1" : "0");
	if (options->labels.count > 1)
		return program_fail(-REASON_USAGE, "--label: only one when listing.");
	rest_path_query(path, "label",
		options->labels.count ? options->labels.items[0] : NULL);
	return path->overflow ? program_fail(-REASON_LIMIT, "Too long.") : 0;
}

int license_verbs_list(void *arg, int count UNUSED, char **words UNUSED)
{
	struct ctl_options *options = arg;
	struct rest_path path;
	int status = list_path(options, &path);
	return status ? status : ctl_verbs_list(options, path.text, list_columns);
}

int license_verbs_export(void *arg, int count UNUSED, char **words UNUSED)
{
	struct ctl_options *options = arg;
	struct rest_path path;
	int status = list_path(options, &path);

	if (status)
		return status;
	if (options->json)
		return ctl_verbs_list(options, path.text, list_columns);
	rest_path_query(&path, "format", "csv");
	return rest_ask_stream(options, "GET", path.text, stdout);
}

int license_verbs_show(void *arg, int count, char **words)
{
	struct rest_path path;
	int status = ctl_verbs_path(&path, LICENSES, NULL, count, words);
	return status ? status : ctl_verbs_show(arg, path.text, card_columns);
}

int license_verbs_policy(void *arg, int count, char **words)
{
	struct rest_path path;
	int status = ctl_verbs_path(&path, LICENSES, "/policy", count, words);
	return status ? status : ctl_verbs_print(arg, "GET", path.text, NULL);
}

static const struct table_column device_columns[] = {{"DEVICE", "id"}, {"NAME", "name"},
	{"KIND", "kind"}, {"PROGRAM", "program"}, {"ADDRESS", "address"},
	{"FIRST", "first", TABLE_TIME}, {"LAST", "last", TABLE_TIME},
	{"PERMITTED", "permitted"}, {0}};
static const struct table_column holder_columns[] = {{"HOLDER", "holder"},
	{"COMPANY", "tenant"}, {"LICENSES", "licenses"}, {"ONLINE", "online"},
	{"LAST SEEN", "last_seen", TABLE_TIME}, {0}};

int license_verbs_devices(void *arg, int count, char **words)
{
	struct rest_path path;
	int status = ctl_verbs_path(&path, LICENSES, "/devices", count, words);
	return status ? status : ctl_verbs_list(arg, path.text, device_columns);
}

int license_verbs_forget(void *arg, int count, char **words)
{
	struct rest_path path;
	int status = ctl_verbs_path(&path, LICENSES, "/devices", count, words);

	if (!status && count < 2)
		status = program_fail(-REASON_USAGE, "ID and DEVICE are needed.");
	if (status)
		return status;
	rest_path_segment(&path, words[1]);
	return ctl_verbs_act(arg, "DELETE", path.text, NULL);
}

int license_verbs_holders(void *arg, int count UNUSED, char **words UNUSED)
{
	struct ctl_options *options = arg;
	struct rest_path path;

	rest_path(&path, "/api/v1/holders");
	rest_path_query(&path, "q", options->q);
	rest_path_query(&path, "tenant", options->tenant);
	return ctl_verbs_list(options, path.text, holder_columns);
}

static int patch_state(void *arg, const char *state, int count, char **words)
{
	struct rest_path path;
	int status = ctl_verbs_path(&path, LICENSES, NULL, count, words);
	return status ? status : ctl_verbs_change_state(arg, path.text, state);
}

int license_verbs_enable(void *arg, int count, char **words)
{
	return patch_state(arg, "enabled", count, words);
}

int license_verbs_disable(void *arg, int count, char **words)
{
	return patch_state(arg, "disabled", count, words);
}

int license_verbs_change(void *arg, int count, char **words)
{
	struct rest_path path;
	json_t *body = json_object();
	int status = ctl_verbs_path(&path, LICENSES, NULL, count, words);

	if (!status)
		status = body_of(arg, body);
	if (!status)
		status = ctl_verbs_change(arg, path.text, body);
	json_decref(body);
	return status;
}

int license_verbs_delete(void *arg, int count, char **words)
{
	struct rest_path path;
	int status = ctl_verbs_path(&path, LICENSES, NULL, count, words);
	return status ? status : ctl_verbs_act(arg, "DELETE", path.text, NULL);
}

static int post_tail(void *arg, const char *tail, int count, char **words)
{
	struct rest_path path;
	int status = ctl_verbs_path(&path, LICENSES, tail, count, words);
	return status ? status : post_secret(arg, path.text, NULL);
}

int license_verbs_rotate(void *arg, int count, char **words)
{
	return post_tail(arg, "/rotate", count, words);
}

int license_verbs_password(void *arg, int count, char **words)
{
	return post_tail(arg, "/password", count, words);
}

int license_verbs_unlock(void *arg, int count, char **words)
{
	struct rest_path path;
	int status = ctl_verbs_path(&path, LICENSES, "/unlock", count, words);
	return status ? status : ctl_verbs_act(arg, "POST", path.text, NULL);
}

int license_verbs_unbind(void *arg, int count, char **words)
{
	struct rest_path path;
	int status = ctl_verbs_path(&path, LICENSES, "/unbind", count, words);
	return status ? status : ctl_verbs_act(arg, "POST", path.text, NULL);
}
