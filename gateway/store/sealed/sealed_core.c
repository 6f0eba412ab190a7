#include "store/sealed/sealed_core.h"

#include <jansson.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>

#include "base/reason.h"

#define SEALED_CORE_MAGIC 0x5365436f

struct sealed_core {
	uint32_t magic;
	struct store *below;
	struct sealed_keys *keys;
	struct post_pump *pump;
	struct bus_subscription *news;
	pthread_t thread;
	atomic_int holders, stopped;
	int done; /* on the thread itself */
};

static void on_news(void *ctx, const char *topic UNUSED, const char *json)
{
	struct sealed_core *core = ctx;
	CHECK_OBJ(core, SEALED_CORE_MAGIC);
	json_t *object = json_loads(json, 0, NULL);
	const char *tenant = json_string_value(json_object_get(object, "tenant"));
	if (tenant)
		sealed_keys_forget(core->keys, tenant);
	json_decref(object);
}

static void *run(void *arg)
{
	struct sealed_core *core = arg;
	CHECK_OBJ(core, SEALED_CORE_MAGIC);
	while (!core->done)
		post_pump_run(core->pump, -1);
	bus_unsubscribe(core->below->bus, core->news);
	/* What had its callback before the end, but no more. */
	post_pump_run(core->pump, 0);
	return NULL;
}

int sealed_core_new(struct store *below, struct sealed_keys *keys,
	struct sealed_core **ret)
{
	struct sealed_core *core = calloc(1, sizeof(*core));
	if (!core)
		return -REASON_NO_MEMORY;
	core->magic = SEALED_CORE_MAGIC;
	core->below = below;
	core->holders = 1;
	int r = post_pump_new(&core->pump);
	if (r == 0)
		r = bus_subscribe(below->bus, "keys", post_pump_box(core->pump), on_news,
			core, &core->news);
	if (r == 0) {
		core->keys = keys;
		CHECK(pthread_create(&core->thread, NULL, run, core) == 0);
		pthread_setname_np(core->thread, "store-seal");
		*ret = core;
		return 0;
	}
	post_pump_free(core->pump);
	free(core);
	return r;
}

struct stop {
	struct post_item item; /* first */
	struct sealed_core *core;
};

static void run_stop(struct post_item *item)
{
	((struct stop *)item)->core->done = 1;
}

void sealed_core_stop(struct sealed_core *core)
{
	CHECK_OBJ(core, SEALED_CORE_MAGIC);
	struct stop stop = {{NULL, run_stop}, core};
	atomic_store(&core->stopped, 1);
	post_put(post_pump_box(core->pump), &stop.item);
	pthread_join(core->thread, NULL);
}

struct sealed_core *sealed_core_hold(struct sealed_core *core)
{
	CHECK_OBJ(core, SEALED_CORE_MAGIC);
	atomic_fetch_add(&core->holders, 1);
	return core;
}

void sealed_core_drop(struct sealed_core *core)
{
	CHECK_OBJ(core, SEALED_CORE_MAGIC);
	if (atomic_fetch_sub(&core->holders, 1) > 1)
		return;
	sealed_keys_free(core->keys);
	post_pump_free(core->pump);
	core->magic = 0;
	free(core);
}

struct sealed_keys *sealed_core_keys(struct sealed_core *core)
{
	CHECK_OBJ(core, SEALED_CORE_MAGIC);
	return core->keys;
}

struct store *sealed_core_below(struct sealed_core *core)
{
	CHECK_OBJ(core, SEALED_CORE_MAGIC);
	return core->below;
}

struct post_box *sealed_core_box(struct sealed_core *core)
{
	CHECK_OBJ(core, SEALED_CORE_MAGIC);
	return atomic_load(&core->stopped) ? NULL : post_pump_box(core->pump);
}
