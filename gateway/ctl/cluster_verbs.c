/* The verbs of hosts, sessions, nodes, tokens, and of the gateway itself. */
#include <string.h>

#include "base/reason.h"
#include "ctl/ctl_verbs.h"
#include "ctl/dates.h"

static const struct table_column host_columns[] = {{"LICENSE", "license"},
	{"NAME", "name"}, {"HOLDER", "holder"}, {"CONNECTED", "online"}, {"NODE", "node"},
	{"PROGRAM", "program"}, {"LAST SEEN", "seen", TABLE_TIME}, {0}};
static const struct table_column host_card[] = {{"License", "license"}, {"Name", "name"},
	{"Holder", "holder"}, {"Connected", "online"}, {"Node", "node"},
	{"Program", "program"}, {"Address", "address"},
	{"Enrolled", "enrolled", TABLE_TIME}, {"Last seen", "seen", TABLE_TIME},
	{"Inventory", "inventory", TABLE_MAP}, {0}};
static const struct table_column session_columns[] = {{"SESSION", "id"},
	{"LICENSE", "license"}, {"HOLDER", "holder"}, {"VIEWER", "viewer"},
	{"HOST", "host"}, {"NODE", "node"}, {"SINCE", "started", TABLE_TIME},
	{"TO VIEWER", "bytes_to_viewer", TABLE_BYTES},
	{"TO HOST", "bytes_to_host", TABLE_BYTES}, {0}};
static const struct table_column node_columns[] = {{"NODE", "id"}, {"ADDRESS", "address"},
	{"PEER", "peer"}, {"VERSION", "version"}, {"SINCE", "started", TABLE_TIME},
	{"SEEN", "seen", TABLE_TIME}, {"AWAY", "away"}, {"DRAINING", "draining"},
	{"STORE AWAY", "degraded_mode"}, {"SESSIONS", "sessions"}, {"HOSTS", "hosts"},
	{"VIEWERS", "viewers"}, {0}};
static const struct table_column token_columns[] = {{"TOKEN", "id"}, {"NAME", "name"},
	{"ROLE", "role"}, {"BY", "by"}, {"COMPANY", "tenant"},
	{"CREATED", "created", TABLE_TIME}, {"EXPIRES", "expires", TABLE_TIME}, {0}};
static const struct table_column limit_columns[] = {{"LIMIT", "name"}, {"VALUE", "value"},
	{"CHANGE", "change"}, {"MEANING", "help"}, {0}};
static const struct table_column version_card[] = {{"Version", "version"},
	{"Node", "node"}, {"Running since", "started", TABLE_TIME},
	{"Certificate until", "certificate_expires", TABLE_TIME},
	{"While the store is away", "degraded_mode"},
	{"Store away since", "store_away", TABLE_TIME}, {"Sessions", "sessions"},
	{"Hosts", "hosts"}, {"Viewers", "viewers"}, {0}};

int cluster_verbs_host_list(void *arg, int count UNUSED, char **words UNUSED)
{
	struct ctl_options *options = arg;
	struct rest_path path;

	rest_path(&path, "/api/v1/hosts");
	rest_path_query(&path, "state", options->state);
	rest_path_query(&path, "q", options->q);
	rest_path_query(&path, "tenant", options->tenant);
	return ctl_verbs_list(options, path.text, host_columns);
}

int cluster_verbs_host_show(void *arg, int count, char **words)
{
	struct rest_path path;
	int status = ctl_verbs_path(&path, "/api/v1/hosts", NULL, count, words);
	return status ? status : ctl_verbs_show(arg, path.text, host_card);
}

int cluster_verbs_session_list(void *arg, int count UNUSED, char **words UNUSED)
{
	struct ctl_options *options = arg;
	struct rest_path path;

	rest_path(&path, "/api/v1/sessions");
	rest_path_query(&path, "license", options->license);
	rest_path_query(&path, "tenant", options->tenant);
	return ctl_verbs_list(options, path.text, session_columns);
}

