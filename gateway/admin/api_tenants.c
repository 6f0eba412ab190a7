#include "admin/api_tenants.h"

#include <stdlib.h>
#include <string.h>

#include "admin/call.h"
#include "admin/page.h"
#include "base/clock.h"
#include "base/reason.h"
#include "rules/tenant.h"

static int fail(struct call *call, const struct field_error *error)
{
	return call_wrong(call, error->field, error->message);
}

/* The document with everything that others keep in it, but never a secret: those are not there. */
static json_t *show(struct call *call, const struct state_doc *doc)
{
	const struct license_filter own = {.tenant = doc->id, .online = -1};
	json_t *object = call_body(doc);
	long count = license_index_count(call->admin->licenses, &own);

	json_object_set_new(object, "id", json_string(doc->id));
	if (count >= 0)
		json_object_set_new(object, "licenses", json_integer(count));
	call_add_times(object);
	return object;
}

static void answer(struct exchange *exchange, int status, const char *id,
	const char *body)
{
	struct state_doc doc = {.id = id, .tenant = id, .body = body};
	exchange_json(exchange, status, show(call_of(exchange), &doc));
}

/* create */

static int fill(struct call *call, struct body *body, struct tenant *tenant)
{
	struct field_error error;
	const char *id = json_string_value(json_object_get(body->object, "id"));

	if (!id || !tenant_id_good(id))
		return call_wrong(call, "id",
			"1 to 40 small letters, digits, - or _ are expected");
	snprintf(tenant->id, sizeof(tenant->id), "%s", id);
	json_object_del(body->object, "id");
	if (tenant_change(tenant, body->object, &error))
		return fail(call, &error);
	if (!*tenant->name)
		return call_wrong(call, "name", "is needed");
	tenant->created_ms = tenant->changed_ms = clock_wall_ms();
	return 0;
}

/* What exists is told before anything is recorded; two at once are told apart by the store. */
static int is_free(struct call *call, const char *id)
{
	struct store_docs docs = {0};
	int status = store_wait_get(call_store(call)->state, STATE_TENANT, id, &docs);

	if (status == -REASON_NOT_FOUND)
		return 0;
	if (!status)
		store_docs_free(&docs);
	return call_fail(call, status ? status : -REASON_CONFLICT, "id: exists already");
}

/* Writes it; the caller frees *ret_body, what was written. */
static int store(struct call *call, enum audit_event event, const struct tenant *tenant,
	const struct state_doc *before, char **ret_body)
{
	struct state_doc doc = {.kind = STATE_TENANT,
		.id = tenant->id,
		.tenant = tenant->id,
		.version = before ? before->version : 0};
	char *body;
	int status = tenant_write(tenant, before ? before->body : NULL, &body);

	if (status)
		return call_undone(call, event, tenant->id, "", status);
	doc.body = body;
	status = call_put(call, event, &doc);
	if (status) {
		free(body);
		return status;
	}
	call_changed(call, "tenant", tenant->id, tenant->id,
		before ? "changed" : "created");
	*ret_body = body;
	return 0;
}

void api_tenants_create(void *admin UNUSED, struct exchange *exchange)
{
	struct call *call = call_of(exchange);
	struct tenant tenant = {0};
	struct body body;
	char *made = NULL;
	int status;

	if (call_operators_only(call) || body_parse(&body, exchange))
		return;
	status = fill(call, &body, &tenant);
	if (!status)
		status = is_free(call, tenant.id);
	if (!status)
		status = call_audit(call, AUDIT_TENANT_CREATED, tenant.id, "",
			json_pack("{s:s, s:s}", "tenant", tenant.id, "name",
				tenant.name));
	if (!status)
		status = store(call, AUDIT_TENANT_CREATED, &tenant, NULL, &made);
	if (!status)
		answer(exchange, 201, tenant.id, made);
	free(made);
	body_done(&body);
}

/* list, show */

void api_tenants_list(void *admin UNUSED, struct exchange *exchange)
{
	page_documents(call_of(exchange), STATE_TENANT, show);
}

void api_tenants_show(void *admin UNUSED, struct exchange *exchange)
{
	struct call *call = call_of(exchange);
	struct store_docs docs = {0};

	if (call_get(call, STATE_TENANT, exchange_param(exchange, "id"), &docs))
		return;
	exchange_json(exchange, 200, show(call, &docs.docs[0]));
	store_docs_free(&docs);
}

/* change */

static int change(struct call *call, const struct state_doc *doc, json_t *changes,
	struct tenant *ret)
{
	struct field_error error;

	if (tenant_read(doc->body, ret, &error))
		return call_fail(call, -REASON_STATE_DAMAGED, doc->id);
	if (!json_object_size(changes))
		return call_wrong(call, "", "nothing to change");
	if (tenant_change(ret, changes, &error))
		return fail(call, &error);
	if (!*ret->name)
		return call_wrong(call, "name", "must not be empty");
	ret->changed_ms = clock_wall_ms();
	return call_audit(call, AUDIT_TENANT_CHANGED, ret->id, "",
		json_pack("{s:s, s:O}", "tenant", ret->id, "changes", changes));
}

/* Who may no longer come in must not stay in either; who may carry less does so at once. */
static int tell_relays(struct call *call, const struct tenant *tenant,
	const json_t *changes)
{
	if (tenant->state == TENANT_ENABLED &&
		!json_object_get(changes, "rate_max_bytes"))
		return 0;
	if (tenant->state == TENANT_ENABLED)
		return call_order(call, json_pack("{s:s, s:s, s:s}", "order", "policy",
						"tenant", tenant->id, "license", ""));
	return call_order(call, json_pack("{s:s, s:s, s:s}", "order", "revoke", "tenant",
					tenant->id, "reason", "TENANT_DISABLED"));
}

void api_tenants_change(void *admin UNUSED, struct exchange *exchange)
{
	struct call *call = call_of(exchange);
	struct store_docs docs = {0};
	struct tenant tenant = {0};
	struct body body;
	char *changed = NULL;

	if (call_get(call, STATE_TENANT, exchange_param(exchange, "id"), &docs))
		return;
	if (call_operators_only(call) || body_parse(&body, exchange))
		goto out;
	if (!change(call, &docs.docs[0], body.object, &tenant) &&
		!store(call, AUDIT_TENANT_CHANGED, &tenant, &docs.docs[0], &changed) &&
		!tell_relays(call, &tenant, body.object))
		answer(exchange, 200, tenant.id, changed);
	free(changed);
	body_done(&body);
out:
	store_docs_free(&docs);
}
