#include "admin/api_journal.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "admin/call.h"
#include "admin/page.h"
#include "base/clock.h"
#include "base/reason.h"
#include "base/text.h"
#include "http/csv.h"

#define STEP 500

static const struct {
	const char *name; /* in the path */
	enum journal_kind kind;
	/* CSV columns after seq, at, tenant, license; NULL ends */
	const char *columns[16];
} kinds[] = {
	{"logins", JOURNAL_LOGIN,
		{"side", "result", "reason", "holder", "device", "name", "address",
			"program", "kind", "new_device", "node"}},
	{"sessions", JOURNAL_SESSION,
		{"id", "host", "viewer", "node", "started", "ended", "bytes_to_viewer",
			"bytes_to_host", "reason"}},
	{"bandwidth", JOURNAL_BANDWIDTH,
		{"session", "from", "to", "bytes_to_viewer", "bytes_to_host", "node"}},
	{"audit", JOURNAL_AUDIT,
		{"event", "severity", "by", "address", "fields", "node"}},
};

enum form { FORM_PAGE, FORM_CSV, FORM_JSONL };

struct reading {
	struct call *call;
	size_t which; /* in kinds */
	struct journal_query query;
	enum form form;
	size_t left; /* rows that may still be given; 0 with `all` */
	int all;
	struct csv csv;
};

static json_t *row_json(const struct journal_row *row)
{
	char at[CLOCK_TEXT], hash[TEXT_HEX_SIZE(JOURNAL_HASH)];
	json_t *object = json_loads(row->body, 0, NULL);

	if (!json_is_object(object)) {
		json_decref(object);
		object = json_object();
	}
	clock_text(row->at_ms, at);
	text_hex(hash, row->hash, sizeof(row->hash));
	json_object_set_new(object, "seq", json_integer((json_int_t)row->seq));
	json_object_set_new(object, "at", json_string(at));
	json_object_set_new(object, "tenant", json_string(row->tenant));
	json_object_set_new(object, "license", json_string(row->license));
	if (!json_object_get(object, "node"))
		json_object_set_new(object, "node", json_string(row->node));
	json_object_set_new(object, "hash", json_string(hash));
	call_add_times(object);
	return object;
}

/* A session has a row when it begins and one, with everything, when it has ended; people get the second.
 * What runs now is the list of sessions. */
static int is_opening(const struct reading *reading, const json_t *object)
{
	const char *event = json_string_value(json_object_get(object, "event"));

	return kinds[reading->which].kind == JOURNAL_SESSION && event &&
	       !strcmp(event, "open");
}

/* What an audit row has beside the members of all rows, in one cell. */
static char *other_fields(const json_t *object)
{
	static const char *const common[] = {"event", "number", "severity", "by",
		"address", "seq", "at", "tenant", "license", "node", "hash"};
	json_t *rest = json_copy((json_t *)object);

	for (size_t i = 0; i < ARRAY_LEN(common); i++)
		json_object_del(rest, common[i]);
	char *text = json_dumps(rest, JSON_COMPACT);
	json_decref(rest);
	return text;
}

static void csv_value(struct csv *csv, const json_t *object, const char *name)
{
	const json_t *value = json_object_get(object, name);

	if (json_is_string(value)) {
		csv_text(csv, json_string_value(value));
	} else if (json_is_integer(value)) {
		csv_number(csv, json_integer_value(value));
	} else if (json_is_boolean(value)) {
		csv_text(csv, json_is_true(value) ? "yes" : "no");
	} else if (!strcmp(name, "fields")) {
		char *text = other_fields(object);
		csv_text(csv, text ? text : "");
		free(text);
	} else {
		csv_text(csv, "");
	}
}

static int put_csv_line(struct reading *reading)
{
	struct csv *csv = &reading->csv;
	int status = csv_end(csv);

	if (!status)
		status = exchange_put(reading->call->exchange, buf_head(&csv->line),
			buf_len(&csv->line));
	return status;
}

static int put_csv_head(struct reading *reading)
{
	static const char *const first[] = {"seq", "at", "tenant", "license"};

	for (size_t i = 0; i < ARRAY_LEN(first); i++)
		csv_text(&reading->csv, first[i]);
	for (size_t i = 0; kinds[reading->which].columns[i]; i++)
		csv_text(&reading->csv, kinds[reading->which].columns[i]);
	return put_csv_line(reading);
}

