#include "store/redis/redis_store.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/reason.h"
#include "base/secret.h"
#include "base/text.h"
#include "store/redis/redis_bus.h"
#include "store/redis/redis_health.h"
#include "store/redis/redis_journal.h"
#include "store/redis/redis_link.h"
#include "store/redis/redis_pulse.h"
#include "store/redis/redis_state.h"

#define RUN_BYTES 8

struct redis_store {
	struct store store; /* first: store * is redis_store * */
	struct redis_address address;
	char *node;
	char run[TEXT_HEX_SIZE(RUN_BYTES)]; /* this run of this node, unlike any other */
	struct redis_health *health;
	struct redis_link *link;
	struct redis_pulse *pulse;
	int serving;
};

static void store_free(struct store *base)
{
	struct redis_store *store = (struct redis_store *)base;
	if (store->serving)
		redis_journal_drain(store->store.journal);
	if (store->link)
		redis_link_stop(store->link);
	redis_pulse_free(store->pulse);
	redis_bus_free(store->store.bus);
	redis_journal_free(store->store.journal);
	redis_state_free(store->store.state);
	redis_link_free(store->link);
	redis_health_free(store->health);
	free(store->node);
	secret_wipe(&store->address, sizeof(store->address));
	free(store);
}

static void tell_health(struct store *base, struct store_health *ret)
{
	redis_health_read(((struct redis_store *)base)->health, ret);
}

static uint64_t draw(struct store *base)
{
	return redis_state_draw(base->state);
}

static int open_parts(struct redis_store *store, char error[static STORE_ERROR])
{
	struct redis_address *address = &store->address;
	uint8_t run[RUN_BYTES];
	int r = secret_random(run, sizeof(run));
	if (r)
		return r;
	text_hex(store->run, run, sizeof(run));
	r = redis_script_start();
	if (r == 0)
		r = redis_health_new(&store->health);
	if (r)
		return r;
	store->store.emptied = redis_health_count(store->health);
	r = redis_link_new(address, store->health, &store->link);
	if (r == 0)
		r = redis_state_new(store->link, address->prefix, &store->store.state);
	if (r == 0)
		r = redis_pulse_new(&(struct redis_pulse_parts){store->link, address,
					    store->run, store->health,
					    store->store.state},
			&store->pulse);
	if (r == 0)
		r = redis_journal_new(&(struct redis_journal_parts){store->link, address,
					      store->health, store->node, store->run},
			&store->store.journal, error);
	if (r == 0)
		r = redis_bus_new(store->link, address, store->run, &store->store.bus);
	return r;
}

static int start(struct redis_store *store, char error[static STORE_ERROR])
{
	int r = redis_link_start(store->link, error);
	if (r)
		return r;
	store->serving = 1;
	r = redis_journal_wait(store->store.journal);
	if (r == -REASON_VERSION)
		snprintf(error, STORE_ERROR, "%s",
			"the store has an older form of the journal that is not read any "
			"more: give an empty Redis or another prefix and import the "
			"licenses again");
	if (r == 0)
		r = redis_bus_wait(store->store.bus);
	return r;
}

int redis_store_open(enum redis_scheme scheme, const char *rest, const char *dir,
	const char *node, struct store **ret, char error[static STORE_ERROR])
{
	struct redis_store *store = calloc(1, sizeof(*store));
	int r = store ? redis_address_parse(scheme, rest, dir, &store->address, error)
		      : -REASON_NO_MEMORY;
	if (r) {
		if (!store)
			snprintf(error, STORE_ERROR, "%s", reason_text(r, REASON_EN));
		free(store);
		return r;
	}
	*error = 0;
	store->store.close = store_free;
	store->store.health = tell_health;
	store->store.draw = draw;
	store->node = strdup(node);
	r = store->node ? open_parts(store, error) : -REASON_NO_MEMORY;
	if (r == 0)
		r = start(store, error);
	if (r && !*error)
		snprintf(error, STORE_ERROR, "%s", reason_text(r, REASON_EN));
	if (r)
		store_free(&store->store);
	else
		*ret = &store->store;
	return r;
}
