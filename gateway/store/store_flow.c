#include "store/store_flow.h"

#include <stdlib.h>

#include "base/reason.h"

#define UNDER_WAY 256

struct store_flow {
	struct state *state;
	struct post_pump *pump;
	size_t under_way;
	uint64_t missed;
	int status; /* the first error */
};

int store_flow_new(struct state *state, struct store_flow **ret)
{
	struct store_flow *flow = calloc(1, sizeof(*flow));
	if (!flow)
		return -REASON_NO_MEMORY;
	flow->state = state;
	int r = post_pump_new(&flow->pump);
	if (r)
		free(flow);
	else
		*ret = flow;
	return r;
}

static void answered(void *ctx, const struct state_answer *answer)
{
	struct store_flow *flow = ctx;
	int r = answer->status;
	flow->under_way--;
	if (r == -REASON_CONFLICT || r == -REASON_NOT_FOUND)
		flow->missed++;
	else if (r && !flow->status)
		flow->status = r;
}

static int make_room(struct store_flow *flow)
{
	while (flow->under_way >= UNDER_WAY)
		post_pump_run(flow->pump, -1);
	if (flow->status)
		return flow->status;
	flow->under_way++;
	return 0;
}

int store_flow_put(struct store_flow *flow, const struct state_doc *doc)
{
	int r = make_room(flow);
	if (r == 0)
		state_put(flow->state, doc, post_pump_box(flow->pump), answered, flow);
	return r;
}

int store_flow_remove(struct store_flow *flow, enum state_kind kind, const char *id)
{
	int r = make_room(flow);
	if (r == 0)
		state_remove(flow->state, kind, id, 0, post_pump_box(flow->pump),
			answered, flow);
	return r;
}

int store_flow_wait(struct store_flow *flow, uint64_t *ret_missed)
{
	while (flow->under_way)
		post_pump_run(flow->pump, -1);
	if (ret_missed)
		*ret_missed = flow->missed;
	flow->missed = 0;
	return flow->status;
}

struct store_flow *store_flow_free(struct store_flow *flow)
{
	if (!flow)
		return NULL;
	if (store_flow_wait(flow, NULL))
		flow->under_way = 0;
	post_pump_free(flow->pump);
	free(flow);
	return NULL;
}
