#include "admin/sign_in_door.h"

#include "admin/account_proof.h"
#include "admin/call.h"
#include "base/reason.h"

int sign_in_door_record(struct call *call, const struct account *account, int reason)
{
	return call_audit(call, AUDIT_SIGN_IN_REFUSED, account->tenant, "",
		json_pack("{s:s, s:s}", "account",
			*account->name ? account->name : "unknown", "reason",
			reason_symbol(reason)));
}

void sign_in_door_refuse(struct guess *guess, const struct account *account, int reason)
{
	if (!sign_in_door_record(guess->call, account, reason))
		guess_wrong(guess, reason, *account->name ? GUESS_KNOWN : GUESS_UNKNOWN);
}

int sign_in_door_place(struct call *call, const struct sign_in_desk *desk)
{
	if (!account_security_permits(&desk->security, call->exchange->address))
		return -REASON_ADDRESS_REFUSED;
	return account_desk_tenant(call, desk->account.account.tenant);
}

static int check_code(struct guess *guess, struct sign_in_desk *desk, const char *code)
{
	struct account_desk *account = &desk->account;

	if (!account->account.has_totp || desk->sign_in.second_factor)
		return 0;
	if (!code || !*code) {
		if (!guess_undecided(guess))
			call_fail(guess->call, -REASON_TOTP_NEEDED, NULL);
		return -REASON_TOTP_NEEDED;
	}
	int status = account_proof_code(guess->call, account, code);
	if (status == -REASON_TOTP_WRONG)
		sign_in_door_refuse(guess, &account->account, status);
	return status;
}

int sign_in_door_open(struct guess *guess, struct sign_in_desk *desk, const char *code,
	const char *directory)
{
	struct call *call = guess->call;
	/* He knows the password: what else is in the way may be told him. */
	int status = sign_in_door_place(call, desk);

	if (status) {
		if (!sign_in_door_record(call, &desk->account.account, status) &&
			!guess_undecided(guess))
			call_fail(call, status, NULL);
		return status;
	}
	status = check_code(guess, desk, code);
	if (!status)
		status = guess_right(guess);
	return status ? status : sign_in_desk_open(call, desk, directory);
}

void sign_in_door_greet(struct call *call, const struct sign_in_desk *desk)
{
	exchange_json(call->exchange, 200, sign_in_desk_me(call, desk));
}
