#include "rules/alert.h"

#include <stdio.h>
#include <string.h>

#define OF_TENANT ALERT_OF_TENANT
#define OF_OPERATOR ALERT_OF_OPERATOR
#define OF_NOBODY ALERT_OF_NOBODY
#define LONGEST_MS (INT64_C(7) * 86400000)
#define MOST_THRESHOLD (INT64_C(1) << 50)

static const struct alert_kind kinds[] = {
#define W(NAME, name, reach, measure, threshold, window, quiet, urgency, en, ja, hint,   \
	hint_ja)                                                                         \
	{name, OF_##reach, ALERT_MEASURE_##measure, threshold, window, quiet,            \
		ALERT_URGENCY_##urgency, {en, ja}, {hint, hint_ja}},
#include "rules/alert.def"
#undef W
};

static const char *const names[] = {
#define W(NAME, name, reach, measure, threshold, window, quiet, urgency, en, ja, hint,   \
	hint_ja)                                                                         \
	name,
#include "rules/alert.def"
#undef W
	NULL};

static const char *const states[] = {"enabled", "disabled", NULL};

const struct alert_kind *alert_kind_at(size_t when)
{
	return when < ALERT_WHENS ? &kinds[when] : NULL;
}

enum alert_when alert_when_parse(const char *name)
{
	for (size_t i = 0; i < ALERT_WHENS; i++)
		if (!strcmp(names[i], name))
			return (enum alert_when)i;
	return ALERT_WHENS;
}

static void take_fallbacks(struct alert *alert)
{
	const struct alert_kind *kind = &kinds[alert->when];

	alert->threshold = kind->threshold;
	alert->window_ms = kind->window_ms;
	alert->quiet_ms = kind->quiet_ms;
}

int alert_default(struct alert *ret, const char *tenant, enum alert_when when,
	int64_t now_ms)
{
	const struct alert_kind *kind = &kinds[when];
	struct alert alert = {
		.when = (int)when, .created_ms = now_ms, .changed_ms = now_ms};

	if (kind->reach == ALERT_OF_NOBODY ||
		(*tenant && kind->reach == ALERT_OF_OPERATOR))
		return -REASON_NOT_FOUND;
	snprintf(alert.id, sizeof(alert.id), "alr_%s%s%s", tenant, *tenant ? "." : "",
		kind->name);
	snprintf(alert.name, sizeof(alert.name), "%s", kind->name);
	snprintf(alert.tenant, sizeof(alert.tenant), "%s", tenant);
	take_fallbacks(&alert);
	*ret = alert;
	return 0;
}

static int read_routes(const json_t *object, struct alert *alert,
	struct field_error *error)
{
	const json_t *list = json_object_get(object, "routes");
	size_t i;
	json_t *value;

	if (!list)
		return 0;
	if (!json_is_array(list) || json_array_size(list) > ALERT_ROUTES)
		return field_fail(error, "routes", "a list of at most %d ids is expected",
			ALERT_ROUTES);
	alert->route_count = 0;
	json_array_foreach((json_t *)list, i, value)
	{
		const char *id = json_string_value(value);
		if (!id || strncmp(id, "rte_", 4) || strlen(id) >= ALERT_ROUTE_ID_SIZE ||
			!field_is_plain(id))
			return field_fail(error, "routes", "ids of routes are expected");
		if (!alert_has_route(alert, id))
			snprintf(alert->routes[alert->route_count++], ALERT_ROUTE_ID_SIZE,
				"%s", id);
	}
	return 0;
}

