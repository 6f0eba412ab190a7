#include "admin/api_me.h"

#include <string.h>

#include "admin/account_proof.h"
#include "admin/call.h"
#include "admin/password_desk.h"
#include "admin/sign_in_desk.h"
#include "base/clock.h"
#include "base/reason.h"
#include "base/secret.h"
#include "rules/qr.h"

/* The gate has seen it a moment ago; gone since is gone. */
static int load(struct call *call, struct sign_in_desk *ret)
{
	int status = sign_in_desk_load(call, ret);
	return status ? call_fail(call, status, NULL) : 0;
}

static json_t *about(const struct account *account)
{
	return json_pack("{s:s}", "account", account->name);
}

/* Recorded, then written. -REASON_*: answered. */
static int put(struct call *call, struct sign_in_desk *desk, enum audit_event event,
	json_t *fields)
{
	const char *tenant = desk->account.account.tenant;
	int status = call_audit(call, event, tenant, "", fields);

	if (status)
		return status;
	desk->account.account.changed_ms = clock_wall_ms();
	status = account_desk_put(call, &desk->account);
	return status ? call_undone(call, event, tenant, "", status) : 0;
}

void api_me_show(void *admin UNUSED, struct exchange *exchange)
{
	struct call *call = call_of(exchange);
	struct sign_in_desk desk;

	if (load(call, &desk))
		return;
	exchange_json(exchange, 200, sign_in_desk_me(call, &desk));
	sign_in_desk_unload(&desk);
}

static int change(struct call *call, struct sign_in_desk *desk, const json_t *changes)
{
	static const char *const own[] = {"full_name", "mail", "language", NULL};
	struct field_error error;
	int status = field_known(changes, own, &error);

	if (!status)
		status = account_change(&desk->account.account, changes, &error);
	if (status)
		return call_fail_field(call, status, &error);
	return put(call, desk, AUDIT_ACCOUNT_CHANGED,
		json_pack("{s:s, s:O}", "account", desk->account.account.name, "changes",
			changes));
}

void api_me_change(void *admin UNUSED, struct exchange *exchange)
{
	struct call *call = call_of(exchange);
	struct sign_in_desk desk;
	struct body body;

	if (load(call, &desk))
		return;
	if (!body_parse(&body, exchange)) {
		if (!change(call, &desk, body.object))
			exchange_json(exchange, 200, sign_in_desk_me(call, &desk));
		body_done(&body);
	}
	sign_in_desk_unload(&desk);
}

/* 0: it is his. -REASON_*: answered. */
static int prove_password(struct call *call, const struct sign_in_desk *desk,
	const char *password)
{
	const struct account *account = &desk->account.account;
	struct guess guess;
	int status = guess_begin(&guess, call, account->name, account->tenant,
		&desk->security);

	if (status)
		return status;
	status = account_proof_password(&guess, account, password);
	if (status == -REASON_PASSWORD_WRONG)
		guess_wrong(&guess, status, GUESS_KNOWN);
	return status ? status : guess_right(&guess);
}

static int prove_code(struct call *call, struct sign_in_desk *desk, const char *code)
{
	struct guess guess;
	int status = guess_begin(&guess, call, desk->sign_in.account,
		desk->sign_in.tenant, &desk->security);

	if (!status)
		status = guess_charge(&guess);
	if (status)
		return status;
	status = account_proof_code(call, &desk->account, code);
	if (status == -REASON_TOTP_WRONG)
		guess_wrong(&guess, status, GUESS_KNOWN);
	return status ? status : guess_right(&guess);
}

static int change_password(struct call *call, struct sign_in_desk *desk, const char *old,
	const char *new)
{
	struct account *account = &desk->account.account;
	char record[PASSWORD_RECORD];

	if (*account->directory)
		return call_fail(call, -REASON_FORBIDDEN,
			"the password is changed at the directory");
	int status = prove_password(call, desk, old);

	if (!status)
		status =
			password_desk_choose(call, account, &desk->security, new, record);
	if (status)
		return status;
	account_set_password(account, record, clock_wall_ms());
	account_end_sign_ins(account, account->password_ms);
	status = put(call, desk, AUDIT_ACCOUNT_PASSWORD_CHANGED, about(account));
	if (status)
		return status;
	status = sign_in_desk_renew(call, desk);
	return status ? call_fail(call, status, NULL) : 0;
}

