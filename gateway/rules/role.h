/* role: which role may do what: one table (role.def), asked in one place, the router.
 *
 * Thread: any; constant data. Several roles together may what any of them may.
 */
#ifndef RULES_ROLE_H
#define RULES_ROLE_H

#include <stddef.h>
#include <stdint.h>

#include "base/check.h"

enum role { ROLE_OPERATOR, ROLE_ADMIN, ROLE_HELPDESK, ROLE_AUDITOR, ROLES };
#define ROLE_BIT(role) (1u << (role))

enum role_permission {
#define P(name, text, operator, admin, helpdesk, auditor, what) ROLE_MAY_##name,
#include "rules/role.def"
#undef P
	ROLE_PERMISSIONS
};
_Static_assert(ROLE_PERMISSIONS <= 64, "scopes of a token are one number");
#define ROLE_SCOPE(permission) (UINT64_C(1) << (permission))

/* `roles`: ROLE_BIT()s. */
int role_may(unsigned roles, enum role_permission permission);
/* All that these roles may, as ROLE_SCOPE()s. */
uint64_t role_scopes(unsigned roles);

/* "helpdesk"; NULL beyond the last. */
const char *role_name(size_t role);
/* "license.see" and "see licenses…"; NULL beyond the last. */
const char *role_permission_name(size_t permission);
const char *role_permission_text(size_t permission);
/* -REASON_BAD_VALUE. */
MUST_CHECK int role_parse(const char *name, enum role *ret);
MUST_CHECK int role_permission_parse(const char *name, enum role_permission *ret);

#endif
