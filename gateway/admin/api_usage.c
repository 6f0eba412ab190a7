#include "admin/api_usage.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "admin/call.h"
#include "admin/usage_board.h"
#include "base/clock.h"
#include "base/reason.h"
#include "rules/usage.h"

#define HOUR_MS INT64_C(3600000)
#define DAY_MS INT64_C(86400000)
#define YEAR_MS (366 * DAY_MS)
#define SPAN_MOST (11 * YEAR_MS)
#define OFFSET_MOST (14 * 60)
/* Pages per question to the store: a reply holds all of them. */
#define PAGES 32
#define POINTS_MOST 20000
#define TOP_MOST 1000

enum step { STEP_HOUR, STEP_DAY, STEP_MONTH };

/* What a chart asks for. */
struct chart {
	struct call *call;
	int64_t from_ms, to_ms, offset_ms;
	enum step step;
	json_t *points;
	int64_t at_ms; /* of the point that is being summed up */
	struct usage_sum point, all;
	int has_point, seen;
};

/* ---- what is asked for ------------------------------------------------------------------- */

static int parse_time(struct call *call, const char *name, int64_t fallback, int64_t *ret)
{
	const char *text = request_query(call->exchange->request, name);

	*ret = fallback;
	if (text && clock_parse(text, ret))
		return call_wrong(call, name, "a time of RFC 3339 or a day expected");
	return 0;
}

/* Whole hours; a month back where nothing is said. */
static int parse_span(struct call *call, int64_t *ret_from, int64_t *ret_to)
{
	int64_t now = clock_wall_ms();
	int status = parse_time(call, "to", now + HOUR_MS, ret_to);

	if (!status)
		status = parse_time(call, "from", *ret_to - 31 * DAY_MS, ret_from);
	if (status)
		return status;
	if (*ret_from < 0 || *ret_to <= *ret_from)
		return call_wrong(call, "from", "has to be before to");
	if (*ret_to - *ret_from > SPAN_MOST)
		return call_wrong(call, "from", "at most eleven years before to");
	*ret_from -= *ret_from % HOUR_MS;
	return 0;
}

static int parse_step(struct call *call, struct chart *chart)
{
	static const char *const words[] = {"hour", "day", "month"};
	const char *step = request_query(call->exchange->request, "step");
	const char *offset = request_query(call->exchange->request, "offset");
	char *end = NULL;
	long minutes = offset ? strtol(offset, &end, 10) : 0;

	if ((end && *end) || minutes < -OFFSET_MOST || minutes > OFFSET_MOST)
		return call_wrong(call, "offset", "minutes east of UTC, -840 to 840");
	chart->offset_ms = minutes * 60000;
	for (size_t i = 0; i < ARRAY_LEN(words); i++)
		if (!strcmp(step ? step : "hour", words[i])) {
			chart->step = (enum step)i;
			return 0;
		}
	return call_wrong(call, "step", "hour, day or month");
}

/* ---- charts ------------------------------------------------------------------------------ */

static int64_t start_of(const struct chart *chart, int64_t at_ms)
{
	int64_t local = at_ms + chart->offset_ms;

	if (chart->step == STEP_HOUR)
		return at_ms;
	if (chart->step == STEP_DAY)
		return local - local % DAY_MS - chart->offset_ms;
	return usage_month_start_ms(local) - chart->offset_ms;
}

static int end_point(struct chart *chart)
{
	const struct usage_sum *sum = &chart->point;

	if (!chart->has_point)
		return 0;
	chart->has_point = 0;
	if (json_array_size(chart->points) >= POINTS_MOST)
		return -REASON_LIMIT;
	return json_array_append_new(chart->points,
		json_pack("[I, I, I, I, I]", (json_int_t)chart->at_ms,
			(json_int_t)sum->to_viewer, (json_int_t)sum->to_host,
			(json_int_t)sum->sessions, (json_int_t)sum->session_ms));
}

/* Hours come in order of time. */
static int add_hour(struct chart *chart, int64_t at_ms, const struct usage_sum *sum)
{
	int64_t start = start_of(chart, at_ms);
	int status = 0;

	if (chart->has_point && chart->at_ms != start)
		status = end_point(chart);
	if (!chart->has_point)
		chart->point = (struct usage_sum){0};
	chart->has_point = 1;
	chart->at_ms = start;
	usage_sum_add(&chart->point, sum);
	usage_sum_add(&chart->all, sum);
	return status;
}