void api_me_password(void *admin UNUSED, struct exchange *exchange)
{
	struct call *call = call_of(exchange);
	struct sign_in_desk desk;
	struct body body;

	if (load(call, &desk))
		return;
	if (body_parse(&body, exchange)) {
		sign_in_desk_unload(&desk);
		return;
	}
	const char *old = body_text(&body, "old", PASSWORD_MAX, BODY_NEED);
	const char *new = body_text(&body, "new", PASSWORD_MAX, BODY_NEED);
	if (!body_check(&body, exchange) && !change_password(call, &desk, old, new))
		exchange_json(exchange, 200, sign_in_desk_me(call, &desk));
	body_done(&body);
	sign_in_desk_unload(&desk);
}

static int begin_totp(struct call *call, struct sign_in_desk *desk, json_t **ret)
{
	struct account *account = &desk->account.account;
	char text[TOTP_SECRET_TEXT], uri[TOTP_URI];
	json_t *qr = NULL;
	int status = totp_generate(account->totp_new);

	account->has_totp_new = 1;
	if (!status)
		status = totp_uri(account->name, account->totp_new, uri);
	if (!status)
		status = qr_make(uri, &qr);
	if (!status)
		status = account_desk_put(call, &desk->account);
	if (status) {
		json_decref(qr);
		return call_fail(call, status, NULL);
	}
	totp_print(account->totp_new, text);
	*ret = json_pack("{s:s, s:s, s:o}", "secret", text, "uri", uri, "qr", qr);
	secret_wipe(text, sizeof(text));
	secret_wipe(uri, sizeof(uri));
	return 0;
}

/* Nothing of the account is other than before until a code of the new secret was shown. */
void api_me_totp_begin(void *admin UNUSED, struct exchange *exchange)
{
	struct call *call = call_of(exchange);
	struct sign_in_desk desk;
	json_t *answer = NULL;

	if (load(call, &desk))
		return;
	if (desk.sign_in.second_factor)
		call_fail(call, -REASON_FORBIDDEN, "the directory asks for codes");
	else if (!begin_totp(call, &desk, &answer))
		exchange_json(exchange, 200, answer);
	sign_in_desk_unload(&desk);
}

static json_t *codes_json(char codes[static TOTP_RECOVERY][PASSWORD_GENERATED])
{
	json_t *list = json_array();

	for (size_t i = 0; i < TOTP_RECOVERY; i++)
		json_array_append_new(list, json_string(codes[i]));
	return json_pack("{s:o}", "recovery_codes", list);
}

static void answer_codes(struct call *call, struct sign_in_desk *desk,
	enum audit_event event)
{
	struct account *account = &desk->account.account;
	char codes[TOTP_RECOVERY][PASSWORD_GENERATED];
	int status = totp_recovery_make(&account->recovery, codes);

	if (status)
		call_fail(call, status, NULL);
	else if (!put(call, desk, event, about(account)))
		exchange_json(call->exchange, 200, codes_json(codes));
	secret_wipe(codes, sizeof(codes));
}

static void confirm_totp(struct call *call, struct sign_in_desk *desk, const char *code)
{
	struct account *account = &desk->account.account;
	int64_t step = 0;

	if (!account->has_totp_new) {
		call_fail(call, -REASON_NOT_FOUND, "no secret waits for its first code");
		return;
	}
	int status = totp_check(account->totp_new, code, clock_wall_ms(), &step);
	if (status) {
		call_fail(call, status, NULL);
		return;
	}
	memcpy(account->totp, account->totp_new, sizeof(account->totp));
	secret_wipe(account->totp_new, sizeof(account->totp_new));
	account->has_totp = 1;
	account->has_totp_new = 0;
	account->totp_step = step;
	answer_codes(call, desk, AUDIT_ACCOUNT_TOTP_SET);
}

