/* directory_proof: somebody shows the password that an LDAP directory knows of him.
 *
 * Thread: that of the call; waits for the directory.
 */
#ifndef ADMIN_DIRECTORY_PROOF_H
#define ADMIN_DIRECTORY_PROOF_H

#include "admin/guess.h"
#include "admin/sign_in_desk.h"
#include "rules/directory.h"

/* `account` NULL: there is none of the name `user`; the directory is asked all the same, so that it takes
 * as long. The try is charged, and given back when the directory did not look at the password.
 * 0; -REASON_PASSWORD_WRONG: not answered, guess_wrong() follows. Else answered. */
MUST_CHECK int directory_proof_password(struct guess *guess, const char *directory,
	const char *tenant, const struct account *account, const char *user,
	const char *password);

/* POST /sign-in with a directory, up to its answer. */
void directory_proof_sign_in(struct call *call, struct sign_in_desk *desk,
	const char *directory, const char *user, const char *password, const char *code);

#endif
