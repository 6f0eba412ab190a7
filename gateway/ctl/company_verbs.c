/* The verbs of companies and groups. */
#include <string.h>

#include "base/reason.h"
#include "ctl/ctl_verbs.h"

#define TENANTS "/api/v1/tenants"
#define GROUPS "/api/v1/groups"

static const struct table_column tenant_columns[] = {{"COMPANY", "id"}, {"NAME", "name"},
	{"STATE", "state"}, {"LICENSES", "licenses"},
	{"AT MOST", "licenses_max", TABLE_MOST}, {"KEPT DAYS", "retention_days"},
	{"CREATED", "created", TABLE_TIME}, {0}};
static const struct table_column tenant_card[] = {{"Company", "id"}, {"Name", "name"},
	{"State", "state"}, {"Licenses", "licenses"},
	{"Licenses at most", "licenses_max", TABLE_MOST},
	{"Sessions at most", "sessions_max", TABLE_MOST},
	{"Bytes a second at most", "rate_max_bytes", TABLE_MOST},
	{"History kept (days)", "retention_days"}, {"Created", "created", TABLE_TIME},
	{"Changed", "changed", TABLE_TIME}, {"Note", "note"}, {0}};
static const struct table_column group_columns[] = {{"GROUP", "name"},
	{"COMPANY", "tenant"}, {"LICENSES", "licenses"}, {"NOTE", "note"},
	{"CREATED", "created", TABLE_TIME}, {0}};
static const struct table_column group_card[] = {{"Group", "name"}, {"Company", "tenant"},
	{"Licenses", "licenses"}, {"Created", "created", TABLE_TIME},
	{"Changed", "changed", TABLE_TIME}, {"Note", "note"}, {0}};

static int tenant_body(const struct ctl_options *options, json_t *body)
{
	int status = ctl_verbs_set_text(body, "name", "--name", options->name);

	if (!status)
		status = ctl_verbs_set_text(body, "note", "--note", options->note);
	if (!status)
		status = ctl_verbs_set_number(body, "retention_days", "--retention-days",
			options->retention_days);
	if (!status)
		status = ctl_verbs_set_number(body, "licenses_max", "--licenses-max",
			options->licenses_max);
	if (!status)
		status = ctl_verbs_set_number(body, "sessions_max", "--sessions-max",
			options->sessions_max);
	if (!status)
		status = ctl_verbs_set_number(body, "rate_max_bytes", "--rate-max",
			options->rate_max);
	if (!status)
		status = ctl_verbs_set_number(body, "purge_days", "--purge-days",
			options->purge_days);
	return status;
}

int company_verbs_tenant_create(void *arg, int count, char **words)
{
	struct ctl_options *options = arg;
	json_t *body = json_object();
	int status = 0;

	if (count < 1 || !options->name)
		status = program_fail(-REASON_USAGE, "ID and --name TEXT are needed.");
	if (!status)
		status = ctl_verbs_set_text(body, "id", "ID", words[0]);
	if (!status)
		status = tenant_body(options, body);
	if (!status)
		status = ctl_verbs_act_show(options, "POST", TENANTS, body, tenant_card);
	json_decref(body);
	return status;
}

int company_verbs_tenant_list(void *arg, int count UNUSED, char **words UNUSED)
{
	return ctl_verbs_list(arg, TENANTS, tenant_columns);
}

int company_verbs_tenant_show(void *arg, int count, char **words)
{
	struct rest_path path;
	int status = ctl_verbs_path(&path, TENANTS, NULL, count, words);
	return status ? status : ctl_verbs_show(arg, path.text, tenant_card);
}

int company_verbs_tenant_change(void *arg, int count, char **words)
{
	struct rest_path path;
	json_t *body = json_object();
	int status = ctl_verbs_path(&path, TENANTS, NULL, count, words);

	if (!status)
		status = tenant_body(arg, body);
	if (!status)
		status = ctl_verbs_change(arg, path.text, body);
	json_decref(body);
	return status;
}

static int tenant_state(void *arg, const char *state, int count, char **words)
{
	struct rest_path path;
	int status = ctl_verbs_path(&path, TENANTS, NULL, count, words);
	return status ? status : ctl_verbs_change_state(arg, path.text, state);
}

int company_verbs_tenant_enable(void *arg, int count, char **words)
{
	return tenant_state(arg, "enabled", count, words);
}

int company_verbs_tenant_disable(void *arg, int count, char **words)
{
	return tenant_state(arg, "disabled", count, words);
}

/* groups */

int company_verbs_group_create(void *arg, int count, char **words)
{
	struct ctl_options *options = arg;
	json_t *body = json_object();
	int status = 0;

	if (count < 1)
		status = program_fail(-REASON_USAGE, "NAME is missing.");
	if (!status)
		status = ctl_verbs_set_text(body, "name", "NAME", words[0]);
	if (!status)
		status = ctl_verbs_set_text(body, "tenant", "--tenant", options->tenant);
	if (!status)
		status = ctl_verbs_set_text(body, "note", "--note", options->note);
	if (!status)
		status = ctl_verbs_act_show(options, "POST", GROUPS, body, group_card);
	json_decref(body);
	return status;
}

int company_verbs_group_list(void *arg, int count UNUSED, char **words UNUSED)
{
	struct ctl_options *options = arg;
	struct rest_path path;

	rest_path(&path, GROUPS);
	rest_path_query(&path, "tenant", options->tenant);
	return ctl_verbs_list(options, path.text, group_columns);
}

static int group_path(const struct ctl_options *options, struct rest_path *path,
	int count, char **words)
{
	int status = ctl_verbs_path(path, GROUPS, NULL, count, words);
	if (!status)
		rest_path_query(path, "tenant", options->tenant);
	return status;
}

int company_verbs_group_show(void *arg, int count, char **words)
{
	struct rest_path path;
	int status = group_path(arg, &path, count, words);
	return status ? status : ctl_verbs_show(arg, path.text, group_card);
}

int company_verbs_group_change(void *arg, int count, char **words)
{
	struct ctl_options *options = arg;
	struct rest_path path;
	json_t *body = json_object();
	int status = group_path(options, &path, count, words);

	if (!status)
		status = ctl_verbs_set_text(body, "note", "--note", options->note);
	if (!status)
		status = ctl_verbs_change(options, path.text, body);
	json_decref(body);
	return status;
}

int company_verbs_group_delete(void *arg, int count, char **words)
{
	struct rest_path path;
	int status = group_path(arg, &path, count, words);
	return status ? status : ctl_verbs_act(arg, "DELETE", path.text, NULL);
}
