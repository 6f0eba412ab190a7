#include "admin/permit.h"

#include <string.h>
#include <strings.h>

#include "admin/call.h"
#include "admin/repeat.h"
#include "admin/sign_in_desk.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/reason.h"
#include "base/secret.h"
#include "base/text.h"

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

static void become(struct caller *by, enum caller_kind kind, const char *id,
	const char *tenant, unsigned roles)
{
	by->kind = kind;
	text_clip(by->id, sizeof(by->id), id);
	text_clip(by->tenant, sizeof(by->tenant), tenant);
	by->roles = roles;
	by->role = role_first(roles);
}

/* A wrong token, an unknown one and an expired one look the same from outside. */
static int check_token(struct call *call, const char *text)
{
	uint8_t secret[TOKEN_SECRET];
	char id[TOKEN_ID_SIZE];
	struct token token;
	enum role role;

	if (token_parse(text, id, secret))
		return -REASON_UNAUTHENTICATED;
	int status = load(call, id, &token);
	if (!status)
		status = token_check(&token, secret, clock_wall_ms());
	secret_wipe(secret, sizeof(secret));
	if (!status && role_parse(token.role, &role))
		status = -REASON_STATE_DAMAGED;
	if (status == -REASON_STORE_UNAVAILABLE)
		return status;
	if (status) {
		log_line(LOG_WARN, "token refused", LOG_S("token", id),
			LOG_S("reason", reason_symbol(status)),
			LOG_S("address", call->exchange->address));
		return -REASON_UNAUTHENTICATED;
	}
	become(&call->by, CALLER_TOKEN, token.id, token.tenant, ROLE_BIT(role));
	snprintf(call->by.name, sizeof(call->by.name), "token:%s", token.name);
	return 0;
}

/* A company decides from where it is administered; one that is shut out is shut out with its tokens. */
static int check_place(struct call *call, const struct account_security *security)
{
	if (!account_security_permits(security, call->exchange->address))
		return -REASON_ADDRESS_REFUSED;
	return account_desk_tenant(call, call->by.tenant);
}

static int authenticate_token(struct call *call, const char *text)
{
	struct account_security security;
	int status = check_token(call, text);

	if (!status)
		status = account_desk_security(call, call->by.tenant, &security);
	return status ? status : check_place(call, &security);
}

/* Requests that pages make by themselves do not keep anybody signed in. */
static int is_background(const struct call *call, int permission)
{
	const struct request *request = call->exchange->request;
	int reads = request->method == REQUEST_GET || request->method == REQUEST_HEAD;
	const char *says = request_header(request, "X-Engawa-Background");

	return reads && ((permission & PERMIT_QUIET) || (says && !strcmp(says, "1")));
}

static int touch(struct call *call, struct sign_in_desk *desk, int permission)
{
	int64_t now = clock_wall_ms();

	if (is_background(call, permission) ||
		(now >= desk->sign_in.seen_ms &&
			now - desk->sign_in.seen_ms < SIGN_IN_SEEN_MS))
		return 0;
	desk->sign_in.seen_ms = now;
	int status = sign_in_desk_put(call, desk);
	/* Another request of the same person was faster, or the sign-in has just ended. */
	return status == -REASON_CONFLICT || status == -REASON_NOT_FOUND ? 0 : status;
}

static int check_must(const struct sign_in_desk *desk, int permission)
{
	unsigned must = sign_in_desk_must(desk, clock_wall_ms());

	if (!must || (permission & PERMIT_OWN))
		return 0;
	return must & SIGN_IN_MUST_PASSWORD ? -REASON_PASSWORD_CHANGE_NEEDED
					    : -REASON_TOTP_SETUP_NEEDED;
}

static int check_sign_in(struct call *call, struct sign_in_desk *desk, int permission)
{
	const struct account *account = &desk->account.account;
	char csrf[SIGN_IN_COOKIE];
	int status = sign_in_csrf(desk->cookie, csrf);

	if (!status)
		status = sign_in_desk_same_site(call, csrf);
	secret_wipe(csrf, sizeof(csrf));
	if (status)
		return status;
	become(&call->by, CALLER_ACCOUNT, desk->sign_in.id, account->tenant,
		account->roles);
	text_clip(call->by.name, sizeof(call->by.name), account->name);
	status = check_place(call, &desk->security);
	if (!status)
		status = check_must(desk, permission);
	return status ? status : touch(call, desk, permission);
}

static int authenticate_person(struct call *call, int permission)
{
	struct sign_in_desk desk;
	int status = sign_in_desk_load(call, &desk);

	if (status)
		return status;
	status = check_sign_in(call, &desk, permission);
	if (!status)
		call->step_up_until_ms = sign_in_desk_step_up(call, &desk);
	sign_in_desk_unload(&desk);
	return status;
}

static int authenticate(struct call *call, int permission)
{
	const char *text = bearer(call);
	int status = text ? authenticate_token(call, text)
			  : authenticate_person(call, permission);

	if (!status)
		return 0;
	return status == -REASON_UNAUTHENTICATED ? refuse(call, NULL)
						 : call_fail(call, status, NULL);
}

static int metrics_are_open(const struct call *call)
{
	const struct admin_parts *parts = &call->admin->parts;
	struct admin_facts facts;

	parts->facts(parts->ctx, &facts);
	return facts.metrics_open;
}

/* What leaves the house as a file. */
static int is_export(const struct request *request)
{
	const char *format = request_query(request, "format");
	return format && (!strcmp(format, "csv") || !strcmp(format, "jsonl"));
}

static int forbid(struct call *call, const char *what)
{
	/* Recording comes first, as with every act; if it fails the answer is that instead. */
	if (!call_audit(call, AUDIT_PERMISSION_REFUSED, call->by.tenant, "",
		    json_pack("{s:s, s:s}", "permission", what, "route",
			    call->exchange->request->path)))
		call_fail(call, -REASON_FORBIDDEN, what);
	return -REASON_FORBIDDEN;
}

int permit_check(void *admin UNUSED, struct exchange *exchange, int flags)
{
	struct call *call = call_of(exchange);

	if (flags == PERMIT_OPEN)
		return 0;
	enum role_permission permission =
		(enum role_permission)(flags & PERMIT_PERMISSION);
	if (permission == ROLE_MAY_METRICS && !bearer(call) && metrics_are_open(call))
		return 0;
	int status = authenticate(call, flags);
	if (status)
		return status;
	if (!call_may(call, permission))
		return forbid(call, role_permission_name(permission));
	if ((flags & PERMIT_SERVICE) && *call->by.tenant)
		return forbid(call, "only for operators of the service");
	if (call->by.kind == CALLER_TOKEN)
		return flags & PERMIT_OWN ? forbid(call, "an account of one's own")
					  : repeat_begin(call);
	if (((flags & PERMIT_STEP_UP) || is_export(exchange->request)) &&
		!call->step_up_until_ms)
		return call_fail(call, -REASON_STEP_UP_NEEDED, NULL);
	return repeat_begin(call);
}
