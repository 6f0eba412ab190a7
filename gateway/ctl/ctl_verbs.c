#include "ctl/ctl_verbs.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/reason.h"
#include "ctl/dates.h"

#define AT(field) offsetof(struct ctl_options, field)
#define LABEL                                                                            \
	{                                                                                \
		"--label", "K=V", ARGS_MANY, AT(labels), "a label; may be repeated"      \
	}
#define GROUP                                                                            \
	{                                                                                \
		"--group", "NAME", ARGS_TEXT, AT(group), "its group"                     \
	}
#define EXPIRES                                                                          \
	{                                                                                \
		"--expires", "DATE", ARGS_TEXT, AT(expires),                             \
			"last day, or time; \"never\"; +90d: from now"                   \
	}
#define NOTE                                                                             \
	{                                                                                \
		"--note", "TEXT", ARGS_TEXT, AT(note), "for other administrators"        \
	}
#define TENANT                                                                           \
	{                                                                                \
		"--tenant", "ID", ARGS_TEXT, AT(tenant), "the company it belongs to"     \
	}
#define DIRECTORY                                                                        \
	{                                                                                \
		"--directory", "ID", ARGS_TEXT, AT(directory),                           \
			"the LDAP directory that checks the holder's password; \"\": "   \
			"we do"                                                          \
	}
#define DIRECTORY_USER                                                                   \
	{                                                                                \
		"--directory-user", "NAME", ARGS_TEXT, AT(directory_user),               \
			"the holder's name there"                                        \
	}
#define LICENSE_ID                                                                       \
	{                                                                                \
		"--license", "ID", ARGS_TEXT, AT(license), "only this license"           \
	}
#define COUNT                                                                            \
	{                                                                                \
		"--limit", "N", ARGS_LONG, AT(limit), "at most N rows"                   \
	}
#define QUERY                                                                            \
	{                                                                                \
		"--q", "TEXT", ARGS_TEXT, AT(q), "only where a text contains it"         \
	}
#define END                                                                              \
	{                                                                                \
		0                                                                        \
	}

static const struct args_option options_NONE[] = {END};
static const struct args_option options_CREATE[] = {
	{"--holder", "NAME", ARGS_TEXT, AT(holder), "who will use it"}, TENANT, GROUP,
	LABEL, EXPIRES, NOTE, DIRECTORY, DIRECTORY_USER, END};
static const struct args_option options_CHANGE[] = {
	{"--holder", "NAME", ARGS_TEXT, AT(holder), "who uses it"}, GROUP, LABEL, EXPIRES,
	NOTE, DIRECTORY, DIRECTORY_USER, END};
static const struct args_option options_LIST[] = {
	{"--state", "STATE", ARGS_TEXT, AT(state),
		"only enabled, disabled or expired ones"},
	TENANT, GROUP, LABEL,
	{"--holder", "TEXT", ARGS_TEXT, AT(holder),
		"only holders whose name contains it"},
	QUERY,
	{"--online", NULL, ARGS_FLAG, AT(online),
		"only those whose office PC is connected"},
	{"--offline", NULL, ARGS_FLAG, AT(offline), "only the others"}, COUNT, END};
static const struct args_option options_BULK[] = {
	{"--id", "ID", ARGS_MANY, AT(ids), "this license; may be repeated"},
	{"--state", "STATE", ARGS_TEXT, AT(state),
		"all that are enabled, disabled or expired"},
	TENANT, GROUP, LABEL,
	{"--holder", "TEXT", ARGS_TEXT, AT(holder), "all whose holder contains it"},
	QUERY,
	{"--online", NULL, ARGS_FLAG, AT(online), "all whose office PC is connected"},
	{"--offline", NULL, ARGS_FLAG, AT(offline), "all the others"},
	{"--set-group", "NAME", ARGS_TEXT, AT(set_group), "change: their group"},
	{"--set-note", "TEXT", ARGS_TEXT, AT(set_note), "change: their note"},
	{"--set-expires", "DATE", ARGS_TEXT, AT(set_expires),
		"change: last day, or time; \"never\"; +90d: from now"},
	END};