static int put_csv_row(struct reading *reading, const json_t *object)
{
	csv_value(&reading->csv, object, "seq");
	csv_value(&reading->csv, object, "at");
	csv_value(&reading->csv, object, "tenant");
	csv_value(&reading->csv, object, "license");
	for (size_t i = 0; kinds[reading->which].columns[i]; i++)
		csv_value(&reading->csv, object, kinds[reading->which].columns[i]);
	return put_csv_line(reading);
}

static int put_row(struct reading *reading, const struct journal_row *row)
{
	json_t *object = row_json(row);
	int status = -REASON_NO_MEMORY;

	if (object && is_opening(reading, object)) {
		status = 0;
	} else if (object && reading->form == FORM_CSV) {
		status = put_csv_row(reading, object);
	} else if (object) {
		char *text = json_dumps(object, JSON_COMPACT);
		if (text)
			status =
				exchange_put(reading->call->exchange, text, strlen(text));
		if (!status)
			status = exchange_put(reading->call->exchange, "\n", 1);
		free(text);
	}
	json_decref(object);
	return status;
}

static int put_rows(struct reading *reading)
{
	int status = 0;
	size_t count = STEP;

	while (!status && count == reading->query.limit &&
		(reading->all || reading->left)) {
		struct store_rows rows = {0};
		reading->query.limit =
			!reading->all && reading->left < STEP ? reading->left : STEP;
		status = store_wait_query(call_store(reading->call)->journal,
			&reading->query, &rows);
		if (status)
			break;
		count = rows.count;
		for (size_t i = 0; !status && i < rows.count; i++)
			status = put_row(reading, &rows.rows[i]);
		if (count)
			reading->query.after_seq = rows.rows[count - 1].seq;
		reading->left -= reading->all ? 0 : count;
		store_rows_free(&rows);
	}
	return status;
}

static int stream(struct reading *reading)
{
	struct exchange *exchange = reading->call->exchange;
	const char *type = reading->form == FORM_CSV ? "text/csv; charset=utf-8"
						     : "application/jsonl; charset=utf-8";
	int status = exchange_begin(exchange, type);

	reading->query.limit = STEP;
	csv_init(&reading->csv);
	if (!status && reading->form == FORM_CSV)
		status = put_csv_head(reading);
	if (!status)
		status = put_rows(reading);
	if (!status)
		status = exchange_end(exchange);
	csv_done(&reading->csv);
	return status;
}

/* Only so many at once: each holds an office thread for as long as its reader takes. */
static void stream_in_turn(struct reading *reading)
{
	struct admin *admin = reading->call->admin;

	if (sem_trywait(&admin->streams)) {
		call_fail(reading->call, -REASON_BUSY, "too many exports at once");
		return;
	}
	int status = stream(reading);
	sem_post(&admin->streams);
	if (status)
		call_fail(reading->call, status, NULL);
}

static void answer_page(struct reading *reading)
{
	struct store_rows rows = {0};
	json_t *items = json_array();
	char next[24];
	int status = store_wait_query(call_store(reading->call)->journal, &reading->query,
		&rows);

	if (status) {
		json_decref(items);
		call_fail(reading->call, status, NULL);
		return;
	}
	for (size_t i = 0; i < rows.count; i++) {
		json_t *object = row_json(&rows.rows[i]);
		if (!is_opening(reading, object))
			json_array_append(items, object);
		json_decref(object);
	}
	int more = rows.count && rows.count == reading->query.limit;
	if (more)
		snprintf(next, sizeof(next), "%" PRIu64, rows.rows[rows.count - 1].seq);
	store_rows_free(&rows);
	exchange_json(reading->call->exchange, 200,
		json_pack("{s:o, s:s?}", "items", items, "next", more ? next : NULL));
}

static int parse_time(struct call *call, const char *name, int64_t *ret)
{
	const char *text = request_query(call->exchange->request, name);

	if (text && clock_parse(text, ret)) {
		char detail[64];
		snprintf(detail, sizeof(detail),
			"%s: a time of RFC 3339 or a day expected", name);
		return call_fail(call, -REASON_BAD_VALUE, detail);
	}
	return 0;
}