static int read_open_fields(const json_t *object, struct alert *alert,
	struct field_error *error)
{
	int r = field_text(object, "name", FIELD_MAY, alert->name, sizeof(alert->name),
		error);
	if (r == 0)
		r = field_integer(object, "threshold", FIELD_MAY, 1, MOST_THRESHOLD,
			&alert->threshold, error);
	if (r == 0)
		r = field_integer(object, "window_ms", FIELD_MAY, 1000, LONGEST_MS,
			&alert->window_ms, error);
	if (r == 0)
		r = field_integer(object, "quiet_ms", FIELD_MAY, 0, LONGEST_MS,
			&alert->quiet_ms, error);
	if (r == 0)
		r = field_word(object, "state", FIELD_MAY, states, &alert->state, error);
	return r ? r : read_routes(object, alert, error);
}

int alert_change(struct alert *alert, const json_t *changes, struct field_error *error)
{
	static const char *const known[] = {
		"name", "threshold", "window_ms", "quiet_ms", "routes", "state", NULL};
	static const char *const known_new[] = {"name", "threshold", "window_ms",
		"quiet_ms", "routes", "state", "when", NULL};
	struct alert changed = *alert;
	int is_new = !alert->created_ms;
	int r = field_known(changes, is_new ? known_new : known, error);

	if (r == 0 && is_new) {
		r = field_word(changes, "when", FIELD_NEED, names, &changed.when, error);
		take_fallbacks(&changed);
	}
	if (r == 0 && kinds[changed.when].reach == ALERT_OF_NOBODY)
		r = field_fail(error, "when", "is not one of the known words, such as %s",
			names[0]);
	if (r == 0 && *changed.tenant && kinds[changed.when].reach == ALERT_OF_OPERATOR)
		r = field_fail(error, "when", "only the operator can watch this");
	if (r == 0)
		r = read_open_fields(changes, &changed, error);
	if (r == 0 && !*changed.name)
		snprintf(changed.name, sizeof(changed.name), "%s", names[changed.when]);
	if (r == 0)
		*alert = changed;
	return r;
}

static int read_all(const json_t *object, struct alert *alert, struct field_error *error)
{
	int r = field_text(object, "id", FIELD_NEED, alert->id, sizeof(alert->id), error);
	if (r == 0)
		r = field_text(object, "tenant", FIELD_MAY, alert->tenant,
			sizeof(alert->tenant), error);
	if (r == 0)
		r = field_word(object, "when", FIELD_NEED, names, &alert->when, error);
	if (r == 0)
		take_fallbacks(alert);
	if (r == 0)
		r = field_time(object, "created_ms", &alert->created_ms, error);
	if (r == 0)
		r = field_time(object, "changed_ms", &alert->changed_ms, error);
	return r ? r : read_open_fields(object, alert, error);
}

int alert_read(const char *body, struct alert *ret, struct field_error *error)
{
	struct alert alert = {0};
	json_t *object;
	int r = field_parse(body, &object, error);

	if (r)
		return r;
	r = read_all(object, &alert, error);
	json_decref(object);
	if (r == 0)
		*ret = alert;
	return r;
}

int alert_write(const struct alert *alert, char **ret)
{
	json_t *routes = json_array();

	for (size_t i = 0; i < alert->route_count; i++)
		json_array_append_new(routes, json_string(alert->routes[i]));
	json_t *object =
		json_pack("{s:s, s:s, s:s, s:s, s:I, s:I, s:I, s:o, s:s, s:I, s:I}", "id",
			alert->id, "name", alert->name, "tenant", alert->tenant, "when",
			names[alert->when], "threshold", (json_int_t)alert->threshold,
			"window_ms", (json_int_t)alert->window_ms, "quiet_ms",
			(json_int_t)alert->quiet_ms, "routes", routes, "state",
			states[alert->state], "created_ms", (json_int_t)alert->created_ms,
			"changed_ms", (json_int_t)alert->changed_ms);
	if (!object)
		return -REASON_NO_MEMORY;
	int r = field_print(object, ret);
	json_decref(object);
	return r;
}

int alert_has_route(const struct alert *alert, const char *route)
{
	for (size_t i = 0; i < alert->route_count; i++)
		if (!strcmp(alert->routes[i], route))
			return 1;
	return 0;
}
