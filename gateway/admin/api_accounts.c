#include "admin/api_accounts.h"

#include <stdlib.h>
#include <string.h>

#include "admin/account_desk.h"
#include "admin/call.h"
#include "admin/directory_desk.h"
#include "admin/guess.h"
#include "admin/page.h"
#include "admin/password_desk.h"
#include "admin/sign_in_desk.h"
#include "base/clock.h"
#include "base/reason.h"
#include "base/secret.h"
#include "base/text.h"

/* Two operators who demote each other at the same moment, at two nodes, must not both succeed. */
#define CLAIM "accounts/operators"
#define CLAIM_MS 10000

static int passes(const struct request *request, const struct account *account)
{
	const char *state = request_query(request, "state");
	const char *role = request_query(request, "role");
	const char *text = request_query(request, "q");
	enum role wanted;

	if (state &&
		strcmp(state, account->state == ACCOUNT_ENABLED ? "enabled" : "disabled"))
		return 0;
	if (role && (role_parse(role, &wanted) || !(account->roles & ROLE_BIT(wanted))))
		return 0;
	return !text || strcasestr(account->name, text) ||
	       strcasestr(account->full_name, text) || strcasestr(account->mail, text);
}

static json_t *list_item(struct call *call, const struct state_doc *doc)
{
	struct field_error error;
	struct account account;
	json_t *item = NULL;

	if (account_read(doc->body, &account, &error))
		return NULL;
	if (passes(call->exchange->request, &account))
		item = account_desk_show(call, &account);
	secret_wipe(&account, sizeof(account));
	return item;
}

void api_accounts_list(void *admin UNUSED, struct exchange *exchange)
{
	page_documents(call_of(exchange), STATE_ACCOUNT, list_item);
}

static json_t *roles_json(const struct account *account)
{
	json_t *list = json_array();

	for (int i = 0; i < ROLES; i++)
		if (account->roles & ROLE_BIT(i))
			json_array_append_new(list, json_string(role_name((enum role)i)));
	return list;
}

static int may_give(struct call *call, const struct account *account)
{
	if (call_may_see(call, account->tenant) &&
		role_covers(call->by.roles, account->roles, account->tenant))
		return 0;
	return call_fail(call, -REASON_FORBIDDEN, "more than you have yourself");
}

/* The account of the route's {id}, if the caller may do with it what he likes. */
static int load_to_change(struct call *call, struct account_desk *desk)
{
	int status = account_desk_load(call, desk);

	if (!status && (status = may_give(call, &desk->account)))
		account_desk_unload(desk);
	return status;
}

static int is_self(const struct call *call, const struct account *account)
{
	return call->by.kind == CALLER_ACCOUNT && !strcmp(call->by.name, account->name);
}

/* By a password that is here: a directory may be away, or its setting wrong. */
static int is_working_operator(const struct account *account)
{
	return (account->roles & ROLE_BIT(ROLE_OPERATOR)) &&
	       account->state == ACCOUNT_ENABLED && !*account->directory;
}

struct count {
	const char *except;
	size_t others;
};

static int count_one(struct call *call UNUSED, const struct state_doc *doc, void *ctx)
{
	struct count *count = ctx;
	struct field_error error;
	struct account account;

	if (strcmp(doc->id, count->except) &&
		!account_read(doc->body, &account, &error) &&
		is_working_operator(&account))
		count->others++;
	return 0;
}

/* Before an operator stops being one. 0: there are others, and that stays so until release(). */
static int claim(struct call *call, const struct account *before, char ret[static 65])
{
	struct state *state = call_store(call)->state;
	struct count count = {.except = before->name};
	uint8_t random[16];

	*ret = '\0';
	if (!is_working_operator(before))
		return 0;
	if (secret_random(random, sizeof(random)))
		return call_fail(call, -REASON_NO_RANDOM, NULL);
	text_hex(ret, random, sizeof(random));
	int status = store_wait_claim(state, CLAIM, ret, call->admin->parts.node,
		CLAIM_MS, NULL);
	if (status) {
		*ret = '\0';
		return call_fail(call,
			status == -REASON_LICENSE_IN_USE ? -REASON_BUSY : status, NULL);
	}
	status = page_each(call, STATE_ACCOUNT, "", count_one, &count);
	if (!status && count.others)
		return 0;
	/* It runs out by itself when the store goes away now. */
	if (store_wait_release(state, CLAIM, ret, 0))
		*ret = '\0';
	*ret = '\0';
	return status ? call_fail(call, status, NULL)
		      : call_fail(call, -REASON_FORBIDDEN,
				"the last operator who can sign in");
}

static void release(struct call *call, const char *claimed)
{
	if (*claimed && store_wait_release(call_store(call)->state, CLAIM, claimed, 0))
		return; /* it runs out by itself */
}

/* What is asked for beside the name and the tenant. */
static int fill_rest(const json_t *asked, struct account *account,
	struct field_error *error)
{
	json_t *rest = json_copy((json_t *)asked);