int cluster_verbs_session_kill(void *arg, int count, char **words)
{
	struct rest_path path;
	int status = ctl_verbs_path(&path, "/api/v1/sessions", NULL, count, words);
	return status ? status : ctl_verbs_act(arg, "DELETE", path.text, NULL);
}

int cluster_verbs_node_list(void *arg, int count UNUSED, char **words UNUSED)
{
	return ctl_verbs_list(arg, "/api/v1/nodes", node_columns);
}

static int within_ms(const char *text, json_int_t *ret)
{
	static const struct {
		const char *unit;
		json_int_t ms;
	} units[] = {{"ms", 1}, {"s", 1000}, {"m", 60000}};
	size_t digits = strspn(text, "0123456789");

	for (size_t i = 0; digits && digits < 7 && i < ARRAY_LEN(units); i++)
		if (!strcmp(text + digits, units[i].unit)) {
			*ret = atoll(text) * units[i].ms;
			return 0;
		}
	return program_fail(-REASON_USAGE, "--within %s: 500ms, 10s or 2m expected.",
		text);
}

int cluster_verbs_node_drain(void *arg, int count, char **words)
{
	struct ctl_options *options = arg;
	struct rest_path path;
	json_int_t ms = 3000;
	int status = options->ttl ? within_ms(options->ttl, &ms) : 0;

	if (!status)
		status = ctl_verbs_path(&path, "/api/v1/nodes", "/drain", count, words);
	if (status)
		return status;
	json_t *body = json_pack("{s:I}", "within_ms", ms);
	status = ctl_verbs_act(options, "POST", path.text, body);
	json_decref(body);
	return status;
}

int cluster_verbs_node_undrain(void *arg, int count, char **words)
{
	struct rest_path path;
	int status = ctl_verbs_path(&path, "/api/v1/nodes", "/undrain", count, words);
	return status ? status : ctl_verbs_act(arg, "POST", path.text, NULL);
}

static int print_token(const struct ctl_options *options, const json_t *answer)
{
	if (options->json)
		ctl_verbs_print_json(answer);
	else
		printf("%s\n", json_string_value(json_object_get(answer, "token")));
	return 0;
}

int cluster_verbs_token_create(void *arg, int count UNUSED, char **words UNUSED)
{
	struct ctl_options *options = arg;
	char expires[CTL_VERBS_TIME];
	json_t *answer = NULL;

	if (!options->name || !options->role)
		return program_fail(-REASON_USAGE,
			"--name TEXT and --role ROLE are needed.");
	int status = ctl_verbs_time("--expires", options->expires, 1, expires);
	if (status)
		return status;
	json_t *body = json_pack("{s:s, s:s, s:s*, s:s*}", "name", options->name, "role",
		options->role, "tenant", options->tenant, "expires",
		*expires ? expires : NULL);
	status = rest_ask(options, "POST", "/api/v1/tokens", body, &answer);
	if (!status)
		status = print_token(options, answer);
	json_decref(answer);
	json_decref(body);
	return status;
}

int cluster_verbs_token_list(void *arg, int count UNUSED, char **words UNUSED)
{
	return ctl_verbs_list(arg, "/api/v1/tokens", token_columns);
}

int cluster_verbs_token_revoke(void *arg, int count, char **words)
{
	struct rest_path path;
	int status = ctl_verbs_path(&path, "/api/v1/tokens", NULL, count, words);
	return status ? status : ctl_verbs_act(arg, "DELETE", path.text, NULL);
}

/* The gateway ends it by itself: a reader is asked again who he is. */
int cluster_verbs_events(void *arg, int count UNUSED, char **words UNUSED)
{
	setvbuf(stdout, NULL, _IOLBF, 0);
	return rest_ask_stream(arg, "GET", "/api/v1/events", stdout);
}

int cluster_verbs_limits(void *arg, int count UNUSED, char **words UNUSED)
{
	return ctl_verbs_list(arg, "/api/v1/limits", limit_columns);
}

int cluster_verbs_version(void *arg, int count UNUSED, char **words UNUSED)
{
	return ctl_verbs_show(arg, "/api/v1/version", version_card);
}