void api_me_totp_confirm(void *admin UNUSED, struct exchange *exchange)
{
	struct call *call = call_of(exchange);
	struct sign_in_desk desk;
	struct body body;

	if (load(call, &desk))
		return;
	if (!body_parse(&body, exchange)) {
		const char *code = body_text(&body, "code", 16, BODY_NEED);
		if (!body_check(&body, exchange))
			confirm_totp(call, &desk, code);
		body_done(&body);
	}
	sign_in_desk_unload(&desk);
}

void api_me_totp_remove(void *admin UNUSED, struct exchange *exchange)
{
	struct call *call = call_of(exchange);
	struct sign_in_desk desk;

	if (load(call, &desk))
		return;
	struct account *account = &desk.account.account;
	if (desk.security.totp_required) {
		call_fail(call, -REASON_TOTP_SETUP_NEEDED, "the company requires them");
	} else {
		account_remove_totp(account);
		if (!put(call, &desk, AUDIT_ACCOUNT_TOTP_REMOVED, about(account)))
			exchange_empty(exchange);
	}
	sign_in_desk_unload(&desk);
}

void api_me_recovery_codes(void *admin UNUSED, struct exchange *exchange)
{
	struct call *call = call_of(exchange);
	struct sign_in_desk desk;

	if (load(call, &desk))
		return;
	if (desk.account.account.has_totp)
		answer_codes(call, &desk, AUDIT_RECOVERY_CODES_MADE);
	else
		call_fail(call, -REASON_NOT_FOUND, "one-time codes are not set up");
	sign_in_desk_unload(&desk);
}

void api_me_sign_ins(void *admin UNUSED, struct exchange *exchange)
{
	struct call *call = call_of(exchange);
	struct sign_in_desk desk;

	if (load(call, &desk))
		return;
	sign_in_desk_answer(call, &desk.account.account);
	sign_in_desk_unload(&desk);
}

/* Another account's is as unknown as one that never was. */
static int end_one(struct call *call, const struct account *account, const char *id)
{
	struct store_docs docs = {0};
	struct sign_in sign_in;

	if (call_get(call, STATE_SIGN_IN, id, &docs))
		return -REASON_NOT_FOUND;
	int status = sign_in_read(id, docs.docs[0].body, &sign_in);
	store_docs_free(&docs);
	if (status || strcmp(sign_in.account, account->name))
		return call_fail(call, -REASON_NOT_FOUND, NULL);
	status = call_audit(call, AUDIT_SIGN_INS_ENDED, account->tenant, "",
		json_pack("{s:s, s:i}", "account", account->name, "count", 1));
	if (status)
		return status;
	status = store_wait_remove(call_store(call)->state, STATE_SIGN_IN, id, 0);
	return status ? call_undone(call, AUDIT_SIGN_INS_ENDED, account->tenant, "",
				status)
		      : 0;
}

void api_me_sign_in_end(void *admin UNUSED, struct exchange *exchange)
{
	struct call *call = call_of(exchange);
	struct sign_in_desk desk;

	if (load(call, &desk))
		return;
	if (!end_one(call, &desk.account.account, exchange_param(exchange, "id")))
		exchange_empty(exchange);
	sign_in_desk_unload(&desk);
}

static int step_up(struct call *call, struct sign_in_desk *desk, const char *password,
	const char *code)
{
	int status = password ? prove_password(call, desk, password)
			      : prove_code(call, desk, code);

	if (status)
		return status;
	desk->sign_in.proved_ms = clock_wall_ms();
	status = sign_in_desk_put(call, desk);
	return status ? call_fail(call, status, NULL) : 0;
}

void api_me_step_up(void *admin UNUSED, struct exchange *exchange)
{
	struct call *call = call_of(exchange);
	struct sign_in_desk desk;
	struct body body;

	if (load(call, &desk))
		return;
	if (body_parse(&body, exchange)) {
		sign_in_desk_unload(&desk);
		return;
	}
	const char *password = body_text(&body, "password", PASSWORD_MAX, BODY_MAY);
	const char *code = body_text(&body, "code", 64, BODY_MAY);
	if (!password == !code)
		body_wrong(&body, "password", "either it or a code is needed");
	if (!body_check(&body, exchange) && !step_up(call, &desk, password, code))
		exchange_json(exchange, 200, sign_in_desk_me(call, &desk));
	body_done(&body);
	sign_in_desk_unload(&desk);
}
