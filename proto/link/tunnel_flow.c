/* tunnel_flow: records both ways once the tunnel is up: lanes by priority, acknowledgements, probes,
 * credit. */
#include <event2/event.h>

#include "base/clock.h"
#include "e2e/inner.h"
#include "link/gate.h"
#include "link/tunnel_inside.h"

#define ACK_BULK_US 2000 /* picture and clipboard: their sender measures the line by it */
#define ACK_OTHER_US 50000 /* the others only free memory */
#define PROBE_BUSY_US 1000000
#define PROBE_IDLE_US 5000000
#define CHUNK_US 13000 /* what a record may hold up a key that comes behind it */
#define CHUNK_LEAST 4096
#define CHUNK_SMALL 8192 /* input and clipboard */
/* Clipboard and files may not fill the queue that keys have to go through. */
#define BULK_QUEUE (16 * 1024)
/* Read ahead of the credit, so that sealing never waits for the encoder: a quarter of the credit,
 * since on a slow line what was read ahead is time that a key waits. */
#define PICTURE_AHEAD_LEAST (16 * 1024)
#define PICTURE_AHEAD_MOST (64 * 1024)

static const enum seal_lane ORDER[] = {
	SEAL_INPUT, SEAL_CLIPBOARD, SEAL_PICTURE, SEAL_FILE};

bool tunnel_flow_counted(enum inner_kind kind)
{
	switch (kind) {
	case INNER_VIEWER_HELLO:
	case INNER_HELLO_OK:
	case INNER_DENY:
	case INNER_CLOSE:
	case INNER_PAIRED:
	case INNER_PAIRED_OK:
	case INNER_ACK:
	case INNER_PROBE:
	case INNER_PROBE_REPLY:
	case INNER_STATS:
		return false;
	default:
		return true;
	}
}

static bool has_credit(enum seal_lane lane)
{
	return lane == SEAL_PICTURE || lane == SEAL_CLIPBOARD;
}

static bool in_session(const struct tunnel *tunnel)
{
	return tunnel->state == TUNNEL_UP && tunnel->prologue.purpose == PROLOGUE_SESSION;
}

/* Seals what build() has put behind the head and hands it down. */
static int send_record(struct tunnel *tunnel, enum seal_lane lane, uint8_t *place,
	size_t len)
{
	uint8_t flags = lane == SEAL_CONTROL ? SEAL_END : 0;
	size_t used;
	int rc = seal_record(tunnel->seal, lane, flags, place, len, &used);
	if (rc) {
		tunnel->carrier->commit(tunnel->carrier_ctx, 0);
		tunnel_fail(tunnel, -rc, REASON_E2E_FAILED);
		return rc;
	}
	tunnel->carrier->commit(tunnel->carrier_ctx, used);
	tunnel->leg_sent += used;
	return 0;
}

static uint8_t *record_place(struct tunnel *tunnel, enum seal_lane lane, size_t len)
{
	uint8_t *place;
	size_t size = seal_size(tunnel->seal, lane, len);
	/* A carrier that takes nothing more is on its way down: its owner will hear of it. */
	if (tunnel->carrier->reserve(tunnel->carrier_ctx, size, &place))
		return NULL;
	return place;
}

void tunnel_flow_say(struct tunnel *tunnel, const struct inner_message *message)
{
	uint8_t bytes[INNER_MESSAGE_MAX];
	size_t len;
	if (!tunnel->seal || inner_pack(message, bytes, sizeof(bytes), &len))
		return;
	uint8_t *place = record_place(tunnel, SEAL_CONTROL, len);
	if (!place)
		return;
	for (size_t i = 0; i < len; i++)
		place[SEAL_HEAD + i] = bytes[i];
	(void)!send_record(tunnel, SEAL_CONTROL, place, len);
}

