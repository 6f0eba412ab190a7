#include "admin/guess.h"

#include <stdlib.h>
#include <string.h>

#include "admission/admission_store.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/reason.h"

static struct admission_tries of_account(const struct guess *guess)
{
	return (struct admission_tries){"account", guess->account, guess->tenant,
		guess->prefix, account_security_limits(&guess->security), guess->now_ms};
}

static struct admission_tries of_address(const struct guess *guess)
{
	return (struct admission_tries){"sign_in", guess->prefix, "", guess->prefix,
		account_security_address_limits(), guess->now_ms};
}

static int locked(const struct guess *guess, int64_t wait_ms)
{
	log_line(LOG_WARN, "sign-in refused: locked", LOG_S("prefix", guess->prefix),
		LOG_U("wait_ms", wait_ms));
	return call_fail_for(guess->call, -REASON_LOCKED_OUT, wait_ms);
}

static int names_somebody(const struct guess *guess)
{
	return *guess->account != 0;
}

int guess_begin(struct guess *guess, struct call *call, const char *account,
	const char *tenant, const struct account_security *security)
{
	int64_t own = 0, address = 0;

	*guess = (struct guess){.call = call,
		.account = account,
		.tenant = tenant,
		.security = *security,
		.now_ms = clock_wall_ms()};
	ip_rule_prefix(call->exchange->address, guess->prefix);
	struct admission_tries tries = of_account(guess), others = of_address(guess);
	int status = names_somebody(guess)
			     ? admission_store_wait(call_store(call), &tries, &own)
			     : 0;
	if (!status)
		status = admission_store_wait(call_store(call), &others, &address);
	if (status)
		return call_fail(call, status, NULL);
	return own || address ? locked(guess, own > address ? own : address) : 0;
}

int guess_charge(struct guess *guess)
{
	struct store *store = call_store(guess->call);
	int64_t own = 0, address = 0;
	int locks = 0;

	/* It may have waited; a lock is counted from now. */
	guess->now_ms = clock_wall_ms();
	struct admission_tries tries = of_account(guess), others = of_address(guess);
	int status = names_somebody(guess)
			     ? admission_store_charge(store, &tries, &own, &guess->locks)
			     : 0;
	if (!status && !own)
		status = admission_store_charge(store, &others, &address, &locks);
	/* The secret will not be looked at, so it was no try. */
	if (!status && address && names_somebody(guess))
		status = admission_store_undo(store, &tries, ADMISSION_GIVE_BACK);
	if (status)
		return call_fail(guess->call, status, NULL);
	return own || address ? locked(guess, own ? own : address) : 0;
}

static int undo(struct guess *guess, enum admission_mercy mercy)
{
	struct store *store = call_store(guess->call);
	struct admission_tries tries = of_account(guess), others = of_address(guess);
	int status =
		names_somebody(guess) ? admission_store_undo(store, &tries, mercy) : 0;

	/* Others behind the same address may be guessing: only our own try is given back. */
	if (!status)
		status = admission_store_undo(store, &others, ADMISSION_GIVE_BACK);
	return status ? call_fail(guess->call, status, NULL) : 0;
}

int guess_right(struct guess *guess)
{
	return undo(guess, ADMISSION_FORGIVE);
}

int guess_undecided(struct guess *guess)
{
	return undo(guess, ADMISSION_GIVE_BACK);
}

int guess_wrong(struct guess *guess, int reason, enum guess_name name)
{
	if (guess->locks && name == GUESS_KNOWN &&
		call_audit(guess->call, AUDIT_ACCOUNT_LOCKED, guess->tenant, "",
			json_pack("{s:s, s:s, s:I}", "account", guess->account, "prefix",
				guess->prefix, "until_ms",
				(json_int_t)(guess->now_ms + guess->security.lock_ms))))
		return -REASON_RECORDING_FAILED;
	return call_fail(guess->call, reason, NULL);
}

int guess_unlock(struct call *call, const char *account)
{
	char id[LOCKOUT_ID_SIZE];
	int status = lockout_id(id, "account", account);

	if (!status)
		status =
			store_wait_remove(call_store(call)->state, STATE_ATTEMPTS, id, 0);
	return status == -REASON_NOT_FOUND ? 0 : status;
}

int64_t guess_locked_until(struct call *call, const char *account)
{
	char id[LOCKOUT_ID_SIZE], *body = NULL;
	struct lockout_book book;
	int64_t now = clock_wall_ms(), until = 0;

	if (lockout_id(id, "account", account) ||
		admission_store_get(call_store(call), STATE_ATTEMPTS, id, &body))
		return 0;
	lockout_read(body, &book);
	free(body);
	until = book.whole.until_ms;
	for (size_t i = 0; i < book.count; i++)
		if (book.prefixes[i].at.until_ms > until)
			until = book.prefixes[i].at.until_ms;
	return until > now ? until : 0;
}
