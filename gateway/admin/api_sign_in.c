#include "admin/api_sign_in.h"

#include <ctype.h>
#include <string.h>

#include "admin/account_proof.h"
#include "admin/call.h"
#include "admin/page.h"
#include "admin/sign_in_desk.h"
#include "base/reason.h"
#include "base/text.h"

/* What is counted for names that none can have. */
#define NO_NAME "-"
/* As "by" in rows about who has not proved who he is. */
#define STRANGER "stranger"

struct asked {
	char account[ACCOUNT_NAME_SIZE];
	const char *password, *code, *directory;
};

static int is_for_accounts(const json_t *directory)
{
	const json_t *use = json_object_get(directory, "use"), *item;
	size_t i;

	json_array_foreach(use, i, item)
	{
		const char *word = json_string_value(item);
		if (word && !strcmp(word, "accounts"))
			return 1;
	}
	return 0;
}

/* Only what a page for strangers needs. */
static int show_way(struct call *call UNUSED, const struct state_doc *doc, void *ctx)
{
	json_t *directory = call_body(doc);
	const char *name = json_string_value(json_object_get(directory, "name"));
	const char *kind = json_string_value(json_object_get(directory, "kind"));

	if (is_for_accounts(directory))
		json_array_append_new(ctx,
			json_pack("{s:s, s:s, s:s}", "id", doc->id, "name",
				name ? name : doc->id, "kind", kind ? kind : ""));
	json_decref(directory);
	return 0;
}

void api_sign_in_ways(void *admin UNUSED, struct exchange *exchange)
{
	struct call *call = call_of(exchange);
	json_t *list = json_array();
	int status = page_each(call, STATE_DIRECTORY, NULL, show_way, list);

	if (status) {
		json_decref(list);
		call_fail(call, status, NULL);
		return;
	}
	exchange_json(exchange, 200, json_pack("{s:o}", "directories", list));
}

/* Names are small letters; people are not. */
static void take_name(struct asked *asked, const char *name)
{
	if (text_copy(asked->account, sizeof(asked->account), name))
		*asked->account = '\0';
	for (char *c = asked->account; *c; c++)
		*c = (char)tolower((unsigned char)*c);
	if (!account_name_good(asked->account))
		text_clip(asked->account, sizeof(asked->account), NO_NAME);
}

static int read_asked(struct call *call, struct body *body, struct asked *asked)
{
	const char *account = body_text(body, "account", 256, BODY_NEED);

	asked->password = body_text(body, "password", PASSWORD_MAX, BODY_NEED);
	asked->code = body_text(body, "code", 64, BODY_MAY);
	asked->directory = body_text(body, "directory", STATE_ID_MAX, BODY_MAY);
	if (body_check(body, call->exchange))
		return body->status;
	take_name(asked, account);
	int status = sign_in_desk_same_site(call, NULL);
	return status ? call_fail(call, status, NULL) : 0;
}

static int record_refusal(struct call *call, const struct account *account, int reason)
{
	return call_audit(call, AUDIT_SIGN_IN_REFUSED, account->tenant, "",
		json_pack("{s:s, s:s}", "account",
			*account->name ? account->name : "unknown", "reason",
			reason_symbol(reason)));
}

static void refuse(struct guess *guess, const struct account *account, int reason)
{
	if (!record_refusal(guess->call, account, reason))
		guess_wrong(guess, reason, *account->name ? GUESS_KNOWN : GUESS_UNKNOWN);
}

/* The name is worth something only with a password that fits; until then it is nobody's. */
static const struct account *usable(const struct account *account)
{
	return *account->password && account->state == ACCOUNT_ENABLED ? account : NULL;
}

/* He knows the password: what else is in the way may be told him. 0 when nothing is. */
static int check_place(struct call *call, const struct sign_in_desk *desk)
{
	if (!account_security_permits(&desk->security, call->exchange->address))
		return -REASON_ADDRESS_REFUSED;
	return account_desk_tenant(call, desk->account.account.tenant);
}

static int check_code(struct guess *guess, const struct asked *asked,
	struct sign_in_desk *desk)
{
	struct account_desk *account = &desk->account;

	if (!account->account.has_totp)
		return 0;
	if (!asked->code || !*asked->code) {
		if (!guess_undecided(guess))
			call_fail(guess->call, -REASON_TOTP_NEEDED, NULL);
		return -REASON_TOTP_NEEDED;
	}
	int status = account_proof_code(guess->call, account, asked->code);
	if (status == -REASON_TOTP_WRONG)
		refuse(guess, &account->account, status);
	return status;
}

static void open_for(struct guess *guess, const struct asked *asked,
	struct sign_in_desk *desk)
{
	struct call *call = guess->call;
	int status = check_place(call, desk);

	if (status) {
		if (!record_refusal(call, &desk->account.account, status) &&
			!guess_undecided(guess))
			call_fail(call, status, NULL);
		return;
	}
	if (check_code(guess, asked, desk) || guess_right(guess) ||
		sign_in_desk_open(call, desk, ""))
		return;
	exchange_json(call->exchange, 200, sign_in_desk_me(call, desk));
}

static void sign_in(struct call *call, const struct asked *asked,
	struct sign_in_desk *desk)
{
	struct account *account = &desk->account.account;
	struct guess guess;
	int status = account_desk_read(call, asked->account, &desk->account);

	if (status == -REASON_NOT_FOUND)
		status = 0;
	if (!status)
		status = account_desk_security(call, account->tenant, &desk->security);
	if (status) {
		call_fail(call, status, NULL);
		return;
	}
	if (guess_begin(&guess, call, asked->account, account->tenant, &desk->security))
		return;
	status = account_proof_password(&guess, usable(account), asked->password);
	if (!status)
		open_for(&guess, asked, desk);
	else if (status == -REASON_PASSWORD_WRONG)
		refuse(&guess, account, status);
}

void api_sign_in_open(void *admin UNUSED, struct exchange *exchange)
{
	struct call *call = call_of(exchange);
	struct sign_in_desk desk = {0};
	struct asked asked = {0};
	struct body body;

	if (body_parse(&body, exchange))
		return;
	text_clip(call->by.name, sizeof(call->by.name), STRANGER);
	if (!read_asked(call, &body, &asked)) {
		if (asked.directory && *asked.directory)
			call_fail(call, -REASON_NOT_FOUND, "directory");
		else
			sign_in(call, &asked, &desk);
	}
	sign_in_desk_unload(&desk);
	body_done(&body);
}

void api_sign_in_close(void *admin UNUSED, struct exchange *exchange)
{
	struct call *call = call_of(exchange);
	struct sign_in_desk desk;
	int status = sign_in_desk_load(call, &desk);

	if (status) {
		call_fail(call, status, NULL);
		return;
	}
	if (!call_audit(call, AUDIT_SIGNED_OUT, call->by.tenant, "",
		    json_pack("{s:s}", "account", call->by.name))) {
		status = sign_in_desk_close(call, &desk);
		if (status)
			call_undone(call, AUDIT_SIGNED_OUT, call->by.tenant, "", status);
		else
			exchange_empty(exchange);
	}
	sign_in_desk_unload(&desk);
}
