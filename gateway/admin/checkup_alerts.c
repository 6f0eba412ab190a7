/* Probes of watching and telling: whose question it is, stands in checksheet.def. */
#include <stdlib.h>
#include <string.h>

#include "admin/checkup.h"
#include "base/reason.h"
#include "rules/alarm.h"
#include "rules/route.h"

#define DELIVERIES 200

struct telling {
	const struct checkup *checkup;
	size_t live_count;
	char live[64][ALERT_ROUTE_ID_SIZE];
	int64_t rules, routed, off, tested_ms;
};

static void see_route(const struct state_doc *doc, const json_t *body, void *ctx)
{
	struct telling *telling = ctx;
	const char *state = json_string_value(json_object_get(body, "state"));
	int64_t tested_ms = json_integer_value(json_object_get(body, "test_ms"));

	if (strcmp(doc->tenant, telling->checkup->tenant))
		return;
	if (tested_ms > telling->tested_ms)
		telling->tested_ms = tested_ms;
	if (state && !strcmp(state, "enabled") &&
		telling->live_count < ARRAY_LEN(telling->live))
		snprintf(telling->live[telling->live_count++], ALERT_ROUTE_ID_SIZE, "%s",
			doc->id);
}

static void see_rule(const struct state_doc *doc, const json_t *body UNUSED, void *ctx)
{
	struct telling *telling = ctx;
	struct field_error error;
	struct alert alert;

	if (strcmp(doc->tenant, telling->checkup->tenant) ||
		alert_read(doc->body, &alert, &error))
		return;
	if (alert.state == ALERT_DISABLED) {
		telling->off++;
		return;
	}
	telling->rules++;
	for (size_t i = 0; i < telling->live_count; i++)
		if (alert_has_route(&alert, telling->live[i])) {
			telling->routed++;
			return;
		}
}

static int look(struct checkup *checkup, struct telling *ret)
{
	*ret = (struct telling){.checkup = checkup};
	int status = checkup_documents(checkup, STATE_ROUTE, see_route, ret);
	return status ? status : checkup_documents(checkup, STATE_ALERT, see_rule, ret);
}

struct delays {
	int64_t count, fired_ms;
	int64_t ms[DELIVERIES];
};

/* From the case to the receiver's answer. */
static int look_at_alarms(struct checkup *checkup, struct delays *ret)
{
	struct store_docs docs = {0};
	int status = store_wait_list(call_store(checkup->call)->state, STATE_ALARM,
		checkup->tenant, NULL, DELIVERIES, &docs);

	*ret = (struct delays){0};
	for (size_t i = 0; !status && i < docs.count; i++) {
		struct field_error error;
		struct alarm alarm;
		if (alarm_read(docs.docs[i].body, &alarm, &error))
			continue;
		if (!ret->fired_ms)
			ret->fired_ms = alarm.at_ms;
		for (size_t k = 0; k < alarm.delivery_count; k++)
			if (alarm.deliveries[k].state == ALARM_SENT &&
				ret->count < DELIVERIES)
				ret->ms[ret->count++] =
					alarm.deliveries[k].at_ms - alarm.at_ms;
	}
	store_docs_free(&docs);
	return status;
}

int checkup_alerts_routes(struct checkup *checkup, json_t *values,
	enum checkup_verdict *ret)
{
	struct telling telling;
	struct delays delays;
	int status = look(checkup, &telling);

	if (!status)
		status = look_at_alarms(checkup, &delays);
	if (status)
		return status;
	checkup_number(values, "rules", telling.rules);
	checkup_number(values, "routed", telling.routed);
	checkup_number(values, "routes", (int64_t)telling.live_count);
	checkup_time(values, "fired", delays.fired_ms);
	checkup_time(values, "tested", telling.tested_ms);
	*ret = telling.routed > 0;
	return 0;
}

static int by_size(const void *a, const void *b)
{
	int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;
	return x < y ? -1 : x > y;
}

int checkup_alerts_delay(struct checkup *checkup, json_t *values,
	enum checkup_verdict *ret)
{
	struct telling telling;
	struct delays delays;
	int status = look(checkup, &telling);

	if (!status)
		status = look_at_alarms(checkup, &delays);
	if (status)
		return status;
	checkup_number(values, "measured", delays.count);
	if (delays.count) {
		qsort(delays.ms, (size_t)delays.count, sizeof(*delays.ms), by_size);
		checkup_number(values, "median_ms", delays.ms[delays.count / 2]);
		checkup_number(values, "worst_ms", delays.ms[delays.count - 1]);
	}
	*ret = telling.routed > 0;
	return 0;
}

int checkup_alerts_alert_rules(struct checkup *checkup, json_t *values,
	enum checkup_verdict *ret)
{
	struct telling telling;
	int status = look(checkup, &telling);

	if (status)
		return status;
	checkup_number(values, "rules", telling.rules);
	checkup_number(values, "off", telling.off);
	*ret = telling.rules > 0;
	return 0;
}
