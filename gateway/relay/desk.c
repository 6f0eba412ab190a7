#include "relay/desk.h"

#include <stdlib.h>
#include <string.h>

#include "admission/admission.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/reason.h"
#include "metrics/metrics.h"
#include "net/conn.h"
#include "net/worker.h"
#include "relay/door.h"
#include "relay/elsewhere.h"
#include "relay/landing.h"
#include "relay/leg.h"
#include "relay/leg_send.h"
#include "relay/lobby.h"
#include "relay/notices.h"
#include "relay/orders.h"
#include "relay/recover_nodes.h"
#include "relay/review.h"
#include "relay/session.h"
#include "store/bus.h"
#include "store/store_open.h"

#define DESK_MAGIC 0x6465736bu
/* Deadlines are met to an eighth of the shortest, between these. */
#define TICK_LEAST_MS 10
#define TICK_MOST_MS 250

static struct list *roster_of(struct desk *desk, uint64_t number)
{
	return &desk->roster[number % DESK_ROSTER];
}

void desk_seat_leg(struct desk *desk, struct leg *leg)
{
	list_add_tail(&desk->legs, &leg->node);
	list_add_tail(roster_of(desk, leg->number), &leg->roster);
}

struct leg *desk_find_leg(struct desk *desk, uint64_t number)
{
	LIST_EACH(node, roster_of(desk, number))
	{
		struct leg *leg = LIST_ENTRY(node, struct leg, roster);
		if (leg->number == number)
			return leg;
	}
	return NULL;
}

struct post_box *desk_box(struct desk *desk)
{
	return worker_box(desk->worker);
}

struct note {
	struct post_item item; /* first */
	struct desk *desk;
	uint64_t number;
	desk_act act;
	int reason;
};

static void read_note(struct post_item *item)
{
	struct note *note = (struct note *)item;
	struct leg *leg = desk_find_leg(note->desk, note->number);
	if (leg)
		note->act(leg, note->reason);
	free(note);
}

void desk_post(struct desk *desk, uint64_t number, desk_act act, int reason)
{
	struct note *note = malloc(sizeof(*note));
	if (!note) {
		log_line(LOG_ERROR, "note lost", LOG_S("reason", "NO_MEMORY"));
		return;
	}
	*note = (struct note){{NULL, read_note}, desk, number, act, reason};
	post_put(desk_box(desk), &note->item);
}

/* ---- time -------------------------------------------------------------------------------- */

static int64_t tick_ms(const struct relay_settings *settings)
{
	const int64_t times[] = {settings->hello_ms, settings->login_ms,
		settings->open_ms, settings->keepalive_ms, settings->slow_reader_ms,
		settings->receipt_ms, settings->claim_renew_ms, settings->meter_ms};
	int64_t least = TICK_MOST_MS * 8;
	for (size_t i = 0; i < ARRAY_LEN(times); i++)
		if (times[i] < least)
			least = times[i];
	return least / 8 < TICK_LEAST_MS ? TICK_LEAST_MS : least / 8;
}

/* A marker in the list remembers the place. */
void desk_each(struct list *head, void (*visit)(struct list *node, const void *ctx),
	const void *ctx)
{
	struct list marker, *node;
	list_init(&marker);
	for (node = head->next; node != head; node = marker.next) {
		list_remove(&marker);
		marker.prev = node;
		marker.next = node->next;
		node->next->prev = &marker;
		node->next = &marker;
		visit(node, ctx);
	}
	list_remove(&marker);
}

static void tick_leg(struct list *node, const void *now_ms)
{
	leg_tick(LIST_ENTRY(node, struct leg, node), *(const int64_t *)now_ms);
}

static void tick_session(struct list *node, const void *now_ms)
{
	session_tick(LIST_ENTRY(node, struct session, node), *(const int64_t *)now_ms);
}

static void tick_door(struct list *node, const void *now_ms)
{
	door_tick(door_at(node), *(const int64_t *)now_ms);
}

