#include "admin/api_hosts.h"

#include <string.h>

#include "admin/call.h"
#include "admin/page.h"
#include "base/reason.h"

/* The presence of a host is a lease: where it is now, not where it was. */
static void add_presence(struct call *call, const char *license, json_t *object)
{
	struct store_docs docs = {0};
	int online = !store_wait_locate(call_store(call)->state, license, &docs);

	json_object_set_new(object, "online", json_boolean(online));
	if (!online)
		return;
	json_t *place = docs.holder ? json_loads(docs.holder, 0, NULL) : NULL;
	json_t *node = json_object_get(place, "node");
	if (node)
		json_object_set(object, "node", node);
	else if (docs.holder)
		json_object_set_new(object, "node", json_string(docs.holder));
	json_decref(place);
	store_docs_free(&docs);
}

static void add_holder(struct call *call, const char *license, json_t *object)
{
	struct store_docs docs = {0};

	if (store_wait_get(call_store(call)->state, STATE_LICENSE, license, &docs))
		return;
	json_t *body = docs.count ? call_body(&docs.docs[0]) : NULL;
	json_object_set(object, "holder", json_object_get(body, "holder"));
	json_decref(body);
	store_docs_free(&docs);
}

static json_t *show(struct call *call, const struct state_doc *doc)
{
	json_t *object = call_body(doc);

	json_object_set_new(object, "license", json_string(doc->id));
	json_object_set_new(object, "tenant", json_string(doc->tenant));
	add_presence(call, doc->id, object);
	add_holder(call, doc->id, object);
	call_add_times(object);
	json_t *bound = json_object_get(object, "bound");
	if (bound)
		json_object_set(object, "enrolled", bound);
	return object;
}

static json_t *list_item(struct call *call, const struct state_doc *doc)
{
	const char *state = request_query(call->exchange->request, "state");
	json_t *object = show(call, doc);

	if (state && json_is_true(json_object_get(object, "online")) !=
			     !strcmp(state, "online")) {
		json_decref(object);
		return NULL;
	}
	return object;
}

void api_hosts_list(void *admin UNUSED, struct exchange *exchange)
{
	struct call *call = call_of(exchange);
	const char *state = request_query(exchange->request, "state");

	if (state && strcmp(state, "online") && strcmp(state, "offline"))
		call_fail(call, -REASON_BAD_VALUE, "state: online or offline");
	else
		page_documents(call, STATE_HOST, list_item);
}

void api_hosts_show(void *admin UNUSED, struct exchange *exchange)
{
	struct call *call = call_of(exchange);
	struct store_docs docs = {0};

	if (call_get(call, STATE_HOST, exchange_param(exchange, "id"), &docs))
		return;
	exchange_json(exchange, 200, show(call, &docs.docs[0]));
	store_docs_free(&docs);
}
