#include "admin/call.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/reason.h"
#include "base/text.h"
#include "http/problem.h"
#include "rules/tenant.h"

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

int call_wrong(struct call *call, const char *field, const char *message)
{
	char detail[240];

	snprintf(detail, sizeof(detail), "%.60s%s%.160s", field, *field ? ": " : "",
		message);
	call->exchange->field = field;
	call_fail(call, -REASON_BAD_VALUE, detail);
	call->exchange->field = NULL;
	return -REASON_BAD_VALUE;
}

int call_operators_only(struct call *call)
{
	return *call->by.tenant ? call_fail(call, -REASON_FORBIDDEN,
					  "only for operators of the service")
				: 0;
}

static int tenant_exists(struct call *call, const char *tenant)
{
	struct store_docs docs = {0};
	int status = store_wait_get(call_store(call)->state, STATE_TENANT, tenant, &docs);

	if (!status)
		store_docs_free(&docs);
	if (status == -REASON_NOT_FOUND)
		return call_wrong(call, "tenant", "there is no such company");
	return status ? call_fail(call, status, NULL) : 0;
}

int call_tenant_of_new(struct call *call, const char *given,
	char ret[static STATE_TENANT_MAX + 1])
{
	const char *tenant = given ? given : call->by.tenant;
	int status = 0;

	if (*tenant && !tenant_id_good(tenant))
		return call_wrong(call, "tenant", "small letters, digits, - and _");
	if (!call_may_see(call, tenant))
		return call_fail(call, -REASON_FORBIDDEN, "tenant: not yours");
	if (*tenant)
		status = tenant_exists(call, tenant);
	if (!status)
		snprintf(ret, STATE_TENANT_MAX + 1, "%s", tenant);
	return status;
}

/* An act on what somebody else's company has must not fall on the caller's own of that name. */
static int acts_elsewhere(const struct call *call)
{
	const char *asked = request_query(call->exchange->request, "tenant");

	return call->exchange->request->method != REQUEST_GET && asked && *asked &&
	       !call_may_see(call, asked);
}

int call_tenant_named(struct call *call, const char **ret)
{
	const char *tenant = call_tenant(call);

	if ((tenant && *tenant && !tenant_id_good(tenant)) || acts_elsewhere(call))
		return call_fail(call, -REASON_NOT_FOUND, NULL);
	*ret = tenant ? tenant : "";
	return 0;
}

int call_fail_for(struct call *call, int reason, int64_t wait_ms)
{
	char seconds[24];

	snprintf(seconds, sizeof(seconds), "%lld", (long long)((wait_ms + 999) / 1000));
	exchange_header(call->exchange, "Retry-After", seconds);
	return exchange_problem(call->exchange, reason, NULL);
}

int call_fail_field(struct call *call, int reason, const struct field_error *error)
{
	char detail[240];

	snprintf(detail, sizeof(detail), "%s%s%s", error->field,
		*error->field ? ": " : "", error->message);
	call->exchange->field = error->field;
	call_fail(call, reason, detail);
	call->exchange->field = NULL;
	return reason;
}

int call_may(const struct call *call, enum role_permission permission)
{
	return role_may_in(call->by.roles, call->by.tenant, permission);
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

int call_record(struct call *call, enum audit_event event, const char *tenant,
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
	int status = call_record(call, event, tenant, license, fields);

	call->recorded = 1;
	text_clip(call->recorded_tenant, sizeof(call->recorded_tenant), tenant);
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
	int status = call_record(call, AUDIT_ACT_UNDONE, tenant, license, fields);

	if (status)
		log_line(LOG_ERROR, "an act that failed could not be recorded as such",
			LOG_S("event", audit_at(event)->name),
			LOG_S("reason", reason_symbol(status)));
	return call_fail(call, reason, NULL);
}

int call_put(struct call *call, enum audit_event event, const struct state_doc *doc)
{
	int status = store_wait_put(call_store(call)->state, doc, NULL);
	return status ? call_undone(call, event, doc->tenant, "", status) : 0;
}

int call_remove(struct call *call, enum audit_event event, enum state_kind kind,
	const char *id, const char *tenant)
{
	int status = store_wait_remove(call_store(call)->state, kind, id, 0);

	if (status && status != -REASON_NOT_FOUND)
		return call_undone(call, event, tenant, "", status);
	return 0;
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

void call_changed(struct call *call, const char *type, const char *id, const char *tenant,
	const char *act)
{
	call->told = 1;
	json_t *news = json_pack("{s:s, s:s, s:s, s:s}", "type", type, "id", id, "tenant",
		tenant, "act", act);
	char *text = news ? json_dumps(news, JSON_COMPACT) : NULL;

	json_decref(news);
	/* Whoever changed it must find it changed, without waiting for his own news. */
	if (!strcmp(type, "license"))
		license_index_touch(call->admin->licenses, id);
	if (!text || bus_publish(call_store(call)->bus, "news", text))
		log_line(LOG_DEBUG, "news lost", LOG_S("type", type), LOG_S("id", id));
	free(text);
}

void call_add_times(json_t *object)
{
	static const char *const names[] = {"created", "changed", "expires", "started",
		"ended", "purge_after", "purged", "began", "destroyed", "seen", "first",
		"last_seen", "enrolled", "bound", "last", "until", "locked_until", "from",
		"to", "signed_in", "password_changed", "step_up_until", "idle_end", "end",
		"at", "made", "over", "show_from", "test", "written"};
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
