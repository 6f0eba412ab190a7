/* admission_policy: what operator, company, group and license together permit.
 *
 * Thread: admission's own; blocks on the store. Errors: those of the store, -REASON_STATE_DAMAGED,
 * -REASON_LIMIT.
 */
#ifndef ADMISSION_ADMISSION_POLICY_H
#define ADMISSION_ADMISSION_POLICY_H

#include "base/check.h"
#include "rules/license.h"
#include "rules/policy.h"

struct store;

MUST_CHECK int admission_policy_load(struct store *store, const struct license *license,
	struct policy *ret);

#endif
