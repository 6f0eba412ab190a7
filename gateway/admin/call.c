#include "admin/call.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/reason.h"
#include "http/problem.h"

struct call *call_of(struct exchange *exchange)
{
	return exchange->who;
}

int call_fail(struct call *call, int reason, const char *detail)
{
	int status = problem_status(reason);

	if (status == 503 || status == 429)
		exchange_header(call->exchange, "Retry-After", "5");
	return exchange_problem(call->exchange, reason, detail);
}

const char *call_tenant(const struct call *call)
{
	return *call->by.tenant ? call->by.tenant
				: request_query(call->exchange->request, "tenant");
}

int call_may_see(const struct call *call, const char *tenant)
{
	return !*call->by.tenant || !strcmp(call->by.tenant, tenant);
}

int call_get(struct call *call, enum state_kind kind, const char *id,
	struct store_docs *ret)
{
	struct store_docs docs = {0};
	int status = -REASON_NOT_FOUND;

	/* An id that cannot be one is not even looked up. */
	if (*id && strlen(id) <= STATE_ID_MAX)
		status = store_wait_get(call_store(call)->state, kind, id, &docs);
	if (!status && (!docs.count || !call_may_see(call, docs.docs[0].tenant))) {
		store_docs_free(&docs);
		status = -REASON_NOT_FOUND;
	}
	if (status)
		return call_fail(call, status, NULL);
	*ret = docs;
	return 0;
}

static int append(struct call *call, enum audit_event event, const char *tenant,
	const char *license, json_t *fields)
{
	char *text = NULL;
	int status =
		audit_body(event, call->by.name, call->exchange->address, fields, &text);

	if (status)
		return status;
	struct journal_row row = {.kind = JOURNAL_AUDIT,
		.tenant = tenant,
		.license = license,
		.at_ms = clock_wall_ms(),
		.body = text};
	status = store_wait_append(call_store(call)->journal, &row, 1);
	free(text);
	return status;
}

int call_audit(struct call *call, enum audit_event event, const char *tenant,
	const char *license, json_t *fields)
{
	int status = append(call, event, tenant, license, fields);

	if (!status)
		return 0;
	log_line(LOG_ERROR, "act refused: it cannot be recorded",
		LOG_S("event", audit_at(event)->name),
		LOG_S("reason", reason_symbol(status)));
	return call_fail(call,
		status == -REASON_STORE_UNAVAILABLE ? -REASON_RECORDING_FAILED : status,
		NULL);
}

int call_undone(struct call *call, enum audit_event event, const char *tenant,
	const char *license, int reason)
{
	json_t *fields = json_pack("{s:s, s:s, s:s*}", "of", audit_at(event)->name,
		"reason", reason_symbol(reason), "license", *license ? license : NULL);
	int status = append(call, AUDIT_ACT_UNDONE, tenant, license, fields);

	if (status)
		log_line(LOG_ERROR, "an act that failed could not be recorded as such",
			LOG_S("event", audit_at(event)->name),
			LOG_S("reason", reason_symbol(status)));
	return call_fail(call, reason, NULL);
}

int call_order(struct call *call, json_t *order)
{
	int status = -REASON_NO_MEMORY;
	char *text = NULL;

	if (order && !json_object_set_new(order, "by", json_string(call->by.name)))
		text = json_dumps(order, JSON_COMPACT);
	if (text)
		status = bus_publish(call_store(call)->bus, "orders", text);
	free(text);
	json_decref(order);
	return status ? call_fail(call, status, "the order did not reach the nodes") : 0;
}

void call_add_times(json_t *object)
{
	static const char *const names[] = {"created", "changed", "expires", "started",
		"ended", "seen", "enrolled", "bound", "last", "until", "locked_until",
		"from", "to"};
	char member[32], text[CLOCK_TEXT];

	for (size_t i = 0; i < ARRAY_LEN(names); i++) {
		snprintf(member, sizeof(member), "%s_ms", names[i]);
		json_t *ms = json_object_get(object, member);
		if (!json_is_integer(ms))
			continue;
		clock_text(json_integer_value(ms), text);
		json_object_set_new(object, names[i],
			json_integer_value(ms) ? json_string(text) : json_null());
	}
}

json_t *call_body(const struct state_doc *doc)
{
	json_t *object = json_loads(doc->body, 0, NULL);

	if (json_is_object(object))
		return object;
	json_decref(object);
	return json_object();
}
