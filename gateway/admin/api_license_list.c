#include "admin/api_license_list.h"

#include <stdlib.h>
#include <string.h>

#include "admin/license_desk.h"
#include "admin/license_search.h"
#include "base/clock.h"
#include "base/reason.h"
#include "http/csv.h"

/* A JSON object, as license import takes it; nothing when there are none. */
static char *labels_text(const struct license *license)
{
	json_t *labels = json_object();

	for (size_t i = 0; i < license->label_count; i++)
		json_object_set_new(labels, license->labels[i].name,
			json_string(license->labels[i].value));
	char *text = license->label_count ? json_dumps(labels, JSON_COMPACT) : NULL;
	json_decref(labels);
	return text;
}

static int csv_license(struct call *call, const struct state_doc *doc, void *ctx)
{
	struct csv *csv = ctx;
	struct license license;
	struct field_error error;
	char expires[CLOCK_TEXT] = "", created[CLOCK_TEXT];

	if (license_read(doc->body, &license, &error))
		return 0;
	if (license.expires_ms)
		clock_text(license.expires_ms, expires);
	clock_text(license.created_ms, created);
	csv_text(csv, license.id);
	csv_text(csv, license.tenant);
	csv_text(csv, license.holder);
	csv_text(csv, license.group);
	csv_text(csv, license.state == LICENSE_ENABLED ? "enabled" : "disabled");
	csv_text(csv, expires);
	csv_text(csv, created);
	csv_text(csv, license.note);
	char *labels = labels_text(&license);
	csv_text(csv, labels ? labels : "");
	free(labels);
	int status = csv_end(csv);
	if (!status)
		status = exchange_put(call->exchange, buf_head(&csv->line),
			buf_len(&csv->line));
	return status;
}

static int record(struct call *call, const struct license_filter *filter)
{
	long count = license_index_count(call->admin->licenses, filter);

	if (count < 0)
		return call_fail(call, (int)count, NULL);
	return call_audit(call, AUDIT_LICENSES_EXPORTED,
		filter->tenant ? filter->tenant : "", "",
		json_pack("{s:I}", "count", (json_int_t)count));
}

static void export(struct call *call, const struct license_filter *filter)
{
	static const char
		mark[] = "\xef\xbb\xbf",
		head[] = "id,tenant,holder,group,state,expires,created,note,labels\r\n";
	const char *bom = request_query(call->exchange->request, "bom");
	struct csv csv;

	if (record(call, filter))
		return;
	csv_init(&csv);
	exchange_header(call->exchange, "Content-Disposition",
		"attachment; filename=licenses.csv");
	int status = exchange_begin(call->exchange, "text/csv; charset=utf-8");
	if (!status && bom && !strcmp(bom, "1"))
		status = exchange_put(call->exchange, mark, sizeof(mark) - 1);
	if (!status)
		status = exchange_put(call->exchange, head, sizeof(head) - 1);
	if (!status)
		status = license_search_each(call, filter, csv_license, &csv);
	if (!status)
		status = exchange_end(call->exchange);
	if (status)
		call_fail(call, status, NULL);
	csv_done(&csv);
}

void api_license_list(void *admin UNUSED, struct exchange *exchange)
{
	struct call *call = call_of(exchange);
	const char *format = request_query(exchange->request, "format");
	struct license_filter filter;

	if (license_search_of_query(call, &filter))
		return;
	if (!format || !strcmp(format, "json"))
		license_search_page(call, &filter);
	else if (!strcmp(format, "csv"))
		export(call, &filter);
	else
		call_wrong(call, "format", "json or csv");
}
