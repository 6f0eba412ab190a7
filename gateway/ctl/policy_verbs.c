/* The verbs of policies: JSON in and out, because a policy is a document that people keep in files. */
#include <string.h>

#include "base/reason.h"
#include "ctl/ctl_verbs.h"

#define POLICIES "/api/v1/policies"

static const struct table_column list_columns[] = {
	{"LEVEL", "id"}, {"COMPANY", "tenant"}, {"GROUP", "group"}, {0}};

int policy_verbs_list(void *arg, int count UNUSED, char **words UNUSED)
{
	struct ctl_options *options = arg;
	struct rest_path path;

	rest_path(&path, POLICIES);
	rest_path_query(&path, "tenant", options->tenant);
	return ctl_verbs_list(options, path.text, list_columns);
}

/* "default", "tenant/ID" or "group/NAME"; a name may have any characters. */
static int level_path(const struct ctl_options *options, struct rest_path *path,
	int count, char **words)
{
	const char *level = count ? words[0] : "", *slash = strchr(level, '/');

	rest_path(path, POLICIES);
	if (!strcmp(level, "default")) {
		rest_path_segment(path, level);
	} else if (slash && slash[1] &&
		   (!strncmp(level, "tenant/", 7) || !strncmp(level, "group/", 6))) {
		rest_path_plain(path, *level == 't' ? "/tenant" : "/group");
		rest_path_segment(path, slash + 1);
	} else {
		return program_fail(-REASON_USAGE,
			"Which level? default, tenant/ID or group/NAME.");
	}
	if (*level == 'g')
		rest_path_query(path, "tenant", options->tenant);
	return path->overflow ? program_fail(-REASON_USAGE, "The name is too long.") : 0;
}

int policy_verbs_show(void *arg, int count, char **words)
{
	struct rest_path path;
	int status = level_path(arg, &path, count, words);
	return status ? status : ctl_verbs_print(arg, "GET", path.text, NULL);
}

int policy_verbs_set(void *arg, int count, char **words)
{
	struct rest_path path;
	json_t *body = NULL;
	int status = level_path(arg, &path, count, words);

	if (!status)
		status = ctl_verbs_read_json(count > 1 ? words[1] : NULL, &body);
	if (!status)
		status = ctl_verbs_act(arg, "PUT", path.text, body);
	json_decref(body);
	return status;
}

int policy_verbs_delete(void *arg, int count, char **words)
{
	struct rest_path path;
	int status = level_path(arg, &path, count, words);
	return status ? status : ctl_verbs_act(arg, "DELETE", path.text, NULL);
}
