#include "rules/role.h"

#include <string.h>

#include "base/reason.h"

static const struct {
	const char *name, *help;
	unsigned char roles[ROLES];
} permissions[] = {
#define P(NAME, name, operator, admin, helpdesk, auditor, help)                          \
	{name, help, {operator, admin, helpdesk, auditor}},
#include "rules/role.def"
#undef P
};

static const char *const names[ROLES] = {"operator", "admin", "helpdesk", "auditor"};

int role_may(enum role role, enum role_permission permission)
{
	return permissions[permission].roles[role];
}

int role_any_may(unsigned roles, enum role_permission permission)
{
	for (size_t i = 0; i < ROLES; i++)
		if ((roles & ROLE_BIT(i)) && permissions[permission].roles[i])
			return 1;
	return 0;
}

int role_covers(enum role upper, enum role lower)
{
	for (size_t i = 0; i < ROLE_PERMISSIONS; i++)
		if (permissions[i].roles[lower] && !permissions[i].roles[upper])
			return 0;
	return 1;
}

const char *role_name(enum role role)
{
	return names[role];
}

int role_parse(const char *name, enum role *ret)
{
	for (size_t i = 0; i < ROLES; i++)
		if (!strcmp(names[i], name)) {
			*ret = (enum role)i;
			return 0;
		}
	return -REASON_BAD_VALUE;
}

const char *role_permission_name(enum role_permission permission)
{
	return permissions[permission].name;
}

const char *role_permission_help(enum role_permission permission)
{
	return permissions[permission].help;
}
