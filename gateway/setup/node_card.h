/* node_card: what a node tells the others and the people about itself: a document of STATE_NODE,
 * written again every few seconds; who has not written for a while is away.
 *
 * Thread: one that may block (main). Errors: those of the store.
 */
#ifndef SETUP_NODE_CARD_H
#define SETUP_NODE_CARD_H

#include <stdint.h>

#include "base/check.h"

struct store;

struct node_card {
	const char *node, *address;
	int64_t started_ms;
	int draining;
	uint64_t sessions, hosts, viewers;
};

MUST_CHECK int node_card_put(struct store *store, const struct node_card *card);

#endif
