#include "admission/admission_join.h"

#include <stdlib.h>

#include "admission/admission_case.h"
#include "admission/admission_store.h"
#include "base/reason.h"
#include "rules/join.h"
#include "store/store_wait.h"

static int take(const struct admission_case *one, struct join *ret)
{
	struct state *state = one->store->state;
	char id[JOIN_ID], *body;
	int r = join_id(one->request.join, id);
	if (r == 0)
		r = admission_store_get(one->store, STATE_JOIN, id, &body);
	if (r)
		return r == -REASON_NOT_FOUND ? -REASON_JOIN_SPENT : r;
	r = store_wait_remove(state, STATE_JOIN, id, 0);
	if (r == -REASON_NOT_FOUND) /* somebody else was faster */
		r = -REASON_JOIN_SPENT;
	if (r == 0)
		r = join_read(body, ret);
	free(body);
	return r;
}

int admission_join_take(struct admission_case *one)
{
	struct join join;
	int r = take(one, &join);
	if (r == 0)
		r = join_check(&join, one->license_id, one->device_id, one->node,
			one->now_ms);
	if (r == 0) {
		one->joined = 1;
		one->resume_only = join.resume_only;
	}
	return r == -REASON_JOIN_SPENT && *one->request.password ? 0 : r;
}
