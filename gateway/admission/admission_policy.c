#include "admission/admission_policy.h"

#include <stdlib.h>

#include "admission/admission_store.h"
#include "base/reason.h"

static int narrow_by_document(struct store *store, const char *id, struct policy *policy)
{
	struct field_error error;
	struct policy level;
	char *body;
	int r = admission_store_get(store, STATE_POLICY, id, &body);
	if (r)
		return r == -REASON_NOT_FOUND ? 0 : r;
	r = policy_parse(body, &level, &error);
	free(body);
	return r ? -REASON_STATE_DAMAGED : policy_narrow(policy, &level);
}

/* The top: it may also permit more than the default. */
static int load_top(struct store *store, struct policy *policy)
{
	struct field_error error;
	char *body;
	policy_default(policy);
	int r = admission_store_get(store, STATE_POLICY, POLICY_ID_DEFAULT, &body);
	if (r)
		return r == -REASON_NOT_FOUND ? 0 : r;
	r = policy_parse_top(body, policy, &error);
	free(body);
	return r ? -REASON_STATE_DAMAGED : 0;
}

static int narrow_by_company(struct store *store, const struct license *license,
	struct policy *policy)
{
	char id[POLICY_ID_SIZE];
	int r = 0;
	if (*license->tenant) {
		r = policy_id_tenant(id, license->tenant);
		if (r == 0)
			r = narrow_by_document(store, id, policy);
	}
	if (r == 0 && *license->group) {
		r = policy_id_group(id, license->tenant, license->group);
		if (r == 0)
			r = narrow_by_document(store, id, policy);
	}
	return r;
}

int admission_policy_load(struct store *store, const struct license *license,
	struct policy *ret)
{
	struct field_error error;
	struct policy policy, own;
	int r = load_top(store, &policy);
	if (r == 0)
		r = narrow_by_company(store, license, &policy);
	if (r == 0 && *license->policy) {
		r = policy_parse(license->policy, &own, &error) ? -REASON_STATE_DAMAGED
								: 0;
		if (r == 0)
			r = policy_narrow(&policy, &own);
	}
	if (r == 0)
		*ret = policy;
	return r;
}