static void tick_landing(struct list *node, const void *now_ms)
{
	landing_tick(landing_at(node), *(const int64_t *)now_ms);
}

/* ---- orders ------------------------------------------------------------------------------ */

static int concerns(const struct order *order, const struct session *session)
{
	if (order->session[0])
		return !strcmp(order->session, session->id_text);
	if (order->license[0])
		return !strcmp(order->license, session->license);
	return order->tenant[0] && !strcmp(order->tenant, session->tenant);
}

static void disconnect(struct desk *desk, const struct order *order)
{
	LIST_EACH(node, &desk->sessions)
	{
		struct session *session = LIST_ENTRY(node, struct session, node);
		if (session->state > SESSION_LIVE || !concerns(order, session))
			continue;
		metrics_add(METRIC_ORDERS, 1);
		session_end(session, order->reason, order->by);
	}
}

static void revoke_leg(struct list *node, const void *ctx)
{
	struct leg *leg = LIST_ENTRY(node, struct leg, node);
	const struct order *order = ctx;
	if (order->license[0] ? !strcmp(leg->license, order->license)
			      : !strcmp(leg->tenant, order->tenant))
		leg_end(leg, order->reason);
}

/* First the lobby: who proved himself before this order may not come in after it, at no desk. */
static void revoke(struct desk *desk, const struct order *order)
{
	if (order->license[0])
		lobby_revoke(desk->house->lobby, order->license, order->reason);
	else
		lobby_revoke_tenant(desk->house->lobby, order->tenant, order->reason);
	disconnect(desk, order);
	desk_each(&desk->legs, revoke_leg, order);
}

static void on_order(void *ctx, const char *topic, const char *json)
{
	struct desk *desk = ctx;
	struct order order;
	(void)topic;
	CHECK_OBJ(desk, DESK_MAGIC);
	if (orders_parse(json, &order)) {
		log_line(LOG_WARN, "order not understood", LOG_S("order", json));
		return;
	}
	int is_about = order.kind == ORDER_REVOKE || order.kind == ORDER_POLICY ||
		       (order.kind == ORDER_DISCONNECT && order.license[0]);
	if (is_about && desk->house->cache_ms)
		admission_spoil(desk->house->admission, order.license, order.tenant);
	if (order.kind == ORDER_DISCONNECT)
		disconnect(desk, &order);
	else if (order.kind == ORDER_REVOKE)
		revoke(desk, &order);
	else if (order.kind == ORDER_POLICY)
		review_order(desk, &order);
	else if (order.kind == ORDER_NOTICES)
		notices_read(desk);
	else if ((order.kind == ORDER_DRAIN || order.kind == ORDER_UNDRAIN) &&
		 !strcmp(order.node, desk->house->node) && desk->house->drain)
		desk->house->drain(desk->house->drain_ctx, &order);
}

/* ---- sending away and closing -------------------------------------------------------------- */

static void notice_leg(struct list *node, const void *within_ms)
{
	leg_send_drain(LIST_ENTRY(node, struct leg, node), *(const int64_t *)within_ms);
}

void desk_notice_drain(struct desk *desk, int64_t within_ms)
{
	desk_each(&desk->legs, notice_leg, &within_ms);
}

static void end_session(struct list *node, const void *reason)
{
	session_end(LIST_ENTRY(node, struct session, node), *(const int *)reason, NULL);
}

static void end_leg(struct list *node, const void *reason)
{
	leg_end(LIST_ENTRY(node, struct leg, node), *(const int *)reason);
}

static void end_door(struct list *node, const void *reason)
{
	door_refuse(door_at(node), *(const int *)reason, 0, NULL);
}

static void end_landing(struct list *node, const void *reason)
{
	landing_refuse(landing_at(node), *(const int *)reason, 0, NULL);
}

void desk_drain(struct desk *desk, int64_t within_ms)
{
	desk->drain_by_ms = clock_mono_ms() + within_ms;
	desk_notice_drain(desk, within_ms);
}

