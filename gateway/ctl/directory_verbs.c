/* The verbs of directories where people sign in. */
#include <errno.h>
#include <string.h>

#include "base/reason.h"
#include "base/secret.h"
#include "ctl/ctl_verbs.h"

#define DIRECTORIES "/api/v1/directories"

static const struct table_column list_columns[] = {{"DIRECTORY", "id"}, {"NAME", "name"},
	{"KIND", "kind"}, {"STATE", "state"}, {"COMPANY", "tenant"},
	{"CHANGED", "changed", TABLE_TIME}, {0}};

int directory_verbs_list(void *arg, int count UNUSED, char **words UNUSED)
{
	struct ctl_options *options = arg;
	struct rest_path path;

	rest_path(&path, DIRECTORIES);
	rest_path_query(&path, "tenant", options->tenant);
	return ctl_verbs_list(options, path.text, list_columns);
}

int directory_verbs_show(void *arg, int count, char **words)
{
	struct rest_path path;
	int status = ctl_verbs_path(&path, DIRECTORIES, NULL, count, words);
	return status ? status : ctl_verbs_print(arg, "GET", path.text, NULL);
}

int directory_verbs_create(void *arg, int count, char **words)
{
	json_t *body = NULL;
	int status = ctl_verbs_read_json(count ? words[0] : NULL, &body);

	if (!status)
		status = ctl_verbs_print(arg, "POST", DIRECTORIES, body);
	json_decref(body);
	return status;
}

int directory_verbs_change(void *arg, int count, char **words)
{
	struct rest_path path;
	json_t *body = NULL;
	int status = ctl_verbs_path(&path, DIRECTORIES, NULL, count, words);

	if (!status)
		status = ctl_verbs_read_json(count > 1 ? words[1] : NULL, &body);
	if (!status)
		status = ctl_verbs_print(arg, "PATCH", path.text, body);
	json_decref(body);
	return status;
}

int directory_verbs_delete(void *arg, int count, char **words)
{
	struct rest_path path;
	int status = ctl_verbs_path(&path, DIRECTORIES, NULL, count, words);
	return status ? status : ctl_verbs_act(arg, "DELETE", path.text, NULL);
}

static int read_line(const char *name, char *ret, int size)
{
	FILE *in = fopen(name, "re");

	if (!in)
		return program_fail(-REASON_FILE_UNREADABLE, "%s: %s", name,
			strerror(errno));
	if (!fgets(ret, size, in))
		*ret = '\0';
	ret[strcspn(ret, "\r\n")] = '\0';
	fclose(in);
	return 0;
}

static int tell_test(const struct ctl_options *options, const json_t *answer)
{
	const char *code = json_string_value(json_object_get(answer, "code"));
	const char *detail = json_string_value(json_object_get(answer, "detail"));
	int reason = code ? (int)reason_parse(code) : 0;

	if (options->json)
		ctl_verbs_print_json(answer);
	if (json_is_true(json_object_get(answer, "good"))) {
		if (!options->json)
			puts("It answers as it should.");
		return 0;
	}
	if (!reason)
		reason = REASON_INTERNAL;
	return options->json ? -reason
			     : program_fail(-reason, "%s", detail ? detail : "");
}

int directory_verbs_test(void *arg, int count, char **words)
{
	struct ctl_options *options = arg;
	char password[257] = "";
	struct rest_path path;
	json_t *answer = NULL;
	int status = ctl_verbs_path(&path, DIRECTORIES, "/test", count, words);

	if (!status && !options->user != !options->password_file)
		status = program_fail(-REASON_USAGE,
			"--user and --password-file need each other.");
	if (!status && options->user)
		status = read_line(options->password_file, password, sizeof(password));
	if (status)
		return status;
	json_t *body = json_pack("{s:s*, s:s*}", "user", options->user, "password",
		options->user ? password : NULL);
	status = rest_ask(options, "POST", path.text, body, &answer);
	if (!status)
		status = tell_test(options, answer);
	secret_wipe(password, sizeof(password));
	json_decref(answer);
	json_decref(body);
	return status;
}
