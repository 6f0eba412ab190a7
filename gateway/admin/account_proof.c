#include "admin/account_proof.h"

#include "admin/directory_proof.h"
#include "admin/hashing.h"
#include "base/clock.h"
#include "base/reason.h"

/* Against others who change the same account at the same moment. */
#define TRIES 5

int account_proof_password(struct guess *guess, const struct account *account,
	const char *password)
{
	struct call *call = guess->call;
	int status;

	if (account && *account->directory)
		return directory_proof_password(guess, account->directory, "", account,
			"", password);
	status = hashing_begin(call);
	if (status)
		return call_fail(call, status, NULL);
	status = guess_charge(guess);
	if (status) {
		hashing_end(call);
		return status;
	}
	status = hashing_check(call, account ? account->password : NULL, password);
	hashing_end(call);
	if (status && status != -REASON_PASSWORD_WRONG)
		return call_fail(call, status, NULL);
	return status;
}

static int record_recovery(struct call *call, const struct account *account)
{
	return call_audit(call, AUDIT_RECOVERY_CODE_USED, account->tenant, "",
		json_pack("{s:s, s:i}", "account", account->name, "left",
			(int)account->recovery.count));
}

/* 0: it fits, and the account in memory has it spent; *ret_recovery: it was one of the list. */
static int spend(struct account *account, const char *code, int *ret_recovery)
{
	*ret_recovery = 0;
	if (!account->has_totp)
		return -REASON_TOTP_WRONG;
	int status =
		totp_check(account->totp, code, clock_wall_ms(), &account->totp_step);
	if (status != -REASON_TOTP_WRONG)
		return status;
	status = totp_recovery_use(&account->recovery, code);
	*ret_recovery = !status;
	return status;
}

/* What the password was checked against must still stand. */
static int read_again(struct call *call, struct account_desk *desk)
{
	struct account_desk fresh;
	int status = account_desk_read(call, desk->account.name, &fresh);

	if (!status && fresh.account.epoch != desk->account.epoch) {
		account_desk_unload(&fresh);
		status = -REASON_NOT_FOUND;
	}
	if (status)
		return status == -REASON_NOT_FOUND ? -REASON_TOTP_WRONG : status;
	account_desk_unload(desk);
	*desk = fresh;
	return 0;
}

int account_proof_code(struct call *call, struct account_desk *desk, const char *code)
{
	int status = -REASON_CONFLICT, recovery, recorded = 0;

	for (int i = 0; i < TRIES && status == -REASON_CONFLICT; i++) {
		if (i && (status = read_again(call, desk)))
			break;
		status = spend(&desk->account, code, &recovery);
		if (!status && recovery && !recorded++ &&
			(status = record_recovery(call, &desk->account)))
			return status;
		if (!status)
			status = account_desk_put(call, desk);
	}
	if (!status || status == -REASON_TOTP_WRONG)
		return status;
	return call_fail(call, status == -REASON_CONFLICT ? -REASON_BUSY : status, NULL);
}
