#include "relay/leg.h"

#include <stdlib.h>
#include <string.h>

#include "admission/admission.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/reason.h"
#include "base/secret.h"
#include "base/text.h"
#include "metrics/metrics.h"
#include "net/conn.h"
#include "net/handoff.h"
#include "net/worker.h"
#include "relay/crossing.h"
#include "relay/desk.h"
#include "relay/elsewhere.h"
#include "relay/guard.h"
#include "relay/leg_hear.h"
#include "relay/leg_send.h"
#include "relay/lobby.h"
#include "relay/presence.h"
#include "relay/pump.h"
#include "relay/review.h"
#include "relay/session.h"
#include "wire/frame.h"

#define CHATTER_PER_S 20
#define CHATTER_BURST 100
#define HOPS_MAX 4

static const struct conn_events leg_events;

/* ---- birth and death --------------------------------------------------------------------- */

static char *copy(const char *text)
{
	return strdup(text ? text : "");
}

static int make_id(struct leg *leg)
{
	uint8_t bytes[SESSION_ID];
	char text[SESSION_ID_TEXT];
	int rc = secret_random(bytes, sizeof(bytes));
	if (rc)
		return rc;
	session_id_text(bytes, text);
	memcpy(leg->id, "leg_", 4);
	memcpy(leg->id + 4, text + 4, sizeof(text) - 4);
	return 0;
}

void leg_discard(struct leg *leg)
{
	free(leg->name);
	free(leg->program);
	free(leg->tenant);
	free(leg->holder);
	free(leg->policy);
	free(leg->via);
	free(leg->inventory);
	free(leg->wish);
	free(leg->unreached);
	secret_free(leg->cached, sizeof(*leg->cached));
	leg->magic = 0;
	free(leg);
}

static int take_cached(struct leg *leg, const struct admission_verdict *verdict)
{
	if (!verdict->credential)
		return 0;
	leg->cached = secret_alloc(sizeof(*leg->cached));
	if (!leg->cached)
		return -REASON_NO_MEMORY;
	memcpy(leg->cached->host, verdict->cached_host, sizeof(leg->cached->host));
	memcpy(leg->cached->credential, verdict->credential,
		sizeof(leg->cached->credential));
	leg->review_ms = clock_mono_ms();
	return 0;
}

static int fill(struct leg *leg, const struct message_hello *hello,
	const struct admission_verdict *verdict)
{
	text_clip(leg->license, sizeof(leg->license),
		verdict->license ? verdict->license : hello->license);
	text_clip(leg->kind, sizeof(leg->kind), hello->kind);
	text_clip(leg->address, sizeof(leg->address), leg->conn->address);
	memcpy(leg->device, hello->device, sizeof(leg->device));
	leg->app_min = (uint8_t)hello->app_min;
	leg->app_max = (uint8_t)hello->app_max;
	leg->name = copy(hello->name);
	leg->program = copy(hello->program);
	leg->tenant = copy(verdict->tenant);
	leg->holder = copy(verdict->holder);
	leg->policy = copy(verdict->policy);
	leg->expires_ms = verdict->expires_ms;
	leg->resume_only = verdict->resume_only;
	leg->unreached = *hello->unreached ? copy(hello->unreached) : NULL;
	if (!leg->name || !leg->program || !leg->tenant || !leg->holder || !leg->policy ||
		(*hello->unreached && !leg->unreached))
		return -REASON_NO_MEMORY;
	int rc = take_cached(leg, verdict);
	return rc ? rc : make_id(leg);
}

