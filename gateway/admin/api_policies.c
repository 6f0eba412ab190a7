#include "admin/api_policies.h"

#include <stdlib.h>
#include <string.h>

#include "admin/license_desk.h"
#include "admin/page.h"
#include "admin/policy_desk.h"
#include "base/reason.h"

/* list, show */

static json_t *list_item(struct call *call UNUSED, const struct state_doc *doc)
{
	struct policy_desk desk;
	return policy_desk_of_id(doc->id, &desk) ? NULL
						 : policy_desk_show(&desk, doc->body);
}

void api_policies_list(void *admin UNUSED, struct exchange *exchange)
{
	page_documents(call_of(exchange), STATE_POLICY, list_item);
}

static void show(struct exchange *exchange, enum policy_desk_kind kind)
{
	struct call *call = call_of(exchange);
	struct policy_desk desk;
	struct store_docs docs = {0};

	if (policy_desk_of_route(call, kind, &desk))
		return;
	/* The default is everybody's business: it decides for all of them. */
	int status =
		store_wait_get(call_store(call)->state, STATE_POLICY, desk.id, &docs);
	if (status && status != -REASON_NOT_FOUND) {
		call_fail(call, status, NULL);
		return;
	}
	exchange_json(exchange, 200,
		policy_desk_show(&desk, status ? NULL : docs.docs[0].body));
	if (!status)
		store_docs_free(&docs);
}

void api_policies_show_default(void *admin UNUSED, struct exchange *exchange)
{
	show(exchange, POLICY_DESK_DEFAULT);
}

void api_policies_show_tenant(void *admin UNUSED, struct exchange *exchange)
{
	show(exchange, POLICY_DESK_TENANT);
}

void api_policies_show_group(void *admin UNUSED, struct exchange *exchange)
{
	show(exchange, POLICY_DESK_GROUP);
}

/* set */

static int check(struct call *call, const json_t *object)
{
	struct field_error error;
	struct policy policy;

	if (!policy_read(object, &policy, &error))
		return 0;
	return call_wrong(call, error.field, error.message);
}

/* Whatever version there is is replaced: the last one who sets it has set it. */
static int store(struct call *call, const struct policy_desk *desk, const char *body)
{
	struct store_docs docs = {0};
	struct state_doc doc = {.kind = STATE_POLICY,
		.id = desk->id,
		.tenant = desk->tenant,
		.body = body};
	int status = -REASON_CONFLICT;

	for (int i = 0; status == -REASON_CONFLICT && i < LICENSE_DESK_TRIES; i++) {
		doc.version = 0;
		status = store_wait_get(call_store(call)->state, STATE_POLICY, desk->id,
			&docs);
		if (!status) {
			doc.version = docs.docs[0].version;
			store_docs_free(&docs);
		} else if (status != -REASON_NOT_FOUND) {
			break;
		}
		status = store_wait_put(call_store(call)->state, &doc, NULL);
	}
	return status ? call_undone(call, AUDIT_POLICY_CHANGED, desk->tenant, "", status)
		      : 0;
}

static int tell(struct call *call, const struct policy_desk *desk, const char *act)
{
	call_changed(call, "policy", desk->id, desk->tenant, act);
	return policy_desk_order(call,
		desk->kind == POLICY_DESK_DEFAULT ? NULL : desk->tenant, NULL);
}

static void set(struct exchange *exchange, enum policy_desk_kind kind)
{
	struct call *call = call_of(exchange);
	struct policy_desk desk;
	struct body body;
	char *text = NULL;

	if (kind == POLICY_DESK_DEFAULT && call_operators_only(call))
		return;
	if (policy_desk_of_route(call, kind, &desk) || body_parse(&body, exchange))
		return;
	if (check(call, body.object))
		goto out;
	text = json_dumps(body.object, JSON_COMPACT);
	if (!text)
		call_fail(call, -REASON_NO_MEMORY, NULL);
	else if (!call_audit(call, AUDIT_POLICY_CHANGED, desk.tenant, "",
			 json_pack("{s:s, s:O}", "policy", desk.id, "changes",
				 body.object)) &&
		 !store(call, &desk, text) && !tell(call, &desk, "changed"))
		exchange_json(exchange, 200, policy_desk_show(&desk, text));
out:
	free(text);
	body_done(&body);
}

void api_policies_set_default(void *admin UNUSED, struct exchange *exchange)
{
	set(exchange, POLICY_DESK_DEFAULT);
}

void api_policies_set_tenant(void *admin UNUSED, struct exchange *exchange)
{
	set(exchange, POLICY_DESK_TENANT);
}

void api_policies_set_group(void *admin UNUSED, struct exchange *exchange)
{
	set(exchange, POLICY_DESK_GROUP);
}

/* delete */

static void remove_level(struct exchange *exchange, enum policy_desk_kind kind)
{
	struct call *call = call_of(exchange);
	struct policy_desk desk;

	if (kind == POLICY_DESK_DEFAULT && call_operators_only(call))
		return;
	if (!policy_desk_of_route(call, kind, &desk) &&
		!call_audit(call, AUDIT_POLICY_CHANGED, desk.tenant, "",
			json_pack("{s:s, s:n}", "policy", desk.id, "changes")) &&
		!call_remove(call, AUDIT_POLICY_CHANGED, STATE_POLICY, desk.id,
			desk.tenant) &&
		!tell(call, &desk, "deleted"))
		exchange_empty(exchange);
}

void api_policies_delete_default(void *admin UNUSED, struct exchange *exchange)
{
	remove_level(exchange, POLICY_DESK_DEFAULT);
}

void api_policies_delete_tenant(void *admin UNUSED, struct exchange *exchange)
{
	remove_level(exchange, POLICY_DESK_TENANT);
}

void api_policies_delete_group(void *admin UNUSED, struct exchange *exchange)
{
	remove_level(exchange, POLICY_DESK_GROUP);
}

/* of a license */

void api_policies_of_license(void *admin UNUSED, struct exchange *exchange)
{
	struct call *call = call_of(exchange);
	struct license_desk holding;

	if (license_desk_load(call, &holding))
		return;
	json_t *object = policy_desk_effective(call, &holding.license);
	if (object)
		exchange_json(exchange, 200, object);
	license_desk_unload(&holding);
}
