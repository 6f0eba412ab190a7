#include "admin/api_journal.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "admin/call.h"
#include "admin/journal_filter.h"
#include "admin/journal_form.h"
#include "admin/page.h"
#include "admin/reading_log.h"
#include "base/clock.h"
#include "base/reason.h"

#define STEP 500
/* Rows that a page looks at before it answers with what it has found. */
#define LOOK_MOST 20000

enum form { FORM_PAGE, FORM_CSV, FORM_JSONL };

struct reading {
	struct call *call;
	const struct journal_form *kind;
	struct journal_query query;
	struct journal_filter filter;
	enum form form;
	enum journal_form_heads heads;
	int bom;
	size_t left; /* rows that may still be given; 0 with `all` */
	int all;
	struct csv csv;
};

static int is_wanted(const struct reading *reading, const json_t *row)
{
	return !journal_form_is_opening(reading->kind, row) &&
	       (!journal_filter_any(&reading->filter) ||
		       journal_filter_takes(&reading->filter, row));
}

/* ---- streams ----------------------------------------------------------------------------- */

static int put_line(struct reading *reading, int status)
{
	struct csv *csv = &reading->csv;

	return status ? status
		      : exchange_put(reading->call->exchange, buf_head(&csv->line),
				buf_len(&csv->line));
}

static int put_json(struct reading *reading, const json_t *row)
{
	char *text = json_dumps(row, JSON_COMPACT);
	int status = text ? exchange_put(reading->call->exchange, text, strlen(text))
			  : -REASON_NO_MEMORY;

	if (!status)
		status = exchange_put(reading->call->exchange, "\n", 1);
	free(text);
	return status;
}

static int put_row(struct reading *reading, const struct journal_row *from)
{
	json_t *row = journal_form_row(from);
	int status = row ? 0 : -REASON_NO_MEMORY;

	if (row && is_wanted(reading, row)) {
		reading->left -= reading->all ? 0 : 1;
		if (reading->form == FORM_CSV)
			status = put_line(reading,
				journal_form_csv_row(reading->kind, row, &reading->csv));
		else
			status = put_json(reading, row);
	}
	json_decref(row);
	return status;
}

static int put_rows(struct reading *reading)
{
	int status = 0;
	size_t count = STEP;

	reading->query.limit = STEP;
	while (!status && count == STEP && (reading->all || reading->left)) {
		struct store_rows rows = {0};
		status = store_wait_query(call_store(reading->call)->journal,
			&reading->query, &rows);
		if (status)
			break;
		count = rows.count;
		for (size_t i = 0;
			!status && i < count && (reading->all || reading->left); i++)
			status = put_row(reading, &rows.rows[i]);
		if (count)
			reading->query.after_seq = rows.rows[count - 1].seq;
		store_rows_free(&rows);
	}
	return status;
}

