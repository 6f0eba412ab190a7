#include "admin/journal_filter.h"

#include <stdlib.h>
#include <string.h>

#include "base/reason.h"
#include "rules/audit.h"
#include "rules/field.h"

#define WORD_MOST 256

static int parse_word(struct call *call, const char *name, const char **ret)
{
	const char *text = request_query(call->exchange->request, name);

	if (text && (strlen(text) > WORD_MOST || !field_is_plain(text)))
		return call_wrong(call, name, "at most 256 bytes of plain text");
	*ret = text && *text ? text : NULL;
	return 0;
}

static int is_event(const char *name)
{
	for (size_t i = 0; audit_at(i); i++)
		if (!strcmp(audit_at(i)->name, name))
			return 1;
	return 0;
}

/* A mistyped word would find nothing, and "nothing" is what an auditor would write down. */
static int check_words(struct call *call, const struct journal_filter *filter)
{
	if (filter->event && !is_event(filter->event))
		return call_wrong(call, "event", "there is no such event");
	if (filter->reason && reason_parse(filter->reason) == REASON_NONE)
		return call_wrong(call, "reason", "there is no such reason");
	return 0;
}

int journal_filter_parse(struct call *call, struct journal_filter *ret)
{
	int status = parse_word(call, "by", &ret->by);

	if (!status)
		status = parse_word(call, "event", &ret->event);
	if (!status)
		status = parse_word(call, "reason", &ret->reason);
	if (!status)
		status = parse_word(call, "q", &ret->q);
	return status ? status : check_words(call, ret);
}

int journal_filter_any(const struct journal_filter *filter)
{
	return filter->by || filter->event || filter->reason || filter->q;
}

static int is_same(const json_t *row, const char *name, const char *wanted)
{
	const char *value = json_string_value(json_object_get(row, name));

	return !wanted || (value && !strcmp(value, wanted));
}

static int contains(const json_t *row, const char *wanted)
{
	char *text = json_dumps(row, JSON_COMPACT);
	int found = text && strcasestr(text, wanted);

	free(text);
	return found;
}

int journal_filter_takes(const struct journal_filter *filter, const json_t *row)
{
	return is_same(row, "by", filter->by) && is_same(row, "event", filter->event) &&
	       is_same(row, "reason", filter->reason) &&
	       (!filter->q || contains(row, filter->q));
}

json_t *journal_filter_json(const struct journal_filter *filter,
	const struct journal_query *query)
{
	json_t *object = json_pack("{s:s*, s:s*, s:s*, s:s*, s:s*, s:s*}", "tenant",
		query->tenant, "license", query->license, "by", filter->by, "event",
		filter->event, "reason", filter->reason, "q", filter->q);

	if (query->from_ms)
		json_object_set_new(object, "from_ms", json_integer(query->from_ms));
	if (query->to_ms)
		json_object_set_new(object, "to_ms", json_integer(query->to_ms));
	return object;
}
