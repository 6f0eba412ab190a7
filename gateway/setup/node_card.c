#include "setup/node_card.h"

#include <jansson.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/reason.h"
#include "store/store_open.h"
#include "store/store_wait.h"

static char *body_of(const struct node_card *card)
{
	char started[CLOCK_TEXT], seen[CLOCK_TEXT];

	clock_text(card->started_ms, started);
	clock_text(clock_wall_ms(), seen);
	json_t *body = json_pack("{s:s, s:s, s:s, s:s, s:b, s:I, s:I, s:I}", "address",
		card->address, "version", ENGAWA_VERSION, "started", started, "seen",
		seen, "draining", card->draining, "sessions", (json_int_t)card->sessions,
		"hosts", (json_int_t)card->hosts, "viewers", (json_int_t)card->viewers);
	char *text = body ? json_dumps(body, JSON_COMPACT) : NULL;
	json_decref(body);
	return text;
}

int node_card_put(struct store *store, const struct node_card *card)
{
	struct store_docs docs = {0};
	struct state_doc doc = {.kind = STATE_NODE, .id = card->node, .tenant = ""};
	uint64_t version;
	int status = store_wait_get(store->state, STATE_NODE, card->node, &docs);

	if (!status && docs.count)
		doc.version = docs.docs[0].version;
	if (!status)
		store_docs_free(&docs);
	if (status && status != -REASON_NOT_FOUND)
		return status;
	char *body = body_of(card);
	if (!body)
		return -REASON_NO_MEMORY;
	doc.body = body;
	status = store_wait_put(store->state, &doc, &version);
	free(body);
	return status;
}
