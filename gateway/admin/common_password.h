/* common_password: whether a password is one that everybody tries first: a word of a list, backwards too,
 * and such a word with figures and signs around it or in place of letters ("P@ssw0rd2026!").
 *
 * cracklib and the list of Debian's cracklib-runtime. Thread: any; one at a time, for the library keeps
 * its state in globals. Errors: -REASON_BAD_VALUE and why; -REASON_MISSING_PROGRAM without the list:
 * a rule that cannot be checked is not taken as kept.
 */
#ifndef ADMIN_COMMON_PASSWORD_H
#define ADMIN_COMMON_PASSWORD_H

#include "base/check.h"
#include "rules/field.h"

/* `name`: the account's, for what is made of it. */
MUST_CHECK int common_password_check(const char *name, const char *password,
	struct field_error *error);

#endif