static void say_ack(struct tunnel *tunnel)
{
	struct inner_message message = {.kind = INNER_ACK};
	struct inner_acks *acks = &message.ack.lanes;
	for (int lane = 0; lane < SEAL_LANES; lane++) {
		struct lanes_in *in = &tunnel->lanes.in[lane];
		if (in->consumed == in->told)
			continue;
		acks->lane[acks->count] = (uint8_t)lane;
		acks->consumed[acks->count++] = in->consumed;
		in->told = in->consumed;
	}
	tunnel->acked_us = clock_mono_us();
	if (acks->count)
		tunnel_flow_say(tunnel, &message);
}

static void say_due(struct tunnel *tunnel)
{
	struct inner_message message = {.kind = INNER_PROBE};
	if (tunnel->due & TUNNEL_DUE_ACK)
		say_ack(tunnel);
	if (tunnel->state == TUNNEL_UP && tunnel->due & TUNNEL_DUE_PROBE) {
		message.probe.time_us = (uint64_t)clock_mono_us();
		tunnel_flow_say(tunnel, &message);
	}
	if (tunnel->state == TUNNEL_UP && tunnel->due & TUNNEL_DUE_REPLY) {
		message.kind = INNER_PROBE_REPLY;
		message.probe_reply.time_us = tunnel->reply_time_us;
		tunnel_flow_say(tunnel, &message);
	}
	tunnel->due = 0;
}

static size_t chunk(const struct tunnel *tunnel, enum seal_lane lane)
{
	if (lane != SEAL_PICTURE)
		return CHUNK_SMALL;
	int64_t rate = credit_rate(&tunnel->credit[lane]);
	if (!rate)
		return TUNNEL_CHUNK;
	int64_t len = (int64_t)((double)rate * CHUNK_US / 1e6);
	if (len < CHUNK_LEAST)
		return CHUNK_LEAST;
	return len < SEAL_PAYLOAD_MAX ? (size_t)len : SEAL_PAYLOAD_MAX;
}

static void follow_credit(struct tunnel *tunnel)
{
	int64_t picture = credit_budget(&tunnel->credit[SEAL_PICTURE]);
	int64_t clipboard = credit_budget(&tunnel->credit[SEAL_CLIPBOARD]);
	tunnel->lanes.out[SEAL_PICTURE].window = (size_t)picture;
	tunnel->lanes.out[SEAL_CLIPBOARD].window = clipboard < LANES_CLIPBOARD_WINDOW
							   ? (size_t)clipboard
							   : LANES_CLIPBOARD_WINDOW;
}

/* 0: nothing of this lane can go now; else what was added to the carrier's queue. */
static size_t push_lane(struct tunnel *tunnel, enum seal_lane lane, size_t queued)
{
	size_t len = lanes_ready(&tunnel->lanes, lane);
	size_t most = chunk(tunnel, lane);
	if (lane == SEAL_CONTROL) {
		size_t next = lanes_control_next(&tunnel->lanes);
		len = next <= len ? next : 0;
		most = len;
	}
	if (!len ||
		((lane == SEAL_CLIPBOARD || lane == SEAL_FILE) && queued >= BULK_QUEUE))
		return 0;
	len = len < most ? len : most;
	uint8_t *place = record_place(tunnel, lane, len);
	if (!place)
		return 0;
	lanes_take(&tunnel->lanes, lane, place + SEAL_HEAD, len);
	tunnel->busy_us = clock_mono_us();
	if (send_record(tunnel, lane, place, len))
		return 0;
	if (has_credit(lane))
		credit_sent(&tunnel->credit[lane], len,
			lanes_unsent(&tunnel->lanes, lane) ? CREDIT_MORE_WAITS
							   : CREDIT_NO_MORE,
			clock_mono_us());
	return len + SEAL_HEAD + SEAL_TAG;
}

