#include "admin/api_tokens.h"

#include <stdlib.h>
#include <string.h>

#include "admin/call.h"
#include "admin/page.h"
#include "base/clock.h"
#include "base/reason.h"
#include "base/secret.h"
#include "rules/tenant.h"

static json_t *show(const struct token *token)
{
	json_t *object = json_pack("{s:s, s:s, s:s, s:s, s:s, s:I, s:I}", "id", token->id,
		"name", token->name, "role", token->role, "tenant", token->tenant, "by",
		token->by, "created_ms", (json_int_t)token->created_ms, "expires_ms",
		(json_int_t)token->expires_ms);
	if (object)
		call_add_times(object);
	return object;
}

static json_t *list_item(struct call *call UNUSED, const struct state_doc *doc)
{
	struct token token;
	return token_read(doc->id, doc->body, &token) ? NULL : show(&token);
}

void api_tokens_list(void *admin UNUSED, struct exchange *exchange)
{
	page_documents(call_of(exchange), STATE_TOKEN, list_item);
}

/* What was asked for, held against what the caller has himself. */
static int fill(struct call *call, struct body *body, struct token *token)
{
	const char *name = body_text(body, "name", sizeof(token->name) - 1, BODY_NEED);
	const char *role = body_text(body, "role", sizeof(token->role) - 1, BODY_NEED);
	const char *tenant =
		body_text(body, "tenant", sizeof(token->tenant) - 1, BODY_MAY);
	const char *expires = body_text(body, "expires", 40, BODY_MAY);
	enum role wanted = ROLE_AUDITOR;

	if (role && role_parse(role, &wanted))
		body_wrong(body, "role", "operator, admin, helpdesk or auditor expected");
	if (expires && clock_parse(expires, &token->expires_ms))
		body_wrong(body, "expires", "a time of RFC 3339 expected");
	if (tenant && *tenant && !tenant_id_good(tenant))
		body_wrong(body, "tenant", "small letters, digits, - and _");
	if (body_check(body, call->exchange))
		return body->status;
	if (!tenant)
		tenant = call->by.tenant;
	if (!role_covers(call->by.roles, ROLE_BIT(wanted), tenant) ||
		!call_may_see(call, tenant))
		return call_fail(call, -REASON_FORBIDDEN, "more than you have yourself");
	if (token->expires_ms && token->expires_ms <= clock_wall_ms())
		return call_fail(call, -REASON_BAD_VALUE, "expires: lies in the past");
	snprintf(token->name, sizeof(token->name), "%s", name);
	snprintf(token->role, sizeof(token->role), "%s", role_name(wanted));
	snprintf(token->tenant, sizeof(token->tenant), "%s", tenant);
	snprintf(token->by, sizeof(token->by), "%.128s", call->by.name);
	token->created_ms = clock_wall_ms();
	return 0;
}

static int record(struct call *call, const struct token *token)
{
	json_t *fields =
		json_pack("{s:s, s:[s]}", "token", token->id, "scopes", token->role);

	if (token->expires_ms)
		json_object_set_new(fields, "expires_ms",
			json_integer(token->expires_ms));
	return call_audit(call, AUDIT_TOKEN_CREATED, token->tenant, "", fields);
}

static int store_new(struct call *call, const struct token *token)
{
	struct state_doc doc = {
		.kind = STATE_TOKEN, .id = token->id, .tenant = token->tenant};
	uint64_t version;
	char *body;
	int status = token_write(token, &body);

	if (status)
		return call_fail(call, status, NULL);
	doc.body = body;
	status = store_wait_put(call_store(call)->state, &doc, &version);
	free(body);
	return status ? call_undone(call, AUDIT_TOKEN_CREATED, token->tenant, "", status)
		      : 0;
}

void api_tokens_create(void *admin UNUSED, struct exchange *exchange)
{
	struct call *call = call_of(exchange);
	char text[TOKEN_TEXT_SIZE];
	struct token token = {0};
	struct body body;

	if (body_parse(&body, exchange))
		return;
	if (!fill(call, &body, &token)) {
		int status = token_generate(&token, text);
		if (status)
			call_fail(call, status, NULL);
		else if (!record(call, &token) && !store_new(call, &token)) {
			json_t *object = show(&token);
			json_object_set_new(object, "token", json_string(text));
			exchange_json(exchange, 201, object);
		}
		secret_wipe(text, sizeof(text));
	}
	body_done(&body);
}

void api_tokens_revoke(void *admin UNUSED, struct exchange *exchange)
{
	struct call *call = call_of(exchange);
	const char *id = exchange_param(exchange, "id");
	struct store_docs docs = {0};

	if (call_get(call, STATE_TOKEN, id, &docs))
		return;
	const char *tenant = docs.docs[0].tenant;
	int status = call_audit(call, AUDIT_TOKEN_REVOKED, tenant, "",
		json_pack("{s:s}", "token", id));
	if (!status) {
		status = store_wait_remove(call_store(call)->state, STATE_TOKEN, id, 0);
		if (status)
			call_undone(call, AUDIT_TOKEN_REVOKED, tenant, "", status);
		else
			exchange_empty(exchange);
	}
	store_docs_free(&docs);
}