int leg_new(struct desk *desk, struct conn *conn, const struct message_hello *hello,
	enum hello_side side, const struct admission_verdict *verdict, struct leg **ret)
{
	struct leg *leg = calloc(1, sizeof(*leg));
	if (!leg)
		return -REASON_NO_MEMORY;
	int64_t now_ms = clock_mono_ms();
	leg->magic = LEG_MAGIC;
	leg->state = HELLO_IDLE;
	leg->side = (uint8_t)side;
	leg->desk = desk;
	leg->conn = conn;
	leg->number = atomic_fetch_add(&desk->house->next_number, 1) + 1;
	leg->since_ms = clock_wall_ms();
	leg->refresh_ms = now_ms + review_refresh_ms(desk);
	list_init(&leg->node);
	list_init(&leg->roster);
	keepalive_start(&leg->keepalive, desk->settings.keepalive_ms, now_ms);
	bucket_start(&leg->chatter, CHATTER_PER_S, CHATTER_BURST, now_ms);
	int rc = fill(leg, hello, verdict);
	if (rc)
		leg_discard(leg);
	else
		*ret = leg;
	return rc;
}

/* A viewer that another node carries is counted as a viewer there. */
static void count_in(struct leg *leg)
{
	int is_host = leg->side == HELLO_HOST;
	atomic_fetch_add(&leg->desk->house->legs, 1);
	if (leg->via) {
		metrics_add(METRIC_PEER_LEGS, 1);
		return;
	}
	leg->counted = 1;
	atomic_fetch_add(is_host ? &leg->desk->house->hosts : &leg->desk->house->viewers,
		1);
	metrics_add(is_host ? METRIC_HOSTS : METRIC_VIEWERS, 1);
}

static void count_out(struct leg *leg)
{
	int is_host = leg->side == HELLO_HOST;
	if (!leg->counted)
		return;
	leg->counted = 0;
	atomic_fetch_sub(is_host ? &leg->desk->house->hosts : &leg->desk->house->viewers,
		1);
	metrics_add(is_host ? METRIC_HOSTS : METRIC_VIEWERS, -1);
}

void leg_device_text(const struct leg *leg, char ret[static LEG_DEVICE])
{
	text_hex(ret, leg->device, (LEG_DEVICE - 1) / 2);
}

void leg_enter(struct leg *leg)
{
	struct desk *desk = leg->desk;
	char device[LEG_DEVICE];
	CHECK_OBJ(leg, LEG_MAGIC);
	conn_listen(leg->conn, &leg_events, leg);
	leg->conn->bulk = 1;
	desk_seat_leg(desk, leg);
	count_in(leg);
	leg_device_text(leg, device);
	log_line(LOG_INFO, "leg welcome", LOG_S("leg", leg->id),
		LOG_S("side", hello_side_name(leg->side)), LOG_S("license", leg->license),
		LOG_S("device", device), LOG_S("address", leg->address),
		LOG_S("program", leg->program));
	int rc = leg->side == HELLO_HOST ? lobby_enter_host(desk->house->lobby, leg)
					 : lobby_enter_viewer(desk->house->lobby, leg,
						   desk->settings.viewers_per_license);
	if (rc)
		leg_end(leg, -rc);
	else if (leg->side == HELLO_HOST)
		presence_host_came(leg);
}

/* Everything that others may find it by; what is left is the conn, and the memory. */
static void vanish(struct leg *leg, int reason)
{
	struct house *house = leg->desk->house;
	char device[LEG_DEVICE];
	leg_change(leg, HELLO_ENDED);
	leg->was_replaced = !lobby_leave(house->lobby, leg);
	if (leg->crossing)
		crossing_lose(leg->crossing, reason);
	if (leg->waiting_for_host)
		lobby_wait_no_more(house->lobby, leg);
	leg->waiting_for_host = 0;
	list_remove(&leg->roster);
	count_out(leg);
	metrics_reason(METRIC_LEG_ENDS, reason);
	leg_device_text(leg, device);
	log_line(LOG_INFO, "leg ended", LOG_S("leg", leg->id),
		LOG_S("side", hello_side_name(leg->side)), LOG_S("license", leg->license),
		LOG_S("device", device), LOG_S("reason", reason_symbol(reason)),
		LOG_U("age_ms", clock_wall_ms() - leg->since_ms));
	if (leg->seat)
		session_lose(leg->seat, leg, reason);
	if (leg->session)
		session_lose(leg->session, leg, reason);
	if (leg->side == HELLO_HOST)
		presence_host_left(leg);
}

