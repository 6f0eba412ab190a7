/* The verbs of what was carried, and of the state of the journal. */
#include <stdio.h>
#include <time.h>

#include "base/clock.h"
#include "base/reason.h"
#include "ctl/ctl_verbs.h"

static const struct table_column point_columns[] = {{"FROM", "at", TABLE_TIME},
	{"TO VIEWER", "bytes_to_viewer", TABLE_BYTES},
	{"TO HOST", "bytes_to_host", TABLE_BYTES}, {"SESSIONS", "sessions"},
	{"MINUTES", "minutes"}, {0}};
static const struct table_column top_columns[] = {{"LICENSE", "license"},
	{"HOLDER", "holder"}, {"TO VIEWER", "bytes_to_viewer", TABLE_BYTES},
	{"TO HOST", "bytes_to_host", TABLE_BYTES}, {"SESSIONS", "sessions"},
	{"MINUTES", "minutes"}, {0}};
static const struct table_column state_columns[] = {{"FIRST ROW", "first", TABLE_TIME},
	{"LAST NUMBER", "last_seq"}, {"ROWS", "rows", TABLE_MAP}, {"STUBS", "stubs"},
	{"SIZE", "bytes", TABLE_BYTES}, {"FREE", "free_bytes", TABLE_BYTES},
	{"DAYS LEFT", "days_left"}, {"KEPT DAYS", "retention_days"},
	{"COUNTS KEPT DAYS", "retention_counts_days"}, {"WRITABLE", "writable"},
	{"CHECKPOINT", "checkpoint", TABLE_MAP}, {"VERDICT", "verdict"}, {0}};

static int usage_path(const struct ctl_options *options, const char *base,
	struct rest_path *path)
{
	char from[CTL_VERBS_TIME], to[CTL_VERBS_TIME], limit[24];
	int status = ctl_verbs_time("--from", options->from, 0, from);

	if (!status)
		status = ctl_verbs_time("--to", options->to, 1, to);
	if (status)
		return status;
	snprintf(limit, sizeof(limit), "%ld", options->limit);
	rest_path(path, base);
	rest_path_query(path, "license", options->license);
	rest_path_query(path, "tenant", options->tenant);
	rest_path_query(path, "from", *from ? from : NULL);
	rest_path_query(path, "to", *to ? to : NULL);
	rest_path_query(path, "limit", options->limit > 0 ? limit : NULL);
	return path->overflow ? program_fail(-REASON_USAGE, "An option is too long.") : 0;
}

/* Days and months are those of whoever looks. */
static void add_offset(struct rest_path *path)
{
	char minutes[24];
	time_t now = time(NULL);
	struct tm local;

	localtime_r(&now, &local);
	snprintf(minutes, sizeof(minutes), "%ld", local.tm_gmtoff / 60);
	rest_path_query(path, "offset", minutes);
}

static void add_minutes(json_t *row)
{
	json_int_t ms = json_integer_value(json_object_get(row, "session_ms"));
	json_object_set_new(row, "minutes", json_integer(ms / 60000));
}

static json_t *point_row(const json_t *point)
{
	static const char *const names[] = {
		"at_ms", "bytes_to_viewer", "bytes_to_host", "sessions", "session_ms"};
	json_t *row = json_object();
	char at[CLOCK_TEXT];

	for (size_t i = 0; i < ARRAY_LEN(names); i++)
		json_object_set(row, names[i], json_array_get(point, i));
	clock_text(json_integer_value(json_array_get(point, 0)), at);
	json_object_set_new(row, "at", json_string(at));
	add_minutes(row);
	return row;
}

static void print_table(const struct table_column *columns, const json_t *rows)
{
	struct table table;

	table_begin(&table, columns, rows, stdout);
	table_rows(&table, rows, stdout);
}

int usage_verbs_show(void *arg, int count UNUSED, char **words UNUSED)
{
	struct ctl_options *options = arg;
	struct rest_path path;
	json_t *answer = NULL, *rows = json_array();
	const json_t *point;
	size_t i;
	int status = usage_path(options, "/api/v1/usage", &path);

	if (!status) {
		rest_path_query(&path, "step", options->step ? options->step : "day");
		add_offset(&path);
		status = rest_ask(options, "GET", path.text, NULL, &answer);
	}
	json_array_foreach(json_object_get(answer, "points"), i, point)
		json_array_append_new(rows, point_row(point));
	if (!status && options->json)
		ctl_verbs_print_json(rows);
	else if (!status)
		print_table(point_columns, rows);
	json_decref(rows);
	json_decref(answer);
	return status;
}

int usage_verbs_top(void *arg, int count UNUSED, char **words UNUSED)
{
	struct ctl_options *options = arg;
	struct rest_path path;
	json_t *answer = NULL, *row;
	size_t i;
	int status = usage_path(options, "/api/v1/usage/top", &path);

	if (!status)
		status = rest_ask(options, "GET", path.text, NULL, &answer);
	const json_t *rows = json_object_get(answer, "items");
	json_array_foreach(rows, i, row) add_minutes(row);
	if (!status && options->json)
		ctl_verbs_print_json(rows);
	else if (!status)
		print_table(top_columns, rows);
	json_decref(answer);
	return status;
}

static void add_verdict(json_t *state)
{
	const json_t *verdict = json_object_get(state, "last_verify");
	const char *at = json_string_value(json_object_get(verdict, "at"));
	const char *fault = json_string_value(json_object_get(verdict, "fault"));
	char text[160];

	snprintf(text, sizeof(text), "%s: %s", at ? at : "never",
		!at     ? "engawactl audit verify"
		: fault ? fault
			: "in order");
	json_object_set_new(state, "verdict", json_string(text));
}

int usage_verbs_audit_state(void *arg, int count UNUSED, char **words UNUSED)
{
	struct ctl_options *options = arg;
	json_t *state = NULL;
	int status = rest_ask(options, "GET", "/api/v1/journal", NULL, &state);

	if (!status && options->json) {
		ctl_verbs_print_json(state);
	} else if (!status) {
		add_verdict(state);
		table_card(state_columns, state, stdout);
	}
	json_decref(state);
	return status;
}
