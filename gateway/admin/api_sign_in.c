#include "admin/api_sign_in.h"

#include <ctype.h>
#include <string.h>

#include "admin/account_proof.h"
#include "admin/call.h"
#include "admin/directory_proof.h"
#include "admin/page.h"
#include "admin/sign_in_desk.h"
#include "admin/sign_in_door.h"
#include "base/reason.h"
#include "base/secret.h"
#include "base/text.h"
#include "rules/directory.h"

struct asked {
	char account[ACCOUNT_NAME_SIZE];
	const char *typed, *password, *code, *directory;
};

/* Only what a page for strangers needs, of those where they can sign in now. */
static json_t *way_of(const struct directory *directory)
{
	return directory_serves(directory, directory->tenant, DIRECTORY_ACCOUNTS)
		       ? json_pack("{s:s, s:s, s:s}", "id", directory->id, "name",
				 directory->name, "kind",
				 directory_kind_name(directory->kind))
		       : NULL;
}

static int show_way(struct call *call UNUSED, const struct state_doc *doc, void *ctx)
{
	struct directory *directory = secret_alloc(sizeof(*directory));
	struct field_error error;
	json_t *way = NULL;

	if (directory && !directory_read(doc->body, directory, &error))
		way = way_of(directory);
	if (way)
		json_array_append_new(ctx, way);
	secret_free(directory, sizeof(*directory));
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
		text_clip(asked->account, sizeof(asked->account), SIGN_IN_DOOR_NO_NAME);
}

static int read_asked(struct call *call, struct body *body, struct asked *asked)
{
	const char *account = body_text(body, "account", 256, BODY_NEED);

	asked->password = body_text(body, "password", PASSWORD_MAX, BODY_NEED);
	asked->code = body_text(body, "code", 64, BODY_MAY);
	asked->directory = body_text(body, "directory", STATE_ID_MAX, BODY_MAY);
	if (body_check(body, call->exchange))
		return body->status;
	asked->typed = account;
	take_name(asked, account);
	int status = sign_in_desk_same_site(call, NULL);
	return status ? call_fail(call, status, NULL) : 0;
}

/* The name is worth something only with a password that fits; until then it is nobody's. Who signs in
 * at a directory does so there only: who has left it must not come in here by an old password. */
static const struct account *usable(const struct account *account)
{
	return *account->password && !*account->directory &&
			       account->state == ACCOUNT_ENABLED
		       ? account
		       : NULL;
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
	if (status == -REASON_PASSWORD_WRONG)
		sign_in_door_refuse(&guess, account, status);
	else if (!status && !sign_in_door_open(&guess, desk, asked->code, ""))
		sign_in_door_greet(call, desk);
}

void api_sign_in_open(void *admin UNUSED, struct exchange *exchange)
{
	struct call *call = call_of(exchange);
	struct sign_in_desk desk = {0};
	struct asked asked = {0};
	struct body body;

	if (body_parse(&body, exchange))
		return;
	text_clip(call->by.name, sizeof(call->by.name), SIGN_IN_DOOR_STRANGER);
	if (!read_asked(call, &body, &asked)) {
		if (asked.directory && *asked.directory)
			directory_proof_sign_in(call, &desk, asked.directory, asked.typed,
				asked.password, asked.code);
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
