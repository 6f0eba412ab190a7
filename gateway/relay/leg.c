#include "relay/leg.h"

#include <stdlib.h>
#include <string.h>

#include "admission/admission.h"
#include "base/buf.h"
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
#include "relay/lobby.h"
#include "relay/presence.h"
#include "relay/pump.h"
#include "relay/review.h"
#include "relay/session.h"
#include "wire/frame.h"

#define LEG_MAGIC 0x006c6567u
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
	leg->magic = 0;
	free(leg);
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
	return make_id(leg);
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

/* ---- what it says ------------------------------------------------------------------------ */

static int give(struct leg *leg, int rc, struct buf *out)
{
	if (!rc)
		rc = conn_write(leg->conn, buf_head(out), buf_len(out));
	buf_done(out);
	return rc;
}

void leg_send_close(struct leg *leg, int reason, const char *session, int64_t retry_ms,
	const char *detail)
{
	struct message_close message = {.reason = (uint64_t)reason,
		.retry_ms = (uint64_t)(retry_ms > 0 ? retry_ms : 0)};
	struct buf out;
	text_clip(message.symbol, sizeof(message.symbol), reason_symbol(reason));
	text_clip(message.session, sizeof(message.session), session ? session : "");
	text_clip(message.detail, sizeof(message.detail), detail ? detail : "");
	buf_init(&out, FRAME_MAX);
	if (give(leg, message_close_write(&message, &out), &out))
		log_line(LOG_DEBUG, "close not sent", LOG_S("leg", leg->id));
}

void leg_send_open(struct leg *leg, const struct message_open *open)
{
	struct buf out;
	buf_init(&out, FRAME_MAX);
	if (give(leg, message_open_write(open, &out), &out))
		log_line(LOG_WARN, "open not sent", LOG_S("leg", leg->id));
}

void leg_send_policy(struct leg *leg, const struct message_policy *policy)
{
	struct buf out;
	buf_init(&out, FRAME_MAX);
	if (give(leg, message_policy_write(policy, &out), &out))
		log_line(LOG_WARN, "policy not sent", LOG_S("leg", leg->id));
}

void leg_send_notices(struct leg *leg, const char *notices)
{
	struct message_notices message;
	struct buf out;
	/* One that is carried hears them from the node it came to. */
	if (leg->state == HELLO_ENDED || leg->moving || leg->via)
		return;
	text_clip(message.notices, sizeof(message.notices), notices);
	buf_init(&out, FRAME_MAX);
	if (give(leg, message_notices_write(&message, &out), &out))
		log_line(LOG_DEBUG, "notices not sent", LOG_S("leg", leg->id));
}

void leg_send_drain(struct leg *leg, int64_t within_ms)
{
	struct message_notice notice = {
		.kind = "drain", .within_ms = (uint64_t)(within_ms > 0 ? within_ms : 0)};
	struct buf out;
	if (leg->state == HELLO_ENDED || leg->moving)
		return;
	text_clip(notice.en, sizeof(notice.en), reason_text(REASON_DRAINING, REASON_EN));
	text_clip(notice.ja, sizeof(notice.ja), reason_text(REASON_DRAINING, REASON_JA));
	buf_init(&out, FRAME_MAX);
	if (give(leg, message_notice_write(&notice, &out), &out))
		log_line(LOG_DEBUG, "notice not sent", LOG_S("leg", leg->id));
}

static void send_raw(struct leg *leg, uint8_t type, const uint8_t payload[static 8])
{
	uint8_t frame[FRAME_HEADER + 8];
	frame_header(frame, type, 8);
	memcpy(frame + FRAME_HEADER, payload, 8);
	if (conn_write(leg->conn, frame, sizeof(frame)))
		log_line(LOG_DEBUG, "keepalive not sent", LOG_S("leg", leg->id));
}

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