static const struct args_option options_IMPORT[] = {TENANT,
	{"--out", "FILE", ARGS_TEXT, AT(out),
		"a new file (mode 0600) for keys and passwords"},
	{"--take-good", NULL, ARGS_FLAG, AT(take_good),
		"make the good lines although others are wrong"},
	{"--dry-run", NULL, ARGS_FLAG, AT(dry_run), "only say what is wrong"}, END};
static const struct args_option options_HOLDERS[] = {QUERY, TENANT, COUNT, END};
static const struct args_option options_HOSTS[] = {
	{"--state", "STATE", ARGS_TEXT, AT(state), "only online or offline ones"}, QUERY,
	TENANT, COUNT, END};
static const struct args_option options_SESSIONS[] = {LICENSE_ID, TENANT, COUNT, END};
static const struct args_option options_DRAIN[] = {
	{"--within", "TIME", ARGS_TEXT, AT(ttl),
		"how long sessions may take to leave (3s)"},
	END};
static const struct args_option options_LOG[] = {LICENSE_ID,
	{"--from", "DATE", ARGS_TEXT, AT(from),
		"from this day or time on; -7d: seven days back"},
	{"--to", "DATE", ARGS_TEXT, AT(to), "up to this day (inclusive) or time"},
	{"--csv", NULL, ARGS_FLAG, AT(csv), "CSV, all rows"},
	{"--jsonl", NULL, ARGS_FLAG, AT(jsonl), "one JSON object per line, all rows"},
	{"--newest", NULL, ARGS_FLAG, AT(newest), "newest first"},
	{"--by", "NAME", ARGS_TEXT, AT(by), "only what this account or token did"},
	{"--event", "EVENT", ARGS_TEXT, AT(event), "only this event"},
	{"--reason", "REASON", ARGS_TEXT, AT(reason), "only with this reason"}, QUERY,
	{"--bom", NULL, ARGS_FLAG, AT(bom),
		"CSV for spreadsheets: begins with a byte order mark"},
	{"--heads", "LANG", ARGS_TEXT, AT(heads), "ja: heads of CSV columns in Japanese"},
	TENANT, COUNT, END};
static const struct args_option options_USAGE[] = {LICENSE_ID,
	{"--from", "DATE", ARGS_TEXT, AT(from),
		"from this day or time on; -7d: seven days back; a month without it"},
	{"--to", "DATE", ARGS_TEXT, AT(to), "up to this day (inclusive) or time"},
	{"--step", "STEP", ARGS_TEXT, AT(step), "hour, day (without it) or month"},
	TENANT, END};
static const struct args_option options_TOP[] = {
	{"--from", "DATE", ARGS_TEXT, AT(from),
		"from this day on; -7d: seven days back; a month without it"},
	{"--to", "DATE", ARGS_TEXT, AT(to), "up to this day (inclusive)"}, TENANT, COUNT,
	END};
static const struct args_option options_ALERT[] = {
	{"--when", "WHAT", ARGS_TEXT, AT(when),
		"login_failed, device_new, veto, out_of_hours, bandwidth, host_away, …"},
	{"--name", "TEXT", ARGS_TEXT, AT(name), "what people call it"},
	{"--threshold", "N", ARGS_TEXT, AT(threshold),
		"how many events, bytes, percent or days"},
	{"--window", "TIME", ARGS_TEXT, AT(window), "within this time; 30s, 10m, 1h, 1d"},
	{"--quiet", "TIME", ARGS_TEXT, AT(quiet),
		"no further alarm about the same for so long"},
	{"--route", "ID", ARGS_MANY, AT(routes), "where its alarms go; may be repeated"},
	{"--state", "STATE", ARGS_TEXT, AT(state), "enabled or disabled"}, TENANT, END};
static const struct args_option options_ALERTS[] = {
	{"--when", "WHAT", ARGS_TEXT, AT(when), "only rules that watch for this"}, TENANT,
	COUNT, END};
