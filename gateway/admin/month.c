#include "admin/month.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "admin/page.h"
#include "base/clock.h"
#include "base/reason.h"
#include "rules/notice.h"

#define SPANS_MOST 20000

static int64_t start_of(int year, int number)
{
	char text[CLOCK_TEXT];
	int64_t ms = 0;

	year += (number - 1) / 12;
	number = (number - 1) % 12 + 1;
	snprintf(text, sizeof(text), "%04d-%02d-01", year, number);
	return clock_parse(text, &ms) ? 0 : ms;
}

static void fill(struct month *ret, int year, int number)
{
	snprintf(ret->text, sizeof(ret->text), "%04u-%02u", (unsigned)year % 10000,
		(unsigned)number % 100);
	ret->from_ms = start_of(year, number);
	ret->to_ms = start_of(year, number + 1);
}

static int parse(const char *text, struct month *ret)
{
	int year, number, used = 0;

	if (strlen(text) != 7 || strspn(text, "0123456789-") != 7 ||
		sscanf(text, "%4d-%2d%n", &year, &number, &used) != 2 || used != 7 ||
		year < 2000 || number < 1 || number > 12)
		return -REASON_BAD_VALUE;
	fill(ret, year, number);
	return 0;
}

void month_of(int64_t now_ms, int before, struct month *ret)
{
	time_t seconds = (time_t)(now_ms / 1000);
	struct tm at;

	gmtime_r(&seconds, &at);
	int months = (at.tm_year + 1900) * 12 + at.tm_mon - before;
	fill(ret, months / 12, months % 12 + 1);
}

int month_asked(struct call *call, struct month *ret)
{
	const char *text = request_query(call->exchange->request, "month");

	if (!text)
		month_of(clock_wall_ms(), 0, ret);
	else if (parse(text, ret))
		return call_wrong(call, "month", "YYYY-MM expected");
	return 0;
}

struct spans {
	struct outage_span *items;
	size_t count, room;
	const char *tenant;
	struct outage_span within;
};

static int add(struct spans *spans, int64_t from_ms, int64_t to_ms)
{
	if (to_ms <= spans->within.from_ms || from_ms >= spans->within.to_ms)
		return 0;
	if (spans->count == SPANS_MOST)
		return -REASON_LIMIT;
	if (spans->count == spans->room) {
		size_t room = spans->room ? spans->room * 2 : 64;
		struct outage_span *more = realloc(spans->items, room * sizeof(*more));
		if (!more)
			return -REASON_NO_MEMORY;
		spans->items = more;
		spans->room = room;
	}
	spans->items[spans->count++] = (struct outage_span){from_ms, to_ms};
	return 0;
}

static int add_outage(struct call *call UNUSED, const struct state_doc *doc, void *ctx)
{
	struct spans *spans = ctx;
	struct field_error error;
	struct outage outage;

	if (outage_read(doc->body, &outage, &error) || outage.covered)
		return 0;
	return add(spans, outage.from_ms, outage.to_ms ? outage.to_ms : clock_wall_ms());
}

static int add_stop(struct call *call UNUSED, const struct state_doc *doc, void *ctx)
{
	struct spans *spans = ctx;
	struct field_error error;
	struct notice notice;

	if (notice_read(doc->body, &notice, &error) || notice.kind != NOTICE_PLANNED_STOP)
		return 0;
	if (*notice.tenant && strcmp(notice.tenant, spans->tenant))
		return 0;
	/* What was announced only after it had begun was not planned. */
	if (notice.created_ms > notice.from_ms)
		return 0;
	return add(spans, notice.from_ms, notice.to_ms);
}

static int since(struct call *call, int64_t *ret_ms)
{
	struct store_docs docs = {0};
	int status =
		store_wait_get(call_store(call)->state, STATE_META, "probe/since", &docs);

	*ret_ms = clock_wall_ms();
	if (!status) {
		json_t *body = call_body(&docs.docs[0]);
		*ret_ms = json_integer_value(json_object_get(body, "at_ms"));
		json_decref(body);
	}
	store_docs_free(&docs);
	return status == -REASON_NOT_FOUND ? 0 : status;
}

int month_availability(struct call *call, const struct month *month,
	struct availability *ret, int64_t *ret_since_ms)
{
	struct spans down = {0}, stops = {.tenant = call->by.tenant};
	struct outage_span measured = {month->from_ms, month->to_ms};
	int64_t now_ms = clock_wall_ms(), since_ms;
	int status = since(call, &since_ms);

	if (since_ms > measured.from_ms)
		measured.from_ms = since_ms;
	if (now_ms < measured.to_ms)
		measured.to_ms = now_ms;
	down.within = stops.within = measured;
	if (!status)
		status = page_each(call, STATE_OUTAGE, NULL, add_outage, &down);
	if (!status)
		status = page_each(call, STATE_NOTICE, NULL, add_stop, &stops);
	if (!status) {
		outage_availability(down.items, down.count, stops.items, stops.count,
			measured, ret);
		*ret_since_ms = since_ms;
	}
	free(down.items);
	free(stops.items);
	return status;
}

void month_percent(int64_t ppm, char ret[static 48])
{
	snprintf(ret, 48, "%" PRId64 ".%04" PRId64, ppm / 10000, ppm % 10000);
}
