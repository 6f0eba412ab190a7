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

int role_is_of_service(enum role_permission permission)
{
	static const enum role_permission of_service[] = {ROLE_MAY_METRICS,
		ROLE_MAY_NODE_READ, ROLE_MAY_NODE_WRITE, ROLE_MAY_TENANT_WRITE,
		ROLE_MAY_NOTICE_WRITE, ROLE_MAY_BACKUP};
	for (size_t i = 0; i < ARRAY_LEN(of_service); i++)
		if (of_service[i] == permission)
			return 1;
	return 0;
}

int role_may_in(unsigned roles, const char *tenant, enum role_permission permission)
{
	return (!*tenant || !role_is_of_service(permission)) &&
	       role_any_may(roles, permission);
}

int role_covers(unsigned upper, unsigned lower, const char *tenant)
{
	if ((lower & ROLE_BIT(ROLE_OPERATOR)) && !(upper & ROLE_BIT(ROLE_OPERATOR)))
		return 0;
	for (size_t i = 0; i < ROLE_PERMISSIONS; i++)
		if (role_may_in(lower, tenant, (enum role_permission)i) &&
			!role_any_may(upper, (enum role_permission)i))
			return 0;
	return 1;
}

enum role role_first(unsigned roles)
{
	for (size_t i = 0; i < ROLES; i++)
		if (roles & ROLE_BIT(i))
			return (enum role)i;
	return ROLE_AUDITOR;
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