static size_t push_best(struct tunnel *tunnel, size_t queued)
{
	if (lanes_unsent(&tunnel->lanes, SEAL_CONTROL))
		return push_lane(tunnel, SEAL_CONTROL, queued);
	for (size_t i = 0; i < ARRAY_LEN(ORDER); i++) {
		size_t added = push_lane(tunnel, ORDER[i], queued);
		if (added || !in_session(tunnel))
			return added;
	}
	return 0;
}

void tunnel_flow_push(struct tunnel *tunnel)
{
	if (!in_session(tunnel) || !tunnel->carrier || !tunnel->seal)
		return;
	size_t queued = tunnel->carrier->queued(tunnel->carrier_ctx);
	if (queued < CARRIER_FULL && tunnel->due)
		say_due(tunnel);
	/* Only a queue that the carrier itself has seen full makes it tell when there is room. */
	while (in_session(tunnel) && queued < CARRIER_FULL) {
		size_t added = push_best(tunnel, queued);
		if (!added)
			break;
		queued += added;
		if (queued >= CARRIER_FULL)
			queued = tunnel->carrier->queued(tunnel->carrier_ctx);
	}
}

static void tick_in(struct tunnel *tunnel, int64_t us)
{
	struct timeval wait = {us / 1000000, us % 1000000};
	evtimer_add(tunnel->tick, &wait);
}

static int64_t probe_in(const struct tunnel *tunnel, int64_t now)
{
	int64_t every =
		now - tunnel->busy_us < 2 * PROBE_BUSY_US ? PROBE_BUSY_US : PROBE_IDLE_US;
	int64_t left = tunnel->probed_us + every - now;
	return left > 0 ? left : 0;
}

static bool ack_pending(const struct tunnel *tunnel, bool bulk)
{
	for (int lane = 0; lane < SEAL_LANES; lane++) {
		const struct lanes_in *in = &tunnel->lanes.in[lane];
		if (in->consumed != in->told && has_credit((enum seal_lane)lane) == bulk)
			return true;
	}
	return false;
}

/* 0: an ACK is due; -1: nothing to acknowledge. */
static int64_t ack_in(const struct tunnel *tunnel, int64_t now)
{
	bool bulk = ack_pending(tunnel, true);
	if (!bulk && !ack_pending(tunnel, false))
		return -1;
	int64_t left = tunnel->acked_us + (bulk ? ACK_BULK_US : ACK_OTHER_US) - now;
	return left > 0 ? left : 0;
}

void tunnel_flow_turn(struct tunnel *tunnel)
{
	if (!in_session(tunnel))
		return;
	int64_t now = clock_mono_us();
	int64_t ack = ack_in(tunnel, now), probe = probe_in(tunnel, now);
	if (!ack)
		tunnel->due |= TUNNEL_DUE_ACK;
	if (!probe) {
		tunnel->due |= TUNNEL_DUE_PROBE;
		tunnel->probed_us = now;
		probe = probe_in(tunnel, now);
	}
	tunnel_flow_push(tunnel);
	if (in_session(tunnel))
		tick_in(tunnel, ack > 0 && ack < probe ? ack : probe);
}

void tunnel_flow_consumed(struct tunnel *tunnel)
{
	if (!in_session(tunnel))
		return;
	/* At the end of the turn at the earliest: what is consumed in one turn is told at once. */
	int64_t wait = ack_in(tunnel, clock_mono_us());
	if (!wait)
		event_active(tunnel->turn, EV_TIMEOUT, 1);
	else if (wait > 0)
		tick_in(tunnel, wait);
}

