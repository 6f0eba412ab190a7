/* role: who may do what in the administration: one table (role.def), four roles.
 *
 * Thread: any; constant data. Errors: -REASON_BAD_VALUE.
 */
#ifndef RULES_ROLE_H
#define RULES_ROLE_H

#include <stddef.h>

#include "base/check.h"

enum role { ROLE_OPERATOR, ROLE_ADMIN, ROLE_HELPDESK, ROLE_AUDITOR, ROLES };

enum role_permission {
#define P(NAME, name, operator, admin, helpdesk, auditor, help) ROLE_MAY_##NAME,
#include "rules/role.def"
#undef P
	ROLE_PERMISSIONS
};

int role_may(enum role role, enum role_permission permission);
/* Accounts can have several roles; together they may what any of them may. */
#define ROLE_BIT(role) (1u << (role))
int role_any_may(unsigned roles, enum role_permission permission);
/* Permissions that concern the service and not one company: of whom belongs to a company they are
 * worth nothing, whatever his role. */
int role_is_of_service(enum role_permission permission);
/* role_any_may() of somebody of this tenant ("": the operator's own people). */
int role_may_in(unsigned roles, const char *tenant, enum role_permission permission);
/* Whether somebody with roles `lower` in `tenant` may nothing that `upper` may not: only such roles
 * can be given to others, or taken from them. Operators are without a tenant. */
int role_covers(unsigned upper, unsigned lower, const char *tenant);
/* The one that says most. */
enum role role_first(unsigned roles);
const char *role_name(enum role role);
MUST_CHECK int role_parse(const char *name, enum role *ret);
const char *role_permission_name(enum role_permission permission);
/* "see licenses, without secrets" */
const char *role_permission_help(enum role_permission permission);

#endif