static const struct args_option options_ROUTE[] = {
	{"--kind", "KIND", ARGS_TEXT, AT(kind), "webhook, mail or syslog"},
	{"--name", "TEXT", ARGS_TEXT, AT(name), "what people call it"},
	{"--lang", "en|ja", ARGS_TEXT, AT(lang), "the language of its messages"},
	{"--state", "STATE", ARGS_TEXT, AT(state), "enabled or disabled"},
	{"--to-url", "URL", ARGS_TEXT, AT(url_to), "webhook: https://HOST/PATH"},
	{"--secret-file", "FILE", ARGS_TEXT, AT(secret_file),
		"webhook: the signature's secret; without it one is made"},
	{"--server", "HOST:PORT", ARGS_TEXT, AT(server), "mail: the SMTP server"},
	{"--security", "HOW", ARGS_TEXT, AT(security), "mail: starttls, tls or none"},
	{"--user", "NAME", ARGS_TEXT, AT(user), "mail: account at the server"},
	{"--password-file", "FILE", ARGS_TEXT, AT(password_file),
		"mail: file with its password"},
	{"--sender", "ADDRESS", ARGS_TEXT, AT(sender), "mail: who it is from"},
	{"--recipient", "ADDRESS", ARGS_MANY, AT(recipients),
		"mail: who gets it; may be repeated"},
	{"--target", "TARGET", ARGS_TEXT, AT(target),
		"syslog: unix, udp://HOST:PORT, tcp://…, tls://…"},
	TENANT, END};
static const struct args_option options_ROUTES[] = {
	{"--kind", "KIND", ARGS_TEXT, AT(kind), "webhook, mail or syslog"}, TENANT, COUNT,
	END};
static const struct args_option options_ALARMS[] = {
	{"--state", "STATE", ARGS_TEXT, AT(state), "only open or over ones"},
	{"--seen", "yes|no", ARGS_TEXT, AT(seen), "whether somebody took note"},
	{"--when", "WHAT", ARGS_TEXT, AT(when), "only of rules that watch for this"},
	LICENSE_ID, TENANT, COUNT, END};
static const struct args_option options_NOTICE[] = {
	{"--kind", "KIND", ARGS_TEXT, AT(kind), "planned_stop, end_of_service or news"},
	{"--en", "TEXT", ARGS_TEXT, AT(text_en), "what it says in English"},
	{"--ja", "TEXT", ARGS_TEXT, AT(text_ja), "and in Japanese"},
	{"--from", "TIME", ARGS_TEXT, AT(from), "when what is announced begins"},
	{"--to", "TIME", ARGS_TEXT, AT(to), "when it ends"},
	{"--show-from", "TIME", ARGS_TEXT, AT(show_from), "shown from then on"},
	{"--place", "PLACE", ARGS_MANY, AT(places),
		"console, viewer, agent; may be repeated"},
	TENANT, END};
static const struct args_option options_NOTICES[] = {TENANT, COUNT, END};
static const struct args_option options_CHECKSHEET[] = {
	{"--lang", "en|ja", ARGS_TEXT, AT(lang), "its language"},
	{"--format", "FORM", ARGS_TEXT, AT(format), "text, csv, html or json"},
	{"--verify", NULL, ARGS_FLAG, AT(verify),
		"look at everything again and compare with the last time"},
	TENANT, END};
static const struct args_option options_MONTH[] = {
	{"--month", "YYYY-MM", ARGS_TEXT, AT(month), "another month than this one"}, END};
static const struct args_option options_USAGE_REPORT[] = {
	{"--month", "YYYY-MM", ARGS_TEXT, AT(month), "another month than this one"},
	{"--csv", NULL, ARGS_FLAG, AT(csv), "CSV"}, TENANT, END};
static const struct args_option options_OUTAGES[] = {COUNT, END};
static const struct args_option options_STATEMENT[] = {
	{"--en", "TEXT", ARGS_TEXT, AT(text_en), "the answer in English"},
	{"--ja", "TEXT", ARGS_TEXT, AT(text_ja), "and in Japanese"}, END};