static void on_closed(void *ctx, int reason)
{
	struct leg *leg = ctx;
	CHECK_OBJ(leg, LEG_MAGIC);
	struct house *house = leg->desk->house;
	if (leg->state != HELLO_ENDED)
		vanish(leg, reason == REASON_LEG_CLOSED ? REASON_PEER_LOST : reason);
	list_remove(&leg->node);
	atomic_fetch_sub(&house->legs, 1);
	if (leg->via)
		metrics_add(METRIC_PEER_LEGS, -1);
	guard_left(house->guard, leg->via ? leg->conn->address : leg->address);
	leg_discard(leg);
}

/* ---- how it ends --------------------------------------------------------------------------- */

static void finish(struct leg *leg, int reason, int64_t retry_ms, const char *detail)
{
	if (leg->state == HELLO_ENDED)
		return;
	vanish(leg, reason);
	if (leg->moving) { /* between two desks nobody can write to it */
		leg->moving = 2;
		return;
	}
	leg_send_close(leg, reason, NULL, retry_ms, detail);
	conn_close(leg->conn, reason, CONN_FLUSH);
}

void leg_end(struct leg *leg, int reason)
{
	CHECK_OBJ(leg, LEG_MAGIC);
	finish(leg, reason, 0, NULL);
}

void leg_cut(struct leg *leg, int reason)
{
	CHECK_OBJ(leg, LEG_MAGIC);
	if (leg->state != HELLO_ENDED)
		vanish(leg, reason);
	conn_close(leg->conn, reason, CONN_DROP);
}

void leg_part(struct leg *leg, int reason)
{
	CHECK_OBJ(leg, LEG_MAGIC);
	if (leg->state == HELLO_ENDED)
		return;
	vanish(leg, reason);
	conn_close(leg->conn, reason, CONN_FLUSH);
}

void leg_refuse(struct leg *leg, int reason, int64_t retry_ms, const char *detail)
{
	CHECK_OBJ(leg, LEG_MAGIC);
	metrics_reason(METRIC_CONNECTS_REFUSED, reason);
	finish(leg, reason, retry_ms, detail);
}

void leg_be_replaced(struct leg *leg, int reason)
{
	leg_end(leg, reason);
}

void leg_try_again(struct leg *leg, int reason)
{
	(void)reason;
	if (leg->state != HELLO_WAITING || !leg->waiting_for_host)
		return;
	leg->waiting_for_host = leg->seeking = 0;
	lobby_match(leg);
}

void leg_come_to_host(struct leg *viewer)
{
	if (viewer->waiting_for_host)
		lobby_wait_no_more(viewer->desk->house->lobby, viewer);
	viewer->waiting_for_host = 0;
	lobby_match(viewer);
}

void leg_look_elsewhere(struct leg *leg, int reason)
{
	(void)reason;
	if (leg->state == HELLO_WAITING && leg->waiting_for_host)
		elsewhere_seek(leg);
}

void leg_make_sure(struct leg *leg, int reason)
{
	(void)reason;
	if (leg->state != HELLO_ENDED && leg->side == HELLO_HOST)
		presence_make_sure(leg);
}

/* ---- state ------------------------------------------------------------------------------- */

void leg_change(struct leg *leg, enum hello_state state)
{
	static const unsigned moves[] = {
		[HELLO_IDLE] =
			1u << HELLO_WAITING | 1u << HELLO_JOINED | 1u << HELLO_ENDED,
		[HELLO_WAITING] = 1u << HELLO_JOINED | 1u << HELLO_ENDED,
		[HELLO_JOINED] = 1u << HELLO_IDLE | 1u << HELLO_ENDED,
		[HELLO_ENDED] = 0,
	};
	CHECK(leg->state >= HELLO_IDLE && moves[leg->state] & 1u << state);
	leg->state = (uint8_t)state;
	if (state == HELLO_JOINED) {
		free(leg->wish);
		leg->wish = NULL;
	}
}

