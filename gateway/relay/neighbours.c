#include "relay/neighbours.h"

#include <jansson.h>
#include <string.h>

#include "base/clock.h"
#include "relay/desk.h"
#include "relay/shares.h"
#include "store/state.h"
#include "store/store_open.h"

#define MOST 1000

static int serves(const struct state_doc *doc, const char *own)
{
	json_t *body = json_loads(doc->body, 0, NULL);
	int64_t seen_ms = json_integer_value(json_object_get(body, "seen"));
	json_decref(body);
	/* Its clock may be ahead of ours: that is no reason to leave it out. */
	return strcmp(doc->id, own) && seen_ms > clock_wall_ms() - NEIGHBOURS_FRESH_MS;
}

static void on_nodes(void *ctx, const struct state_answer *answer)
{
	struct desk *desk = ctx;
	int nodes = 1;
	desk->asked--;
	if (answer->status)
		return;
	for (size_t i = 0; i < answer->count; i++)
		nodes += serves(&answer->docs[i], desk->house->node);
	shares_set_nodes(desk->house->shares, nodes);
}

void neighbours_look(struct desk *desk)
{
	desk->asked++;
	state_list(desk->house->store->state, STATE_NODE, NULL, NULL, MOST,
		desk_box(desk), on_nodes, desk);
}