/* An end that sends no receipt is not deaf for ever. */
static int is_late(struct leg *leg)
{
	if (leg->owes && clock_mono_ms() >= leg->owes_until_ms)
		leg->owes = 0;
	return leg->owes != 0;
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

/* ---- what it hears ----------------------------------------------------------------------- */

static int take_connect(struct leg *leg, const struct frame *frame)
{
	struct message_connect connect;
	int rc = message_connect_parse(frame->payload, frame->len, &connect);
	if (rc)
		return rc;
	if (connect.purpose < 1 || connect.psk_kind < 1)
		return -REASON_BAD_MESSAGE;
	leg->wish = malloc(sizeof(*leg->wish));
	if (!leg->wish)
		return -REASON_NO_MEMORY;
	*leg->wish = connect;
	leg->asked_ms = clock_mono_ms();
	leg->hops = 0;
	leg_change(leg, HELLO_WAITING);
	lobby_match(leg);
	return 0;
}

/* An end may say why it ends, but not in the name of others: what only a node or an administrator
 * can know is replaced by the plain fact that this side ended it. A node speaks for itself. */
int leg_believable(const struct leg *leg, uint64_t number)
{
	/* We have asked it to go. */
	if (number == REASON_DRAINING && atomic_load(&leg->desk->house->draining))
		return REASON_DRAINING;
	if (leg->via && number != REASON_NONE &&
		reason_parse(reason_symbol((int)number)) != REASON_NONE)
		return (int)number;
	switch (number) {
	case REASON_ADMIN_DISCONNECT:
	case REASON_TAKEN_OVER:
	case REASON_HOST_REPLACED:
	case REASON_NODE_STOPPED:
	case REASON_DRAINING:
	case REASON_LICENSE_DISABLED:
	case REASON_LICENSE_EXPIRED:
	case REASON_RECORDING_FAILED:
	case REASON_SLOW_READER:
	case REASON_NONE:
		break;
	default:
		if (reason_parse(reason_symbol((int)number)) != REASON_NONE)
			return (int)number;
	}
	return leg->side == HELLO_HOST ? REASON_HOST_ENDED : REASON_VIEWER_LEFT;
}

static int take_close(struct leg *leg, const struct frame *frame)
{
	struct message_close message;
	int rc = message_close_parse(frame->payload, frame->len, &message);
	if (rc)
		return rc;
	int reason = leg_believable(leg, message.reason);
	if (!message.session[0]) { /* the leg itself: no CLOSE in return */
		leg_part(leg, reason);
	} else if (leg->session && leg->state == HELLO_JOINED &&
		   !strcmp(message.session, leg->session->id_text)) {
		session_closed_by(leg->session, leg, reason);
	} else {
		/* Both closed at once: its last word about the former one. */
		leg->owes = 0;
	}
	return 0; /* of a session that is over already: both closed at once */
}

static int take_report(struct leg *leg, const struct frame *frame)
{
	struct message_report report;
	int rc = message_report_parse(frame->payload, frame->len, &report);
	if (!rc)
		presence_host_reports(leg, report.inventory);
	return rc;
}

static int take_receipt(struct leg *leg, const struct frame *frame)
{
	struct message_receipt receipt;
	int rc = message_receipt_parse(frame->payload, frame->len, &receipt);
	if (rc)
		return rc;
	if (receipt.fence >= leg->owes)
		leg->owes = 0;
	leg->confirmed = receipt.fence;
	session_receipt(leg, &receipt);
	return 0;
}

static int take_ping(struct leg *leg, const struct frame *frame)
{
	send_raw(leg, FRAME_PONG, frame->payload);
	return 0;
}

static int take_pong(struct leg *leg, const struct frame *frame)
{
	keepalive_pong(&leg->keepalive, clock_mono_us(), frame->payload);
	return 0;
}

/* DATA of a session that is over: its CLOSE and the last records crossed on the way. */
static int take_late_data(struct leg *leg, const struct frame *frame)
{
	(void)leg;
	(void)frame;
	return 0;
}

int leg_is_license(const char *text)
{
	if (strncmp(text, "lic_", 4) || strlen(text) != 13)
		return 0;
	return strspn(text + 4, "0123456789abcdefghjkmnpqrstvwxyz") == 9;
}

static const struct {
	uint8_t type;
	int (*take)(struct leg *leg, const struct frame *frame);
} takers[] = {
	{FRAME_PING, take_ping},
	{FRAME_PONG, take_pong},
	{FRAME_DATA, take_late_data},
	{FRAME_CONNECT, take_connect},
	{FRAME_CLOSE, take_close},
	{FRAME_RECEIPT, take_receipt},
	{FRAME_REPORT, take_report},
};

static int take_frame(struct leg *leg, const struct frame *frame)
{
	int is_ours =
		!leg->crossing || frame->type == FRAME_PING || frame->type == FRAME_PONG;
	if (is_ours && !hello_end_may(leg->side, leg->state, frame->type))
		return -REASON_PROTOCOL;
	if (frame->type != FRAME_DATA && !bucket_take(&leg->chatter, clock_mono_ms()))
		return -REASON_THROTTLED;
	if (!is_ours)
		return crossing_take(leg->crossing, frame);
	for (size_t i = 0; i < ARRAY_LEN(takers); i++)
		if (takers[i].type == frame->type)
			return takers[i].take(leg, frame);
	return 0; /* of a later generation, skipped */
}

static size_t on_bytes(void *ctx, const uint8_t *bytes, size_t len)
{
	struct leg *leg = ctx;
	struct frame frame;
	size_t used = 0;
	CHECK_OBJ(leg, LEG_MAGIC);
	keepalive_heard(&leg->keepalive, clock_mono_ms());
	while (used < len && leg->state != HELLO_ENDED && !leg->moving) {
		if (leg->pump && !is_late(leg))
			used += pump_take(leg->pump, bytes + used, len - used);
		if (used == len)
			break;
		int rc = frame_parse(bytes + used, len - used, &frame);
		if (!rc)
			break;
		if (rc > 0) {
			used += frame_size(&frame);
			rc = take_frame(leg, &frame);
		}
		if (rc < 0)
			leg_end(leg, -rc);
	}
	return leg->state == HELLO_ENDED ? len : used;
}

static void on_room(void *ctx)
{
	struct leg *leg = ctx;
	CHECK_OBJ(leg, LEG_MAGIC);
	if (leg->crossing)
		crossing_room(leg->crossing);
	else if (leg->session && leg->state == HELLO_JOINED)
		session_room(leg->session, leg);
}

static const struct conn_events leg_events = {on_bytes, on_room, on_closed};

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
		send_raw(leg, FRAME_PING, payload);
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