void leg_leave_session(struct leg *leg)
{
	leg->session = NULL;
	leg->pump = NULL;
	if (leg->state == HELLO_JOINED)
		leg_change(leg, HELLO_IDLE);
}

void leg_await_receipt(struct leg *leg, uint64_t fence)
{
	/* Its viewer may have told it, and its receipt have come, before the CLOSE that ends it here. */
	if (leg->side != HELLO_HOST || leg->confirmed == fence)
		return;
	leg->owes = fence;
	leg->owes_until_ms = clock_mono_ms() + leg->desk->settings.receipt_ms;
}

/* ---- moving ------------------------------------------------------------------------------ */

static void on_arrived(void *ctx, struct conn *conn)
{
	struct leg *leg = ctx;
	CHECK_OBJ(leg, LEG_MAGIC);
	CHECK(leg->conn == conn);
	int ended_on_the_way = leg->moving == 2;
	leg->desk = leg->move_to;
	leg->moving = 0;
	if (ended_on_the_way) {
		conn_close(conn, REASON_NODE_STOPPED, CONN_DROP);
		return;
	}
	desk_seat_leg(leg->desk, leg);
	review_moved(leg);
	if (leg->desk->closing)
		leg_end(leg, REASON_NODE_STOPPED);
	else
		lobby_match(leg);
}

void leg_move(struct leg *leg, struct desk *to)
{
	leg->move_to = to;
	if (leg->hops++ >= HOPS_MAX ||
		handoff_send(leg->conn, to->worker, on_arrived, leg)) {
		leg_refuse(leg, REASON_BUSY, 1000, NULL);
		return;
	}
	/* It is found again at the other desk, or its conn ends and tells so here. */
	leg->moving = 1;
	leg->seeking = 0;
	list_remove(&leg->node);
	list_remove(&leg->roster);
}

int leg_is_license(const char *text)
{
	if (strncmp(text, "lic_", 4) || strlen(text) != 13)
		return 0;
	return strspn(text + 4, "0123456789abcdefghjkmnpqrstvwxyz") == 9;
}

static const struct conn_events leg_events = {leg_hear_bytes, leg_hear_room, on_closed};

/* ---- time -------------------------------------------------------------------------------- */

static void keep_alive(struct leg *leg, int64_t now_ms)
{
	uint8_t payload[8];
	int64_t wait_ms;
	/* We do not listen to it at the moment, so its silence says nothing. */
	if (leg->pump && pump_is_deaf(leg->pump))
		keepalive_heard(&leg->keepalive, now_ms);
	switch (keepalive_due(&leg->keepalive, now_ms, &wait_ms)) {
	case KEEPALIVE_WAIT:
		break;
	case KEEPALIVE_PING:
		keepalive_ping(&leg->keepalive, clock_mono_us(), payload);
		leg_send_keepalive(leg, FRAME_PING, payload);
		break;
	case KEEPALIVE_DEAD:
		leg_cut(leg, REASON_KEEPALIVE_TIMEOUT);
	}
}

void leg_tick(struct leg *leg, int64_t now_ms)
{
	CHECK_OBJ(leg, LEG_MAGIC);
	if (leg->state == HELLO_ENDED)
		return;
	if (leg->side == HELLO_HOST)
		presence_tick(leg, now_ms);
	else if (!leg->crossing)
		review_tick(leg, now_ms);
	if (leg->waiting_for_host && now_ms >= leg->wait_until_ms)
		leg_refuse(leg, REASON_GRACE_OVER, 0, NULL);
	else if (leg->expires_ms && clock_wall_ms() >= leg->expires_ms)
		leg_end(leg, REASON_LICENSE_EXPIRED);
	else
		keep_alive(leg, now_ms);
	if (leg->crossing)
		crossing_tick(leg->crossing, now_ms);
}