static int add_page(struct chart *chart, const struct state_doc *doc)
{
	uint64_t marks[USAGE_KINDS];
	struct usage_scan scan;
	struct usage_line line;
	int64_t month = usage_id_start_ms(doc->id);
	int status = usage_scan_begin(doc->body, marks, &scan);

	while (!status && (status = usage_scan_next(&scan, &line)) > 0) {
		int64_t at_ms = month + atoi(line.key) * HOUR_MS;
		status = at_ms >= chart->from_ms && at_ms < chart->to_ms
				 ? add_hour(chart, at_ms, &line.sum)
				 : 0;
	}
	return status;
}

/* All pages "PREFIX2026-11" of the span, which are in order of time. `each` gets those the caller may see; 1
 * from it ends. */
static int walk_pages(struct chart *chart, const char *prefix, const char *first)
{
	char after[STATE_ID_MAX + 1];
	size_t got = PAGES;
	int status = 0, passed = 0;

	/* Just before the first month: what ends in a lower character. */
	snprintf(after, sizeof(after), "%s", first);
	after[strlen(after) - 1]--;
	while (!status && !passed && got == PAGES) {
		struct store_docs docs = {0};
		status = store_wait_list(call_store(chart->call)->state, STATE_USAGE,
			NULL, after, PAGES, &docs);
		got = docs.count;
		for (size_t i = 0; !status && !passed && i < got; i++) {
			const struct state_doc *doc = &docs.docs[i];
			passed = strncmp(doc->id, prefix, strlen(prefix)) != 0 ||
				 usage_id_start_ms(doc->id) >= chart->to_ms;
			if (passed || !call_may_see(chart->call, doc->tenant))
				continue;
			chart->seen = 1;
			status = add_page(chart, doc);
		}
		if (got)
			snprintf(after, sizeof(after), "%s", docs.docs[got - 1].id);
		store_docs_free(&docs);
	}
	return status;
}

static int chart_license(struct chart *chart, const char *license)
{
	char first[USAGE_ID], prefix[USAGE_ID];
	struct store_docs docs = {0};

	snprintf(prefix, sizeof(prefix), "l/%.48s/", license);
	usage_id_license(license, chart->from_ms, first);
	int status = walk_pages(chart, prefix, first);
	if (status || chart->seen)
		return status;
	/* Nothing yet, or nobody's: a deleted license has its past, one of others does not exist. */
	status = store_wait_get(call_store(chart->call)->state, STATE_LICENSE, license,
		&docs);
	if (!status && !call_may_see(chart->call, docs.docs[0].tenant))
		status = -REASON_NOT_FOUND;
	store_docs_free(&docs);
	return status;
}

static int chart_tenant(struct chart *chart, const char *tenant)
{
	char first[USAGE_ID], prefix[USAGE_ID];

	snprintf(prefix, sizeof(prefix), "t/%.48s/", tenant ? tenant : USAGE_EVERYBODY);
	usage_id_tenant(tenant ? tenant : USAGE_EVERYBODY, chart->from_ms, first);
	return walk_pages(chart, prefix, first);
}

static json_t *sums_json(const struct usage_sum *sum)
{
	return json_pack("{s:I, s:I, s:I, s:I}", "bytes_to_viewer",
		(json_int_t)sum->to_viewer, "bytes_to_host", (json_int_t)sum->to_host,
		"sessions", (json_int_t)sum->sessions, "session_ms",
		(json_int_t)sum->session_ms);
}

void api_usage_show(void *admin UNUSED, struct exchange *exchange)
{
	static const int64_t steps_ms[] = {HOUR_MS, DAY_MS, 30 * DAY_MS};
	static const char *const names[] = {"hour", "day", "month"};
	struct chart chart = {.call = call_of(exchange)};
	const char *license = request_query(exchange->request, "license");

	if (parse_span(chart.call, &chart.from_ms, &chart.to_ms) ||
		parse_step(chart.call, &chart))
		return;
	chart.points = json_array();
	int status = license && *license ? chart_license(&chart, license)
					 : chart_tenant(&chart, call_tenant(chart.call));
	if (!status)
		status = end_point(&chart);
	if (status) {
		json_decref(chart.points);
		call_fail(chart.call, status,
			status == -REASON_LIMIT ? "too many points: a longer step"
						: NULL);
		return;
	}
	json_t *answer = json_pack("{s:s, s:I, s:I, s:I, s:o, s:o}", "step",
		names[chart.step], "step_ms", (json_int_t)steps_ms[chart.step], "from_ms",
		(json_int_t)chart.from_ms, "to_ms", (json_int_t)chart.to_ms, "points",
		chart.points, "sums", sums_json(&chart.all));
	call_add_times(answer);
	exchange_json(exchange, 200, answer);
}

/* ---- who used most ----------------------------------------------------------------------- */

struct top {
	struct call *call;
	int64_t from_ms, to_ms;
	size_t limit;
	const char *kind; /* "d" or "m" */
	struct usage_board *board;
};

