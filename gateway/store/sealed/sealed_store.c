#include "store/sealed/sealed_store.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/reason.h"
#include "store/sealed/sealed_core.h"
#include "store/sealed/sealed_renew.h"
#include "store/store_wait.h"

#define MARK "sealed"

struct sealed_store {
	struct store store; /* first: store * is sealed_store * */
	struct store *below;
	struct sealed_core *core;
};

static void store_free(struct store *base)
{
	struct sealed_store *store = (struct sealed_store *)base;
	if (store->core)
		sealed_core_stop(store->core);
	store_close(store->below);
	sealed_journal_free(store->store.journal);
	sealed_state_free(store->store.state);
	if (store->core)
		sealed_core_drop(store->core);
	free(store);
}

static struct sealed_store *mine(struct store *store)
{
	CHECK(store->close == store_free);
	return (struct sealed_store *)store;
}

static int say(int r, char error[static STORE_ERROR], const char *what)
{
	snprintf(error, STORE_ERROR, "%s: %s", what, reason_text(r, REASON_EN));
	return r;
}

static int set_mark(struct store *below)
{
	char body[64];
	uint64_t version;
	snprintf(body, sizeof(body), "{\"since_ms\":%lld}", (long long)clock_wall_ms());
	struct state_doc doc = {STATE_META, MARK, "", 0, body};
	int r = store_wait_put(below->state, &doc, &version);
	return r == -REASON_CONFLICT ? 0 : r;
}

/* Before anything is served, so that from then on a clear document is one that was put there behind
 * the gateway's back. */
static int seal_all(struct store *below, struct sealed_keys *keys)
{
	struct store_docs docs = {0};
	struct sealed_renew count = {0};
	int r = store_wait_get(below->state, STATE_META, MARK, &docs);
	store_docs_free(&docs);
	if (r != -REASON_NOT_FOUND)
		return r;
	r = sealed_renew_run(below->state, keys, NULL, SEALED_RENEW_CLEAR, NULL, NULL,
		&count);
	if (r == 0)
		r = set_mark(below);
	if (r == 0 && count.sealed)
		log_line(LOG_INFO, "documents sealed", LOG_U("count", count.sealed));
	return r;
}

static int start(struct sealed_store *store, struct sealed_keys *keys)
{
	int r = sealed_core_new(store->below, keys, &store->core);
	if (r) {
		sealed_keys_free(keys);
		return r;
	}
	store->store.bus = store->below->bus;
	r = sealed_state_new(store->core, &store->store.state);
	return r ? r : sealed_journal_new(store->core, &store->store.journal);
}

static void tell_health(struct store *store, struct store_health *ret)
{
	store_health(mine(store)->below, ret);
}

static uint64_t draw(struct store *store)
{
	return store_draw_fence(mine(store)->below);
}

int sealed_store_open(struct store *below,
	const uint8_t master[static SEALED_KEYS_MASTER], struct store **ret,
	char error[static STORE_ERROR])
{
	struct sealed_store *store = calloc(1, sizeof(*store));
	struct sealed_keys *keys;
	if (!store) {
		store_close(below);
		return say(-REASON_NO_MEMORY, error, "sealing");
	}
	store->store.close = store_free;
	store->store.health = below->health ? tell_health : NULL;
	store->store.draw = below->draw ? draw : NULL;
	store->store.emptied = below->emptied;
	store->below = below;
	int r = sealed_keys_open(below->state, master, &keys);
	if (r)
		say(r, error, "the keys in the store");
	if (r == 0) {
		r = seal_all(below, keys);
		if (r) {
			sealed_keys_free(keys);
			say(r, error, "the documents in the store could not be sealed");
		}
	}
	if (r == 0 && (r = start(store, keys)))
		say(r, error, "sealing");
	if (r)
		store_free(&store->store);
	else
		*ret = &store->store;
	return r;
}

struct store *sealed_store_below(struct store *store)
{
	return mine(store)->below;
}

struct sealed_keys *sealed_store_keys(struct store *store)
{
	return sealed_core_keys(mine(store)->core);
}

int sealed_store_tell(struct store *store, const char *tenant)
{
	json_t *object = json_pack("{s:s}", "tenant", tenant);
	char *text = object ? json_dumps(object, JSON_COMPACT) : NULL;
	int r = text ? bus_publish(store->bus, "keys", text) : -REASON_NO_MEMORY;
	free(text);
	json_decref(object);
	return r;
}
