/* The verbs of alerts: rules, targets, alarms, notices. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/reason.h"
#include "base/secret.h"
#include "ctl/ctl_verbs.h"
#include "ctl/span.h"

#define ALERTS "/api/v1/alerts"
#define ROUTES "/api/v1/routes"
#define ALARMS "/api/v1/alarms"
#define NOTICES "/api/v1/notices"
#define SECRET_MOST 200

static const struct table_column alert_columns[] = {{"ALERT", "id"}, {"WHEN", "when"},
	{"COMPANY", "tenant"}, {"THRESHOLD", "threshold"},
	{"WITHIN", "window_ms", TABLE_SPAN}, {"QUIET", "quiet_ms", TABLE_SPAN},
	{"STATE", "state"}, {0}};
static const struct table_column alert_card[] = {{"Alert", "id"}, {"Name", "name"},
	{"When", "when"}, {"Company", "tenant"}, {"Threshold", "threshold"},
	{"Within", "window_ms", TABLE_SPAN}, {"Quiet for", "quiet_ms", TABLE_SPAN},
	{"Routes", "routes"}, {"State", "state"}, {"Changed", "changed", TABLE_TIME},
	{0}};
static const struct table_column route_columns[] = {{"ROUTE", "id"}, {"KIND", "kind"},
	{"NAME", "name"}, {"COMPANY", "tenant"}, {"TO", "url|server|target"},
	{"STATE", "state"}, {"TESTED", "test", TABLE_TIME}, {"RESULT", "test_error"},
	{0}};
static const struct table_column route_card[] = {{"Route", "id"}, {"Kind", "kind"},
	{"Name", "name"}, {"Company", "tenant"}, {"To", "url|server|target"},
	{"Security", "security"}, {"User", "user"}, {"From", "from"},
	{"Language", "language"}, {"State", "state"}, {"Tested", "test", TABLE_TIME},
	{"Result", "test_error"}, {0}};
static const struct table_column alarm_columns[] = {{"ALARM", "id"},
	{"AT", "at", TABLE_TIME}, {"WHEN", "when"}, {"SUBJECT", "subject"},
	{"COMPANY", "tenant"}, {"STATE", "state"}, {"SEEN BY", "seen_by"}, {0}};
static const struct table_column alarm_card[] = {{"Alarm", "id"}, {"When", "when"},
	{"Subject", "subject"}, {"Company", "tenant"}, {"License", "license"},
	{"Value", "value"}, {"At", "at", TABLE_TIME}, {"Over", "over", TABLE_TIME},
	{"State", "state"}, {"Seen by", "seen_by"}, {"Text", "text", TABLE_MAP},
	{"What to do", "hint", TABLE_MAP}, {0}};
static const struct table_column notice_columns[] = {{"NOTICE", "id"}, {"KIND", "kind"},
	{"COMPANY", "tenant"}, {"FROM", "from", TABLE_TIME}, {"TO", "to", TABLE_TIME},
	{"TEXT", "text", TABLE_MAP}, {0}};
static const struct table_column notice_card[] = {{"Notice", "id"}, {"Kind", "kind"},
	{"Company", "tenant"}, {"From", "from", TABLE_TIME}, {"To", "to", TABLE_TIME},
	{"Shown from", "show_from", TABLE_TIME}, {"Text", "text", TABLE_MAP}, {0}};

static void set_text(json_t *body, const char *name, const char *value)
{
	if (value)
		json_object_set_new(body, name, json_string(value));
}

static void set_list(json_t *body, const char *name, const struct args_many *values)
{
	if (!values->count)
		return;
	json_t *list = json_array();
	for (size_t i = 0; i < values->count; i++)
		json_array_append_new(list, json_string(values->items[i]));
	json_object_set_new(body, name, list);
}

static int set_span(json_t *body, const char *name, const char *flag, const char *text)
{
	int64_t ms;

	if (!text)
		return 0;
	if (span_parse(text, &ms))
		return program_fail(-REASON_USAGE, "%s %s: 30s, 10m, 1h or 1d expected.",
			flag, text);
	json_object_set_new(body, name, json_integer(ms));
	return 0;
}

/* Secrets come from files: arguments are seen by everybody on the machine. */
static int set_secret(json_t *body, const char *name, const char *path)
{
	char text[SECRET_MOST + 2] = "";

	if (!path)
		return 0;
	FILE *in = fopen(path, "re");
	if (!in)
		return program_fail(-REASON_FILE_UNREADABLE, "%s: cannot be read.", path);
	size_t len = fread(text, 1, SECRET_MOST + 1, in);
	fclose(in);
	text[len] = '\0';
	text[strcspn(text, "\r\n")] = '\0';
	int status = *text && len <= SECRET_MOST ? 0 : -REASON_BAD_VALUE;
	if (status)
		status = program_fail(status,
			"%s: one line of at most %d bytes expected.", path, SECRET_MOST);
	else
		json_object_set_new(body, name, json_string(text));
	secret_wipe(text, sizeof(text));
	return status;
}

