#include "rules/role.h"

#include <string.h>

#include "base/reason.h"

static const struct {
	const char *name, *what;
	unsigned roles;
} permissions[] = {
#define P(symbol, name, operator, admin, helpdesk, auditor, what)                        \
	{name, what,                                                                     \
		operator<< ROLE_OPERATOR | admin << ROLE_ADMIN |                         \
		helpdesk << ROLE_HELPDESK | auditor << ROLE_AUDITOR },
#include "rules/role.def"
#undef P
};

static const char *const names[] = {"operator", "admin", "helpdesk", "auditor"};
_Static_assert(ARRAY_LEN(names) == ROLES, "every role has a name");

int role_may(unsigned roles, enum role_permission permission)
{
	CHECK((unsigned)permission < ROLE_PERMISSIONS);
	return (permissions[permission].roles & roles) != 0;
}

uint64_t role_scopes(unsigned roles)
{
	uint64_t scopes = 0;
	for (size_t i = 0; i < ROLE_PERMISSIONS; i++)
		if (permissions[i].roles & roles)
			scopes |= ROLE_SCOPE(i);
	return scopes;
}

const char *role_name(size_t role)
{
	return role < ROLES ? names[role] : NULL;
}

const char *role_permission_name(size_t permission)
{
	return permission < ROLE_PERMISSIONS ? permissions[permission].name : NULL;
}

const char *role_permission_text(size_t permission)
{
	return permission < ROLE_PERMISSIONS ? permissions[permission].what : NULL;
}

int role_parse(const char *name, enum role *ret)
{
	for (size_t i = 0; i < ROLES; i++)
		if (strcmp(names[i], name) == 0) {
			*ret = (enum role)i;
			return 0;
		}
	return -REASON_BAD_VALUE;
}

int role_permission_parse(const char *name, enum role_permission *ret)
{
	for (size_t i = 0; i < ROLE_PERMISSIONS; i++)
		if (strcmp(permissions[i].name, name) == 0) {
			*ret = (enum role_permission)i;
			return 0;
		}
	return -REASON_BAD_VALUE;
}
