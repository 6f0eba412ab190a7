#include "fakes/relay_rig.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/reason.h"
#include "net/conn.h"
#include "net/conn_mem.h"
#include "net/worker.h"
#include "relay/door.h"
#include "relay/guard.h"
#include "relay/lobby.h"
#include "relay/notices.h"
#include "relay/shares.h"
#include "store/bus.h"
#include "store/state.h"

#define START_MS 1000000
#define WALL_MS 1795334400000 /* 2026-11-22T08:00:00Z */
#define TURNS 40

static void set_clock(struct relay_rig *rig)
{
	clock_fake(rig->mono_ms * 1000, rig->wall_ms);
}

struct relay_rig *relay_rig_new(void)
{
	struct relay_rig *rig = calloc(1, sizeof(*rig));
	char error[STORE_ERROR];
	log_open("test", 2, LOG_TEXT, getenv("ENGAWA_TEST_LOG") ? LOG_DEBUG : LOG_ERROR);
	rig->mono_ms = START_MS;
	rig->wall_ms = WALL_MS;
	set_clock(rig);
	fake_admission_reset();
	relay_settings_default(&rig->settings);
	rig->settings.meter_ms = 60000; /* an hour is long, second by second */
	CHECK(!store_open("memory:", "n1", &rig->store, error));
	rig->house.store = rig->store;
	strcpy(rig->house.node, "n1");
	rig->house.at = (struct whereabouts){"n1", "n1.example:7443", "n1.example:7443"};
	CHECK(!lobby_new(&rig->house.lobby));
	CHECK(!notices_new(&rig->house.notices));
	CHECK(!shares_new(&rig->house.shares));
	CHECK(!guard_new(&rig->settings, &rig->house.guard));
	CHECK(!worker_new("world", &rig->world));
	for (int i = 0; i < 2; i++) {
		CHECK(!worker_new("desk", &rig->workers[i]));
		CHECK(!desk_new(&rig->house, rig->workers[i], &rig->settings,
			&rig->desks[i]));
		CHECK(!desk_open(rig->desks[i]));
	}
	return rig;
}

void relay_rig_settle(struct relay_rig *rig)
{
	for (int i = 0; i < TURNS; i++) {
		worker_turn(rig->workers[0], 0);
		worker_turn(rig->workers[1], 0);
		worker_turn(rig->world, 0);
	}
}

void relay_rig_pass(struct relay_rig *rig, int64_t ms)
{
	int64_t step_ms = ms / 20 < 5 ? 5 : ms / 20;
	while (ms > 0) {
		int64_t part_ms = ms < step_ms ? ms : step_ms;
		rig->mono_ms += part_ms;
		rig->wall_ms += part_ms;
		ms -= part_ms;
		set_clock(rig);
		desk_tick(rig->desks[0]);
		desk_tick(rig->desks[1]);
		relay_rig_settle(rig);
	}
}

void relay_rig_free(struct relay_rig *rig)
{
	for (size_t i = 0; i < rig->count; i++)
		fake_end_done(&rig->ends[i]);
	relay_rig_settle(rig);
	for (int i = 0; i < 2; i++)
		desk_close(rig->desks[i], REASON_NODE_STOPPED);
	relay_rig_settle(rig);
	relay_rig_pass(rig, rig->settings.receipt_ms + 2000);
	CHECK(!atomic_load(&rig->house.legs) && !atomic_load(&rig->house.sessions));
	CHECK(!atomic_load(&rig->house.hosts) && !atomic_load(&rig->house.viewers));
	CHECK(!guard_strangers(rig->house.guard));
	for (int i = 0; i < 2; i++) {
		desk_free(rig->desks[i]);
		worker_free(rig->workers[i]);
	}
	worker_free(rig->world);
	store_close(rig->store);
	lobby_free(rig->house.lobby);
	notices_free(rig->house.notices);
	shares_free(rig->house.shares);
	guard_free(rig->house.guard);
	clock_fake(-1, -1);
	free(rig);
}

struct fake_end *relay_rig_dial(struct relay_rig *rig, int desk, enum hello_side side,
	const char *license, int device)
{
	CHECK(rig->count < RIG_ENDS);
	struct fake_end *end = &rig->ends[rig->count++];
	struct conn *far, *near;
	char address[32];
	fake_end_init(end, side, license, device);
	snprintf(address, sizeof(address), "192.0.2.%d", device);
	CHECK(!conn_mem_pair(rig->world, rig->workers[desk], address, &far, &near));
	fake_end_on_conn(end, far);
	CHECK(!guard_admit(rig->house.guard, address));
	door_open(rig->desks[desk], near);
	return end;
}

struct fake_end *relay_rig_welcome(struct relay_rig *rig, int desk, enum hello_side side,
	const char *license, int device)
{
	struct fake_end *end = relay_rig_dial(rig, desk, side, license, device);
	fake_end_hello(end);
	relay_rig_settle(rig);
	CHECK(end->challenged);
	fake_end_prove(end, "password");
	relay_rig_settle(rig);
	CHECK(end->welcomed);
	return end;
}

void relay_rig_join(struct relay_rig *rig, struct fake_end **ret_host,
	struct fake_end **ret_viewer)
{
	*ret_host = relay_rig_welcome(rig, 0, HELLO_HOST, RIG_LICENSE, 1);
	*ret_viewer = relay_rig_welcome(rig, 1, HELLO_VIEWER, RIG_LICENSE, 2);
	fake_end_connect(*ret_viewer, NULL);
	relay_rig_settle(rig);
	CHECK((*ret_host)->opens == 1 && (*ret_viewer)->opens == 1);
}

void relay_rig_order(struct relay_rig *rig, const char *json)
{
	CHECK(!bus_publish(rig->store->bus, "orders", json));
	relay_rig_settle(rig);
}

struct search {
	const char *text;
	char *ret;
	size_t size;
	int found, answered;
};

static void on_rows(void *ctx, const struct journal_answer *answer)
{
	struct search *search = ctx;
	search->answered = 1;
	CHECK(!answer->status);
	for (size_t i = 0; i < answer->count; i++) {
		if (!strstr(answer->rows[i].body, search->text))
			continue;
		search->found++;
		if (search->ret)
			snprintf(search->ret, search->size, "%s", answer->rows[i].body);
	}
}

int relay_rig_rows(struct relay_rig *rig, enum journal_kind kind, const char *text,
	char *ret, size_t size)
{
	struct journal_query query = {.kind = kind, .limit = 1000};
	struct search search = {text, ret, size, 0, 0};
	journal_query(rig->store->journal, &query, worker_box(rig->world), on_rows,
		&search);
	relay_rig_settle(rig);
	CHECK(search.answered);
	return search.found;
}

static void on_document(void *ctx, const struct state_answer *answer)
{
	struct search *search = ctx;
	search->answered = 1;
	if (answer->status || !answer->count)
		return;
	search->found = 1;
	if (search->ret)
		snprintf(search->ret, search->size, "%s", answer->docs[0].body);
}

int relay_rig_document(struct relay_rig *rig, int kind, const char *id, char *ret,
	size_t size)
{
	struct search search = {"", ret, size, 0, 0};
	state_get(rig->store->state, (enum state_kind)kind, id, worker_box(rig->world),
		on_document, &search);
	relay_rig_settle(rig);
	CHECK(search.answered);
	return search.found;
}
