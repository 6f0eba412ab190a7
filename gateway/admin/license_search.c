#include "admin/license_search.h"

#include <stdlib.h>
#include <string.h>

#include "admin/license_desk.h"
#include "admin/page.h"
#include "base/reason.h"

#define STEP 500

/* which */

static int check_filter(struct call *call, const struct license_filter *filter)
{
	if (filter->state && !license_card_state_good(filter->state))
		return call_wrong(call, "state", "enabled, disabled or expired");
	return 0;
}

static int read_flag(const char *text, int *ret)
{
	if (!strcmp(text, "1") || !strcmp(text, "true"))
		*ret = 1;
	else if (!strcmp(text, "0") || !strcmp(text, "false"))
		*ret = 0;
	else
		return -REASON_BAD_VALUE;
	return 0;
}

int license_search_of_query(struct call *call, struct license_filter *ret)
{
	const struct request *request = call->exchange->request;
	const char *online = request_query(request, "online");

	*ret = (struct license_filter){.tenant = call_tenant(call),
		.group = request_query(request, "group"),
		.state = request_query(request, "state"),
		.holder = request_query(request, "holder"),
		.label = request_query(request, "label"),
		.q = request_query(request, "q"),
		.online = -1};
	if (online && read_flag(online, &ret->online))
		return call_wrong(call, "online", "1 or 0");
	return check_filter(call, ret);
}

int license_search_of_object(struct call *call, const json_t *object,
	struct license_filter *ret)
{
	struct license_filter filter = {.online = -1};
	const struct {
		const char *name, **place;
	} texts[] = {{"tenant", &filter.tenant}, {"group", &filter.group},
		{"state", &filter.state}, {"holder", &filter.holder},
		{"label", &filter.label}, {"q", &filter.q}};
	const char *name;
	json_t *value;

	json_object_foreach((json_t *)object, name, value)
	{
		size_t i = 0;
		while (i < ARRAY_LEN(texts) && strcmp(texts[i].name, name))
			i++;
		if (i < ARRAY_LEN(texts) && json_is_string(value))
			*texts[i].place = json_string_value(value);
		else if (!strcmp(name, "online") && json_is_boolean(value))
			filter.online = json_is_true(value);
		else
			return call_wrong(call, "filter",
				"texts tenant, group, state, holder, label, q; online "
				"true or false");
	}
	/* An act on another company's licenses must not fall on the caller's own. */
	if (filter.tenant && *filter.tenant && !call_may_see(call, filter.tenant))
		return call_fail(call, -REASON_NOT_FOUND, NULL);
	if (*call->by.tenant)
		filter.tenant = call->by.tenant;
	*ret = filter;
	return check_filter(call, ret);
}

/* all of them */

static int get_page(struct call *call, const struct license_index_page *page,
	struct store_docs *ret)
{
	const char *ids[STORE_WAIT_MANY];

	for (size_t i = 0; i < page->count; i++)
		ids[i] = page->ids[i];
	return store_wait_get_many(call_store(call)->state, STATE_LICENSE, ids,
		page->count, ret);
}

static int each_of_page(struct call *call, const struct license_index_page *page,
	int (*each)(struct call *call, const struct state_doc *doc, void *ctx), void *ctx)
{
	struct store_docs docs = {0};
	int status = get_page(call, page, &docs);

	for (size_t i = 0; !status && i < docs.count; i++)
		status = each(call, &docs.docs[i], ctx);
	store_docs_free(&docs);
	return status;
}

int license_search_each(struct call *call, const struct license_filter *filter,
	int (*each)(struct call *call, const struct state_doc *doc, void *ctx), void *ctx)
{
	char after[LICENSE_KEY_ID_SIZE] = "";
	int status = 0, more = 1;

	if (!license_card_narrows(filter))
		return page_each(call, STATE_LICENSE, filter->tenant, each, ctx);
	while (!status && more) {
		struct license_index_page page = {0};
		status = license_index_find(call->admin->licenses, filter,
			*after ? after : NULL, STEP, &page);
		if (status)
			break;
		more = page.more;
		if (page.count)
			memcpy(after, page.ids[page.count - 1], sizeof(after));
		status = each_of_page(call, &page, each, ctx);
		free(page.ids);
	}
	return status;
}

/* a page */

static int add_item(struct call *call UNUSED, const struct state_doc *doc, void *ctx)
{
	json_t *items = ctx;
	struct field_error error;
	struct license license;

	if (license_read(doc->body, &license, &error))
		return 0;
	json_array_append_new(items, license_desk_show(&license));
	return 0;
}

static int add_online(struct call *call, json_t *items)
{
	const char *ids[PAGE_MOST];
	uint8_t online[PAGE_MOST];
	size_t count = json_array_size(items), i;
	json_t *item;

	json_array_foreach(items, i, item) ids[i] =
		json_string_value(json_object_get(item, "id"));
	int status = store_wait_locate_many(call_store(call)->state, ids, count, online);
	json_array_foreach(items, i, item) if (!status)
		json_object_set_new(item, "online", json_boolean(online[i]));
	return status;
}

/* Straight from the store: what another node has written a moment ago is there too. */
static int plain_page(struct call *call, const struct license_filter *filter,
	const struct page *page, json_t *items, char *ret_next)
{
	struct store_docs docs = {0};
	size_t limit = page->limit < PAGE_MOST ? page->limit + 1 : PAGE_MOST;
	int status = store_wait_list(call_store(call)->state, STATE_LICENSE,
		filter->tenant, page->after, limit, &docs);
	size_t shown = docs.count < page->limit ? docs.count : page->limit;
	int more = docs.count == limit;

	for (size_t i = 0; !status && i < shown; i++)
		status = add_item(call, &docs.docs[i], items);
	if (!status && more && shown)
		snprintf(ret_next, STATE_ID_MAX + 1, "%s", docs.docs[shown - 1].id);
	store_docs_free(&docs);
	return status;
}

static int filtered_page(struct call *call, const struct license_filter *filter,
	const struct page *page, json_t *items, char *ret_next, size_t *ret_total)
{
	struct license_index_page found = {0};
	int status = license_index_find(call->admin->licenses, filter, page->after,
		page->limit, &found);

	if (status)
		return status;
	*ret_total = found.total;
	if (found.more)
		snprintf(ret_next, STATE_ID_MAX + 1, "%s", found.ids[found.count - 1]);
	status = each_of_page(call, &found, add_item, items);
	free(found.ids);
	return status;
}

void license_search_page(struct call *call, const struct license_filter *filter)
{
	const char *count = request_query(call->exchange->request, "count");
	json_t *items = json_array();
	char next[STATE_ID_MAX + 1] = "";
	struct page page;
	size_t total = 0;

	if (page_parse(call, &page)) {
		json_decref(items);
		return;
	}
	int status = count || license_card_narrows(filter)
			     ? filtered_page(call, filter, &page, items, next, &total)
			     : plain_page(call, filter, &page, items, next);
	if (!status)
		status = add_online(call, items);
	if (status) {
		json_decref(items);
		call_fail(call, status, NULL);
		return;
	}
	json_t *answer =
		json_pack("{s:o, s:s?}", "items", items, "next", *next ? next : NULL);
	if (count)
		json_object_set_new(answer, "total", json_integer((json_int_t)total));
	exchange_json(call->exchange, 200, answer);
}