	json_object_del(rest, "name");
	json_object_del(rest, "tenant");
	int status = account_change(account, rest, error);
	json_decref(rest);
	if (!status && !account->roles)
		status = field_fail(error, "roles", "is missing");
	return status;
}

static int fill(struct call *call, const json_t *asked, struct account *account)
{
	struct field_error error = {0};
	char tenant[sizeof(account->tenant)] = "";
	int status = field_text(asked, "name", FIELD_NEED, account->name,
		sizeof(account->name), &error);

	if (!status && !account_name_good(account->name))
		status = field_fail(&error, "name",
			"1 to 64 of a-z 0-9 . - _ @ are expected");
	if (!status)
		status = field_text(asked, "tenant", FIELD_MAY, tenant, sizeof(tenant),
			&error);
	if (status)
		return call_fail_field(call, status, &error);
	status = call_tenant_of_new(call,
		json_object_get(asked, "tenant") ? tenant : NULL, account->tenant);
	if (status)
		return status;
	status = fill_rest(asked, account, &error);
	if (status)
		return call_fail_field(call, status, &error);
	status = may_give(call, account);
	return status ? status
		      : directory_desk_permits(call, account->directory, account->tenant,
				DIRECTORY_ACCOUNTS);
}

static int is_free(struct call *call, const char *name)
{
	struct account_desk desk;
	int status = account_desk_read(call, name, &desk);

	if (!status)
		account_desk_unload(&desk);
	return status == -REASON_NOT_FOUND ? 0
	       : status                    ? call_fail(call, status, NULL)
			: call_fail(call, -REASON_CONFLICT, "name: exists already");
}

static int create(struct call *call, struct account *account,
	char ret_password[static PASSWORD_GENERATED])
{
	int status = is_free(call, account->name);

	if (status)
		return status;
	account->created_ms = account->changed_ms = clock_wall_ms();
	status = password_desk_give(call, account, ret_password);
	if (status)
		return call_fail(call, status, NULL);
	status = call_audit(call, AUDIT_ACCOUNT_CREATED, account->tenant, "",
		json_pack("{s:s, s:o}", "account", account->name, "roles",
			roles_json(account)));
	if (status)
		return status;
	status = account_desk_create(call, account);
	return status ? call_undone(call, AUDIT_ACCOUNT_CREATED, account->tenant, "",
				status)
		      : 0;
}

void api_accounts_create(void *admin UNUSED, struct exchange *exchange)
{
	struct call *call = call_of(exchange);
	char password[PASSWORD_GENERATED];
	struct account account = {0};
	struct body body;

	if (body_parse(&body, exchange))
		return;
	if (!fill(call, body.object, &account) && !create(call, &account, password))
		exchange_json(exchange, 201,
			json_pack("{s:o, s:s}", "account",
				account_desk_show(call, &account), "password", password));
	secret_wipe(&account, sizeof(account));
	secret_wipe(password, sizeof(password));
	body_done(&body);
}

void api_accounts_show(void *admin UNUSED, struct exchange *exchange)
{
	struct call *call = call_of(exchange);
	struct account_desk desk;

	if (account_desk_load(call, &desk))
		return;
	exchange_json(exchange, 200, account_desk_show(call, &desk.account));
	account_desk_unload(&desk);
}

/* Recorded, then written. -REASON_*: answered. */
static int put(struct call *call, struct account_desk *desk, enum audit_event event,
	json_t *fields)
{
	const char *tenant = desk->account.tenant;
	int status = call_audit(call, event, tenant, "", fields);

	if (status)
		return status;
	desk->account.changed_ms = clock_wall_ms();
	status = account_desk_put(call, desk);
	return status ? call_undone(call, event, tenant, "", status) : 0;
}

static int check_change(struct call *call, const struct account *before,
	const struct account *after)
{
	if (is_self(call, before) && after->state != ACCOUNT_ENABLED)
		return call_fail(call, -REASON_FORBIDDEN, "nobody disables himself");
	int status = may_give(call, after);
	/* One that was removed must not stand in the way of other changes. */
	return status || !strcmp(before->directory, after->directory)
		       ? status
		       : directory_desk_permits(call, after->directory, after->tenant,
				 DIRECTORY_ACCOUNTS);
}

/* Whoever is signed in as this account comes back with what it may now, or not at all. */
static int needs_new_sign_in(const struct account *before, const struct account *after)
{
	return before->roles != after->roles || before->state != after->state ||
	       strcmp(before->directory, after->directory) ||
	       strcmp(before->directory_user, after->directory_user);
}

static int change(struct call *call, struct account_desk *desk, const json_t *changes)
{
	struct account before = desk->account;
	struct field_error error;
	char claimed[65] = "";
	int status = account_change(&desk->account, changes, &error);

	if (status)
		return call_fail_field(call, status, &error);
	status = check_change(call, &before, &desk->account);
	if (!status && !is_working_operator(&desk->account))
		status = claim(call, &before, claimed);
	if (needs_new_sign_in(&before, &desk->account))
		account_end_sign_ins(&desk->account, clock_wall_ms());
	if (!status)
		status = put(call, desk, AUDIT_ACCOUNT_CHANGED,
			json_pack("{s:s, s:O}", "account", before.name, "changes",
				changes));
	release(call, claimed);
	secret_wipe(&before, sizeof(before));
	return status;
}

