#include "admin/page.h"

#include <stdlib.h>
#include <string.h>

#include "base/reason.h"

/* How many documents one page looks at, if filters leave most of them out. */
#define SCAN_MOST 20000
#define SCAN_STEP 500

int page_parse(struct call *call, struct page *ret)
{
	const struct request *request = call->exchange->request;
	const char *limit = request_query(request, "limit");

	*ret = (struct page){PAGE_DEFAULT, request_query(request, "after")};
	if (limit) {
		size_t digits = strspn(limit, "0123456789");
		ret->limit =
			digits && digits < 9 && !limit[digits] ? (size_t)atol(limit) : 0;
		if (!ret->limit)
			return call_fail(call, -REASON_BAD_VALUE,
				"limit: a number from 1 on");
		if (ret->limit > PAGE_MOST)
			ret->limit = PAGE_MOST;
	}
	if (ret->after && strlen(ret->after) > PAGE_CURSOR_MAX)
		return call_fail(call, -REASON_BAD_VALUE,
			"after: not a cursor of a page");
	return 0;
}

struct gathering {
	json_t *items;
	size_t limit, scanned;
	char last[STATE_ID_MAX + 1];
	int more;
};

/* Takes over what passes; stops when the page is full. */
static void gather(struct call *call, const struct store_docs *docs, page_item item,
	struct gathering *into)
{
	for (size_t i = 0; i < docs->count; i++) {
		if (json_array_size(into->items) == into->limit ||
			into->scanned == SCAN_MOST) {
			into->more = 1;
			return;
		}
		json_t *made = item(call, &docs->docs[i]);
		if (made)
			json_array_append_new(into->items, made);
		into->scanned++;
		snprintf(into->last, sizeof(into->last), "%s", docs->docs[i].id);
	}
}

void page_documents_of(struct call *call, enum state_kind kind, const char *tenant,
	page_item item)
{
	struct gathering into = {.items = json_array()};
	struct page page;
	int status = page_parse(call, &page);
	size_t count = SCAN_STEP;

	if (status) {
		json_decref(into.items);
		return;
	}
	if (page.after && strlen(page.after) > STATE_ID_MAX) {
		json_decref(into.items);
		call_wrong(call, "after", "not a cursor of a page");
		return;
	}
	into.limit = page.limit;
	snprintf(into.last, sizeof(into.last), "%s", page.after ? page.after : "");
	while (!status && !into.more && count == SCAN_STEP) {
		struct store_docs docs = {0};
		status = store_wait_list(call_store(call)->state, kind, tenant,
			*into.last ? into.last : NULL, SCAN_STEP, &docs);
		if (status)
			break;
		count = docs.count;
		gather(call, &docs, item, &into);
		store_docs_free(&docs);
	}
	if (status) {
		json_decref(into.items);
		call_fail(call, status, NULL);
		return;
	}
	exchange_json(call->exchange, 200,
		json_pack("{s:o, s:s?}", "items", into.items, "next",
			into.more ? into.last : NULL));
}

void page_documents(struct call *call, enum state_kind kind, page_item item)
{
	page_documents_of(call, kind, call_tenant(call), item);
}

int page_each(struct call *call, enum state_kind kind, const char *tenant,
	int (*each)(struct call *call, const struct state_doc *doc, void *ctx), void *ctx)
{
	char last[STATE_ID_MAX + 1] = "";
	size_t count = SCAN_STEP;
	int status = 0;

	while (!status && count == SCAN_STEP) {
		struct store_docs docs = {0};
		status = store_wait_list(call_store(call)->state, kind, tenant,
			*last ? last : NULL, SCAN_STEP, &docs);
		if (status)
			return status;
		count = docs.count;
		for (size_t i = 0; !status && i < docs.count; i++)
			status = each(call, &docs.docs[i], ctx);
		if (count)
			snprintf(last, sizeof(last), "%s", docs.docs[count - 1].id);
		store_docs_free(&docs);
	}
	return status;
}
