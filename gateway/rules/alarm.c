#include "rules/alarm.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "rules/digest.h"

static const char *const delivery_states[] = {"waiting", "sent", "failed", NULL};

static int make_id(struct alarm *alarm)
{
	uint8_t hash[DIGEST_SIZE];
	char text[ALERT_ID_SIZE + ALERT_SUBJECT_SIZE + 32], tail[17];
	int len = snprintf(text, sizeof(text), "%s\n%s\n%" PRId64, alarm->alert,
		alarm->subject, alarm->at_ms);
	int r = digest_sha256(text, (size_t)len, hash);

	if (r)
		return r;
	text_hex(tail, hash, 8);
	/* Lists are in order of id: counted backwards, the newest comes first. */
	snprintf(alarm->id, sizeof(alarm->id), "alm_%012" PRIx64 "%s",
		(INT64_C(0xffffffffffff) - alarm->at_ms) & INT64_C(0xffffffffffff), tail);
	return 0;
}

int alarm_raise(struct alarm *ret, const struct alert *alert, const char *subject,
	int64_t at_ms, int64_t value)
{
	struct alarm alarm = {.when = alert->when,
		.value = value,
		.threshold = alert->threshold,
		.window_ms = alert->window_ms,
		.at_ms = at_ms,
		.last_ms = at_ms,
		.delivery_count = alert->route_count};

	memcpy(alarm.alert, alert->id, sizeof(alarm.alert));
	memcpy(alarm.name, alert->name, sizeof(alarm.name));
	memcpy(alarm.tenant, alert->tenant, sizeof(alarm.tenant));
	text_clip(alarm.subject, sizeof(alarm.subject), subject);
	for (size_t i = 0; i < alert->route_count; i++)
		memcpy(alarm.deliveries[i].route, alert->routes[i], ALERT_ROUTE_ID_SIZE);
	int r = make_id(&alarm);
	if (r == 0)
		*ret = alarm;
	return r;
}

static int read_delivery(const json_t *object, struct alarm_delivery *ret,
	struct field_error *error)
{
	int r = field_text(object, "route", FIELD_NEED, ret->route, sizeof(ret->route),
		error);
	if (r == 0)
		r = field_word(object, "state", FIELD_NEED, delivery_states, &ret->state,
			error);
	if (r == 0)
		r = field_integer(object, "tries", FIELD_MAY, 0, INT32_MAX, &ret->tries,
			error);
	if (r == 0)
		r = field_time(object, "at_ms", &ret->at_ms, error);
	if (r == 0)
		r = field_text(object, "error", FIELD_MAY, ret->error, sizeof(ret->error),
			error);
	return r;
}

static int read_deliveries(const json_t *object, struct alarm *alarm,
	struct field_error *error)
{
	const json_t *list = json_object_get(object, "deliveries");
	int r = 0;

	for (size_t i = 0; r == 0 && i < json_array_size(list) && i < ALERT_ROUTES; i++) {
		r = read_delivery(json_array_get(list, i), &alarm->deliveries[i], error);
		alarm->delivery_count++;
	}
	return r;
}

static int read_texts(const json_t *object, struct alarm *alarm,
	struct field_error *error)
{
	const struct {
		const char *name;
		enum field_need need;
		char *to;
		size_t size;
	} texts[] = {{"id", FIELD_NEED, alarm->id, sizeof(alarm->id)},
		{"alert", FIELD_NEED, alarm->alert, sizeof(alarm->alert)},
		{"name", FIELD_MAY, alarm->name, sizeof(alarm->name)},
		{"tenant", FIELD_MAY, alarm->tenant, sizeof(alarm->tenant)},
		{"subject", FIELD_MAY, alarm->subject, sizeof(alarm->subject)},
		{"license", FIELD_MAY, alarm->license, sizeof(alarm->license)},
		{"node", FIELD_MAY, alarm->node, sizeof(alarm->node)},
		{"seen_by", FIELD_MAY, alarm->seen_by, sizeof(alarm->seen_by)}};
	int r = 0;

	for (size_t i = 0; r == 0 && i < ARRAY_LEN(texts); i++)
		r = field_text(object, texts[i].name, texts[i].need, texts[i].to,
			texts[i].size, error);
	const char *when = json_string_value(json_object_get(object, "when"));
	alarm->when = when ? (int)alert_when_parse(when) : ALERT_WHENS;
	if (r == 0 && alarm->when == ALERT_WHENS)
		r = field_fail(error, "when", "is not one of the known words");
	return r;
}

static int read_numbers(const json_t *object, struct alarm *alarm,
	struct field_error *error)
{
	const struct {
		const char *name;
		int64_t *to;
	} numbers[] = {{"value", &alarm->value}, {"threshold", &alarm->threshold},
		{"window_ms", &alarm->window_ms}, {"at_ms", &alarm->at_ms},
		{"made_ms", &alarm->made_ms}, {"last_ms", &alarm->last_ms},
		{"over_ms", &alarm->over_ms}, {"seen_ms", &alarm->seen_ms}};
	int r = 0;

	for (size_t i = 0; r == 0 && i < ARRAY_LEN(numbers); i++)
		r = field_integer(object, numbers[i].name, FIELD_MAY, INT64_MIN,
			INT64_MAX, numbers[i].to, error);
	return r;
}