static int set_time(json_t *body, const char *name, const char *flag, const char *text)
{
	char time[CTL_VERBS_TIME];
	int status = ctl_verbs_time(flag, text, 0, time);

	if (!status && *time)
		json_object_set_new(body, name, json_string(time));
	return status;
}

/* Takes `body` over. */
static int send_body(struct ctl_options *options, int status, const char *method,
	const char *path, json_t *body, const struct table_column *card)
{
	json_t *answer = NULL;

	if (!status)
		status = rest_ask(options, method, path, body, &answer);
	if (!status && options->json)
		ctl_verbs_print_json(answer);
	else if (!status)
		table_card(card, answer, stdout);
	const char *secret = json_string_value(json_object_get(answer, "secret"));
	if (!status && !options->json && secret)
		printf("Secret (shown only now): %s\n", secret);
	const json_t *warnings = json_object_get(answer, "warnings");
	for (size_t i = 0; !status && i < json_array_size(warnings); i++)
		fprintf(stderr, "Note: %s\n",
			json_string_value(json_array_get(warnings, i)));
	json_decref(answer);
	json_decref(body);
	return status;
}

static int change_body(struct ctl_options *options, int status, const char *base,
	json_t *body, int count, char **words, const struct table_column *card)
{
	struct rest_path path;

	if (!status)
		status = ctl_verbs_path(&path, base, NULL, count, words);
	return send_body(options, status, "PATCH", path.text, body, card);
}

static int show(void *arg, const char *base, int count, char **words,
	const struct table_column *card)
{
	struct rest_path path;
	int status = ctl_verbs_path(&path, base, NULL, count, words);
	return status ? status : ctl_verbs_show(arg, path.text, card);
}

static int act(void *arg, const char *method, const char *base, const char *tail,
	int count, char **words)
{
	struct rest_path path;
	int status = ctl_verbs_path(&path, base, tail, count, words);
	return status ? status : ctl_verbs_act(arg, method, path.text, NULL);
}

/* alerts */

static int alert_body(const struct ctl_options *options, json_t *body)
{
	set_text(body, "name", options->name);
	set_text(body, "state", options->state);
	set_list(body, "routes", &options->routes);
	if (options->threshold) {
		char *end;
		json_int_t number = strtoll(options->threshold, &end, 10);
		if (*end || !*options->threshold)
			return program_fail(-REASON_USAGE,
				"--threshold %s: a number expected.", options->threshold);
		json_object_set_new(body, "threshold", json_integer(number));
	}
	int status = set_span(body, "window_ms", "--window", options->window);
	return status ? status : set_span(body, "quiet_ms", "--quiet", options->quiet);
}

int alert_verbs_create(void *arg, int count UNUSED, char **words UNUSED)
{
	struct ctl_options *options = arg;
	json_t *body = json_object();
	int status = alert_body(options, body);

	set_text(body, "when", options->when);
	set_text(body, "tenant", options->tenant);
	return send_body(options, status, "POST", ALERTS, body, alert_card);
}

int alert_verbs_list(void *arg, int count UNUSED, char **words UNUSED)
{
	struct ctl_options *options = arg;
	struct rest_path path;

	rest_path(&path, ALERTS);
	rest_path_query(&path, "when", options->when);
	rest_path_query(&path, "tenant", options->tenant);
	return ctl_verbs_list(options, path.text, alert_columns);
}

int alert_verbs_show(void *arg, int count, char **words)
{
	return show(arg, ALERTS, count, words, alert_card);
}

int alert_verbs_change(void *arg, int count, char **words)
{
	json_t *body = json_object();
	int status = alert_body(arg, body);
	return change_body(arg, status, ALERTS, body, count, words, alert_card);
}

int alert_verbs_delete(void *arg, int count, char **words)
{
	return act(arg, "DELETE", ALERTS, NULL, count, words);
}

/* routes */

