/* The verbs of reports: the check sheet, usage, availability, and the operator's own answers. */
#include <stdio.h>
#include <string.h>

#include "base/reason.h"
#include "ctl/ctl_verbs.h"

#define SHEET "/api/v1/reports/checksheet"

static const struct table_column usage_columns[] = {{"COMPANY", "tenant"},
	{"LICENSE", "license"}, {"HOLDER", "holder"},
	{"TO VIEWER", "bytes_to_viewer", TABLE_BYTES},
	{"TO HOST", "bytes_to_host", TABLE_BYTES}, {"SESSIONS", "sessions"},
	{"CONNECTED", "session_ms", TABLE_SPAN}, {0}};
static const struct table_column availability_card[] = {{"Month", "month"},
	{"Available (%)", "percent"}, {"Measured", "measured_ms", TABLE_SPAN},
	{"Planned", "planned_ms", TABLE_SPAN}, {"Down", "down_ms", TABLE_SPAN},
	{"Faults", "faults"}, {"Mean time to recover", "mttr_ms", TABLE_SPAN},
	{"Longest", "longest_ms", TABLE_SPAN}, {0}};
static const struct table_column outage_columns[] = {{"OUTAGE", "id"}, {"NODE", "node"},
	{"TARGET", "target"}, {"FROM", "from", TABLE_TIME}, {"TO", "to", TABLE_TIME},
	{"COVERED", "covered"}, {"CAUSE", "cause"}, {0}};
static const struct table_column statement_columns[] = {{"ROW", "row"},
	{"WRITTEN", "written", TABLE_TIME}, {"BY", "by"}, {"TEXT", "text", TABLE_MAP},
	{0}};
static const struct table_column statement_card[] = {{"Row", "row"},
	{"Question", "question", TABLE_MAP}, {"Text", "text", TABLE_MAP},
	{"Written", "written", TABLE_TIME}, {"By", "by"}, {0}};

static int stream(struct ctl_options *options, const struct rest_path *path)
{
	return rest_ask_stream(options, "GET", path->text, stdout);
}

static int tell_verified(const struct ctl_options *options, const json_t *answer)
{
	const json_t *changed = json_object_get(answer, "changed");

	if (options->json)
		ctl_verbs_print_json(answer);
	else
		printf("%lld rows, %lld good, %lld not\n",
			(long long)json_integer_value(json_object_get(answer, "checked")),
			(long long)json_integer_value(json_object_get(answer, "good")),
			(long long)json_integer_value(json_object_get(answer, "bad")));
	for (size_t i = 0; !options->json && i < json_array_size(changed); i++) {
		const json_t *one = json_array_get(changed, i);
		printf("changed: %s is %s now\n",
			json_string_value(json_object_get(one, "row")),
			json_is_true(json_object_get(one, "is"))    ? "good"
			: json_is_false(json_object_get(one, "is")) ? "not good"
								    : "unknown");
	}
	return 0;
}

static int verify(struct ctl_options *options)
{
	struct rest_path path;
	json_t *answer = NULL;

	rest_path(&path, SHEET "/verify");
	rest_path_query(&path, "lang", options->lang);
	rest_path_query(&path, "tenant", options->tenant);
	int status = rest_ask(options, "POST", path.text, NULL, &answer);
	if (!status)
		status = tell_verified(options, answer);
	json_decref(answer);
	return status;
}

int report_verbs_checksheet(void *arg, int count UNUSED, char **words UNUSED)
{
	struct ctl_options *options = arg;
	struct rest_path path;
	const char *form = options->json     ? "json"
			   : options->format ? options->format
					     : "text";

	if (options->verify)
		return verify(options);
	rest_path(&path, SHEET);
	rest_path_query(&path, "lang", options->lang);
	rest_path_query(&path, "tenant", options->tenant);
	rest_path_query(&path, "format", form);
	return stream(options, &path);
}

int report_verbs_usage(void *arg, int count UNUSED, char **words UNUSED)
{
	struct ctl_options *options = arg;
	struct rest_path path;

	rest_path(&path, "/api/v1/reports/usage");
	rest_path_query(&path, "month", options->month);
	rest_path_query(&path, "tenant", options->tenant);
	if (!options->csv && !options->json)
		return ctl_verbs_list(options, path.text, usage_columns);
	rest_path_query(&path, "format", options->csv ? "csv" : "json");
	return stream(options, &path);
}

int report_verbs_availability(void *arg, int count UNUSED, char **words UNUSED)
{
	struct ctl_options *options = arg;
	struct rest_path path;

	rest_path(&path, "/api/v1/availability");
	rest_path_query(&path, "month", options->month);
	return ctl_verbs_show(options, path.text, availability_card);
}

int report_verbs_outages(void *arg, int count UNUSED, char **words UNUSED)
{
	return ctl_verbs_list(arg, "/api/v1/outages", outage_columns);
}

int report_verbs_statement_set(void *arg, int count, char **words)
{
	struct ctl_options *options = arg;
	struct rest_path path;
	int status = ctl_verbs_path(&path, "/api/v1/statements", NULL, count, words);

	if (status)
		return status;
	json_t *body = json_pack("{s:{s:s*, s:s*}}", "text", "en", options->text_en, "ja",
		options->text_ja);
	status = ctl_verbs_act(options, "PUT", path.text, body);
	json_decref(body);
	return status;
}

int report_verbs_statement_show(void *arg, int count, char **words)
{
	struct rest_path path;
	int status = ctl_verbs_path(&path, "/api/v1/statements", NULL, count, words);
	return status ? status : ctl_verbs_show(arg, path.text, statement_card);
}

int report_verbs_statement_list(void *arg, int count UNUSED, char **words UNUSED)
{
	return ctl_verbs_list(arg, "/api/v1/statements", statement_columns);
}
