#include "admin/permit.h"

#include <string.h>
#include <strings.h>

#include "admin/call.h"
#include "admin/repeat.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/reason.h"
#include "base/secret.h"

static int refuse(struct call *call, const char *detail)
{
	exchange_header(call->exchange, "WWW-Authenticate", "Bearer realm=\"engawa\"");
	return call_fail(call, -REASON_UNAUTHENTICATED, detail);
}

static const char *bearer(const struct call *call)
{
	const char *header = request_header(call->exchange->request, "Authorization");

	if (!header || strncasecmp(header, "Bearer ", 7))
		return NULL;
	return header + 7 + strspn(header + 7, " ");
}

static int load(struct call *call, const char *id, struct token *ret)
{
	struct store_docs docs = {0};
	int status = store_wait_get(call_store(call)->state, STATE_TOKEN, id, &docs);

	if (status)
		return status;
	status = docs.count ? token_read(id, docs.docs[0].body, ret) : -REASON_NOT_FOUND;
	store_docs_free(&docs);
	return status;
}

static void become(struct call *call, const struct token *token)
{
	snprintf(call->by.id, sizeof(call->by.id), "%s", token->id);
	snprintf(call->by.name, sizeof(call->by.name), "token:%s", token->name);
	snprintf(call->by.tenant, sizeof(call->by.tenant), "%s", token->tenant);
}

/* A wrong token, an unknown one and an expired one look the same from outside. */
static int authenticate(struct call *call)
{
	const char *text = bearer(call);
	uint8_t secret[TOKEN_SECRET];
	char id[TOKEN_ID_SIZE];
	struct token token;

	if (!text)
		return refuse(call, NULL);
	if (token_parse(text, id, secret))
		return refuse(call, NULL);
	int status = load(call, id, &token);
	if (!status)
		status = token_check(&token, secret, clock_wall_ms());
	secret_wipe(secret, sizeof(secret));
	if (!status && role_parse(token.role, &call->by.role))
		status = -REASON_STATE_DAMAGED;
	if (status == -REASON_STORE_UNAVAILABLE)
		return call_fail(call, status, NULL);
	if (status) {
		log_line(LOG_WARN, "token refused", LOG_S("token", id),
			LOG_S("reason", reason_symbol(status)),
			LOG_S("address", call->exchange->address));
		return refuse(call, NULL);
	}
	become(call, &token);
	return 0;
}

/* Operators alone work across companies; a token of one company does so with no role. */
static int permits(const struct call *call, int permission)
{
	return role_may(call->by.role, (enum role_permission)permission);
}

static int metrics_are_open(const struct call *call)
{
	const struct admin_parts *parts = &call->admin->parts;
	struct admin_facts facts;

	parts->facts(parts->ctx, &facts);
	return facts.metrics_open;
}

int permit_check(void *admin UNUSED, struct exchange *exchange, int permission)
{
	struct call *call = call_of(exchange);

	if (permission == PERMIT_OPEN)
		return 0;
	if (permission == ROLE_MAY_METRICS && !bearer(call) && metrics_are_open(call))
		return 0;
	int status = authenticate(call);
	if (status)
		return status;
	if (permits(call, permission))
		return repeat_begin(call);
	/* Recording comes first, as with every act; if it fails the answer is that instead. */
	if (!call_audit(call, AUDIT_PERMISSION_REFUSED, call->by.tenant, "",
		    json_pack("{s:s, s:s}", "permission",
			    role_permission_name((enum role_permission)permission),
			    "route", exchange->request->path)))
		call_fail(call, -REASON_FORBIDDEN,
			role_permission_name((enum role_permission)permission));
	return -REASON_FORBIDDEN;
}