static int route_body(const struct ctl_options *options, json_t *body)
{
	set_text(body, "name", options->name);
	set_text(body, "language", options->lang);
	set_text(body, "state", options->state);
	set_text(body, "url", options->url_to);
	set_text(body, "server", options->server);
	set_text(body, "security", options->security);
	set_text(body, "user", options->user);
	set_text(body, "from", options->sender);
	set_list(body, "to", &options->recipients);
	set_text(body, "target", options->target);
	int status = set_secret(body, "secret", options->secret_file);
	return status ? status : set_secret(body, "password", options->password_file);
}

int alert_verbs_route_create(void *arg, int count UNUSED, char **words UNUSED)
{
	struct ctl_options *options = arg;
	json_t *body = json_object();
	int status = route_body(options, body);

	set_text(body, "kind", options->kind);
	set_text(body, "tenant", options->tenant);
	return send_body(options, status, "POST", ROUTES, body, route_card);
}

int alert_verbs_route_list(void *arg, int count UNUSED, char **words UNUSED)
{
	struct ctl_options *options = arg;
	struct rest_path path;

	rest_path(&path, ROUTES);
	rest_path_query(&path, "kind", options->kind);
	rest_path_query(&path, "tenant", options->tenant);
	return ctl_verbs_list(options, path.text, route_columns);
}

int alert_verbs_route_show(void *arg, int count, char **words)
{
	return show(arg, ROUTES, count, words, route_card);
}

int alert_verbs_route_change(void *arg, int count, char **words)
{
	json_t *body = json_object();
	int status = route_body(arg, body);
	return change_body(arg, status, ROUTES, body, count, words, route_card);
}

int alert_verbs_route_delete(void *arg, int count, char **words)
{
	return act(arg, "DELETE", ROUTES, NULL, count, words);
}

int alert_verbs_route_test(void *arg, int count, char **words)
{
	return act(arg, "POST", ROUTES, "/test", count, words);
}

/* alarms */

int alert_verbs_alarm_list(void *arg, int count UNUSED, char **words UNUSED)
{
	struct ctl_options *options = arg;
	struct rest_path path;

	rest_path(&path, ALARMS);
	rest_path_query(&path, "state", options->state);
	rest_path_query(&path, "seen", options->seen);
	rest_path_query(&path, "when", options->when);
	rest_path_query(&path, "license", options->license);
	rest_path_query(&path, "tenant", options->tenant);
	return ctl_verbs_list(options, path.text, alarm_columns);
}

int alert_verbs_alarm_show(void *arg, int count, char **words)
{
	return show(arg, ALARMS, count, words, alarm_card);
}

int alert_verbs_alarm_seen(void *arg, int count, char **words)
{
	return act(arg, "POST", ALARMS, "/seen", count, words);
}

/* notices */

static int notice_body(const struct ctl_options *options, json_t *body)
{
	set_text(body, "kind", options->kind);
	set_list(body, "places", &options->places);
	if (options->text_en || options->text_ja) {
		json_t *text = json_object();
		set_text(text, "en", options->text_en);
		set_text(text, "ja", options->text_ja);
		json_object_set_new(body, "text", text);
	}
	int status = set_time(body, "from_ms", "--from", options->from);
	if (!status)
		status = set_time(body, "to_ms", "--to", options->to);
	return status ? status
		      : set_time(body, "show_from_ms", "--show-from", options->show_from);
}

int alert_verbs_notice_create(void *arg, int count UNUSED, char **words UNUSED)
{
	struct ctl_options *options = arg;
	json_t *body = json_object();
	int status = notice_body(options, body);

	set_text(body, "tenant", options->tenant);
	return send_body(options, status, "POST", NOTICES, body, notice_card);
}

int alert_verbs_notice_list(void *arg, int count UNUSED, char **words UNUSED)
{
	struct ctl_options *options = arg;
	struct rest_path path;

	rest_path(&path, NOTICES);
	rest_path_query(&path, "tenant", options->tenant);
	return ctl_verbs_list(options, path.text, notice_columns);
}

int alert_verbs_notice_current(void *arg, int count UNUSED, char **words UNUSED)
{
	return ctl_verbs_list(arg, NOTICES "/current", notice_columns);
}

int alert_verbs_notice_show(void *arg, int count, char **words)
{
	return show(arg, NOTICES, count, words, notice_card);
}

int alert_verbs_notice_change(void *arg, int count, char **words)
{
	json_t *body = json_object();
	int status = notice_body(arg, body);
	return change_body(arg, status, NOTICES, body, count, words, notice_card);
}

int alert_verbs_notice_delete(void *arg, int count, char **words)
{
	return act(arg, "DELETE", NOTICES, NULL, count, words);
}
