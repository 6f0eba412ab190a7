#include "admin/api_statements.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "admin/call.h"
#include "admin/filing.h"
#include "admin/page.h"
#include "base/clock.h"
#include "base/reason.h"
#include "rules/checksheet.h"
#include "rules/statement.h"

static const struct filing filing = {
	STATE_STATEMENT, AUDIT_STATEMENT_CHANGED, "statement"};

static json_t *list_item(struct call *call UNUSED, const struct state_doc *doc)
{
	json_t *object = call_body(doc);

	call_add_times(object);
	return object;
}

void api_statements_list(void *admin UNUSED, struct exchange *exchange)
{
	page_documents_of(call_of(exchange), STATE_STATEMENT, NULL, list_item);
}

/* NULL: answered. */
static const struct checksheet_row *asked_row(struct call *call)
{
	const struct checksheet_row *row =
		checksheet_find(exchange_param(call->exchange, "row"));

	if (!row)
		call_fail(call, -REASON_NOT_FOUND, "no such row in the check sheets");
	return row;
}

void api_statements_show(void *admin UNUSED, struct exchange *exchange)
{
	struct call *call = call_of(exchange);
	const struct checksheet_row *row = asked_row(call);
	struct store_docs docs = {0};

	if (!row)
		return;
	int status =
		store_wait_get(call_store(call)->state, STATE_STATEMENT, row->row, &docs);
	if (status && status != -REASON_NOT_FOUND) {
		call_fail(call, status, NULL);
		return;
	}
	/* What nobody has written yet is an answer too. */
	json_t *object = docs.count ? call_body(&docs.docs[0])
				    : json_pack("{s:s, s:n, s:I}", "row", row->row,
					      "text", "written_ms", (json_int_t)0);
	json_object_set_new(object, "question",
		json_pack("{s:s, s:s}", "en", row->question[REASON_EN], "ja",
			row->question[REASON_JA]));
	call_add_times(object);
	store_docs_free(&docs);
	exchange_json(exchange, 200, object);
}

static int put(struct call *call, const struct statement *statement,
	const json_t *changes)
{
	struct store_docs docs = {0};
	char *body;
	int status = store_wait_get(call_store(call)->state, STATE_STATEMENT,
		statement->row, &docs);
	uint64_t version = status ? 0 : docs.docs[0].version;

	store_docs_free(&docs);
	if (status && status != -REASON_NOT_FOUND)
		return call_fail(call, status, NULL);
	status = statement_write(statement, &body);
	if (status)
		return call_fail(call, status, NULL);
	struct state_doc doc = {.kind = STATE_STATEMENT,
		.id = statement->row,
		.tenant = "",
		.version = version,
		.body = body};
	status = filing_put(call, &filing, &doc, changes);
	if (!status)
		exchange_json(call->exchange, 200, list_item(call, &doc));
	free(body);
	return status;
}

void api_statements_put(void *admin UNUSED, struct exchange *exchange)
{
	struct call *call = call_of(exchange);
	const struct checksheet_row *row = asked_row(call);
	struct statement statement = {.written_ms = clock_wall_ms()};
	struct field_error error;
	struct body body;

	if (!row || body_parse(&body, exchange))
		return;
	snprintf(statement.row, sizeof(statement.row), "%s", row->row);
	snprintf(statement.by, sizeof(statement.by), "%s", call->by.name);
	if (row->kind != CHECKSHEET_D)
		call_fail(call, -REASON_CONFLICT, "the product answers this row itself");
	else if (statement_change(&statement, body.object, &error))
		filing_fail(call, &error);
	else
		(void)!put(call, &statement, body.object);
	body_done(&body);
}
