#include "admin/api_security.h"

#include <stdlib.h>
#include <string.h>

#include "admin/call.h"
#include "base/reason.h"
#include "rules/account_security.h"
#include "rules/tenant.h"

/* The rules of one tenant and the document they are in, if there is one yet. */
struct security_desk {
	const char *tenant;
	char id[ACCOUNT_SECURITY_ID];
	struct store_docs docs;
	struct account_security security;
};

static int load(struct call *call, struct security_desk *ret)
{
	const char *tenant = call_tenant(call);
	struct field_error error;

	*ret = (struct security_desk){.tenant = tenant ? tenant : ""};
	if (*ret->tenant && !tenant_id_good(ret->tenant))
		return call_fail(call, -REASON_NOT_FOUND, "tenant");
	account_security_id(ret->tenant, ret->id);
	account_security_default(&ret->security);
	int status =
		store_wait_get(call_store(call)->state, STATE_META, ret->id, &ret->docs);
	if (status == -REASON_NOT_FOUND)
		return 0;
	if (!status &&
		account_security_read(ret->docs.docs[0].body, &ret->security, &error)) {
		store_docs_free(&ret->docs);
		status = -REASON_STATE_DAMAGED;
	}
	return status ? call_fail(call, status, NULL) : 0;
}

static void answer(struct call *call, const struct security_desk *desk)
{
	json_t *object = account_security_json(&desk->security);

	if (object)
		json_object_set_new(object, "tenant", json_string(desk->tenant));
	exchange_json(call->exchange, 200, object);
}

void api_security_show(void *admin UNUSED, struct exchange *exchange)
{
	struct call *call = call_of(exchange);
	struct security_desk desk;

	if (load(call, &desk))
		return;
	answer(call, &desk);
	store_docs_free(&desk.docs);
}

/* Nobody shuts himself out: there would be no way back in. */
static int check_place(struct call *call, const struct security_desk *desk)
{
	if (strcmp(call->by.tenant, desk->tenant) ||
		account_security_permits(&desk->security, call->exchange->address))
		return 0;
	return call_wrong(call, "addresses", "the one you come from is not among them");
}

static int put(struct call *call, struct security_desk *desk, const json_t *changes)
{
	struct state_doc doc = {.kind = STATE_META,
		.id = desk->id,
		.tenant = desk->tenant,
		.version = desk->docs.count ? desk->docs.docs[0].version : 0};
	json_t *object = account_security_json(&desk->security);
	char *body = object ? json_dumps(object, JSON_COMPACT) : NULL;
	uint64_t version;

	json_decref(object);
	int status = call_audit(call, AUDIT_SECURITY_CHANGED, desk->tenant, "",
		json_pack("{s:O}", "changes", changes));
	if (!status) {
		doc.body = body;
		status = body ? store_wait_put(call_store(call)->state, &doc, &version)
			      : -REASON_NO_MEMORY;
		if (status)
			call_undone(call, AUDIT_SECURITY_CHANGED, desk->tenant, "",
				status);
	}
	free(body);
	return status;
}

void api_security_change(void *admin UNUSED, struct exchange *exchange)
{
	struct call *call = call_of(exchange);
	struct security_desk desk;
	struct field_error error;
	struct body body;

	if (load(call, &desk))
		return;
	if (!body_parse(&body, exchange)) {
		int status = account_security_change(&desk.security, body.object, &error);
		if (status)
			call_fail_field(call, status, &error);
		else if (!check_place(call, &desk) && !put(call, &desk, body.object))
			answer(call, &desk);
		body_done(&body);
	}
	store_docs_free(&desk.docs);
}