static int parse_form(struct call *call, struct reading *reading)
{
	static const char *const names[] = {"json", "csv", "jsonl"};
	const char *format = request_query(call->exchange->request, "format");
	const char *order = request_query(call->exchange->request, "order");

	if (order && strcmp(order, "newest") && strcmp(order, "oldest"))
		return call_fail(call, -REASON_BAD_VALUE, "order: oldest or newest");
	reading->query.order =
		order && *order == 'n' ? JOURNAL_NEWEST_FIRST : JOURNAL_OLDEST_FIRST;
	for (size_t i = 0; i < ARRAY_LEN(names); i++)
		if (!strcmp(format ? format : "json", names[i])) {
			reading->form = (enum form)i;
			return 0;
		}
	return call_fail(call, -REASON_BAD_VALUE, "format: json, csv or jsonl");
}

static int parse_cursor(struct call *call, struct reading *reading)
{
	const char *limit = request_query(call->exchange->request, "limit");
	struct page page;
	int status = page_parse(call, &page);

	if (status)
		return status;
	if (page.after &&
		(strspn(page.after, "0123456789") != strlen(page.after) || !*page.after))
		return call_fail(call, -REASON_BAD_VALUE,
			"after: not a cursor of a page");
	reading->query.after_seq = page.after ? strtoull(page.after, NULL, 10) : 0;
	reading->query.limit = page.limit;
	reading->all = !limit;
	reading->left = limit ? strtoul(limit, NULL, 10) : 0;
	return 0;
}

static int parse(struct call *call, struct reading *reading)
{
	const char *name = exchange_param(call->exchange, "kind");

	while (reading->which < ARRAY_LEN(kinds) &&
		strcmp(kinds[reading->which].name, name))
		reading->which++;
	if (reading->which == ARRAY_LEN(kinds))
		return call_fail(call, -REASON_NOT_FOUND,
			"logins, sessions, bandwidth or audit expected");
	reading->query.kind = kinds[reading->which].kind;
	reading->query.tenant = call_tenant(call);
	reading->query.license = request_query(call->exchange->request, "license");
	int status = parse_time(call, "from", &reading->query.from_ms);
	if (!status)
		status = parse_time(call, "to", &reading->query.to_ms);
	if (!status)
		status = parse_form(call, reading);
	return status ? status : parse_cursor(call, reading);
}

/* What an auditor looks at is recorded too; a page after the first is the same reading. */
static int record(struct call *call, const struct reading *reading)
{
	if (call->by.role != ROLE_AUDITOR)
		return 0;
	json_t *fields = json_pack("{s:s, s:s*}", "kind", kinds[reading->which].name,
		"license", reading->query.license);

	if (reading->query.after_seq && reading->form == FORM_PAGE) {
		json_decref(fields);
		return 0;
	}
	if (reading->query.from_ms)
		json_object_set_new(fields, "from_ms",
			json_integer(reading->query.from_ms));
	if (reading->query.to_ms)
		json_object_set_new(fields, "to_ms", json_integer(reading->query.to_ms));
	return call_audit(call, AUDIT_JOURNAL_READ, call->by.tenant, "", fields);
}

void api_journal_read(void *admin UNUSED, struct exchange *exchange)
{
	struct reading reading = {.call = call_of(exchange)};

	if (parse(reading.call, &reading))
		return;
	if (record(reading.call, &reading))
		return;
	if (reading.form == FORM_PAGE)
		answer_page(&reading);
	else
		stream_in_turn(&reading);
}

void api_journal_verify(void *admin UNUSED, struct exchange *exchange)
{
	struct call *call = call_of(exchange);
	char hash[TEXT_HEX_SIZE(JOURNAL_HASH)];
	struct store_rows rows = {0};
	int status = store_wait_verify(call_store(call)->journal, NULL, 0, &rows);

	if (status) {
		call_fail(call, status, NULL);
		return;
	}
	json_t *fields = json_pack("{s:I, s:s*}", "checked", (json_int_t)rows.checked,
		"fault", rows.fault);
	if (rows.first_bad)
		json_object_set_new(fields, "first_bad",
			json_integer((json_int_t)rows.first_bad));
	if (!call_audit(call, AUDIT_JOURNAL_VERIFIED, "", "", fields)) {
		text_hex(hash, rows.last_hash, sizeof(rows.last_hash));
		exchange_json(exchange, 200,
			json_pack("{s:b, s:I, s:I, s:s?, s:I, s:s}", "ok",
				!rows.first_bad && !rows.fault, "checked",
				(json_int_t)rows.checked, "first_bad",
				(json_int_t)rows.first_bad, "fault", rows.fault,
				"last_seq", (json_int_t)rows.last_seq, "last_hash",
				hash));
	}
	store_rows_free(&rows);
}
