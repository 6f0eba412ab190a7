#include "admin/checkup.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "admin/page.h"
#include "base/clock.h"
#include "base/reason.h"

#define DAY_MS INT64_C(86400000)

/* In the order of checksheet_at(). */
static const checkup_probe probes[] = {
#define Q(sheet, row, kind, probe, command, question, question_ja, answer, answer_ja)    \
	checkup_##probe,
#include "rules/checksheet.def"
#undef Q
};

const char *checkup_setting(const struct checkup *checkup, const char *name)
{
	return json_string_value(json_object_get(json_object_get(checkup->settings, name),
		"value"));
}

/* "400d", "24h": as gateway_config writes it, whole units. */
static int64_t setting_ms(const char *text)
{
	static const struct {
		const char *unit;
		int64_t ms;
	} units[] = {{"ms", 1}, {"s", 1000}, {"m", 60000}, {"h", 3600000}, {"d", DAY_MS}};
	char *end;
	int64_t number = text ? strtoll(text, &end, 10) : 0;

	for (size_t i = 0; text && i < ARRAY_LEN(units); i++)
		if (!strcmp(end, units[i].unit))
			return number * units[i].ms;
	return 0;
}

int64_t checkup_setting_ms(const struct checkup *checkup, const char *name)
{
	return setting_ms(checkup_setting(checkup, name));
}

int64_t checkup_setting_days(const struct checkup *checkup, const char *name)
{
	return setting_ms(checkup_setting(checkup, name)) / DAY_MS;
}

int64_t checkup_setting_number(const struct checkup *checkup, const char *name)
{
	const char *text = checkup_setting(checkup, name);
	return text ? strtoll(text, NULL, 10) : 0;
}

struct visit {
	checkup_each each;
	void *ctx;
};

static int visit_one(struct call *call UNUSED, const struct state_doc *doc, void *ctx)
{
	struct visit *visit = ctx;
	json_t *body = json_loads(doc->body, 0, NULL);

	visit->each(doc, body, visit->ctx);
	json_decref(body);
	return 0;
}

int checkup_documents(struct checkup *checkup, enum state_kind kind, checkup_each each,
	void *ctx)
{
	struct visit visit = {each, ctx};

	return page_each(checkup->call, kind, *checkup->tenant ? checkup->tenant : NULL,
		visit_one, &visit);
}

int checkup_security(struct checkup *checkup, struct account_security *ret)
{
	char id[ACCOUNT_SECURITY_ID];
	struct store_docs docs = {0};
	struct field_error error;

	account_security_id(checkup->tenant, id);
	account_security_default(ret);
	int status =
		store_wait_get(call_store(checkup->call)->state, STATE_META, id, &docs);
	if (!status && account_security_read(docs.docs[0].body, ret, &error))
		status = -REASON_STATE_DAMAGED;
	store_docs_free(&docs);
	return status == -REASON_NOT_FOUND ? 0 : status;
}

static int narrow(struct checkup *checkup, const char *id, struct policy *into)
{
	struct store_docs docs = {0};
	struct field_error error;
	struct policy level;
	int top = !strcmp(id, POLICY_ID_DEFAULT);
	int status =
		store_wait_get(call_store(checkup->call)->state, STATE_POLICY, id, &docs);

	if (!status)
		status = top ? policy_parse_top(docs.docs[0].body, into, &error)
			     : policy_parse(docs.docs[0].body, &level, &error);
	if (!status && !top)
		status = policy_narrow(into, &level);
	store_docs_free(&docs);
	return status == -REASON_NOT_FOUND ? 0 : status;
}

int checkup_policy(struct checkup *checkup, struct policy *ret)
{
	char id[POLICY_ID_SIZE];

	policy_default(ret);
	int status = narrow(checkup, POLICY_ID_DEFAULT, ret);
	if (!status && *checkup->tenant) {
		status = policy_id_tenant(id, checkup->tenant);
		if (!status)
			status = narrow(checkup, id, ret);
	}
	return status;
}

void checkup_number(json_t *values, const char *name, int64_t number)
{
	json_object_set_new(values, name, json_integer(number));
}

void checkup_text(json_t *values, const char *name, const char *text)
{
	json_object_set_new(values, name, text ? json_string(text) : json_null());
}

void checkup_flag(json_t *values, const char *name, int flag)
{
	json_object_set_new(values, name, json_boolean(flag));
}

void checkup_time(json_t *values, const char *name, int64_t ms)
{
	char text[CLOCK_TEXT];

	clock_text(ms, text);
	checkup_text(values, name, ms ? text : NULL);
}

/* The settings come as limits do: what is configured, printed as in the file. */
static json_t *settings_of(struct call *call)
{
	const struct admin_parts *parts = &call->admin->parts;
	json_t *list = json_array(), *settings = json_object(), *item;
	size_t i;

	parts->limits(parts->ctx, list);
	json_array_foreach(list, i, item)
	{
		const char *name = json_string_value(json_object_get(item, "name"));
		if (name)
			json_object_set(settings, name, item);
	}
	json_decref(list);
	return settings;
}

static json_t *verdict_json(enum checkup_verdict verdict)
{
	return verdict == CHECKUP_UNKNOWN ? json_null() : json_boolean(verdict);
}

/* A probe that the store does not answer is an error of the whole report: half of one would pass for
 * whole. */
static int run_row(struct checkup *checkup, size_t index, enum reason_lang lang,
	json_t *into)
{
	const struct checksheet_row *row = checksheet_at(index);
	enum checkup_verdict verdict = CHECKUP_UNKNOWN;
	json_t *values = json_object();
	char command[96];

	checkup->row = row;
	checkup->instead = NULL;
	int status = probes[index](checkup, values, &verdict);
	char *answer = status             ? NULL
		       : checkup->instead ? strdup(checkup->instead[lang])
					  : checksheet_answer(row, values, lang);
	if (status || !answer) {
		json_decref(values);
		return status ? status : -REASON_NO_MEMORY;
	}
	snprintf(command, sizeof(command), "engawactl %s", row->command);
	json_array_append_new(into,
		json_pack("{s:s, s:s, s:s, s:s, s:s, s:o, s:s, s:o}", "sheet", row->sheet,
			"row", row->row, "kind", checksheet_kind_name(row->kind),
			"question", row->question[lang], "answer", answer, "value",
			values, "command", command, "good", verdict_json(verdict)));
	free(answer);
	return 0;
}

int checkup_run(struct call *call, const char *tenant, enum checkup_depth depth,
	enum reason_lang lang, json_t **ret)
{
	struct checkup checkup = {.call = call, .tenant = tenant, .depth = depth};
	json_t *rows = json_array();
	int status = 0;

	checkup.settings = settings_of(call);
	for (size_t i = 0; !status && checksheet_at(i); i++)
		status = run_row(&checkup, i, lang, rows);
	json_decref(checkup.settings);
	if (status)
		json_decref(rows);
	else
		*ret = rows;
	return status;
}
