#include "admin/api_outages.h"

#include "admin/call.h"
#include "admin/month.h"
#include "admin/page.h"
#include "alert/alerts.h"
#include "base/clock.h"
#include "base/reason.h"
#include "rules/outage.h"

static json_t *list_item(struct call *call UNUSED, const struct state_doc *doc)
{
	struct field_error error;
	struct outage outage;

	if (outage_read(doc->body, &outage, &error))
		return NULL;
	json_t *object = outage_show(&outage, clock_wall_ms());
	if (object)
		call_add_times(object);
	return object;
}

/* Outages belong to no company: whoever may read reports may see them. */
void api_outages_list(void *admin UNUSED, struct exchange *exchange)
{
	page_documents_of(call_of(exchange), STATE_OUTAGE, NULL, list_item);
}

static json_t *probes_json(struct call *call)
{
	struct probe_facts facts;
	json_t *list = json_array();

	alerts_probed(call->admin->parts.alerts, &facts);
	for (int i = 0; i < PROBE_TARGETS; i++)
		json_array_append_new(list,
			json_pack("{s:s, s:b, s:I, s:s, s:s}", "target",
				probe_target_name((enum probe_target)i), "answers",
				!facts.failing_since_ms[i], "took_us",
				(json_int_t)facts.last[i].took_us, "tls",
				facts.last[i].version, "suite", facts.last[i].suite));
	return json_pack("{s:I, s:I, s:I, s:I, s:I, s:I, s:o}", "every_ms",
		(json_int_t)facts.every_ms, "asked", (json_int_t)facts.asked, "last_ms",
		(json_int_t)facts.last_ms, "p50_us", (json_int_t)facts.p50_us, "p95_us",
		(json_int_t)facts.p95_us, "worst_us", (json_int_t)facts.worst_us,
		"targets", list);
}

void api_outages_availability(void *admin UNUSED, struct exchange *exchange)
{
	struct call *call = call_of(exchange);
	struct availability is;
	struct month month;
	char percent[48];
	int64_t since_ms;

	if (month_asked(call, &month))
		return;
	int status = month_availability(call, &month, &is, &since_ms);
	if (status) {
		call_fail(call, status, NULL);
		return;
	}
	month_percent(is.ppm, percent);
	json_t *object = json_pack("{s:s, s:I, s:I, s:I, s:s?, s:I, s:I, s:I, s:I, s:o}",
		"month", month.text, "measured_ms", (json_int_t)is.measured_ms,
		"planned_ms", (json_int_t)is.planned_ms, "down_ms",
		(json_int_t)is.down_ms, "percent", is.planned_ms ? percent : NULL,
		"faults", (json_int_t)is.faults, "mttr_ms", (json_int_t)is.mttr_ms,
		"longest_ms", (json_int_t)is.longest_ms, "measured_since_ms",
		(json_int_t)since_ms, "probe", probes_json(call));
	exchange_json(exchange, 200, object);
}