static void send_away(struct desk *desk)
{
	static const int reason = REASON_DRAINING;
	desk->drain_by_ms = 0;
	if (!atomic_load(&desk->house->draining))
		return;
	desk_each(&desk->sessions, end_session, &reason);
	desk_each(&desk->legs, end_leg, &reason);
}

void desk_tick(struct desk *desk)
{
	int64_t now_ms = clock_mono_ms();
	if (desk->drain_by_ms && now_ms >= desk->drain_by_ms)
		send_away(desk);
	notices_tick(desk, now_ms);
	if (desk->news)
		store_watch_tick(&desk->watch, desk->house);
	desk_each(&desk->doors, tick_door, &now_ms);
	desk_each(&desk->landings, tick_landing, &now_ms);
	desk_each(&desk->sessions, tick_session, &now_ms);
	desk_each(&desk->legs, tick_leg, &now_ms);
}

static void set_tick(struct desk *desk)
{
	int64_t wait_ms = tick_ms(&desk->settings);
	desk->tick_due_us = clock_mono_us() + wait_ms * 1000;
	worker_timer_set(desk->tick, wait_ms);
}

static void on_tick(void *ctx)
{
	struct desk *desk = ctx;
	CHECK_OBJ(desk, DESK_MAGIC);
	int64_t late_us = clock_mono_us() - desk->tick_due_us;
	/* Rounded to a millisecond the timer may come a little early. */
	metrics_time(METRIC_LOOP_LAG, late_us > 0 ? late_us : 0);
	desk_tick(desk);
	set_tick(desk);
}

/* ---- life -------------------------------------------------------------------------------- */

int desk_new(struct house *house, struct worker *worker,
	const struct relay_settings *settings, struct desk **ret)
{
	struct desk *desk = calloc(1, sizeof(*desk));
	if (!desk)
		return -REASON_NO_MEMORY;
	desk->magic = DESK_MAGIC;
	desk->house = house;
	desk->worker = worker;
	desk->settings = *settings;
	list_init(&desk->doors);
	list_init(&desk->landings);
	list_init(&desk->legs);
	list_init(&desk->sessions);
	for (size_t i = 0; i < DESK_ROSTER; i++)
		list_init(&desk->roster[i]);
	int rc = worker_timer_new(worker, on_tick, desk, &desk->tick);
	if (rc)
		free(desk);
	else
		*ret = desk;
	return rc;
}

int desk_open(struct desk *desk)
{
	CHECK_OBJ(desk, DESK_MAGIC);
	set_tick(desk);
	int rc = bus_subscribe(desk->house->store->bus, ORDERS_TOPIC, desk_box(desk),
		on_order, desk, &desk->orders);
	return rc ? rc : elsewhere_listen(desk);
}

void desk_close(struct desk *desk, int reason)
{
	CHECK_OBJ(desk, DESK_MAGIC);
	desk->closing = 1;
	bus_unsubscribe(desk->house->store->bus, desk->orders);
	desk->orders = NULL;
	elsewhere_stop(desk);
	desk_each(&desk->doors, end_door, &reason);
	desk_each(&desk->landings, end_landing, &reason);
	desk_each(&desk->sessions, end_session, &reason);
	desk_each(&desk->legs, end_leg, &reason);
}

int desk_is_empty(const struct desk *desk)
{
	return !desk->asked && list_empty(&desk->doors) && list_empty(&desk->landings) &&
	       list_empty(&desk->legs) && list_empty(&desk->sessions);
}

struct desk *desk_free(struct desk *desk)
{
	if (!desk)
		return NULL;
	CHECK_OBJ(desk, DESK_MAGIC);
	CHECK(desk_is_empty(desk));
	worker_timer_free(desk->tick);
	recover_nodes_free(desk->nodes);
	desk->magic = 0;
	free(desk);
	return NULL;
}
