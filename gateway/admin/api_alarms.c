#include "admin/api_alarms.h"

#include <stdlib.h>
#include <string.h>

#include "admin/call.h"
#include "admin/page.h"
#include "base/clock.h"
#include "base/reason.h"
#include "rules/alarm.h"

#define TRIES 5 /* deliveries are noted in the same document */

static json_t *show(const struct alarm *alarm)
{
	json_t *object = alarm_show(alarm);

	if (object)
		call_add_times(object);
	return object;
}

static int passes(const struct request *request, const struct alarm *alarm)
{
	const char *state = request_query(request, "state");
	const char *when = request_query(request, "when");
	const char *license = request_query(request, "license");
	const char *seen = request_query(request, "seen");

	if (state && strcmp(state, alarm->over_ms ? "over" : "open"))
		return 0;
	if (when && strcmp(when, alert_kind_at((size_t)alarm->when)->name))
		return 0;
	if (license && strcmp(license, alarm->license))
		return 0;
	return !seen || !strcmp(seen, alarm->seen_ms ? "yes" : "no");
}

static json_t *list_item(struct call *call, const struct state_doc *doc)
{
	struct field_error error;
	struct alarm alarm;

	if (alarm_read(doc->body, &alarm, &error))
		return NULL;
	return passes(call->exchange->request, &alarm) ? show(&alarm) : NULL;
}

void api_alarms_list(void *admin UNUSED, struct exchange *exchange)
{
	page_documents(call_of(exchange), STATE_ALARM, list_item);
}

static int load(struct call *call, struct store_docs *docs, struct alarm *ret)
{
	struct field_error error;
	int status =
		call_get(call, STATE_ALARM, exchange_param(call->exchange, "id"), docs);

	if (status)
		return status;
	if (!alarm_read(docs->docs[0].body, ret, &error))
		return 0;
	store_docs_free(docs);
	return call_fail(call, -REASON_STATE_DAMAGED, NULL);
}

void api_alarms_show(void *admin UNUSED, struct exchange *exchange)
{
	struct store_docs docs;
	struct alarm alarm;

	if (load(call_of(exchange), &docs, &alarm))
		return;
	exchange_json(exchange, 200, show(&alarm));
	store_docs_free(&docs);
}

/* Nothing is answered. */
static int put(struct call *call, const struct alarm *alarm,
	const struct state_doc *before)
{
	struct state_doc doc = *before;
	char *body;
	int status = alarm_write(alarm, &body);

	if (status)
		return status;
	doc.body = body;
	status = store_wait_put(call_store(call)->state, &doc, NULL);
	free(body);
	return status;
}

static int see(struct call *call, struct alarm *alarm)
{
	int recorded = 0, status = -REASON_CONFLICT;

	for (int i = 0; status == -REASON_CONFLICT && i < TRIES; i++) {
		struct store_docs docs;
		status = load(call, &docs, alarm);
		if (status)
			return status;
		alarm->seen_ms = clock_wall_ms();
		snprintf(alarm->seen_by, sizeof(alarm->seen_by), "%s", call->by.name);
		status = recorded ? 0
				  : call_audit(call, AUDIT_ALARM_SEEN, alarm->tenant,
					    alarm->license,
					    json_pack("{s:s}", "alarm", alarm->id));
		if (status) {
			store_docs_free(&docs);
			return status;
		}
		recorded = 1;
		status = put(call, alarm, &docs.docs[0]);
		store_docs_free(&docs);
	}
	return status ? call_undone(call, AUDIT_ALARM_SEEN, alarm->tenant, alarm->license,
				status)
		      : 0;
}

void api_alarms_seen(void *admin UNUSED, struct exchange *exchange)
{
	struct alarm alarm;

	if (see(call_of(exchange), &alarm))
		return;
	call_changed(call_of(exchange), "alarm", alarm.id, alarm.tenant, "seen");
	exchange_json(exchange, 200, show(&alarm));
}