int alarm_read(const char *body, struct alarm *ret, struct field_error *error)
{
	struct alarm alarm = {0};
	json_t *object;
	int r = field_parse(body, &object, error);

	if (r)
		return r;
	r = read_texts(object, &alarm, error);
	if (r == 0)
		r = read_numbers(object, &alarm, error);
	if (r == 0)
		r = read_deliveries(object, &alarm, error);
	json_decref(object);
	if (r == 0)
		*ret = alarm;
	return r;
}

static json_t *deliveries_list(const struct alarm *alarm)
{
	json_t *list = json_array();

	for (size_t i = 0; i < alarm->delivery_count; i++) {
		const struct alarm_delivery *one = &alarm->deliveries[i];
		json_array_append_new(list,
			json_pack("{s:s, s:s, s:I, s:I, s:s}", "route", one->route,
				"state", delivery_states[one->state], "tries",
				(json_int_t)one->tries, "at_ms", (json_int_t)one->at_ms,
				"error", one->error));
	}
	return list;
}

static json_t *alarm_json(const struct alarm *alarm)
{
	return json_pack("{s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:I, s:I, s:I, s:s, s:I, "
			 "s:I, s:I, s:I, s:I, s:s, s:o}",
		"id", alarm->id, "alert", alarm->alert, "name", alarm->name, "when",
		alert_kind_at((size_t)alarm->when)->name, "tenant", alarm->tenant,
		"subject", alarm->subject, "license", alarm->license, "value",
		(json_int_t)alarm->value, "threshold", (json_int_t)alarm->threshold,
		"window_ms", (json_int_t)alarm->window_ms, "node", alarm->node, "at_ms",
		(json_int_t)alarm->at_ms, "made_ms", (json_int_t)alarm->made_ms,
		"last_ms", (json_int_t)alarm->last_ms, "over_ms",
		(json_int_t)alarm->over_ms, "seen_ms", (json_int_t)alarm->seen_ms,
		"seen_by", alarm->seen_by, "deliveries", deliveries_list(alarm));
}

int alarm_write(const struct alarm *alarm, char **ret)
{
	json_t *object = alarm_json(alarm);

	if (!object)
		return -REASON_NO_MEMORY;
	int r = field_print(object, ret);
	json_decref(object);
	return r;
}

struct alarm_delivery *alarm_delivery_to(struct alarm *alarm, const char *route)
{
	for (size_t i = 0; i < alarm->delivery_count; i++)
		if (!strcmp(alarm->deliveries[i].route, route))
			return &alarm->deliveries[i];
	return NULL;
}

static void window_text(int64_t ms, enum reason_lang lang, char *ret, size_t size)
{
	static const struct {
		int64_t ms;
		const char *unit[2];
	} units[] = {{86400000, {" d", "日"}}, {3600000, {" h", "時間"}},
		{60000, {" min", "分"}}, {1000, {" s", "秒"}}};
	size_t i = 0;

	while (i + 1 < ARRAY_LEN(units) && ms % units[i].ms)
		i++;
	snprintf(ret, size, "%" PRId64 "%s", ms / units[i].ms, units[i].unit[lang]);
}

void alarm_text(const struct alarm *alarm, enum reason_lang lang,
	char ret[static ALERT_TEXT_SIZE])
{
	const char *at = alert_kind_at((size_t)alarm->when)->text[lang];
	char value[24], threshold[24], window[32], whole[ALERT_TEXT_SIZE * 2];
	const struct {
		const char *mark, *text;
	} marks[] = {{"{subject}", alarm->subject}, {"{value}", value},
		{"{threshold}", threshold}, {"{window}", window}};
	size_t len = 0;

	snprintf(value, sizeof(value), "%" PRId64, alarm->value);
	snprintf(threshold, sizeof(threshold), "%" PRId64, alarm->threshold);
	window_text(alarm->window_ms, lang, window, sizeof(window));
	while (*at && len < ALERT_TEXT_SIZE) {
		size_t i = 0;
		while (i < ARRAY_LEN(marks) &&
			strncmp(at, marks[i].mark, strlen(marks[i].mark)))
			i++;
		if (i == ARRAY_LEN(marks)) {
			whole[len++] = *at++;
			continue;
		}
		len += (size_t)snprintf(whole + len, ALERT_TEXT_SIZE, "%s",
			marks[i].text);
		at += strlen(marks[i].mark);
	}
	whole[len] = '\0';
	text_clip(ret, ALERT_TEXT_SIZE, whole);
}

const char *alarm_hint(const struct alarm *alarm, enum reason_lang lang)
{
	return alert_kind_at((size_t)alarm->when)->hint[lang];
}

json_t *alarm_show(const struct alarm *alarm)
{
	const struct alert_kind *kind = alert_kind_at((size_t)alarm->when);
	json_t *object = alarm_json(alarm);
	char en[ALERT_TEXT_SIZE], ja[ALERT_TEXT_SIZE];

	if (!object)
		return NULL;
	alarm_text(alarm, REASON_EN, en);
	alarm_text(alarm, REASON_JA, ja);
	json_object_set_new(object, "text", json_pack("{s:s, s:s}", "en", en, "ja", ja));
	json_object_set_new(object, "hint",
		json_pack("{s:s, s:s}", "en", kind->hint[REASON_EN], "ja",
			kind->hint[REASON_JA]));
	json_object_set_new(object, "urgency",
		json_string(kind->urgency == ALERT_URGENCY_ERROR ? "error" : "warning"));
	json_object_set_new(object, "state",
		json_string(alarm->over_ms ? "over" : "open"));
	return object;
}
