#include "relay/recover_nodes.h"

#include <stdlib.h>
#include <string.h>

#include "base/list.h"
#include "base/text.h"
#include "store/state.h"

/* More than any cluster has; names that nobody asks for again are forgotten. */
#define NODES_MOST 1024

struct known {
	struct list node;
	char name[65];
	uint64_t version; /* 0: it had no document */
	int64_t since_ms; /* it is like this */
};

struct recover_nodes {
	struct list list; /* the latest in front */
	size_t count;
};

struct recover_nodes *recover_nodes_new(void)
{
	struct recover_nodes *nodes = calloc(1, sizeof(*nodes));
	if (nodes)
		list_init(&nodes->list);
	return nodes;
}

static void forget(struct recover_nodes *nodes, struct known *known)
{
	list_remove(&known->node);
	nodes->count--;
	free(known);
}

struct recover_nodes *recover_nodes_free(struct recover_nodes *nodes)
{
	while (nodes && !list_empty(&nodes->list))
		forget(nodes, LIST_ENTRY(nodes->list.next, struct known, node));
	free(nodes);
	return NULL;
}

static struct known *find(struct recover_nodes *nodes, const char *name)
{
	LIST_EACH(node, &nodes->list)
	{
		struct known *known = LIST_ENTRY(node, struct known, node);
		if (!strcmp(known->name, name))
			return known;
	}
	return NULL;
}

static struct known *add(struct recover_nodes *nodes, const char *name, int64_t now_ms)
{
	struct known *known = calloc(1, sizeof(*known));
	if (!known)
		return NULL;
	if (nodes->count >= NODES_MOST)
		forget(nodes, LIST_ENTRY(nodes->list.prev, struct known, node));
	text_clip(known->name, sizeof(known->name), name);
	known->since_ms = now_ms;
	list_add_tail(&nodes->list, &known->node);
	nodes->count++;
	return known;
}

void recover_nodes_saw(struct recover_nodes *nodes, const struct state_doc *doc,
	int64_t now_ms)
{
	struct known *known = find(nodes, doc->id);
	if (!known)
		known = add(nodes, doc->id, now_ms);
	if (!known || known->version == doc->version)
		return;
	known->version = doc->version;
	known->since_ms = now_ms;
}

int recover_nodes_lost(struct recover_nodes *nodes, const char *node, int64_t now_ms,
	int64_t lost_ms)
{
	struct known *known = find(nodes, node);
	if (!known)
		known = add(nodes, node, now_ms);
	return known && now_ms - known->since_ms >= lost_ms;
}
