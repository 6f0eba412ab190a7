/* password_desk: a new password for an account: chosen by its owner and held against the rules, or made
 * for one sign-in.
 *
 * Thread: that of the call; blocks on scrypt, once for each old password that may not come back.
 * Owner: the caller, who wipes what he was given. Errors: -REASON_*, answered.
 */
#ifndef ADMIN_PASSWORD_DESK_H
#define ADMIN_PASSWORD_DESK_H

#include "admin/call.h"
#include "rules/account.h"
#include "rules/account_security.h"

/* The record of `password`, or answered: PASSWORD_WEAK says what is missing. */
MUST_CHECK int password_desk_choose(struct call *call, const struct account *account,
	const struct account_security *security, const char *password,
	char ret[static PASSWORD_RECORD]);
/* A password to be shown once and changed at the first sign-in; `account` has its record. Nothing is
 * answered. */
MUST_CHECK int password_desk_give(struct call *call, struct account *account,
	char ret[static PASSWORD_GENERATED]);

#endif
