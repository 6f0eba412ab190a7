#include "rules/outage.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/reason.h"
#include "base/text.h"
#include "rules/digest.h"

int outage_begin(struct outage *outage)
{
	uint8_t hash[DIGEST_SIZE];
	char text[128], tail[17];
	int len = snprintf(text, sizeof(text), "%s\n%s", outage->node, outage->target);
	int r = digest_sha256(text, (size_t)len, hash);

	if (r)
		return r;
	text_hex(tail, hash, 8);
	snprintf(outage->id, sizeof(outage->id), "out_%012" PRIx64 "%s",
		(INT64_C(0xffffffffffff) - outage->from_ms) & INT64_C(0xffffffffffff),
		tail);
	return 0;
}

static int read_all(const json_t *object, struct outage *outage,
	struct field_error *error)
{
	int r = field_text(object, "id", FIELD_NEED, outage->id, sizeof(outage->id),
		error);
	if (r == 0)
		r = field_text(object, "node", FIELD_MAY, outage->node,
			sizeof(outage->node), error);
	if (r == 0)
		r = field_text(object, "target", FIELD_MAY, outage->target,
			sizeof(outage->target), error);
	if (r == 0)
		r = field_text(object, "cause", FIELD_MAY, outage->cause,
			sizeof(outage->cause), error);
	if (r == 0)
		r = field_time(object, "from_ms", &outage->from_ms, error);
	if (r == 0)
		r = field_time(object, "to_ms", &outage->to_ms, error);
	if (r == 0)
		r = field_flag(object, "covered", &outage->covered, error);
	return r;
}

int outage_read(const char *body, struct outage *ret, struct field_error *error)
{
	struct outage outage = {0};
	json_t *object;
	int r = field_parse(body, &object, error);

	if (r)
		return r;
	r = read_all(object, &outage, error);
	json_decref(object);
	if (r == 0)
		*ret = outage;
	return r;
}

static json_t *outage_json(const struct outage *outage)
{
	return json_pack("{s:s, s:s, s:s, s:s, s:I, s:I, s:b}", "id", outage->id, "node",
		outage->node, "target", outage->target, "cause", outage->cause, "from_ms",
		(json_int_t)outage->from_ms, "to_ms", (json_int_t)outage->to_ms,
		"covered", outage->covered);
}

int outage_write(const struct outage *outage, char **ret)
{
	json_t *object = outage_json(outage);

	if (!object)
		return -REASON_NO_MEMORY;
	int r = field_print(object, ret);
	json_decref(object);
	return r;
}

json_t *outage_show(const struct outage *outage, int64_t now_ms)
{
	json_t *object = outage_json(outage);
	int64_t end_ms = outage->to_ms ? outage->to_ms : now_ms;

	if (object)
		json_object_set_new(object, "duration_ms",
			json_integer(end_ms - outage->from_ms));
	return object;
}

static int by_begin(const void *a, const void *b)
{
	const struct outage_span *x = a, *y = b;
	return x->from_ms < y->from_ms ? -1 : x->from_ms > y->from_ms;
}

/* In order and without overlaps, cut to `within`; returns how many are left. */
static size_t join(struct outage_span *spans, size_t count, struct outage_span within)
{
	size_t kept = 0;

	if (count)
		qsort(spans, count, sizeof(*spans), by_begin);
	for (size_t i = 0; i < count; i++) {
		struct outage_span one = spans[i];
		if (one.from_ms < within.from_ms)
			one.from_ms = within.from_ms;
		if (one.to_ms > within.to_ms)
			one.to_ms = within.to_ms;
		if (one.to_ms <= one.from_ms)
			continue;
		if (kept && one.from_ms <= spans[kept - 1].to_ms) {
			if (one.to_ms > spans[kept - 1].to_ms)
				spans[kept - 1].to_ms = one.to_ms;
		} else {
			spans[kept++] = one;
		}
	}
	return kept;
}

static int64_t outside(struct outage_span span, const struct outage_span *stops,
	size_t count)
{
	int64_t left = span.to_ms - span.from_ms;

	for (size_t i = 0; i < count; i++) {
		int64_t from =
			stops[i].from_ms > span.from_ms ? stops[i].from_ms : span.from_ms;
		int64_t to = stops[i].to_ms < span.to_ms ? stops[i].to_ms : span.to_ms;
		left -= to > from ? to - from : 0;
	}
	return left;
}

void outage_availability(struct outage_span *down, size_t down_count,
	struct outage_span *stops, size_t stop_count, struct outage_span measured,
	struct availability *ret)
{
	struct availability sum = {.measured_ms = measured.to_ms - measured.from_ms};

	if (sum.measured_ms < 0)
		sum.measured_ms = 0;
	down_count = join(down, down_count, measured);
	stop_count = join(stops, stop_count, measured);
	sum.planned_ms = sum.measured_ms;
	for (size_t i = 0; i < stop_count; i++)
		sum.planned_ms -= stops[i].to_ms - stops[i].from_ms;
	for (size_t i = 0; i < down_count; i++) {
		int64_t ms = outside(down[i], stops, stop_count);
		sum.down_ms += ms;
		sum.faults += ms > 0;
		sum.longest_ms = ms > sum.longest_ms ? ms : sum.longest_ms;
	}
	sum.mttr_ms = sum.faults ? sum.down_ms / sum.faults : 0;
	sum.ppm = sum.planned_ms ? (int64_t)((double)(sum.planned_ms - sum.down_ms) *
					     1e6 / (double)sum.planned_ms)
				 : 1000000;
	*ret = sum;
}
