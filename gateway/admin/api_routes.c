#include "admin/api_routes.h"

#include <stdlib.h>
#include <string.h>

#include "admin/call.h"
#include "admin/filing.h"
#include "admin/page.h"
#include "alert/alerts.h"
#include "base/clock.h"
#include "base/reason.h"
#include "base/secret.h"
#include "rules/route.h"

static const struct filing filing = {STATE_ROUTE, AUDIT_ROUTE_CHANGED, "route"};

static json_t *show(const struct route *route)
{
	json_t *object = route_show(route);

	if (object)
		call_add_times(object);
	return object;
}

static json_t *list_item(struct call *call, const struct state_doc *doc)
{
	const char *kind = request_query(call->exchange->request, "kind");
	struct field_error error;
	struct route route;
	json_t *object = NULL;

	if (route_read(doc->body, &route, &error))
		return NULL;
	if (!kind || !strcmp(kind, route_kind_name(route.kind)))
		object = show(&route);
	secret_wipe(&route, sizeof(route));
	return object;
}

void api_routes_list(void *admin UNUSED, struct exchange *exchange)
{
	page_documents(call_of(exchange), STATE_ROUTE, list_item);
}

static int put(struct call *call, const struct route *route, uint64_t version,
	const json_t *changes)
{
	struct state_doc doc = {.kind = STATE_ROUTE,
		.id = route->id,
		.tenant = route->tenant,
		.version = version};
	char *body;
	int status = route_write(route, &body);

	if (status)
		return call_fail(call, status, NULL);
	doc.body = body;
	status = filing_put(call, &filing, &doc, changes);
	secret_wipe(body, strlen(body));
	free(body);
	return status;
}

/* A webhook without a signature could come from anybody. */
static int ensure_secret(struct call *call, struct route *route, int *ret_made)
{
	uint8_t bytes[32];

	*ret_made = 0;
	if (route->kind != ROUTE_WEBHOOK || *route->secret)
		return 0;
	int status = secret_random(bytes, sizeof(bytes));
	if (status)
		return call_fail(call, status, NULL);
	text_hex(route->secret, bytes, sizeof(bytes));
	secret_wipe(bytes, sizeof(bytes));
	*ret_made = 1;
	return 0;
}

static int fill(struct call *call, json_t *object, struct route *route, int *ret_made)
{
	struct field_error error;
	int status = filing_tenant(call, object, route->tenant);

	if (!status && route_change(route, object, &error))
		status = filing_fail(call, &error);
	if (!status)
		status = ensure_secret(call, route, ret_made);
	if (!status)
		status = filing_id(call, "rte_", route->id, sizeof(route->id));
	return status;
}

void api_routes_create(void *admin UNUSED, struct exchange *exchange)
{
	struct call *call = call_of(exchange);
	struct route route = {0};
	struct body body;
	int made;

	if (body_parse(&body, exchange))
		return;
	if (!fill(call, body.object, &route, &made)) {
		route.created_ms = route.changed_ms = clock_wall_ms();
		if (!put(call, &route, 0, body.object)) {
			json_t *object = show(&route);
			if (made)
				json_object_set_new(object, "secret",
					json_string(route.secret));
			exchange_json(exchange, 201, object);
		}
	}
	secret_wipe(&route, sizeof(route));
	body_done(&body);
}

static int load(struct call *call, struct store_docs *docs, struct route *ret)
{
	struct field_error error;
	int status =
		call_get(call, STATE_ROUTE, exchange_param(call->exchange, "id"), docs);

	if (status)
		return status;
	if (!route_read(docs->docs[0].body, ret, &error))
		return 0;
	store_docs_free(docs);
	return call_fail(call, -REASON_STATE_DAMAGED, NULL);
}

void api_routes_show(void *admin UNUSED, struct exchange *exchange)
{
	struct store_docs docs;
	struct route route;

	if (load(call_of(exchange), &docs, &route))
		return;
	exchange_json(exchange, 200, show(&route));
	secret_wipe(&route, sizeof(route));
	store_docs_free(&docs);
}

static int change(struct call *call, struct route *route, uint64_t version,
	const json_t *changes)
{
	struct field_error error;

	if (route_change(route, changes, &error))
		return filing_fail(call, &error);
	route->changed_ms = clock_wall_ms();
	return put(call, route, version, changes);
}

void api_routes_change(void *admin UNUSED, struct exchange *exchange)
{
	struct call *call = call_of(exchange);
	struct store_docs docs;
	struct route route;
	struct body body;

	if (body_parse(&body, exchange))
		return;
	if (!load(call, &docs, &route)) {
		if (!change(call, &route, docs.docs[0].version, body.object))
			exchange_json(exchange, 200, show(&route));
		secret_wipe(&route, sizeof(route));
		store_docs_free(&docs);
	}
	body_done(&body);
}

/* A rule must not go on as if it told somebody. */
static int refuse_if_used(struct call *call, const struct state_doc *doc, void *ctx)
{
	struct field_error error;
	struct alert alert;

	if (alert_read(doc->body, &alert, &error) || !alert_has_route(&alert, ctx))
		return 0;
	char detail[200];
	snprintf(detail, sizeof(detail), "the alert %s still uses it", alert.id);
	return call_fail(call, -REASON_CONFLICT, detail);
}

void api_routes_delete(void *admin UNUSED, struct exchange *exchange)
{
	struct call *call = call_of(exchange);
	struct store_docs docs;

	if (call_get(call, STATE_ROUTE, exchange_param(exchange, "id"), &docs))
		return;
	const struct state_doc *doc = &docs.docs[0];
	int status = page_each(call, STATE_ALERT, doc->tenant, refuse_if_used,
		(void *)doc->id);
	if (!status)
		status = filing_remove(call, &filing, doc);
	if (status && !exchange->status)
		call_fail(call, status, NULL);
	store_docs_free(&docs);
}

static void note_test(struct call *call, const struct state_doc *before,
	struct route *route, const char *error)
{
	struct state_doc doc = *before;
	char *body;

	route->test_ms = clock_wall_ms();
	field_plain(route->test_error, sizeof(route->test_error), error);
	if (route_write(route, &body))
		return;
	doc.body = body;
	/* Somebody who changed the route meanwhile has made this test worthless: nothing is lost. */
	(void)!store_wait_put(call_store(call)->state, &doc, NULL);
	secret_wipe(body, strlen(body));
	free(body);
}

void api_routes_test(void *admin UNUSED, struct exchange *exchange)
{
	struct call *call = call_of(exchange);
	char error[ALERTS_ERROR] = "";
	struct store_docs docs;
	struct route route;

	if (load(call, &docs, &route))
		return;
	if (!call_audit(call, AUDIT_ROUTE_TESTED, route.tenant, "",
		    json_pack("{s:s}", "route", route.id))) {
		int64_t began = clock_mono_ms();
		int status = alerts_test(call->admin->parts.alerts, &route, error);
		note_test(call, &docs.docs[0], &route,
			status && !*error ? reason_symbol(status) : error);
		if (status)
			call_fail(call, status, *error ? error : NULL);
		else
			exchange_json(exchange, 200,
				json_pack("{s:b, s:I}", "sent", 1, "took_ms",
					(json_int_t)(clock_mono_ms() - began)));
	}
	secret_wipe(&route, sizeof(route));
	store_docs_free(&docs);
}
