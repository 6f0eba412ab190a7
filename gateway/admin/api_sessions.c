#include "admin/api_sessions.h"

#include <string.h>

#include "admin/call.h"
#include "admin/page.h"
#include "base/clock.h"
#include "base/license_key.h"
#include "base/reason.h"
#include "base/text.h"

#define SESSIONS_PAGE 500

static const char *license_of(const json_t *body)
{
	const char *license = json_string_value(json_object_get(body, "license"));
	return license ? license : "";
}

/* Nobody is in it, or nobody can take it up any more: what is left waits for its row or for its node. */
static int is_over(const json_t *body)
{
	const char *state = json_string_value(json_object_get(body, "state"));
	const char *until = json_string_value(json_object_get(body, "until"));
	int64_t until_ms;

	if (!state || !strcmp(state, "closing") || !strcmp(state, "owed"))
		return 1;
	return !strcmp(state, "away") && until && !clock_parse(until, &until_ms) &&
	       until_ms < clock_wall_ms();
}

static json_t *list_item(struct call *call, const struct state_doc *doc)
{
	const char *license = request_query(call->exchange->request, "license");
	json_t *object = call_body(doc);

	if ((license && strcmp(license, license_of(object))) || is_over(object)) {
		json_decref(object);
		return NULL;
	}
	json_object_set_new(object, "id", json_string(doc->id));
	json_object_set_new(object, "tenant", json_string(doc->tenant));
	call_add_times(object);
	return object;
}

void api_sessions_list(void *admin UNUSED, struct exchange *exchange)
{
	page_documents(call_of(exchange), STATE_SESSION, list_item);
}

static int kill_session(struct call *call, const struct state_doc *doc)
{
	json_t *body = call_body(doc);
	const char *license = license_of(body);
	int status = call_audit(call, AUDIT_SESSION_ENDED, doc->tenant, license,
		json_pack("{s:s, s:s, s:s}", "session", doc->id, "license", license,
			"reason", "ADMIN_DISCONNECT"));

	if (!status)
		status = call_order(call,
			json_pack("{s:s, s:s, s:s}", "order", "disconnect", "session",
				doc->id, "reason", "ADMIN_DISCONNECT"));
	json_decref(body);
	return status;
}

static int is_live(const struct state_doc *doc, const char *license)
{
	json_t *body = call_body(doc);
	const char *state = json_string_value(json_object_get(body, "state"));
	int live = !strcmp(license_of(body), license) && state && !strcmp(state, "live");
	json_decref(body);
	return live;
}

/* 1 or 0; -REASON_*: answered. There are as many documents as live sessions, so all are looked at. */
static int has_session(struct call *call, const struct state_doc *license)
{
	char after[STATE_ID_MAX + 1] = "";
	int found = 0;
	size_t count;

	do {
		struct store_docs docs = {0};
		int status = store_wait_list(call_store(call)->state, STATE_SESSION,
			license->tenant, *after ? after : NULL, SESSIONS_PAGE, &docs);
		if (status)
			return call_fail(call, status, NULL);
		count = docs.count;
		for (size_t i = 0; i < count && !found; i++)
			found = is_live(&docs.docs[i], license->id);
		if (count)
			text_clip(after, sizeof(after), docs.docs[count - 1].id);
		store_docs_free(&docs);
	} while (!found && count == SESSIONS_PAGE);
	return found;
}

/* Whatever session the license has at the moment; the node that holds it knows. */
static int kill_license(struct call *call, const struct state_doc *doc)
{
	int live = has_session(call, doc);

	if (live < 0)
		return live;
	if (!live)
		return call_fail(call, -REASON_NOT_FOUND,
			"this license has no session at the moment");
	int status = call_audit(call, AUDIT_SESSION_ENDED, doc->tenant, doc->id,
		json_pack("{s:s, s:s, s:s}", "session", "", "license", doc->id, "reason",
			"ADMIN_DISCONNECT"));

	if (!status)
		status = call_order(call,
			json_pack("{s:s, s:s, s:s}", "order", "disconnect", "license",
				doc->id, "reason", "ADMIN_DISCONNECT"));
	return status;
}

void api_sessions_kill(void *admin UNUSED, struct exchange *exchange)
{
	struct call *call = call_of(exchange);
	const char *id = exchange_param(exchange, "id");
	char public_id[LICENSE_KEY_PUBLIC_SIZE], license[LICENSE_KEY_ID_SIZE];
	struct store_docs docs = {0};
	int status;

	if (!strncmp(id, "lic_", 4) && !license_key_id_parse(id, public_id)) {
		license_key_id(public_id, license);
		if (call_get(call, STATE_LICENSE, license, &docs))
			return;
		status = kill_license(call, &docs.docs[0]);
	} else {
		if (call_get(call, STATE_SESSION, id, &docs))
			return;
		status = kill_session(call, &docs.docs[0]);
	}
	store_docs_free(&docs);
	if (!status)
		exchange_json(exchange, 202, json_pack("{s:s}", "ordered", "disconnect"));
}
