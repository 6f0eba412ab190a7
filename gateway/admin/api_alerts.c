#include "admin/api_alerts.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "admin/call.h"
#include "admin/filing.h"
#include "admin/page.h"
#include "alert/alert_seed.h"
#include "base/clock.h"
#include "base/reason.h"
#include "rules/alert.h"

static const struct filing filing = {STATE_ALERT, AUDIT_ALERT_CHANGED, "alert"};

static json_t *show(const struct alert *alert)
{
	const struct alert_kind *kind = alert_kind_at((size_t)alert->when);
	char *text;

	if (alert_write(alert, &text))
		return NULL;
	json_t *object = json_loads(text, 0, NULL);
	free(text);
	if (!object)
		return NULL;
	json_object_set_new(object, "measure",
		json_string(kind->measure == ALERT_MEASURE_COUNT ? "count"
			    : kind->measure == ALERT_MEASURE_SUM ? "sum"
								 : "state"));
	call_add_times(object);
	return object;
}

static json_t *list_item(struct call *call, const struct state_doc *doc)
{
	const char *when = request_query(call->exchange->request, "when");
	struct field_error error;
	struct alert alert;

	if (alert_read(doc->body, &alert, &error))
		return NULL;
	if (when && strcmp(when, alert_kind_at((size_t)alert.when)->name))
		return NULL;
	return show(&alert);
}

/* Everybody has rules from the start, also before the watch has come by. They are made for companies that
 * there are, not for whatever a request names. */
static int seed(struct call *call, const char *tenant)
{
	struct state *state = call_store(call)->state;
	struct store_docs docs = {0};

	if (!*tenant)
		return alert_seed(state, "");
	int status = strlen(tenant) > STATE_TENANT_MAX
			     ? -REASON_NOT_FOUND
			     : store_wait_get(state, STATE_TENANT, tenant, &docs);
	store_docs_free(&docs);
	if (status == -REASON_NOT_FOUND)
		return 0;
	return status ? status : alert_seed(state, tenant);
}

/* "alr_TENANT.WHEN", "alr_WHEN": rules/alert.h. */
static int seed_of_id(struct call *call, const char *id)
{
	char tenant[STATE_TENANT_MAX + 2] = "";
	const char *dot = strchr(id, '.');

	if (!strncmp(id, "alr_", 4) && dot && (size_t)(dot - id - 4) < sizeof(tenant))
		snprintf(tenant, sizeof(tenant), "%.*s", (int)(dot - id - 4), id + 4);
	return seed(call, tenant);
}

void api_alerts_list(void *admin UNUSED, struct exchange *exchange)
{
	struct call *call = call_of(exchange);
	const char *tenant = call_tenant(call);
	int status = seed(call, tenant ? tenant : "");

	if (status)
		call_fail(call, status, NULL);
	else
		page_documents(call, STATE_ALERT, list_item);
}

/* An alarm of one company must not go to another one's receiver. */
static int check_routes(struct call *call, const struct alert *alert)
{
	for (size_t i = 0; i < alert->route_count; i++) {
		struct store_docs docs = {0};
		int status = store_wait_get(call_store(call)->state, STATE_ROUTE,
			alert->routes[i], &docs);
		if (!status && strcmp(docs.docs[0].tenant, alert->tenant))
			status = -REASON_NOT_FOUND;
		store_docs_free(&docs);
		if (status == -REASON_NOT_FOUND)
			return call_fail(call, -REASON_BAD_VALUE,
				"routes: there is no such route of this company");
		if (status)
			return call_fail(call, status, NULL);
	}
	return 0;
}

static int put(struct call *call, const struct alert *alert, uint64_t version,
	const json_t *changes)
{
	struct state_doc doc = {.kind = STATE_ALERT,
		.id = alert->id,
		.tenant = alert->tenant,
		.version = version};
	char *body;
	int status = alert_write(alert, &body);

	if (status)
		return call_fail(call, status, NULL);
	doc.body = body;
	status = filing_put(call, &filing, &doc, changes);
	free(body);
	return status;
}

static int fill(struct call *call, json_t *object, struct alert *alert)
{
	struct field_error error;
	int status = filing_tenant(call, object, alert->tenant);

	if (!status && alert_change(alert, object, &error))
		status = filing_fail(call, &error);
	if (!status)
		status = check_routes(call, alert);
	if (!status)
		status = filing_id(call, "alr_", alert->id, sizeof(alert->id));
	return status;
}

void api_alerts_create(void *admin UNUSED, struct exchange *exchange)
{
	struct call *call = call_of(exchange);
	struct alert alert = {0};
	struct body body;

	if (body_parse(&body, exchange))
		return;
	if (!fill(call, body.object, &alert)) {
		alert.created_ms = alert.changed_ms = clock_wall_ms();
		if (!put(call, &alert, 0, body.object))
			exchange_json(exchange, 201, show(&alert));
	}
	body_done(&body);
}

static int load(struct call *call, struct store_docs *docs, struct alert *ret)
{
	const char *id = exchange_param(call->exchange, "id");
	struct field_error error;
	int status = seed_of_id(call, id);

	if (status)
		return call_fail(call, status, NULL);
	status = call_get(call, STATE_ALERT, id, docs);
	if (status)
		return status;
	if (!alert_read(docs->docs[0].body, ret, &error))
		return 0;
	store_docs_free(docs);
	return call_fail(call, -REASON_STATE_DAMAGED, NULL);
}

void api_alerts_show(void *admin UNUSED, struct exchange *exchange)
{
	struct store_docs docs;
	struct alert alert;

	if (load(call_of(exchange), &docs, &alert))
		return;
	exchange_json(exchange, 200, show(&alert));
	store_docs_free(&docs);
}

static int change(struct call *call, struct alert *alert, uint64_t version,
	const json_t *changes)
{
	struct field_error error;

	if (alert_change(alert, changes, &error))
		return filing_fail(call, &error);
	int status = check_routes(call, alert);
	alert->changed_ms = clock_wall_ms();
	return status ? status : put(call, alert, version, changes);
}

void api_alerts_change(void *admin UNUSED, struct exchange *exchange)
{
	struct call *call = call_of(exchange);
	struct store_docs docs;
	struct alert alert;
	struct body body;

	if (body_parse(&body, exchange))
		return;
	if (!load(call, &docs, &alert)) {
		if (!change(call, &alert, docs.docs[0].version, body.object))
			exchange_json(exchange, 200, show(&alert));
		store_docs_free(&docs);
	}
	body_done(&body);
}

void api_alerts_delete(void *admin UNUSED, struct exchange *exchange)
{
	struct call *call = call_of(exchange);
	struct store_docs docs;
	struct alert alert;

	if (load(call, &docs, &alert))
		return;
	(void)!filing_remove(call, &filing, &docs.docs[0]);
	store_docs_free(&docs);
}
