#include "admin/api_notices.h"

#include <stdlib.h>
#include <string.h>

#include "admin/call.h"
#include "admin/filing.h"
#include "admin/page.h"
#include "base/clock.h"
#include "base/reason.h"
#include "rules/notice.h"

static const struct filing filing = {STATE_NOTICE, AUDIT_NOTICE_CHANGED, "notice"};

/* What is wanted of a notice, in words for whoever writes it. */
static json_t *warnings(const struct notice *notice)
{
	json_t *list = json_array();

	if (notice_is_short(notice))
		json_array_append_new(list,
			json_string("A planned stop is announced at least 30 days "
				    "before; this one is shorter."));
	return list;
}

static json_t *show(const struct notice *notice)
{
	char *text;

	if (notice_write(notice, &text))
		return NULL;
	json_t *object = json_loads(text, 0, NULL);
	free(text);
	if (!object)
		return NULL;
	json_object_set_new(object, "lead_ms", json_integer(notice_lead_ms(notice)));
	json_object_set_new(object, "short", json_boolean(notice_is_short(notice)));
	call_add_times(object);
	return object;
}

/* A company sees its own notices and those for everybody. */
static int concerns_caller(const struct call *call, const struct notice *notice)
{
	return !*notice->tenant || call_may_see(call, notice->tenant);
}

/* Every notice that the caller may see, as `item` makes it. */
static int gather(struct call *call,
	json_t *(*item)(struct call *call, const struct notice *notice), json_t *into)
{
	char last[STATE_ID_MAX + 1] = "";
	size_t count = PAGE_MOST;
	int status = 0;

	while (!status && count == PAGE_MOST) {
		struct store_docs docs = {0};
		status = store_wait_list(call_store(call)->state, STATE_NOTICE, NULL,
			*last ? last : NULL, PAGE_MOST, &docs);
		if (status)
			return call_fail(call, status, NULL);
		count = docs.count;
		for (size_t i = 0; i < count; i++) {
			struct notice notice;
			struct field_error error;
			json_t *made = NULL;
			if (!notice_read(docs.docs[i].body, &notice, &error) &&
				concerns_caller(call, &notice))
				made = item(call, &notice);
			if (made)
				json_array_append_new(into, made);
		}
		if (count)
			snprintf(last, sizeof(last), "%s", docs.docs[count - 1].id);
		store_docs_free(&docs);
	}
	return status;
}

static json_t *listed(struct call *call, const struct notice *notice)
{
	const char *tenant = request_query(call->exchange->request, "tenant");

	return tenant && strcmp(tenant, notice->tenant) ? NULL : show(notice);
}

static json_t *current(struct call *call, const struct notice *notice)
{
	if (!notice_concerns(notice, call->by.tenant, NOTICE_CONSOLE, clock_wall_ms()))
		return NULL;
	json_t *item = notice_item(notice);
	if (item)
		call_add_times(item);
	return item;
}

static void answer_all(struct call *call,
	json_t *(*item)(struct call *call, const struct notice *notice))
{
	json_t *items = json_array();

	if (gather(call, item, items))
		json_decref(items);
	else
		exchange_json(call->exchange, 200,
			json_pack("{s:o, s:n}", "items", items, "next"));
}

void api_notices_list(void *admin UNUSED, struct exchange *exchange)
{
	answer_all(call_of(exchange), listed);
}

void api_notices_current(void *admin UNUSED, struct exchange *exchange)
{
	answer_all(call_of(exchange), current);
}

static int put(struct call *call, const struct notice *notice, uint64_t version,
	const json_t *changes)
{
	struct state_doc doc = {.kind = STATE_NOTICE,
		.id = notice->id,
		.tenant = notice->tenant,
		.version = version};
	char *body;
	int status = notice_write(notice, &body);

	if (status)
		return call_fail(call, status, NULL);
	doc.body = body;
	status = filing_put(call, &filing, &doc, changes);
	free(body);
	return status;
}

static int tell_nodes(struct call *call)
{
	return call_order(call, json_pack("{s:s}", "order", "notices"));
}

static void answer(struct exchange *exchange, int status, const struct notice *notice)
{
	json_t *object = show(notice);

	if (object)
		json_object_set_new(object, "warnings", warnings(notice));
	exchange_json(exchange, status, object);
}

static int fill(struct call *call, json_t *object, struct notice *notice)
{
	struct field_error error;
	int status = filing_tenant(call, object, notice->tenant);

	if (!status && notice_change(notice, object, &error))
		status = filing_fail(call, &error);
	if (!status)
		status = filing_id(call, "ntc_", notice->id, sizeof(notice->id));
	return status;
}

void api_notices_create(void *admin UNUSED, struct exchange *exchange)
{
	struct call *call = call_of(exchange);
	struct notice notice = {.kind = NOTICE_NEWS,
		.places = NOTICE_CONSOLE | NOTICE_VIEWER | NOTICE_AGENT,
		.created_ms = clock_wall_ms()};
	struct body body;

	notice.changed_ms = notice.created_ms;
	if (body_parse(&body, exchange))
		return;
	if (!fill(call, body.object, &notice) && !put(call, &notice, 0, body.object) &&
		!tell_nodes(call))
		answer(exchange, 201, &notice);
	body_done(&body);
}

/* A notice for everybody belongs to no company, and still all may read it. */
static int load(struct call *call, struct store_docs *docs, struct notice *ret)
{
	const char *id = exchange_param(call->exchange, "id");
	struct field_error error;
	struct store_docs found = {0};
	int status = -REASON_NOT_FOUND;

	if (strlen(id) < sizeof(ret->id))
		status =
			store_wait_get(call_store(call)->state, STATE_NOTICE, id, &found);
	if (!status && notice_read(found.docs[0].body, ret, &error))
		status = -REASON_STATE_DAMAGED;
	if (!status && !concerns_caller(call, ret))
		status = -REASON_NOT_FOUND;
	if (status) {
		store_docs_free(&found);
		return call_fail(call, status, NULL);
	}
	*docs = found;
	return 0;
}

void api_notices_show(void *admin UNUSED, struct exchange *exchange)
{
	struct store_docs docs;
	struct notice notice;

	if (load(call_of(exchange), &docs, &notice))
		return;
	exchange_json(exchange, 200, show(&notice));
	store_docs_free(&docs);
}

static int change(struct call *call, struct notice *notice, uint64_t version,
	const json_t *changes)
{
	struct field_error error;

	if (notice_change(notice, changes, &error))
		return filing_fail(call, &error);
	notice->changed_ms = clock_wall_ms();
	int status = put(call, notice, version, changes);
	return status ? status : tell_nodes(call);
}

void api_notices_change(void *admin UNUSED, struct exchange *exchange)
{
	struct call *call = call_of(exchange);
	struct store_docs docs;
	struct notice notice;
	struct body body;

	if (body_parse(&body, exchange))
		return;
	if (!load(call, &docs, &notice)) {
		if (!change(call, &notice, docs.docs[0].version, body.object))
			answer(exchange, 200, &notice);
		store_docs_free(&docs);
	}
	body_done(&body);
}

void api_notices_delete(void *admin UNUSED, struct exchange *exchange)
{
	struct call *call = call_of(exchange);
	struct store_docs docs;
	struct notice notice;

	if (load(call, &docs, &notice))
		return;
	/* The answer is out by then; a node that misses the order reads again with its own tick. */
	if (!filing_remove(call, &filing, &docs.docs[0]))
		(void)!bus_publish(call_store(call)->bus, "orders",
			"{\"order\":\"notices\"}");
	store_docs_free(&docs);
}
