/* How what store_open.h and store_wait.h give out is given back. */
#include <stdlib.h>

#include "store/store_open.h"
#include "store/store_wait.h"

struct store *store_close(struct store *store)
{
	if (store)
		store->close(store);
	return NULL;
}

void store_health(struct store *store, struct store_health *ret)
{
	*ret = (struct store_health){0};
	if (store->health)
		store->health(store, ret);
}

uint64_t store_draw_fence(struct store *store)
{
	return store->draw ? store->draw(store) : 0;
}

unsigned store_health_emptied(const struct store *store)
{
	return store->emptied ? atomic_load(store->emptied) : 0;
}

void store_docs_free(struct store_docs *docs)
{
	for (size_t i = 0; i < docs->count; i++) {
		free((char *)docs->docs[i].id);
		free((char *)docs->docs[i].tenant);
		free((char *)docs->docs[i].body);
	}
	free(docs->docs);
	free(docs->holder);
	*docs = (struct store_docs){0};
}

void store_rows_free(struct store_rows *rows)
{
	for (size_t i = 0; i < rows->count; i++) {
		free((char *)rows->rows[i].tenant);
		free((char *)rows->rows[i].license);
		free((char *)rows->rows[i].body);
		free((char *)rows->rows[i].node);
	}
	free(rows->rows);
	*rows = (struct store_rows){0};
}