void tunnel_flow_begin(struct tunnel *tunnel)
{
	int64_t now = clock_mono_us();
	tunnel->due = 0;
	tunnel->acked_us = tunnel->probed_us = 0;
	tunnel->busy_us = now;
	tunnel->rtt_us = tunnel->rtt_min_us = 0;
	for (int lane = 0; lane < SEAL_LANES; lane++) {
		/* The last ACK may have been lost with its leg. */
		tunnel->lanes.in[lane].told = 0;
		if (!has_credit((enum seal_lane)lane))
			continue;
		struct credit *credit = &tunnel->credit[lane];
		size_t flight = lanes_in_flight(&tunnel->lanes, (enum seal_lane)lane);
		credit_init(credit, tunnel->lanes.out[lane].ring.head, now);
		if (flight)
			credit_sent(credit, flight, CREDIT_NO_MORE, now);
	}
	follow_credit(tunnel);
	tunnel_flow_gate(tunnel);
	tunnel_flow_turn(tunnel);
}

void tunnel_flow_stop(struct tunnel *tunnel)
{
	evtimer_del(tunnel->tick);
	if (tunnel->state != TUNNEL_OVER)
		event_del(tunnel->turn);
	if (tunnel->gate)
		gate_set(tunnel->gate, 0, credit_rate(&tunnel->credit[SEAL_PICTURE]));
}

size_t tunnel_flow_room(const struct tunnel *tunnel, enum seal_lane lane)
{
	if (tunnel->state == TUNNEL_OVER)
		return 0;
	const struct ring *ring = &tunnel->lanes.out[lane].ring;
	size_t most = ring->max, kept = ring_len(ring);
	if (lane == SEAL_PICTURE) {
		size_t window =
			tunnel->was_up ? tunnel->lanes.out[lane].window : CREDIT_FLOOR;
		size_t ahead = window / 4;
		if (ahead < PICTURE_AHEAD_LEAST)
			ahead = PICTURE_AHEAD_LEAST;
		if (ahead > PICTURE_AHEAD_MOST)
			ahead = PICTURE_AHEAD_MOST;
		most = window + ahead < most ? window + ahead : most;
	}
	return kept < most ? most - kept : 0;
}

void tunnel_flow_gate(struct tunnel *tunnel)
{
	if (!tunnel->gate || !in_session(tunnel))
		return;
	const struct lanes_out *out = &tunnel->lanes.out[SEAL_PICTURE];
	int64_t room = (int64_t)out->window - (int64_t)ring_len(&out->ring);
	gate_set(tunnel->gate, room, credit_rate(&tunnel->credit[SEAL_PICTURE]));
}

/* Writers that were refused hear of it once there is room worth a call. */
static void tell_room(struct tunnel *tunnel)
{
	for (int lane = SEAL_INPUT; lane < SEAL_LANES && tunnel->state == TUNNEL_UP;
		lane++) {
		struct lanes_out *out = &tunnel->lanes.out[lane];
		if (!out->refused ||
			tunnel_flow_room(tunnel, (enum seal_lane)lane) < CHUNK_LEAST)
			continue;
		out->refused = false;
		if (tunnel->events->room)
			tunnel->events->room(tunnel->ctx, (enum seal_lane)lane);
	}
}

static int on_ack(struct tunnel *tunnel, const struct inner_acks *acks)
{
	int64_t now = clock_mono_us();
	for (int i = 0; i < acks->count; i++) {
		enum seal_lane lane = (enum seal_lane)acks->lane[i];
		int rc = lanes_acked(&tunnel->lanes, lane, acks->consumed[i]);
		if (rc)
			return rc;
		if (has_credit(lane))
			credit_acked(&tunnel->credit[lane], acks->consumed[i], now);
	}
	follow_credit(tunnel);
	tunnel_flow_gate(tunnel);
	tunnel_flow_push(tunnel);
	tell_room(tunnel);
	return 0;
}

static void on_probe_reply(struct tunnel *tunnel, uint64_t time_us)
{
	/* The other end says what it likes: unsigned, the difference is defined for every answer. */
	uint64_t since = (uint64_t)clock_mono_us() - time_us;
	if (since > UINT64_C(600000000))
		return;
	int64_t rtt = (int64_t)since;
	tunnel->rtt_us = rtt;
	if (!tunnel->rtt_min_us || rtt < tunnel->rtt_min_us)
		tunnel->rtt_min_us = rtt;
}

