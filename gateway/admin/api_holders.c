#include "admin/api_holders.h"

#include <stdlib.h>
#include <string.h>

#include "admin/license_search.h"
#include "admin/page.h"
#include "base/reason.h"
#include "rules/device_book.h"

/* Of one holder at most so many licenses are looked at for when he was seen. */
#define SEEN_MOST 16

struct sheet {
	char *name; /* "TENANT/NAME" */
	char id[LICENSE_KEY_ID_SIZE];
	int online;
};

struct sheets {
	struct sheet *all;
	size_t count, room;
	const char *q;
};

static int gather(void *ctx, const struct license_card *card)
{
	struct sheets *sheets = ctx;

	if (sheets->q && !strcasestr(card->holder, sheets->q))
		return 0;
	if (sheets->count == sheets->room) {
		size_t room = sheets->room ? sheets->room * 2 : 1024;
		struct sheet *all = realloc(sheets->all, room * sizeof(*all));
		if (!all)
			return -REASON_NO_MEMORY;
		sheets->all = all;
		sheets->room = room;
	}
	struct sheet *sheet = &sheets->all[sheets->count];
	if (asprintf(&sheet->name, "%s/%s", card->tenant, card->holder) < 0)
		return -REASON_NO_MEMORY;
	memcpy(sheet->id, card->id, sizeof(sheet->id));
	sheet->online = card->online;
	sheets->count++;
	return 0;
}

static int by_name(const void *a, const void *b)
{
	const struct sheet *left = a, *right = b;
	int order = strcmp(left->name, right->name);
	return order ? order : strcmp(left->id, right->id);
}

static int64_t last_seen(struct call *call, const struct sheet *sheets, size_t count)
{
	const char *ids[SEEN_MOST];
	struct store_docs books = {0};
	int64_t last = 0;

	count = count < SEEN_MOST ? count : SEEN_MOST;
	for (size_t i = 0; i < count; i++)
		ids[i] = sheets[i].id;
	if (store_wait_get_many(call_store(call)->state, STATE_DEVICE, ids, count,
		    &books))
		return 0;
	for (size_t i = 0; i < books.count; i++) {
		int64_t ms = device_book_last_ms(books.docs[i].body);
		last = ms > last ? ms : last;
	}
	store_docs_free(&books);
	return last;
}

/* The sheets of one name as a row. */
static json_t *row_of(struct call *call, const struct sheet *sheets, size_t count)
{
	const char *slash = strchr(sheets->name, '/');
	json_int_t online = 0;

	for (size_t i = 0; i < count; i++)
		online += sheets[i].online;
	json_t *row = json_pack("{s:s, s:o, s:I, s:I, s:I}", "holder", slash + 1,
		"tenant", json_stringn(sheets->name, (size_t)(slash - sheets->name)),
		"licenses", (json_int_t)count, "online", online, "last_seen_ms",
		(json_int_t)last_seen(call, sheets, count));
	if (row)
		call_add_times(row);
	return row;
}

static size_t run_of(const struct sheets *sheets, size_t at)
{
	size_t end = at + 1;

	while (end < sheets->count &&
		!strcmp(sheets->all[end].name, sheets->all[at].name))
		end++;
	return end - at;
}

static void answer(struct call *call, const struct sheets *sheets,
	const struct page *page)
{
	json_t *items = json_array();
	const char *last = NULL;
	size_t at = 0;

	while (page->after && at < sheets->count &&
		strcmp(sheets->all[at].name, page->after) <= 0)
		at++;
	while (at < sheets->count && json_array_size(items) < page->limit) {
		size_t run = run_of(sheets, at);
		json_array_append_new(items, row_of(call, &sheets->all[at], run));
		last = sheets->all[at].name;
		at += run;
	}
	exchange_json(call->exchange, 200,
		json_pack("{s:o, s:s?}", "items", items, "next",
			at < sheets->count ? last : NULL));
}

void api_holders_list(void *admin UNUSED, struct exchange *exchange)
{
	struct call *call = call_of(exchange);
	const struct license_filter filter = {
		.tenant = call_tenant(call), .online = -1, .presence = 1};
	struct sheets sheets = {.q = request_query(exchange->request, "q")};
	struct page page;

	if (page_parse(call, &page))
		return;
	int status = license_index_each(call->admin->licenses, &filter, gather, &sheets);
	if (status) {
		call_fail(call, status, NULL);
	} else {
		if (sheets.count)
			qsort(sheets.all, sheets.count, sizeof(*sheets.all), by_name);
		answer(call, &sheets, &page);
	}
	for (size_t i = 0; i < sheets.count; i++)
		free(sheets.all[i].name);
	free(sheets.all);
}
