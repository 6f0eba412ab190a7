#include "admin/api_nodes.h"

#include "admin/call.h"
#include "admin/page.h"
#include "base/clock.h"
#include "base/reason.h"
#include "store/store_health.h"

/* A node writes its document every few seconds; silent for so long, it is away. */
#define AWAY_MS 35000

/* The relay writes moments as ms; in the API their names say so. */
static int64_t name_moment(json_t *object, const char *name, const char *name_ms)
{
	json_int_t ms = json_integer_value(json_object_get(object, name));

	json_object_set_new(object, name_ms, json_integer(ms));
	return ms;
}

static json_t *list_item(struct call *call UNUSED, const struct state_doc *doc)
{
	json_t *object = call_body(doc);
	int64_t seen_ms = name_moment(object, "seen", "seen_ms");

	name_moment(object, "started", "started_ms");
	call_add_times(object);
	json_object_set_new(object, "id", json_string(doc->id));
	json_object_set_new(object, "draining",
		json_boolean(json_integer_value(json_object_get(object, "draining"))));
	json_object_set_new(object, "away",
		json_boolean(clock_wall_ms() - seen_ms > AWAY_MS));
	return object;
}

void api_nodes_list(void *admin UNUSED, struct exchange *exchange)
{
	page_documents(call_of(exchange), STATE_NODE, list_item);
}

static void give_order(struct exchange *exchange, enum audit_event event, json_t *order)
{
	struct call *call = call_of(exchange);
	const char *node = exchange_param(exchange, "id");
	struct store_docs docs = {0};

	if (!call_get(call, STATE_NODE, node, &docs)) {
		store_docs_free(&docs);
		json_object_set_new(order, "node", json_string(node));
		if (!call_audit(call, event, "", "", json_pack("{s:s}", "node", node)) &&
			!call_order(call, json_incref(order)))
			exchange_json(exchange, 202,
				json_pack("{s:O}", "ordered",
					json_object_get(order, "order")));
	}
	json_decref(order);
}

void api_nodes_drain(void *admin UNUSED, struct exchange *exchange)
{
	struct body body;

	if (body_parse(&body, exchange))
		return;
	int64_t within = body_number(&body, "within_ms", 0, 3600000, 3000);
	if (!body_check(&body, exchange))
		give_order(exchange, AUDIT_NODE_DRAINED,
			json_pack("{s:s, s:I}", "order", "drain", "within_ms",
				(json_int_t)within));
	body_done(&body);
}

void api_nodes_undrain(void *admin UNUSED, struct exchange *exchange)
{
	give_order(exchange, AUDIT_NODE_UNDRAINED,
		json_pack("{s:s}", "order", "undrain"));
}

void api_nodes_version(void *admin, struct exchange *exchange)
{
	const struct admin_parts *parts = &((struct admin *)admin)->parts;
	struct admin_facts facts;
	struct store_health health;

	parts->facts(parts->ctx, &facts);
	json_t *object = json_pack("{s:s, s:s, s:I, s:I, s:I, s:b, s:I, s:I}", "version",
		ENGAWA_VERSION, "node", parts->node, "sessions",
		(json_int_t)facts.sessions, "hosts", (json_int_t)facts.hosts, "viewers",
		(json_int_t)facts.viewers, "draining", facts.draining, "started_ms",
		(json_int_t)facts.started_ms, "certificate_expires_ms",
		(json_int_t)facts.certificate_expires_ms);
	char text[CLOCK_TEXT];
	clock_text(facts.certificate_expires_ms, text);
	json_object_set_new(object, "certificate_expires", json_string(text));
	json_object_set_new(object, "degraded_mode",
		json_string(facts.cache_ms ? "cache" : "strict"));
	store_health(parts->store, &health);
	if (health.fault && health.since_ms) {
		json_object_set_new(object, "store_away_ms",
			json_integer(health.since_ms));
		clock_text(health.since_ms, text);
		json_object_set_new(object, "store_away", json_string(text));
	}
	call_add_times(object);
	exchange_json(exchange, 200, object);
}

void api_nodes_limits(void *admin, struct exchange *exchange)
{
	static const struct {
		const char *name, *value, *help;
	} fixed[] = {{"http.header", "8K", "largest header of a request"},
		{"http.body", "64K", "largest body of a request"},
		{"http.upload", "16M", "largest file of license import"},
		{"licenses.bulk", "4000", "ids of one act on many licenses"},
		{"http.headers", "64", "header lines of a request"},
		{"page.rows", "1000", "rows of one page; CSV and JSONL have no limit"},
		{"store.document", "256K", "largest document of the store"},
		{"journal.row", "32K", "largest row of the journal"},
		{"frame.data", "65535", "largest DATA payload of a frame"},
		{"frame.control", "16K", "largest control message"}};
	const struct admin_parts *parts = &((struct admin *)admin)->parts;
	json_t *items = json_array();

	parts->limits(parts->ctx, items);
	for (size_t i = 0; i < ARRAY_LEN(fixed); i++)
		json_array_append_new(items,
			json_pack("{s:s, s:s, s:s, s:s, s:s}", "name", fixed[i].name,
				"value", fixed[i].value, "default", fixed[i].value,
				"change", "never", "help", fixed[i].help));
	exchange_json(exchange, 200, json_pack("{s:o, s:n}", "items", items, "next"));
}