static int dispatch(struct tunnel *tunnel, const struct inner_message *message)
{
	switch (message->kind) {
	case INNER_SKIPPED:
		return 0;
	case INNER_CLOSE:
		if (message->close.reason == REASON_NONE)
			return -REASON_PROTOCOL; /* an end without a reason would pass for success */
		tunnel_end(tunnel, message->close.reason, TUNNEL_THEIRS);
		return 0;
	case INNER_PAIRED:
	case INNER_PAIRED_OK:
		tunnel_shake_pairing(tunnel, message);
		return 0;
	case INNER_VIEWER_HELLO:
	case INNER_HELLO_OK:
	case INNER_DENY:
		return -REASON_PROTOCOL;
	default:
		break;
	}
	if (!in_session(tunnel))
		return -REASON_PROTOCOL;
	switch (message->kind) {
	case INNER_ACK:
		return on_ack(tunnel, &message->ack.lanes);
	case INNER_PROBE:
		tunnel->reply_time_us = message->probe.time_us;
		tunnel->due |= TUNNEL_DUE_REPLY;
		tunnel_flow_push(tunnel);
		return 0;
	case INNER_PROBE_REPLY:
		on_probe_reply(tunnel, message->probe_reply.time_us);
		return 0;
	default:
		if (tunnel->events->message)
			tunnel->events->message(tunnel->ctx, message);
		return 0;
	}
}

static int on_control(struct tunnel *tunnel, const struct seal_view *view)
{
	struct cursor cursor = cursor_of(view->payload, view->len);
	enum seal_side from = tunnel->config.side == SEAL_HOST ? SEAL_VIEWER : SEAL_HOST;
	struct inner_message message;
	int rc = inner_parse(&cursor, from, &message);
	if (rc || cursor_left(&cursor))
		return -REASON_BAD_MESSAGE;
	if (tunnel->state == TUNNEL_ADMITTING) {
		tunnel_shake_control(tunnel, &message);
		return 0;
	}
	if (tunnel_flow_counted(message.kind)) {
		rc = lanes_arrived(&tunnel->lanes, SEAL_CONTROL, view->len);
		if (rc)
			return rc;
		tunnel_consumed(tunnel, SEAL_CONTROL, view->len);
	}
	return dispatch(tunnel, &message);
}

static bool may_arrive(const struct tunnel *tunnel, enum seal_lane lane)
{
	switch (lane) {
	case SEAL_INPUT:
		return tunnel->config.side == SEAL_HOST;
	case SEAL_PICTURE:
		return tunnel->config.side == SEAL_VIEWER;
	case SEAL_CLIPBOARD:
		return true;
	default:
		return false; /* files: not in this version */
	}
}

static int on_bytes(struct tunnel *tunnel, const struct seal_view *view)
{
	if (!in_session(tunnel) || !may_arrive(tunnel, view->lane))
		return -REASON_PROTOCOL;
	int rc = lanes_arrived(&tunnel->lanes, view->lane, view->len);
	if (rc)
		return rc;
	tunnel->busy_us = clock_mono_us();
	if (!view->len)
		return 0;
	if (tunnel->events->bytes)
		tunnel->events->bytes(tunnel->ctx, view->lane, view->payload, view->len);
	else
		tunnel_consumed(tunnel, view->lane, view->len);
	return 0;
}

void tunnel_flow_record(struct tunnel *tunnel, uint8_t *record, size_t len)
{
	struct seal_view view;
	int rc = seal_open(tunnel->seal, record, len, &view);
	if (!rc)
		rc = view.lane == SEAL_CONTROL ? on_control(tunnel, &view)
					       : on_bytes(tunnel, &view);
	if (rc)
		tunnel_fail(tunnel, -rc, REASON_E2E_FAILED);
}
