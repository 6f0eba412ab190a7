#include "alert/alert_raise.h"

#include <stdio.h>
#include <stdlib.h>

#include "alert/alarm_note.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/reason.h"
#include "base/text.h"
#include "metrics/metrics.h"
#include "store/store_open.h"
#include "store/store_wait.h"

static void tell_pages(const struct alert_raise *raise, const char *id,
	const char *tenant, const char *act)
{
	char text[256];

	snprintf(text, sizeof(text),
		"{\"type\":\"alarm\",\"id\":\"%s\",\"tenant\":\"%s\",\"act\":\"%s\"}", id,
		tenant, act);
	/* Pages that miss it ask again by themselves. */
	(void)!bus_publish(raise->store->bus, "news", text);
}

static int find_again(struct state *state, const char *id, struct alarm *ret)
{
	struct store_docs docs = {0};
	struct field_error error;
	int status = store_wait_get(state, STATE_ALARM, id, &docs);

	if (!status && alarm_read(docs.docs[0].body, ret, &error))
		status = -REASON_STATE_DAMAGED;
	store_docs_free(&docs);
	return status;
}

/* 1: it was there already, and *alarm is what stands there. */
static int write_alarm(struct state *state, struct alarm *alarm)
{
	char *body;
	int status = alarm_write(alarm, &body);

	if (status)
		return status;
	struct state_doc doc = {.kind = STATE_ALARM,
		.id = alarm->id,
		.tenant = alarm->tenant,
		.body = body};
	status = store_wait_put(state, &doc, NULL);
	free(body);
	if (status != -REASON_CONFLICT)
		return status;
	status = find_again(state, alarm->id, alarm);
	return status ? status : 1;
}

static void note_undeliverable(const struct alert_raise *raise, const struct alarm *alarm,
	int reason)
{
	for (size_t i = 0; i < alarm->delivery_count; i++) {
		struct alarm_delivery delivery = alarm->deliveries[i];
		if (delivery.state != ALARM_WAITING)
			continue;
		delivery.state = ALARM_FAILED;
		delivery.at_ms = clock_wall_ms();
		snprintf(delivery.error, sizeof(delivery.error), "%s",
			reason_text(reason, REASON_EN));
		if (alarm_note_delivery(raise->store->state, alarm->id, &delivery))
			return;
	}
}

int alert_raise(const struct alert_raise *raise, const struct alert *alert,
	const struct alert_case *what, struct alarm *ret)
{
	struct alarm alarm;
	int status = alarm_raise(&alarm, alert, what->subject, what->at_ms, what->value);

	if (status)
		return status;
	alarm.made_ms = clock_wall_ms();
	text_clip(alarm.license, sizeof(alarm.license), what->license);
	text_clip(alarm.node, sizeof(alarm.node), raise->node);
	int known = write_alarm(raise->store->state, &alarm);
	if (known < 0)
		return known;
	status = deliver_put(raise->deliver, &alarm);
	if (status) {
		log_line(LOG_ERROR, "alarm cannot be sent", LOG_S("alarm", alarm.id),
			LOG_S("reason", reason_symbol(status)));
		note_undeliverable(raise, &alarm, status);
	}
	if (!known) {
		log_line(LOG_WARN, "alarm", LOG_S("alarm", alarm.id),
			LOG_S("when", alert_kind_at((size_t)alarm.when)->name),
			LOG_S("subject", alarm.subject), LOG_U("value", alarm.value));
		metrics_add(METRIC_ALARMS, 1);
		tell_pages(raise, alarm.id, alarm.tenant, "raised");
	}
	*ret = alarm;
	return 0;
}

void alert_raise_over(const struct alert_raise *raise, const char *id, int64_t now_ms)
{
	struct alarm alarm;
	int status = alarm_note_over(raise->store->state, id, now_ms);

	if (status && status != -REASON_NOT_FOUND) {
		log_line(LOG_WARN, "an alarm's end could not be noted",
			LOG_S("alarm", id), LOG_S("reason", reason_symbol(status)));
		return;
	}
	if (!status && !find_again(raise->store->state, id, &alarm))
		tell_pages(raise, id, alarm.tenant, "over");
}
