#include "admin/sign_in_desk.h"

#include <stdlib.h>
#include <string.h>

#include "admin/page.h"
#include "base/clock.h"
#include "base/reason.h"
#include "base/secret.h"
#include "base/text.h"
#include "http/cookie.h"

static int read_sign_in(struct call *call, struct sign_in_desk *desk)
{
	char id[SIGN_IN_ID];
	struct store_docs docs = {0};
	int status = cookie_get(call->exchange->request, SIGN_IN_DESK_COOKIE,
		desk->cookie, sizeof(desk->cookie));

	if (!status)
		status = sign_in_id(desk->cookie, id);
	if (status)
		return -REASON_UNAUTHENTICATED;
	status = store_wait_get(call_store(call)->state, STATE_SIGN_IN, id, &docs);
	if (status)
		return status == -REASON_NOT_FOUND ? -REASON_UNAUTHENTICATED : status;
	status = sign_in_read(id, docs.docs[0].body, &desk->sign_in);
	desk->version = docs.docs[0].version;
	store_docs_free(&docs);
	return status;
}

int sign_in_desk_load(struct call *call, struct sign_in_desk *ret)
{
	*ret = (struct sign_in_desk){0};
	int status = read_sign_in(call, ret);

	if (!status)
		status = account_desk_read(call, ret->sign_in.account, &ret->account);
	if (status == -REASON_NOT_FOUND)
		status = -REASON_UNAUTHENTICATED;
	if (!status)
		status = account_desk_security(call, ret->account.account.tenant,
			&ret->security);
	if (!status)
		status = sign_in_check(&ret->sign_in, &ret->account.account,
			&ret->security, clock_wall_ms());
	if (status)
		sign_in_desk_unload(ret);
	return status;
}

void sign_in_desk_unload(struct sign_in_desk *desk)
{
	account_desk_unload(&desk->account);
	secret_wipe(desk, sizeof(*desk));
}

/* "https://HOST", and HOST is what the browser asked for. */
static int is_own_origin(const struct request *request, const char *origin)
{
	const char *host = request_header(request, "Host");

	return host && !strncmp(origin, "https://", 8) && !strcmp(origin + 8, host);
}

int sign_in_desk_same_site(struct call *call, const char *csrf)
{
	const struct request *request = call->exchange->request;
	const char *origin = request_header(request, "Origin");
	const char *site = request_header(request, "Sec-Fetch-Site");
	const char *token = request_header(request, "X-Engawa-CSRF");

	if (origin && !is_own_origin(request, origin))
		return -REASON_CROSS_SITE;
	if (site && strcmp(site, "same-origin") && strcmp(site, "none"))
		return -REASON_CROSS_SITE;
	if (!csrf || request->method == REQUEST_GET || request->method == REQUEST_HEAD)
		return 0;
	if (!token || strlen(token) != strlen(csrf) ||
		!secret_equal(token, csrf, strlen(csrf)))
		return -REASON_CROSS_SITE;
	return 0;
}

unsigned sign_in_desk_must(const struct sign_in_desk *desk, int64_t now_ms)
{
	const struct account *account = &desk->account.account;
	unsigned must = 0;

	if (!*desk->sign_in.directory &&
		(account->must_change || password_rule_too_old(&desk->security.password,
						 account->password_ms, now_ms)))
		must |= SIGN_IN_MUST_PASSWORD;
	if (desk->security.totp_required && !account->has_totp &&
		!desk->sign_in.second_factor)
		must |= SIGN_IN_MUST_TOTP;
	return must;
}

static int set_cookie(struct call *call, const char *value, int64_t seconds)
{
	int status = cookie_set(SIGN_IN_DESK_COOKIE, value, COOKIE_STRICT, seconds,
		call->cookie, sizeof(call->cookie));

	if (!status)
		exchange_header(call->exchange, "Set-Cookie", call->cookie);
	return status;
}

static void describe(struct call *call, struct sign_in *sign_in)
{
	const char *agent = request_header(call->exchange->request, "User-Agent");
	char clipped[SIGN_IN_AGENT];

	text_clip(clipped, sizeof(clipped), agent ? agent : "");
	field_plain(sign_in->agent, sizeof(sign_in->agent), clipped);
	text_clip(sign_in->address, sizeof(sign_in->address), call->exchange->address);
}

