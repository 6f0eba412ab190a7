#include "store/memory/memory_store.h"

#include <stdlib.h>

#include "base/reason.h"
#include "store/memory/memory_bus.h"
#include "store/memory/memory_journal.h"
#include "store/memory/memory_state.h"
#include "store/store_open.h"

static void memory_store_close(struct store *store)
{
	memory_bus_free(store->bus);
	memory_journal_free(store->journal);
	memory_state_free(store->state);
	free(store);
}

int memory_store_open(const char *node, struct store **ret)
{
	struct store *store = calloc(1, sizeof(*store));
	if (!store)
		return -REASON_NO_MEMORY;
	store->close = memory_store_close;
	int r = memory_state_new(&store->state);
	if (r == 0)
		r = memory_journal_new(node, &store->journal);
	if (r == 0)
		r = memory_bus_new(&store->bus);
	if (r) {
		memory_store_close(store);
		return r;
	}
	*ret = store;
	return 0;
}
