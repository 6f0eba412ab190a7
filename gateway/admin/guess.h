/* guess: one try at a secret of an account, counted before it is looked at (rules/lockout.h says why),
 * per account and address, and per address whatever account.
 *
 * Where nobody is named (an answer of a provider that may be forged) the account is "", and only the
 * address counts.
 * A name that no account has is counted the same way, so that neither answer nor time tells which
 * names exist. Failures at this listener and at the relay are counted apart: one who guesses license
 * passwords does not lock an administrator of the same office out.
 * Thread: that of the call; blocks on the store.
 */
#ifndef ADMIN_GUESS_H
#define ADMIN_GUESS_H

#include "admin/call.h"
#include "rules/account.h"
#include "rules/account_security.h"

struct guess {
	struct call *call;
	const char *account, *tenant; /* borrowed */
	char prefix[IP_RULE_TEXT];
	struct account_security security;
	int64_t now_ms;
	int locks; /* it was the last one before the lock */
};

/* Locked already: said at once, without a place among those who hash. -REASON_*: answered. */
MUST_CHECK int guess_begin(struct guess *guess, struct call *call, const char *account,
	const char *tenant, const struct account_security *security);
/* -REASON_*: answered. Then one of the three below. */
MUST_CHECK int guess_charge(struct guess *guess);
/* The failures before are forgotten. -REASON_*: answered. */
MUST_CHECK int guess_right(struct guess *guess);
/* It was right so far, but more is needed: only this try is taken back. -REASON_*: answered. */
MUST_CHECK int guess_undecided(struct guess *guess);
/* A lock that it brought is recorded; answers with the reason. `is_known`: there is such an account. */
enum guess_name { GUESS_KNOWN, GUESS_UNKNOWN };
int guess_wrong(struct guess *guess, int reason, enum guess_name name);

/* For those who lift it, and for those who look. */
MUST_CHECK int guess_unlock(struct call *call, const char *account);
/* How long the account as a whole or some address is locked still; 0: it is not. */
int64_t guess_locked_until(struct call *call, const char *account);

#endif
