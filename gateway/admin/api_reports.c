#include "admin/api_reports.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "admin/checkup.h"
#include "admin/month.h"
#include "admin/report_form.h"
#include "base/clock.h"
#include "base/reason.h"
#include "rules/tenant.h"
#include "rules/usage.h"

enum form { FORM_JSON, FORM_CSV, FORM_HTML, FORM_TEXT, FORMS };
static const char *const forms[] = {"json", "csv", "html", "text"};
static const char *const types[] = {NULL, "text/csv; charset=utf-8",
	"text/html; charset=utf-8", "text/plain; charset=utf-8"};

static int asked_form(struct call *call, enum form *ret, enum form last)
{
	const char *text = request_query(call->exchange->request, "format");

	*ret = FORM_JSON;
	if (!text)
		return 0;
	for (int i = 0; i <= (int)last; i++)
		if (!strcmp(forms[i], text)) {
			*ret = (enum form)i;
			return 0;
		}
	return call_wrong(call, "format",
		last == FORM_CSV ? "json or csv" : "json, csv, html or text");
}

static int asked_lang(struct call *call, enum reason_lang *ret)
{
	const char *text = request_query(call->exchange->request, "lang");

	*ret = call->exchange->lang;
	if (text && strcmp(text, "en") && strcmp(text, "ja"))
		return call_wrong(call, "lang", "en or ja");
	if (text)
		*ret = *text == 'j' ? REASON_JA : REASON_EN;
	return 0;
}

/* Whose sheet: a company's own, or for operators ?tenant=, without it the operator's. */
static int asked_tenant(struct call *call, const char **ret)
{
	const char *tenant = call_tenant(call);

	*ret = tenant ? tenant : "";
	if (**ret && !tenant_id_good(*ret))
		return call_wrong(call, "tenant", "small letters, digits, - and _");
	return 0;
}

static void answer_text(struct exchange *exchange, enum form form, char *text)
{
	char policy[REPORT_FORM_POLICY];

	if (!text) {
		exchange_problem(exchange, REASON_NO_MEMORY, NULL);
		return;
	}
	if (form == FORM_HTML) {
		report_form_policy(policy);
		exchange_header(exchange, "Content-Security-Policy", policy);
	}
	exchange_whole(exchange, 200, types[form], text, strlen(text));
	free(text);
}

static void answer_sheet(struct call *call, enum form form, enum reason_lang lang,
	json_t *rows)
{
	static const char *const names[] = {
		"sheet", "row", "kind", "question", "answer", "good", "command", NULL};
	int64_t now_ms = clock_wall_ms();

	if (form == FORM_JSON) {
		json_t *object =
			json_pack("{s:I, s:s, s:O}", "made_ms", (json_int_t)now_ms,
				"lang", lang == REASON_JA ? "ja" : "en", "rows", rows);
		if (object)
			call_add_times(object);
		exchange_json(call->exchange, 200, object);
		return;
	}
	char *text = form == FORM_CSV    ? report_form_csv(rows, names)
		     : form == FORM_HTML ? report_form_html(rows, now_ms, lang)
					 : report_form_text(rows, now_ms, lang);
	answer_text(call->exchange, form, text);
}

void api_reports_checksheet(void *admin UNUSED, struct exchange *exchange)
{
	struct call *call = call_of(exchange);
	enum form form;
	enum reason_lang lang;
	const char *tenant;
	json_t *rows;

	if (asked_form(call, &form, FORM_TEXT) || asked_lang(call, &lang) ||
		asked_tenant(call, &tenant))
		return;
	int status = checkup_run(call, tenant, CHECKUP_QUICK, lang, &rows);
	if (status) {
		call_fail(call, status, NULL);
		return;
	}
	answer_sheet(call, form, lang, rows);
	json_decref(rows);
}

/* verify */

static void verified_id(const char *tenant, char ret[static STATE_ID_MAX])
{
	snprintf(ret, STATE_ID_MAX, "checksheet/%s", tenant);
}

