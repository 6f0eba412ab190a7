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

/* list: holders and presence of a whole step are asked for together, so that a filter that leaves
 * most of them out costs little */

#define STEP 500

struct listing {
	struct call *call;
	const char *state, *q;
	json_t *items;
	size_t limit;
	char last[STATE_ID_MAX + 1];
	int more;
};

/* What is needed to say whether hosts are to be listed; as many as documents. */
struct surroundings {
	struct store_docs licenses;
	uint8_t online[STEP];
};

static int read_surroundings(struct call *call, const struct store_docs *hosts,
	struct surroundings *ret)
{
	const char *ids[STEP];
	struct state *state = call_store(call)->state;

	for (size_t i = 0; i < hosts->count; i++)
		ids[i] = hosts->docs[i].id;
	int status = store_wait_locate_many(state, ids, hosts->count, ret->online);
	return status ? status
		      : store_wait_get_many(state, STATE_LICENSE, ids, hosts->count,
				&ret->licenses);
}

static int has(const json_t *object, const char *member, const char *q)
{
	const char *text = json_string_value(json_object_get(object, member));
	return text && strcasestr(text, q);
}

static int passes(const struct listing *listing, const struct state_doc *doc,
	const struct state_doc *license, int online)
{
	const char *q = listing->q;

	if (listing->state && online != !strcmp(listing->state, "online"))
		return 0;
	if (!q || strcasestr(doc->id, q) || strcasestr(doc->tenant, q))
		return 1;
	json_t *body = call_body(doc), *of = license ? call_body(license) : NULL;
	int found = has(body, "name", q) || has(body, "address", q) ||
		    has(body, "program", q) || has(of, "holder", q) ||
		    has(of, "group", q);
	json_decref(body);
	json_decref(of);
	return found;
}

static void take(struct listing *listing, const struct store_docs *hosts,
	const struct surroundings *around)
{
	size_t at = 0;

	for (size_t i = 0; i < hosts->count; i++) {
		const struct state_doc *doc = &hosts->docs[i], *license = NULL;
		if (json_array_size(listing->items) == listing->limit) {
			listing->more = 1;
			return;
		}
		if (at < around->licenses.count &&
			!strcmp(around->licenses.docs[at].id, doc->id))
			license = &around->licenses.docs[at++];
		snprintf(listing->last, sizeof(listing->last), "%s", doc->id);
		if (passes(listing, doc, license, around->online[i]))
			json_array_append_new(listing->items, show(listing->call, doc));
	}
}

static int list_all(struct listing *listing)
{
	struct call *call = listing->call;
	size_t count = STEP;
	int status = 0;

	while (!status && !listing->more && count == STEP) {
		struct store_docs hosts = {0};
		struct surroundings around = {0};
		status = store_wait_list(call_store(call)->state, STATE_HOST,
			call_tenant(call), *listing->last ? listing->last : NULL, STEP,
			&hosts);
		count = hosts.count;
		if (!status)
			status = read_surroundings(call, &hosts, &around);
		if (!status)
			take(listing, &hosts, &around);
		store_docs_free(&around.licenses);
		store_docs_free(&hosts);
	}
	return status;
}

void api_hosts_list(void *admin UNUSED, struct exchange *exchange)
{
	struct call *call = call_of(exchange);
	struct listing listing = {.call = call,
		.state = request_query(exchange->request, "state"),
		.q = request_query(exchange->request, "q")};
	struct page page;

	if (listing.state && strcmp(listing.state, "online") &&
		strcmp(listing.state, "offline")) {
		call_wrong(call, "state", "online or offline");
		return;
	}
	if (page_parse(call, &page))
		return;
	if (page.after && strlen(page.after) > STATE_ID_MAX) {
		call_wrong(call, "after", "not a cursor of a page");
		return;
	}
	listing.items = json_array();
	listing.limit = page.limit;
	snprintf(listing.last, sizeof(listing.last), "%s", page.after ? page.after : "");
	int status = list_all(&listing);
	if (status) {
		json_decref(listing.items);
		call_fail(call, status, NULL);
		return;
	}
	exchange_json(exchange, 200,
		json_pack("{s:o, s:s?}", "items", listing.items, "next",
			listing.more ? listing.last : NULL));
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
