#include "rules/notice.h"

#include <string.h>

#include "base/reason.h"

static const char *const kinds[] = {"planned_stop", "end_of_service", "news", NULL};
static const char *const places[] = {"console", "viewer", "agent"};

static int read_text(const json_t *object, struct notice *notice,
	struct field_error *error)
{
	static const char *const known[] = {"en", "ja", NULL};
	const json_t *text = json_object_get(object, "text");

	if (!text)
		return 0;
	if (!json_is_object(text))
		return field_fail(error, "text", "an object with en and ja is expected");
	int r = field_known(text, known, error);
	if (r == 0)
		r = field_text(text, "en", FIELD_MAY, notice->en, sizeof(notice->en),
			error);
	if (r == 0)
		r = field_text(text, "ja", FIELD_MAY, notice->ja, sizeof(notice->ja),
			error);
	return r;
}

static unsigned place_of(const char *name)
{
	for (unsigned i = 0; name && i < ARRAY_LEN(places); i++)
		if (!strcmp(places[i], name))
			return 1u << i;
	return 0;
}

static int read_places(const json_t *object, struct notice *notice,
	struct field_error *error)
{
	const json_t *list = json_object_get(object, "places");
	unsigned bits = 0;
	size_t i;
	json_t *value;

	if (!list)
		return 0;
	json_array_foreach((json_t *)list, i, value)
	{
		unsigned bit = place_of(json_string_value(value));
		if (!bit)
			return field_fail(error, "places",
				"console, viewer and agent are expected");
		bits |= bit;
	}
	if (!bits)
		return field_fail(error, "places", "at least one place is expected");
	notice->places = bits;
	return 0;
}

static int read_open_fields(const json_t *object, struct notice *notice,
	struct field_error *error)
{
	int r = field_word(object, "kind", FIELD_MAY, kinds, &notice->kind, error);
	if (r == 0)
		r = read_text(object, notice, error);
	if (r == 0)
		r = field_time(object, "from_ms", &notice->from_ms, error);
	if (r == 0)
		r = field_time(object, "to_ms", &notice->to_ms, error);
	if (r == 0)
		r = field_time(object, "show_from_ms", &notice->show_from_ms, error);
	return r ? r : read_places(object, notice, error);
}

static int check(const struct notice *notice, struct field_error *error)
{
	if (!*notice->en && !*notice->ja)
		return field_fail(error, "text", "en or ja must not be empty");
	if (notice->to_ms && notice->to_ms <= notice->from_ms)
		return field_fail(error, "to_ms", "lies before from_ms");
	if (notice->kind == NOTICE_PLANNED_STOP && (!notice->from_ms || !notice->to_ms))
		return field_fail(error, notice->from_ms ? "to_ms" : "from_ms",
			"a planned stop has a beginning and an end");
	if (notice->kind == NOTICE_END_OF_SERVICE && !notice->from_ms)
		return field_fail(error, "from_ms", "the end of the service has a time");
	return 0;
}

int notice_change(struct notice *notice, const json_t *changes, struct field_error *error)
{
	static const char *const known[] = {
		"kind", "text", "from_ms", "to_ms", "show_from_ms", "places", NULL};
	struct notice changed = *notice;
	int r = field_known(changes, known, error);

	if (r == 0)
		r = read_open_fields(changes, &changed, error);
	if (r == 0)
		r = check(&changed, error);
	if (r == 0)
		*notice = changed;
	return r;
}

static int read_all(const json_t *object, struct notice *notice,
	struct field_error *error)
{
	int r = field_text(object, "id", FIELD_NEED, notice->id, sizeof(notice->id),
		error);
	if (r == 0)
		r = field_text(object, "tenant", FIELD_MAY, notice->tenant,
			sizeof(notice->tenant), error);
	if (r == 0)
		r = field_time(object, "created_ms", &notice->created_ms, error);
	if (r == 0)
		r = field_time(object, "changed_ms", &notice->changed_ms, error);
	if (r == 0)
		r = read_open_fields(object, notice, error);
	return r ? r : check(notice, error);
}

int notice_read(const char *body, struct notice *ret, struct field_error *error)
{
	struct notice notice = {.places = NOTICE_CONSOLE | NOTICE_VIEWER | NOTICE_AGENT};
	json_t *object;
	int r = field_parse(body, &object, error);

	if (r)
		return r;
	r = read_all(object, &notice, error);
	json_decref(object);
	if (r == 0)
		*ret = notice;
	return r;
}

static json_t *places_list(const struct notice *notice)
{
	json_t *list = json_array();

	for (unsigned i = 0; i < ARRAY_LEN(places); i++)
		if (notice->places & (1u << i))
			json_array_append_new(list, json_string(places[i]));
	return list;
}

int notice_write(const struct notice *notice, char **ret)
{
	json_t *object =
		json_pack("{s:s, s:s, s:s, s:{s:s, s:s}, s:I, s:I, s:I, s:o, s:I, s:I}",
			"id", notice->id, "tenant", notice->tenant, "kind",
			kinds[notice->kind], "text", "en", notice->en, "ja", notice->ja,
			"from_ms", (json_int_t)notice->from_ms, "to_ms",
			(json_int_t)notice->to_ms, "show_from_ms",
			(json_int_t)notice->show_from_ms, "places", places_list(notice),
			"created_ms", (json_int_t)notice->created_ms, "changed_ms",
			(json_int_t)notice->changed_ms);

	if (!object)
		return -REASON_NO_MEMORY;
	int r = field_print(object, ret);
	json_decref(object);
	return r;
}

static int64_t shown_from(const struct notice *notice)
{
	return notice->show_from_ms ? notice->show_from_ms : notice->created_ms;
}

static int64_t shown_to(const struct notice *notice)
{
	if (notice->to_ms || notice->kind == NOTICE_END_OF_SERVICE)
		return notice->to_ms;
	int64_t begin = shown_from(notice);
	return (notice->from_ms > begin ? notice->from_ms : begin) + NOTICE_NEWS_MS;
}

int notice_concerns(const struct notice *notice, const char *tenant, unsigned place,
	int64_t now_ms)
{
	if (!(notice->places & place))
		return 0;
	if (*notice->tenant && *tenant && strcmp(notice->tenant, tenant))
		return 0;
	int64_t end = shown_to(notice);
	return now_ms >= shown_from(notice) && (!end || now_ms < end);
}

json_t *notice_item(const struct notice *notice)
{
	return json_pack("{s:s, s:s, s:I, s:I, s:{s:s, s:s}}", "id", notice->id, "kind",
		kinds[notice->kind], "from_ms", (json_int_t)notice->from_ms, "to_ms",
		(json_int_t)notice->to_ms, "text", "en",
		*notice->en ? notice->en : notice->ja, "ja",
		*notice->ja ? notice->ja : notice->en);
}

int64_t notice_lead_ms(const struct notice *notice)
{
	int64_t lead = notice->from_ms - shown_from(notice);

	return lead > 0 ? lead : 0;
}

int notice_is_short(const struct notice *notice)
{
	return notice->kind == NOTICE_PLANNED_STOP &&
	       notice_lead_ms(notice) < NOTICE_LEAD_MS;
}