static json_t *verdicts_of(const json_t *rows)
{
	json_t *verdicts = json_object(), *row;
	size_t i;

	json_array_foreach((json_t *)rows, i, row)
		json_object_set(verdicts, json_string_value(json_object_get(row, "row")),
			json_object_get(row, "good"));
	return verdicts;
}

/* Rows whose verdict is another than the last time. */
static json_t *changes_of(const json_t *before, const json_t *now)
{
	json_t *changes = json_array(), *is;
	const char *row;

	json_object_foreach((json_t *)now, row, is)
	{
		json_t *was = json_object_get(before, row);
		if (was && !json_equal(was, is))
			json_array_append_new(changes,
				json_pack("{s:s, s:O, s:O}", "row", row, "was", was, "is",
					is));
	}
	return changes;
}

static int64_t count_verdicts(const json_t *verdicts, int is_good)
{
	const char *row;
	json_t *good;
	int64_t count = 0;

	json_object_foreach((json_t *)verdicts, row, good) count +=
		is_good ? json_is_true(good) : json_is_false(good);
	return count;
}

static int keep_verdicts(struct call *call, const char *tenant, const json_t *verdicts,
	uint64_t version)
{
	char id[STATE_ID_MAX];
	struct state_doc doc = {
		.kind = STATE_META, .id = id, .tenant = tenant, .version = version};
	json_t *object = json_pack("{s:I, s:O}", "made_ms", (json_int_t)clock_wall_ms(),
		"rows", verdicts);
	char *body = object ? json_dumps(object, JSON_COMPACT) : NULL;

	json_decref(object);
	if (!body)
		return -REASON_NO_MEMORY;
	verified_id(tenant, id);
	doc.body = body;
	int status = store_wait_put(call_store(call)->state, &doc, NULL);
	free(body);
	/* Somebody verified at the same moment: his is as good. */
	return status == -REASON_CONFLICT ? 0 : status;
}

static int verify(struct call *call, const char *tenant, json_t *rows)
{
	char id[STATE_ID_MAX];
	struct store_docs docs = {0};
	json_t *verdicts = verdicts_of(rows), *before = NULL;

	verified_id(tenant, id);
	int status = store_wait_get(call_store(call)->state, STATE_META, id, &docs);
	if (!status)
		before = call_body(&docs.docs[0]);
	if (!status || status == -REASON_NOT_FOUND)
		status = keep_verdicts(call, tenant, verdicts,
			docs.count ? docs.docs[0].version : 0);
	if (!status) {
		json_t *object = json_pack("{s:I, s:I, s:I, s:I, s:I, s:o, s:O}",
			"made_ms", (json_int_t)clock_wall_ms(), "before_ms",
			json_integer_value(json_object_get(before, "made_ms")), "checked",
			(json_int_t)json_array_size(rows), "good",
			(json_int_t)count_verdicts(verdicts, 1), "bad",
			(json_int_t)count_verdicts(verdicts, 0), "changed",
			changes_of(json_object_get(before, "rows"), verdicts), "rows",
			rows);
		if (object)
			call_add_times(object);
		exchange_json(call->exchange, 200, object);
	}
	json_decref(before);
	json_decref(verdicts);
	store_docs_free(&docs);
	return status;
}

void api_reports_verify(void *admin UNUSED, struct exchange *exchange)
{
	struct call *call = call_of(exchange);
	enum reason_lang lang;
	const char *tenant;
	json_t *rows;

	if (asked_lang(call, &lang) || asked_tenant(call, &tenant))
		return;
	/* The chain is everybody's: recomputing it is for the operator's people only. */
	int status = checkup_run(call, tenant,
		*call->by.tenant ? CHECKUP_QUICK : CHECKUP_THOROUGH, lang, &rows);
	if (!status) {
		status = verify(call, tenant, rows);
		json_decref(rows);
	}
	if (status)
		call_fail(call, status, NULL);
}

/* usage */

struct usage_report {
	struct call *call;
	const char *tenant; /* NULL: all */
	const struct month *month;
	json_t *items;
	struct usage_sum sums;
};

