/* account_proof: somebody shows a secret of an account: its password, a one-time code, a recovery
 * code.
 *
 * Thread: that of the call; blocks on the store and on scrypt.
 */
#ifndef ADMIN_ACCOUNT_PROOF_H
#define ADMIN_ACCOUNT_PROOF_H

#include "admin/account_desk.h"
#include "admin/guess.h"

/* The account's password, or that of its directory; `account` NULL: there is none, and that takes as
 * long. The try is charged.
 * 0; -REASON_PASSWORD_WRONG: not answered, guess_wrong() follows. Else answered. */
MUST_CHECK int account_proof_password(struct guess *guess, const struct account *account,
	const char *password);
/* A code of the app or of the list. It is spent in the store before this returns, so that it opens
 * one door only. -REASON_TOTP_WRONG: not answered. Else answered. */
MUST_CHECK int account_proof_code(struct call *call, struct account_desk *desk,
	const char *code);

#endif
