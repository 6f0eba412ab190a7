/* directory_account: whose account it is that a directory has spoken of.
 *
 * An account names its directory, and its own name there (the account's name when nothing is set). Both
 * must fit, so that nobody who is known to one directory gets into an account of another, and no company's
 * directory into accounts of another company.
 * Thread: that of the call; blocks on the store.
 */
#ifndef ADMIN_DIRECTORY_ACCOUNT_H
#define ADMIN_DIRECTORY_ACCOUNT_H

#include "admin/account_desk.h"
#include "directory/oidc_flow.h"
#include "rules/directory.h"

/* Enabled, and the directory may vouch for it. -REASON_NOT_FOUND. Nothing is answered. */
MUST_CHECK int directory_account_find(struct call *call,
	const struct directory *directory, const char *user, struct account_desk *ret);
/* Whether this account, read by its own name, is such a one. */
int directory_account_good(const struct directory *directory,
	const struct account *account);
/* Makes the account of somebody whom nobody has registered, where the directory says so; recorded
 * first. -REASON_NOT_FOUND: it does not say so, or no account can have this name: not answered. Other
 * errors are answered. */
MUST_CHECK int directory_account_make(struct call *call,
	const struct directory *directory, const struct oidc_flow_person *person,
	struct account_desk *ret);

#endif
