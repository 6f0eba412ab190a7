#include "relay/neighbours.h"

#include <string.h>

#include "base/clock.h"
#include "relay/desk.h"
#include "relay/recover_nodes.h"
#include "relay/shares.h"
#include "store/state.h"
#include "store/store_open.h"

#define MOST 1000

/* What a document says of the time is not looked at: by one clock that is ahead, a node would find itself alone. */
static int serves(struct desk *desk, const struct state_doc *doc)
{
	int64_t now_ms = clock_mono_ms();
	if (!strcmp(doc->id, desk->house->node))
		return 0;
	recover_nodes_saw(desk->nodes, doc, now_ms);
	return !recover_nodes_lost(desk->nodes, doc->id, now_ms, NEIGHBOURS_FRESH_MS);
}

static void on_nodes(void *ctx, const struct state_answer *answer)
{
	struct desk *desk = ctx;
	int nodes = 1;
	desk->asked--;
	if (!desk->nodes)
		desk->nodes = recover_nodes_new();
	if (answer->status || !desk->nodes)
		return;
	for (size_t i = 0; i < answer->count; i++)
		nodes += serves(desk, &answer->docs[i]);
	shares_set_nodes(desk->house->shares, nodes);
}

void neighbours_look(struct desk *desk)
{
	desk->asked++;
	state_list(desk->house->store->state, STATE_NODE, NULL, NULL, MOST,
		desk_box(desk), on_nodes, desk);
}