static void add_holder(struct call *call, const char *license, json_t *item)
{
	struct store_docs docs = {0};

	if (store_wait_get(call_store(call)->state, STATE_LICENSE, license, &docs))
		return;
	json_t *body = call_body(&docs.docs[0]);
	json_t *holder = json_object_get(body, "holder");
	if (holder)
		json_object_set(item, "holder", holder);
	json_decref(body);
	store_docs_free(&docs);
}

static void add_line(struct usage_report *report, const char *tenant,
	const struct usage_line *line)
{
	json_t *item = json_pack("{s:s, s:s, s:s, s:I, s:I, s:I, s:I}", "tenant", tenant,
		"license", line->key, "holder", "", "bytes_to_viewer",
		(json_int_t)line->sum.to_viewer, "bytes_to_host",
		(json_int_t)line->sum.to_host, "sessions", (json_int_t)line->sum.sessions,
		"session_ms", (json_int_t)line->sum.session_ms);

	if (!item)
		return;
	add_holder(report->call, line->key, item);
	json_array_append_new(report->items, item);
	usage_sum_add(&report->sums, &line->sum);
}

/* "m/TENANT/2026-11/S" of the month that is asked for? */
static int is_of_month(const struct usage_report *report, const char *id, char *tenant)
{
	const char *slash = strchr(id + 2, '/');

	if (!slash || slash - id - 2 > STATE_TENANT_MAX ||
		strncmp(slash + 1, report->month->text, 7) || slash[8] != '/')
		return 0;
	snprintf(tenant, STATE_TENANT_MAX + 1, "%.*s", (int)(slash - id - 2), id + 2);
	return !report->tenant || !strcmp(report->tenant, tenant);
}

static int read_page(struct usage_report *report, const struct state_doc *doc)
{
	uint64_t marks[USAGE_KINDS];
	char tenant[STATE_TENANT_MAX + 1];
	struct usage_scan scan;
	struct usage_line line;

	if (!is_of_month(report, doc->id, tenant))
		return 0;
	int status = usage_scan_begin(doc->body, marks, &scan);
	if (status)
		return status;
	while ((status = usage_scan_next(&scan, &line)) == 1)
		add_line(report, tenant, &line);
	return status;
}

static int read_pages(struct usage_report *report)
{
	char last[STATE_ID_MAX + 1] = "m/";
	int status = 0, more = 1;

	while (!status && more) {
		struct store_docs docs = {0};
		status = store_wait_list(call_store(report->call)->state, STATE_USAGE,
			NULL, last, 100, &docs);
		more = docs.count == 100;
		for (size_t i = 0; !status && i < docs.count; i++) {
			if (strncmp(docs.docs[i].id, "m/", 2)) {
				more = 0;
				break;
			}
			status = read_page(report, &docs.docs[i]);
			snprintf(last, sizeof(last), "%s", docs.docs[i].id);
		}
		store_docs_free(&docs);
	}
	return status;
}

static void answer_usage(struct usage_report *report, enum form form)
{
	static const char *const names[] = {"tenant", "license", "holder",
		"bytes_to_viewer", "bytes_to_host", "sessions", "session_ms", NULL};

	if (form == FORM_CSV) {
		answer_text(report->call->exchange, form,
			report_form_csv(report->items, names));
		return;
	}
	exchange_json(report->call->exchange, 200,
		json_pack("{s:s, s:O, s:{s:I, s:I, s:I, s:I}}", "month",
			report->month->text, "items", report->items, "sums",
			"bytes_to_viewer", (json_int_t)report->sums.to_viewer,
			"bytes_to_host", (json_int_t)report->sums.to_host, "sessions",
			(json_int_t)report->sums.sessions, "session_ms",
			(json_int_t)report->sums.session_ms));
}

void api_reports_usage(void *admin UNUSED, struct exchange *exchange)
{
	struct call *call = call_of(exchange);
	struct month month;
	enum form form;

	if (asked_form(call, &form, FORM_CSV) || month_asked(call, &month))
		return;
	struct usage_report report = {.call = call,
		.tenant = call_tenant(call),
		.month = &month,
		.items = json_array()};
	int status = read_pages(&report);
	if (status)
		call_fail(call, status, NULL);
	else
		answer_usage(&report, form);
	json_decref(report.items);
}