/* Short and recent spans are made of days, others of months, to their ends. */
static void round_span(struct top *top)
{
	int64_t now = clock_wall_ms();
	int by_days = top->to_ms - top->from_ms <= 31 * DAY_MS &&
		      top->from_ms > now - (USAGE_DAYS_KEPT - 1) * DAY_MS;

	top->kind = by_days ? "d" : "m";
	if (by_days) {
		top->from_ms -= top->from_ms % DAY_MS;
		top->to_ms += (DAY_MS - top->to_ms % DAY_MS) % DAY_MS;
	} else {
		int64_t last = usage_month_start_ms(top->to_ms - 1);
		top->from_ms = usage_month_start_ms(top->from_ms);
		top->to_ms = usage_month_start_ms(last + 32 * DAY_MS);
	}
}

static int add_lines(struct top *top, const struct state_doc *doc)
{
	uint64_t marks[USAGE_KINDS];
	struct usage_scan scan;
	struct usage_line line;
	int status = usage_scan_begin(doc->body, marks, &scan);

	while (!status && (status = usage_scan_next(&scan, &line)) > 0)
		status = usage_board_add(top->board, &line);
	return status;
}

/* Pages of one company follow one another in order of time; those of all are passed over as one list. */
static int walk_boards(struct top *top, const char *tenant)
{
	char after[2 * USAGE_ID], prefix[USAGE_ID], month[USAGE_ID];
	size_t got = PAGES;
	int status = 0, passed = 0;

	snprintf(prefix, sizeof(prefix), "%s/%.48s%s", top->kind, tenant ? tenant : "",
		tenant ? "/" : "");
	usage_id_tenant("", top->from_ms, month); /* "t//2026-11" */
	snprintf(after, sizeof(after), "%s%s", prefix, tenant ? month + 3 : "");
	while (!status && !passed && got == PAGES) {
		struct store_docs docs = {0};
		status = store_wait_list(call_store(top->call)->state, STATE_USAGE, NULL,
			after, PAGES, &docs);
		got = docs.count;
		for (size_t i = 0; !status && !passed && i < got; i++) {
			const struct state_doc *doc = &docs.docs[i];
			int64_t start = usage_id_start_ms(doc->id);
			int is_late = start >= top->to_ms;
			passed = strncmp(doc->id, prefix, strlen(prefix)) != 0 ||
				 (tenant && is_late);
			if (!passed && !is_late && start >= top->from_ms &&
				call_may_see(top->call, doc->tenant))
				status = add_lines(top, doc);
		}
		if (got)
			snprintf(after, sizeof(after), "%s", docs.docs[got - 1].id);
		store_docs_free(&docs);
	}
	return status;
}

static json_t *holder_of(struct call *call, const char *license)
{
	struct store_docs docs = {0};
	json_t *holder = NULL;

	if (!store_wait_get(call_store(call)->state, STATE_LICENSE, license, &docs)) {
		json_t *body = call_body(&docs.docs[0]);
		holder = json_incref(json_object_get(body, "holder"));
		json_decref(body);
	}
	store_docs_free(&docs);
	return holder ? holder : json_null();
}

static void answer_top(struct top *top)
{
	json_t *items = json_array();
	size_t count = usage_board_sort(top->board);

	for (size_t i = 0; i < count && i < top->limit; i++) {
		const struct usage_line *line = usage_board_at(top->board, i);
		json_t *item = sums_json(&line->sum);
		json_object_set_new(item, "license", json_string(line->key));
		json_object_set_new(item, "holder", holder_of(top->call, line->key));
		json_array_append_new(items, item);
	}
	json_t *answer = json_pack("{s:o, s:i, s:I, s:I}", "items", items, "licenses",
		(int)count, "from_ms", (json_int_t)top->from_ms, "to_ms",
		(json_int_t)top->to_ms);
	call_add_times(answer);
	exchange_json(top->call->exchange, 200, answer);
}

void api_usage_top(void *admin UNUSED, struct exchange *exchange)
{
	struct top top = {.call = call_of(exchange), .limit = 10};
	const char *limit = request_query(exchange->request, "limit");
	char *end = NULL;
	unsigned long wanted = limit ? strtoul(limit, &end, 10) : top.limit;

	if ((end && *end) || wanted < 1 || wanted > TOP_MOST) {
		call_wrong(top.call, "limit", "1 to 1000");
		return;
	}
	if (parse_span(top.call, &top.from_ms, &top.to_ms))
		return;
	top.limit = wanted;
	round_span(&top);
	int status = usage_board_new(&top.board);
	if (!status)
		status = walk_boards(&top, call_tenant(top.call));
	if (status)
		call_fail(top.call, status, NULL);
	else
		answer_top(&top);
	usage_board_free(top.board);
}
