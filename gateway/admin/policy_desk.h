/* policy_desk: one level of policy on the desk of a call: which document it is, and who may touch it;
 * and all levels of one license put together.
 *
 * Thread: that of the call. Errors: -REASON_* have been answered.
 */
#ifndef ADMIN_POLICY_DESK_H
#define ADMIN_POLICY_DESK_H

#include "admin/call.h"
#include "rules/license.h"
#include "rules/policy.h"

enum policy_desk_kind { POLICY_DESK_DEFAULT, POLICY_DESK_TENANT, POLICY_DESK_GROUP };

struct policy_desk {
	enum policy_desk_kind kind;
	char id[POLICY_ID_SIZE], tenant[STATE_TENANT_MAX + 1], group[LICENSE_GROUP_SIZE];
};

/* The level that the route names, in the caller's reach; a company or group must be there. */
MUST_CHECK int policy_desk_of_route(struct call *call, enum policy_desk_kind kind,
	struct policy_desk *ret);
/* The level of a document's id. -REASON_STATE_DAMAGED, not answered. */
MUST_CHECK int policy_desk_of_id(const char *id, struct policy_desk *ret);
/* {"id","level","tenant","group","policy"}; `body` is borrowed, NULL: nothing is set. */
json_t *policy_desk_show(const struct policy_desk *desk, const char *body);
/* {"effective","levels"}; NULL: answered. */
json_t *policy_desk_effective(struct call *call, const struct license *license);
/* Live sessions of that company (NULL: all), or of one license (not NULL), are looked at again. */
MUST_CHECK int policy_desk_order(struct call *call, const char *tenant,
	const char *license);

#endif