static const struct args_option options_TOKEN[] = {
	{"--name", "TEXT", ARGS_TEXT, AT(name), "what it is for"},
	{"--role", "ROLE", ARGS_TEXT, AT(role), "operator, admin, helpdesk or auditor"},
	{"--expires", "DATE", ARGS_TEXT, AT(expires),
		"last day, or time; +90d: from now"},
	TENANT, END};

static const struct args_option options_COMPANY[] = {
	{"--name", "TEXT", ARGS_TEXT, AT(name), "its name"}, NOTE,
	{"--retention-days", "N", ARGS_TEXT, AT(retention_days),
		"how long its history is kept; 0: as long as the operator's"},
	{"--licenses-max", "N", ARGS_TEXT, AT(licenses_max),
		"how many licenses it may have; 0: no limit"},
	{"--sessions-max", "N", ARGS_TEXT, AT(sessions_max),
		"how many sessions may be live at once; 0: no limit"},
	{"--rate-max", "BYTES", ARGS_TEXT, AT(rate_max),
		"how many bytes a second all its sessions may carry together each way; "
		"0: no limit"},
	{"--purge-days", "N", ARGS_TEXT, AT(purge_days),
		"how many days after the end of its contract it is erased"},
	END};
static const struct args_option options_CONFIRM[] = {
	{"--confirm", "ID", ARGS_TEXT, AT(confirm), "the company's id once more"}, END};
static const struct args_option options_REMARK[] = {
	{"--note", "TEXT", ARGS_TEXT, AT(note), "what it is made for"}, END};
static const struct args_option options_GROUP[] = {TENANT, NOTE, END};
static const struct args_option options_PLACE[] = {TENANT, END};
static const struct args_option options_PLACES[] = {TENANT, COUNT, END};

static const struct args_option options_TRY[] = {
	{"--user", "NAME", ARGS_TEXT, AT(user), "also try this person's password (LDAP)"},
	{"--password-file", "FILE", ARGS_TEXT, AT(password_file),
		"whose first line is the password"},
	END};
#define PERSON                                                                           \
	{"--full-name", "TEXT", ARGS_TEXT, AT(full_name), "as people write it"},         \
		{"--mail", "ADDRESS", ARGS_TEXT, AT(mail), "mail address"},              \
		{"--language", "LANG", ARGS_TEXT, AT(language), "en or ja"},             \
	{                                                                                \
		"--role", "ROLE", ARGS_MANY, AT(roles),                                  \
			"operator, admin, helpdesk or auditor; may be repeated"          \
	}
#define DIRECTORY_PERSON                                                                 \
	{"--directory", "ID", ARGS_TEXT, AT(directory),                                  \
		"where the person signs in instead of by a password here; \"\": here"},  \
	{                                                                                \
		"--directory-user", "NAME", ARGS_TEXT, AT(directory_user),               \
			"the person's name there"                                        \
	}
static const struct args_option options_HIRE[] = {PERSON, DIRECTORY_PERSON, TENANT, END};
static const struct args_option options_PERSON[] = {PERSON, DIRECTORY_PERSON,
	{"--state", "STATE", ARGS_TEXT, AT(state),
		"enabled, or disabled: may not sign in"},
	END};
static const struct args_option options_PEOPLE[] = {
	{"--role", "ROLE", ARGS_MANY, AT(roles), "only with this role"},
	{"--state", "STATE", ARGS_TEXT, AT(state), "only enabled or disabled ones"},
	QUERY, TENANT, COUNT, END};
