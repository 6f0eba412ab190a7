/* The verbs of the journal. */
#include <stdio.h>

#include "base/clock.h"
#include "base/reason.h"
#include "ctl/ctl_verbs.h"

static const struct table_column login_columns[] = {{"AT", "at", TABLE_TIME},
	{"LICENSE", "license"}, {"SIDE", "side"}, {"RESULT", "result"},
	{"REASON", "reason"}, {"ADDRESS", "address"}, {"NAME", "name"},
	{"PROGRAM", "program"}, {"NODE", "node"}, {0}};
static const struct table_column session_columns[] = {{"SESSION", "id"},
	{"LICENSE", "license"}, {"VIEWER", "viewer"}, {"HOST", "host"},
	{"STARTED", "started", TABLE_TIME}, {"ENDED", "ended", TABLE_TIME},
	{"TO VIEWER", "bytes_to_viewer", TABLE_BYTES},
	{"TO HOST", "bytes_to_host", TABLE_BYTES}, {"REASON", "reason"}, {0}};
static const struct table_column bandwidth_columns[] = {{"AT", "at", TABLE_TIME},
	{"LICENSE", "license"}, {"SESSION", "session"},
	{"TO VIEWER", "bytes_to_viewer", TABLE_BYTES},
	{"TO HOST", "bytes_to_host", TABLE_BYTES}, {"NODE", "node"}, {0}};
static const struct table_column audit_columns[] = {{"AT", "at", TABLE_TIME},
	{"BY", "by"}, {"WHAT", "event"},
	{"ON", "session|account|token|policy|group|alert|alarm|route|notice|directory|"
	       "statement|backup|file|permission|of|kind|tenant|node"},
	{"LICENSE", "license"}, {"ADDRESS", "address"}, {0}};

static int log_path(const struct ctl_options *options, const char *kind,
	struct rest_path *path)
{
	char from[CTL_VERBS_TIME], to[CTL_VERBS_TIME];
	int status = ctl_verbs_time("--from", options->from, 0, from);

	if (!status)
		status = ctl_verbs_time("--to", options->to, 1, to);
	if (status)
		return status;
	rest_path(path, "/api/v1/journal");
	rest_path_segment(path, kind);
	rest_path_query(path, "license", options->license);
	rest_path_query(path, "tenant", options->tenant);
	rest_path_query(path, "from", *from ? from : NULL);
	rest_path_query(path, "to", *to ? to : NULL);
	rest_path_query(path, "by", options->by);
	rest_path_query(path, "event", options->event);
	rest_path_query(path, "reason", options->reason);
	rest_path_query(path, "q", options->q);
	rest_path_query(path, "order", options->newest ? "newest" : NULL);
	if (path->overflow)
		return program_fail(-REASON_USAGE, "An option is too long.");
	return 0;
}

static int stream(struct ctl_options *options, struct rest_path *path)
{
	char count[24];

	rest_path_query(path, "format", options->csv ? "csv" : "jsonl");
	snprintf(count, sizeof(count), "%ld", options->limit);
	rest_path_query(path, "limit", options->limit > 0 ? count : NULL);
	rest_path_query(path, "bom", options->bom ? "1" : NULL);
	rest_path_query(path, "heads", options->heads);
	if (path->overflow)
		return program_fail(-REASON_USAGE, "An option is too long.");
	return rest_ask_stream(options, "GET", path->text, stdout);
}

static int show_log(struct ctl_options *options, const char *kind,
	const struct table_column *columns)
{
	struct rest_path path;
	int status;

	if (options->csv + options->jsonl + options->json > 1)
		return program_fail(-REASON_USAGE, "One of --json, --csv and --jsonl.");
	if (options->limit < 0)
		return program_fail(-REASON_USAGE,
			"--limit: a positive number expected.");
	status = log_path(options, kind, &path);
	if (status)
		return status;
	if (options->csv || options->jsonl)
		return stream(options, &path);
	return ctl_verbs_list(options, path.text, columns);
}

int journal_verbs_logins(void *arg, int count UNUSED, char **words UNUSED)
{
	return show_log(arg, "logins", login_columns);
}

int journal_verbs_sessions(void *arg, int count UNUSED, char **words UNUSED)
{
	return show_log(arg, "sessions", session_columns);
}

int journal_verbs_bandwidth(void *arg, int count UNUSED, char **words UNUSED)
{
	return show_log(arg, "bandwidth", bandwidth_columns);
}

int journal_verbs_audit(void *arg, int count UNUSED, char **words UNUSED)
{
	return show_log(arg, "audit", audit_columns);
}

static long long number(const json_t *answer, const char *name)
{
	return (long long)json_integer_value(json_object_get(answer, name));
}

static void tell_good(const json_t *answer)
{
	const json_t *newest = json_object_get(answer, "newest_checkpoint");
	char since[CLOCK_TEXT] = "the beginning";

	printf("%lld rows are in order; last %lld, hash %s\n", number(answer, "checked"),
		number(answer, "last_seq"),
		json_string_value(json_object_get(answer, "last_hash")));
	if (json_is_object(newest))
		clock_text(number(newest, "at_ms"), since);
	printf("%lld stubs; %lld signed checkpoints in order; %lld rows since %s are not "
	       "signed yet\n",
		number(answer, "stubs"), number(answer, "checkpoints_met"),
		number(answer, "unsigned_rows"), since);
}

static const char keep_en[] =
	"Keep the evidence: copy the store as it is (and checkpoints.jsonl of every "
	"node) before anything else, "
	"restore nothing over it, and tell whoever is responsible for security.";
static const char keep_ja[] =
	"証拠を保全してください。まず現状のストア（および各ノードの "
	"checkpoints.jsonl）をコピーし、"
	"上書きの復元はせず、セキュリティ責任者に知らせてください。";

static int tell_verdict(const struct ctl_options *options, const json_t *answer)
{
	json_int_t bad = json_integer_value(json_object_get(answer, "first_bad"));
	const char *fault = json_string_value(json_object_get(answer, "fault"));

	/* Not the hint of a damaged file: restoring would destroy what has to be looked at. */
	if (bad || fault)
		return program_fail_hint(-REASON_STATE_DAMAGED,
			reason_lang_env() == REASON_JA ? keep_ja : keep_en,
			"Row %lld of the journal: %s.", (long long)bad,
			fault ? fault : "?");
	if (options->json)
		ctl_verbs_print_json(answer);
	else
		tell_good(answer);
	return 0;
}

int journal_verbs_audit_verify(void *arg, int count UNUSED, char **words UNUSED)
{
	struct ctl_options *options = arg;
	json_t *answer = NULL;
	int status = rest_ask(options, "POST", "/api/v1/audit/verify", NULL, &answer);

	if (!status)
		status = tell_verdict(options, answer);
	json_decref(answer);
	return status;
}

int journal_verbs_audit_export(void *arg, int count UNUSED, char **words UNUSED)
{
	return rest_ask_stream(arg, "GET", "/api/v1/audit/chain", stdout);
}