static int begin(struct call *call, struct sign_in_desk *desk, const char *directory)
{
	const struct account *account = &desk->account.account;
	struct sign_in sign_in = {.epoch = account->epoch,
		.created_ms = clock_wall_ms(),
		.second_factor = desk->sign_in.second_factor};

	sign_in.seen_ms = sign_in.proved_ms = sign_in.created_ms;
	text_clip(sign_in.account, sizeof(sign_in.account), account->name);
	text_clip(sign_in.tenant, sizeof(sign_in.tenant), account->tenant);
	text_clip(sign_in.directory, sizeof(sign_in.directory), directory);
	describe(call, &sign_in);
	int status = sign_in_generate(&sign_in, desk->cookie);
	if (status)
		return status;
	desk->sign_in = sign_in;
	desk->version = 0;
	status = sign_in_desk_put(call, desk);
	return status ? status : set_cookie(call, desk->cookie, -1);
}

struct visit {
	const struct account *account;
	void (*each)(void *ctx, const struct sign_in *sign_in);
	void *ctx;
	int64_t now_ms;
	struct account_security security;
};

/* Those that are over are swept away by whoever comes past. */
static int visit_one(struct call *call, const struct state_doc *doc, void *ctx)
{
	struct visit *visit = ctx;
	struct sign_in sign_in;

	if (sign_in_read(doc->id, doc->body, &sign_in) ||
		strcmp(sign_in.account, visit->account->name))
		return 0;
	if (!visit->each || sign_in_check(&sign_in, visit->account, &visit->security,
				    visit->now_ms)) {
		int status = store_wait_remove(call_store(call)->state, STATE_SIGN_IN,
			doc->id, 0);
		return status == -REASON_NOT_FOUND ? 0 : status;
	}
	visit->each(visit->ctx, &sign_in);
	return 0;
}

int sign_in_desk_remove(struct call *call, const struct account *account)
{
	struct visit visit = {.account = account};
	return page_each(call, STATE_SIGN_IN, account->tenant, visit_one, &visit);
}

/* Hands all living sign-ins of the account to `each`. */
static int visit_all(struct call *call, const struct account *account,
	void (*each)(void *ctx, const struct sign_in *sign_in), void *ctx)
{
	struct visit visit = {
		.account = account, .each = each, .ctx = ctx, .now_ms = clock_wall_ms()};
	int status = account_desk_security(call, account->tenant, &visit.security);

	return status ? status
		      : page_each(call, STATE_SIGN_IN, account->tenant, visit_one,
				&visit);
}

struct oldest {
	size_t count;
	struct sign_in sign_in;
};

static void find_oldest(void *ctx, const struct sign_in *sign_in)
{
	struct oldest *oldest = ctx;

	if (!oldest->count++ || sign_in->seen_ms < oldest->sign_in.seen_ms)
		oldest->sign_in = *sign_in;
}

static int make_room(struct call *call, const struct account *account)
{
	struct oldest oldest = {0};
	int status = visit_all(call, account, find_oldest, &oldest);

	if (!status && oldest.count >= SIGN_IN_MOST)
		status = store_wait_remove(call_store(call)->state, STATE_SIGN_IN,
			oldest.sign_in.id, 0);
	return status == -REASON_NOT_FOUND ? 0 : status;
}

int sign_in_desk_open(struct call *call, struct sign_in_desk *desk, const char *directory)
{
	struct account *account = &desk->account.account;

	text_clip(call->by.name, sizeof(call->by.name), account->name);
	int status = call_audit(call, AUDIT_SIGNED_IN, account->tenant, "",
		json_pack("{s:s, s:s*}", "account", account->name, "directory",
			*directory ? directory : NULL));
	if (status)
		return status;
	status = make_room(call, account);
	if (!status)
		status = begin(call, desk, directory);
	if (status)
		return call_undone(call, AUDIT_SIGNED_IN, account->tenant, "", status);
	account->signed_in_ms = desk->sign_in.created_ms;
	/* For people who look; who was faster has written a moment that is as good. */
	status = account_desk_put(call, &desk->account);
	return status && status != -REASON_CONFLICT ? call_fail(call, status, NULL) : 0;
}

int sign_in_desk_renew(struct call *call, struct sign_in_desk *desk)
{
	char directory[sizeof(desk->sign_in.directory)];
	int status = sign_in_desk_remove(call, &desk->account.account);

	text_clip(directory, sizeof(directory), desk->sign_in.directory);
	return status ? status : begin(call, desk, directory);
}

int sign_in_desk_put(struct call *call, struct sign_in_desk *desk)
{
	struct state_doc doc = {.kind = STATE_SIGN_IN,
		.id = desk->sign_in.id,
		.tenant = desk->sign_in.tenant,
		.version = desk->version};
	char *body;
	int status = sign_in_write(&desk->sign_in, &body);

	if (status)
		return status;
	doc.body = body;
	status = store_wait_put(call_store(call)->state, &doc, &desk->version);
	free(body);
	return status;
}