static const struct args_option options_SECURITY[] = {
	{"--totp", "yes|no", ARGS_TEXT, AT(totp), "whether one-time codes are required"},
	{"--address", "NETWORK", ARGS_MANY, AT(addresses),
		"administered only from there; may be repeated; any: from everywhere"},
	{"--idle", "TIME", ARGS_TEXT, AT(idle),
		"a sign-in ends after so long without anybody (15m)"},
	{"--longest", "TIME", ARGS_TEXT, AT(longest),
		"and after so long in any case (12h)"},
	{"--min-length", "N", ARGS_TEXT, AT(min_length), "characters of a password (12)"},
	{"--min-classes", "N", ARGS_TEXT, AT(min_classes),
		"of small letters, capitals, digits, signs (3)"},
	{"--max-age", "TIME", ARGS_TEXT, AT(max_age),
		"a password is changed after so long; 0: never (0)"},
	{"--history", "N", ARGS_TEXT, AT(history),
		"so many old passwords may not come back (4)"},
	{"--refuse-common", "yes|no", ARGS_TEXT, AT(refuse_common),
		"passwords that everybody tries first (yes)"},
	{"--failures", "N", ARGS_TEXT, AT(failures),
		"failed sign-ins before an account is locked (5)"},
	{"--lock", "TIME", ARGS_TEXT, AT(lock), "how long it stays locked (15m)"}, TENANT,
	END};

static const struct args_option globals[] = {
	{"--data", "DIR", ARGS_TEXT, AT(data),
		"data directory of a gateway on this machine"},
	{"--url", "URL", ARGS_TEXT, AT(url), "https://HOST:PORT of a gateway elsewhere"},
	{"--token-file", "FILE", ARGS_TEXT, AT(token_file), "the token to sign in with"},
	{"--ca", "FILE", ARGS_TEXT, AT(ca),
		"the CA that issued the gateway's certificate"},
	{"--json", NULL, ARGS_FLAG, AT(json), "answers and errors as JSON"},
	{"--log-format", "FORMAT", ARGS_TEXT, AT(log_format),
		"text or json, for diagnostics"},
	END};