static int stream(struct reading *reading)
{
	struct exchange *exchange = reading->call->exchange;
	int is_csv = reading->form == FORM_CSV;
	int status = exchange_begin(exchange,
		is_csv ? "text/csv; charset=utf-8" : "application/jsonl; charset=utf-8");

	csv_init(&reading->csv);
	if (!status && is_csv && reading->bom)
		status = exchange_put(exchange, "\xef\xbb\xbf", 3);
	if (!status && is_csv)
		status = put_line(reading, journal_form_csv_head(reading->kind,
						   reading->heads, &reading->csv));
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

/* ---- pages ------------------------------------------------------------------------------- */

/* Adds what is wanted of the next rows. 1: there are no more. */
static int look(struct reading *reading, size_t limit, json_t *items, size_t *looked)
{
	struct store_rows rows = {0};
	int status = store_wait_query(call_store(reading->call)->journal, &reading->query,
		&rows);
	size_t i = 0;

	for (; !status && i < rows.count && json_array_size(items) < limit; i++) {
		json_t *row = journal_form_row(&rows.rows[i]);
		if (!row || (is_wanted(reading, row) && json_array_append(items, row)))
			status = -REASON_NO_MEMORY;
		json_decref(row);
		reading->query.after_seq = rows.rows[i].seq;
	}
	if (!status && i == rows.count && rows.count < reading->query.limit)
		status = 1;
	*looked += i;
	store_rows_free(&rows);
	return status;
}

static void answer_page(struct reading *reading)
{
	size_t limit = reading->query.limit, looked = 0;
	json_t *items = json_array();
	char next[24];
	int status = 0;

	if (journal_filter_any(&reading->filter))
		reading->query.limit = STEP;
	while (!status && json_array_size(items) < limit && looked < LOOK_MOST)
		status = look(reading, limit, items, &looked);
	if (status < 0) {
		json_decref(items);
		call_fail(reading->call, status, NULL);
		return;
	}
	snprintf(next, sizeof(next), "%" PRIu64, reading->query.after_seq);
	exchange_json(reading->call->exchange, 200,
		json_pack("{s:o, s:s?}", "items", items, "next", status ? NULL : next));
}

/* ---- what is asked for ------------------------------------------------------------------- */

static int parse_time(struct call *call, const char *name, int64_t *ret)
{
	const char *text = request_query(call->exchange->request, name);

	if (text && clock_parse(text, ret))
		return call_wrong(call, name, "a time of RFC 3339 or a day expected");
	return 0;
}

/* One of these words, the first where none is given. */
static int parse_word(struct call *call, const char *name, const char *const words[],
	int *ret)
{
	const char *text = request_query(call->exchange->request, name);

	for (int i = 0; words[i]; i++)
		if (!strcmp(text ? text : words[0], words[i])) {
			*ret = i;
			return 0;
		}
	char message[64] = "";
	for (int i = 0; words[i]; i++) {
		size_t len = strlen(message);
		snprintf(message + len, sizeof(message) - len, "%s%s", i ? ", " : "",
			words[i]);
	}
	return call_wrong(call, name, message);
}

static int parse_form(struct call *call, struct reading *reading)
{
	static const char *const formats[] = {"json", "csv", "jsonl", NULL};
	static const char *const orders[] = {"oldest", "newest", NULL};
	static const char *const heads[] = {"names", "ja", NULL};
	static const char *const flags[] = {"0", "1", NULL};
	int form = 0, order = 0, names = 0;
	int status = parse_word(call, "format", formats, &form);

	if (!status)
		status = parse_word(call, "order", orders, &order);
	if (!status)
		status = parse_word(call, "heads", heads, &names);
	if (!status)
		status = parse_word(call, "bom", flags, &reading->bom);
	reading->form = (enum form)form;
	reading->heads = (enum journal_form_heads)names;
	reading->query.order = order ? JOURNAL_NEWEST_FIRST : JOURNAL_OLDEST_FIRST;
	return status;
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
		return call_wrong(call, "after", "not a cursor of a page");
	reading->query.after_seq = page.after ? strtoull(page.after, NULL, 10) : 0;
	reading->query.limit = page.limit;
	reading->all = !limit;
	reading->left = limit ? strtoul(limit, NULL, 10) : 0;
	return 0;
}

static int parse(struct call *call, struct reading *reading)
{
	reading->kind = journal_form_of(exchange_param(call->exchange, "kind"));
	if (!reading->kind)
		return call_fail(call, -REASON_NOT_FOUND,
			"logins, sessions, bandwidth or audit expected");
	reading->query.kind = journal_form_kind(reading->kind);
	reading->query.tenant = call_tenant(call);
	reading->query.license = request_query(call->exchange->request, "license");
	int status = parse_time(call, "from", &reading->query.from_ms);
	if (!status)
		status = parse_time(call, "to", &reading->query.to_ms);
	if (!status && reading->query.to_ms &&
		reading->query.to_ms <= reading->query.from_ms)
		return call_wrong(call, "from", "has to be before to");
	if (!status)
		status = parse_form(call, reading);
	if (!status)
		status = journal_filter_parse(call, &reading->filter);
	return status ? status : parse_cursor(call, reading);
}

/* Whoever looks at records is in the records himself: pages once a minute for the same question, exports
 * always. A page after the first is the same reading. */
static int record(struct call *call, const struct reading *reading)
{
	static const char *const formats[] = {"json", "csv", "jsonl"};
	const char *kind = journal_form_name(reading->kind);
	json_t *filter = journal_filter_json(&reading->filter, &reading->query);
	int is_page = reading->form == FORM_PAGE;
	int is_due = !is_page;

	if (is_page && !reading->query.after_seq) {
		json_t *what = json_pack("[s, O]", kind, filter);
		char *text = what ? json_dumps(what, JSON_COMPACT) : NULL;
		is_due = !text || reading_log_is_new(call->admin->readings, call->by.name,
					  text, clock_wall_ms());
		json_decref(what);
		free(text);
	}
	if (!is_due) {
		json_decref(filter);
		return 0;
	}
	if (is_page)
		return call_audit(call, AUDIT_JOURNAL_READ, call->by.tenant, "",
			json_pack("{s:s, s:o}", "kind", kind, "filter", filter));
	return call_audit(call, AUDIT_JOURNAL_EXPORTED, call->by.tenant, "",
		json_pack("{s:s, s:s, s:o}", "kind", kind, "format",
			formats[reading->form], "filter", filter));
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
