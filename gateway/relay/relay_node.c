/* What other nodes and people may know of this one, and what one desk of a node does for all. */
#include <jansson.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/reason.h"
#include "net/worker.h"
#include "relay/elsewhere.h"
#include "relay/neighbours.h"
#include "relay/recover.h"
#include "relay/relay_inside.h"
#include "store/state.h"
#include "store/store_open.h"

#define NODE_EVERY_MS 10000 /* at most; others must not take us for lost */

static void put_node(struct relay *relay);

static void on_node_put(void *ctx, const struct state_answer *answer)
{
	struct relay *relay = ctx;
	relay->desk[0]->asked--;
	relay->node_asked = 0;
	/* Changed by nobody else, unless the store was emptied or put back: then it is read again. */
	if (!answer->status && answer->count)
		relay->node_version = answer->docs[0].version;
	else if (answer->status == -REASON_NOT_FOUND ||
		 answer->status == -REASON_CONFLICT)
		relay->node_version = 0;
	if (relay->node_due)
		put_node(relay);
}

/* What a former run of this node left behind is replaced. */
static void on_node_read(void *ctx, const struct state_answer *answer)
{
	struct relay *relay = ctx;
	relay->desk[0]->asked--;
	relay->node_asked = 0;
	if (answer->status && answer->status != -REASON_NOT_FOUND)
		return;
	relay->node_version =
		answer->count && !answer->status ? answer->docs[0].version : 0;
	put_node(relay);
}

static char *node_body(struct relay *relay)
{
	struct relay_counts counts;
	relay_counts(relay, &counts);
	json_t *body =
		json_pack("{s:s, s:s, s:s, s:s, s:s, s:I, s:I, s:I, s:I, s:I, s:I}", "id",
			relay->house.node, "address", relay->house.at.address, "peer",
			relay->house.at.peer, "version", ENGAWA_VERSION, "degraded_mode",
			relay->house.cache_ms ? "cache" : "strict", "started",
			(json_int_t)relay->started_ms, "seen",
			(json_int_t)clock_wall_ms(), "draining",
			(json_int_t)counts.draining, "sessions",
			(json_int_t)counts.sessions, "hosts", (json_int_t)counts.hosts,
			"viewers", (json_int_t)counts.viewers);
	char *text = body ? json_dumps(body, JSON_COMPACT) : NULL;
	json_decref(body);
	return text;
}

static void put_node(struct relay *relay)
{
	char *body = node_body(relay);
	if (!body || relay->node_asked || relay->node_gone) {
		free(body);
		return;
	}
	struct state_doc doc = {
		STATE_NODE, relay->house.node, "", relay->node_version, body};
	relay->node_asked = 1;
	relay->node_due = 0;
	relay->desk[0]->asked++;
	state_put(relay->house.store->state, &doc, desk_box(relay->desk[0]), on_node_put,
		relay);
	free(body);
}

static void read_node(struct relay *relay)
{
	relay->node_asked = 1;
	relay->desk[0]->asked++;
	state_get(relay->house.store->state, STATE_NODE, relay->house.node,
		desk_box(relay->desk[0]), on_node_read, relay);
}

void relay_node_timer(void *ctx)
{
	struct relay *relay = ctx;
	if (!relay->node_asked && !relay->node_gone) {
		if (relay->node_version)
			put_node(relay);
		else
			read_node(relay);
	}
	if (clock_mono_ms() >= relay->sweep_ms && !relay->node_gone) {
		int64_t half_ms = relay->desk[0]->settings.node_lost_ms / 2;
		relay->sweep_ms =
			clock_mono_ms() +
			(half_ms < RECOVER_EVERY_MS ? half_ms : RECOVER_EVERY_MS);
		recover_sweep(relay->desk[0], relay->started_ms);
		elsewhere_sweep(relay->desk[0]);
	}
	if (!relay->node_gone)
		neighbours_look(relay->desk[0]);
	int64_t quarter_ms = relay->desk[0]->settings.node_lost_ms / 4;
	worker_timer_set(relay->node_timer,
		quarter_ms < NODE_EVERY_MS ? quarter_ms : NODE_EVERY_MS);
}

/* People look right after an order: they must not see what was before it. */
void relay_node_show(struct relay *relay, struct desk *desk, int64_t value)
{
	(void)desk;
	(void)value;
	relay->node_due = 1;
	if (!relay->node_asked)
		put_node(relay);
}

void relay_node_remove(struct relay *relay)
{
	relay->node_gone = 1;
	relay->desk[0]->asked++;
	state_remove(relay->house.store->state, STATE_NODE, relay->house.node, 0,
		desk_box(relay->desk[0]), on_node_put, relay);
}