void api_accounts_change(void *admin UNUSED, struct exchange *exchange)
{
	struct call *call = call_of(exchange);
	struct account_desk desk;
	struct body body;

	if (load_to_change(call, &desk))
		return;
	if (!body_parse(&body, exchange)) {
		if (!change(call, &desk, body.object))
			exchange_json(exchange, 200,
				account_desk_show(call, &desk.account));
		body_done(&body);
	}
	account_desk_unload(&desk);
}

static int delete (struct call *call, const struct account_desk *desk)
{
	const struct account *account = &desk->account;
	char claimed[65] = "";
	int status;

	if (is_self(call, account))
		return call_fail(call, -REASON_FORBIDDEN, "nobody deletes himself");
	status = claim(call, account, claimed);
	if (!status)
		status = call_audit(call, AUDIT_ACCOUNT_DELETED, account->tenant, "",
			json_pack("{s:s}", "account", account->name));
	if (!status) {
		status = store_wait_remove(call_store(call)->state, STATE_ACCOUNT,
			account->name, desk->docs.docs[0].version);
		if (status)
			call_undone(call, AUDIT_ACCOUNT_DELETED, account->tenant, "",
				status);
	}
	release(call, claimed);
	return status;
}

/* Its sign-ins are worth nothing without it; they and its failures go too. */
void api_accounts_delete(void *admin UNUSED, struct exchange *exchange)
{
	struct call *call = call_of(exchange);
	struct account_desk desk;

	if (load_to_change(call, &desk))
		return;
	if (!delete (call, &desk)) {
		int status = sign_in_desk_remove(call, &desk.account);
		if (!status)
			status = guess_unlock(call, desk.account.name);
		if (status)
			call_fail(call, status, NULL);
		else
			exchange_empty(exchange);
	}
	account_desk_unload(&desk);
}

void api_accounts_password(void *admin UNUSED, struct exchange *exchange)
{
	struct call *call = call_of(exchange);
	char password[PASSWORD_GENERATED];
	struct account_desk desk;

	if (load_to_change(call, &desk))
		return;
	int status = password_desk_give(call, &desk.account, password);
	if (status)
		call_fail(call, status, NULL);
	else if (!put(call, &desk, AUDIT_ACCOUNT_PASSWORD_CHANGED,
			 json_pack("{s:s}", "account", desk.account.name)))
		exchange_json(exchange, 200,
			json_pack("{s:o, s:s}", "account",
				account_desk_show(call, &desk.account), "password",
				password));
	secret_wipe(password, sizeof(password));
	account_desk_unload(&desk);
}

void api_accounts_unlock(void *admin UNUSED, struct exchange *exchange)
{
	struct call *call = call_of(exchange);
	struct account_desk desk;

	if (account_desk_load(call, &desk))
		return;
	const char *name = desk.account.name, *tenant = desk.account.tenant;
	int status = call_audit(call, AUDIT_ACCOUNT_UNLOCKED, tenant, "",
		json_pack("{s:s}", "account", name));
	if (!status) {
		status = guess_unlock(call, name);
		if (status)
			call_undone(call, AUDIT_ACCOUNT_UNLOCKED, tenant, "", status);
		else
			exchange_empty(exchange);
	}
	account_desk_unload(&desk);
}

void api_accounts_totp_remove(void *admin UNUSED, struct exchange *exchange)
{
	struct call *call = call_of(exchange);
	struct account_desk desk;

	if (load_to_change(call, &desk))
		return;
	account_remove_totp(&desk.account);
	if (!put(call, &desk, AUDIT_ACCOUNT_TOTP_REMOVED,
		    json_pack("{s:s}", "account", desk.account.name)))
		exchange_empty(exchange);
	account_desk_unload(&desk);
}

void api_accounts_sign_ins(void *admin UNUSED, struct exchange *exchange)
{
	struct call *call = call_of(exchange);
	struct account_desk desk;

	if (account_desk_load(call, &desk))
		return;
	sign_in_desk_answer(call, &desk.account);
	account_desk_unload(&desk);
}

/* The epoch ends also what comes in just now. */
void api_accounts_sign_out(void *admin UNUSED, struct exchange *exchange)
{
	struct call *call = call_of(exchange);
	struct account_desk desk;

	if (load_to_change(call, &desk))
		return;
	account_end_sign_ins(&desk.account, clock_wall_ms());
	if (!put(call, &desk, AUDIT_SIGN_INS_ENDED,
		    json_pack("{s:s}", "account", desk.account.name))) {
		int status = sign_in_desk_remove(call, &desk.account);
		if (status)
			call_fail(call, status, NULL);
		else
			exchange_empty(exchange);
	}
	account_desk_unload(&desk);
}