static const struct program_verb verbs[] = {
#define VERB(function, name, words, most, options, summary)                              \
	{name, words, summary, options_##options, most, function},
#include "ctl/verbs.def"
#undef VERB
	{0}};

static struct ctl_options given;

const struct program ctl_verbs_program = {.name = "engawactl",
	.summary = "Administers an Engawa gateway through its REST API.",
	.verbs = verbs,
	.globals = globals,
	.options = &given,
	.json = &given.json,
	.log_format = &given.log_format};

int ctl_verbs_path(struct rest_path *path, const char *base, const char *tail, int count,
	char **words)
{
	if (count < 1 || !*words[0])
		return program_fail(-REASON_USAGE, "The id is missing.");
	rest_path(path, base);
	rest_path_segment(path, words[0]);
	if (tail)
		rest_path_plain(path, tail);
	return path->overflow ? program_fail(-REASON_USAGE, "The id is too long.") : 0;
}

void ctl_verbs_print_json(const json_t *value)
{
	json_dumpf(value, stdout, JSON_INDENT(2) | JSON_ENCODE_ANY);
	fputc('\n', stdout);
}

int ctl_verbs_print(struct ctl_options *options, const char *method, const char *path,
	const json_t *body)
{
	json_t *answer = NULL;
	int status = rest_ask(options, method, path, body, &answer);

	if (!status)
		ctl_verbs_print_json(answer);
	json_decref(answer);
	return status;
}

int ctl_verbs_act(struct ctl_options *options, const char *method, const char *path,
	const json_t *body)
{
	json_t *answer = NULL;
	int status = rest_ask(options, method, path, body, &answer);

	if (!status && options->json)
		ctl_verbs_print_json(answer);
	else if (!status)
		puts("Done.");
	json_decref(answer);
	return status;
}

int ctl_verbs_set_text(json_t *body, const char *member, const char *flag,
	const char *value)
{
	if (!value)
		return 0;
	/* jansson would drop it, and the gateway would miss it. */
	return json_object_set_new(body, member, json_string(value))
		       ? program_fail(-REASON_BAD_VALUE, "%s %s: UTF-8 expected.", flag,
				 value)
		       : 0;
}

int ctl_verbs_set_number(json_t *body, const char *member, const char *flag,
	const char *value)
{
	if (!value)
		return 0;
	size_t digits = strspn(value, "0123456789");
	if (!digits || digits > 9 || value[digits])
		return program_fail(-REASON_USAGE, "%s %s: a number expected.", flag,
			value);
	json_object_set_new(body, member, json_integer(atol(value)));
	return 0;
}

int ctl_verbs_change(struct ctl_options *options, const char *path, const json_t *body)
{
	if (!json_object_size(body))
		return program_fail(-REASON_USAGE, "Nothing to change is given.");
	return ctl_verbs_act(options, "PATCH", path, body);
}

int ctl_verbs_change_state(struct ctl_options *options, const char *path,
	const char *state)
{
	json_t *body = json_pack("{s:s}", "state", state);
	int status = ctl_verbs_act(options, "PATCH", path, body);

	json_decref(body);
	return status;
}

int ctl_verbs_read_json(const char *name, json_t **ret)
{
	json_error_t error;

	if (!name)
		return program_fail(-REASON_USAGE,
			"FILE is missing (- reads standard input).");
	FILE *in = strcmp(name, "-") ? fopen(name, "re") : stdin;
	if (!in)
		return program_fail(-REASON_FILE_UNREADABLE, "%s: %s", name,
			strerror(errno));
	*ret = json_loadf(in, JSON_REJECT_DUPLICATES, &error);
	if (in != stdin)
		fclose(in);
	if (!*ret)
		return program_fail(-REASON_BAD_VALUE, "%s:%d:%d: %s", name, error.line,
			error.column, error.text);
	return 0;
}

int ctl_verbs_show(struct ctl_options *options, const char *path,
	const struct table_column *columns)
{
	return ctl_verbs_act_show(options, "GET", path, NULL, columns);
}

int ctl_verbs_act_show(struct ctl_options *options, const char *method, const char *path,
	const json_t *body, const struct table_column *columns)
{
	json_t *answer = NULL;
	int status = rest_ask(options, method, path, body, &answer);

	if (!status && options->json)
		ctl_verbs_print_json(answer);
	else if (!status)
		table_card(columns, answer, stdout);
	json_decref(answer);
	return status;
}

struct listing {
	const struct ctl_options *options;
	const struct table_column *columns;
	struct table table;
	size_t pages, rows;
};

static void print_page(void *ctx, const json_t *rows)
{
	struct listing *listing = ctx;
	size_t i;
	json_t *row;

	if (!listing->pages++ && !listing->options->json)
		table_begin(&listing->table, listing->columns, rows, stdout);
	if (!listing->options->json) {
		table_rows(&listing->table, rows, stdout);
		return;
	}
	json_array_foreach((json_t *)rows, i, row)
	{
		fputs(listing->rows++ ? ",\n" : "[\n", stdout);
		json_dumpf(row, stdout, JSON_INDENT(2));
	}
}

int ctl_verbs_list(struct ctl_options *options, const char *path,
	const struct table_column *columns)
{
	struct listing listing = {.options = options, .columns = columns};
	struct rest *rest;
	int status;

	if (options->limit < 0)
		return program_fail(-REASON_USAGE,
			"--limit: a positive number expected.");
	status = rest_open(options, &rest);
	if (status)
		return status;
	status = rest_pages(rest, path, (size_t)options->limit, print_page, &listing);
	if (!status && options->json)
		puts(listing.rows ? "\n]" : "[]");
	rest_close(rest);
	return status;
}

int ctl_verbs_time(const char *flag, const char *text, int whole_day_ends,
	char ret[static CTL_VERBS_TIME])
{
	int64_t ms;

	ret[0] = '\0';
	if (!text)
		return 0;
	if (dates_parse(text, whole_day_ends ? DATES_LAST : DATES_FIRST, &ms))
		return program_fail(-REASON_BAD_VALUE,
			"%s %s: 2026-12-31, 2026-12-31T18:00, an RFC 3339 time, today, "
			"now or -7d expected.",
			flag, text);
	clock_text(ms, ret);
	return 0;
}