int sign_in_desk_close(struct call *call, struct sign_in_desk *desk)
{
	int status = store_wait_remove(call_store(call)->state, STATE_SIGN_IN,
		desk->sign_in.id, 0);

	if (status && status != -REASON_NOT_FOUND)
		return status;
	return set_cookie(call, "", 0);
}

struct listing {
	const char *current;
	json_t *items;
};

static void list_one(void *ctx, const struct sign_in *sign_in)
{
	struct listing *listing = ctx;
	json_t *object = json_pack("{s:s, s:s, s:s, s:s, s:I, s:I, s:b}", "id",
		sign_in->id, "address", sign_in->address, "agent", sign_in->agent,
		"directory", sign_in->directory, "created_ms",
		(json_int_t)sign_in->created_ms, "seen_ms", (json_int_t)sign_in->seen_ms,
		"current", !strcmp(listing->current, sign_in->id));

	if (object)
		call_add_times(object);
	json_array_append_new(listing->items, object);
}

void sign_in_desk_answer(struct call *call, const struct account *account)
{
	struct listing listing = {call->by.id, json_array()};
	int status = visit_all(call, account, list_one, &listing);

	if (status) {
		json_decref(listing.items);
		call_fail(call, status, NULL);
		return;
	}
	exchange_json(call->exchange, 200,
		json_pack("{s:o, s:n}", "items", listing.items, "next"));
}

static json_t *must_json(const struct sign_in_desk *desk)
{
	unsigned must = sign_in_desk_must(desk, clock_wall_ms());
	json_t *list = json_array();

	if (must & SIGN_IN_MUST_PASSWORD)
		json_array_append_new(list, json_string("password"));
	if (must & SIGN_IN_MUST_TOTP)
		json_array_append_new(list, json_string("totp"));
	return list;
}

static json_t *roles_json(const struct account *account)
{
	json_t *list = json_array();

	for (int i = 0; i < ROLES; i++)
		if (account->roles & ROLE_BIT(i))
			json_array_append_new(list, json_string(role_name((enum role)i)));
	return list;
}

static json_t *permissions_json(const struct account *account)
{
	json_t *list = json_array();

	for (int i = ROLE_MAY_NONE + 1; i < ROLE_PERMISSIONS; i++)
		if (role_may_in(account->roles, account->tenant, (enum role_permission)i))
			json_array_append_new(list,
				json_string(role_permission_name((enum role_permission)
						i)));
	return list;
}

int64_t sign_in_desk_step_up(struct call *call, const struct sign_in_desk *desk)
{
	const struct admin_parts *parts = &call->admin->parts;
	struct admin_facts facts;

	parts->facts(parts->ctx, &facts);
	return sign_in_step_up_until(&desk->sign_in, facts.step_up_ms, clock_wall_ms());
}

json_t *sign_in_desk_me(struct call *call, const struct sign_in_desk *desk)
{
	const struct account *account = &desk->account.account;
	const struct sign_in *sign_in = &desk->sign_in;
	char csrf[SIGN_IN_COOKIE];

	if (sign_in_csrf(desk->cookie, csrf))
		return NULL;
	json_t *me = json_pack("{s:s, s:s, s:s, s:s, s:s, s:s, s:o, s:o, s:o, s:s, s:b}",
		"kind", "account", "name", account->name, "full_name", account->full_name,
		"mail", account->mail, "tenant", account->tenant, "language",
		account->language == ACCOUNT_JA ? "ja" : "en", "roles",
		roles_json(account), "permissions", permissions_json(account), "must",
		must_json(desk), "csrf", csrf, "totp", account->has_totp);
	json_t *more = json_pack("{s:i, s:I, s:I, s:I, s:s}", "recovery_codes_left",
		(int)account->recovery.count, "step_up_until_ms",
		(json_int_t)sign_in_desk_step_up(call, desk), "idle_end_ms",
		(json_int_t)sign_in_idle_end(sign_in, &desk->security), "end_ms",
		(json_int_t)sign_in_end(sign_in, &desk->security), "directory",
		sign_in->directory);
	if (!me || !more || json_object_update(me, more)) {
		json_decref(me);
		me = NULL;
	}
	json_decref(more);
	secret_wipe(csrf, sizeof(csrf));
	if (me)
		call_add_times(me);
	return me;
}
