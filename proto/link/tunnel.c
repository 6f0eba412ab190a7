/* tunnel: life of a session at one end, its legs, and the functions of its owner. */
#include "link/tunnel_inside.h"

#include <event2/event.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/secret.h"
#include "e2e/identity.h"
#include "e2e/license_id.h"
#include "link/gate.h"
#include "wire/proof.h"

static struct tunnel *destroy(struct tunnel *tunnel)
{
	if (tunnel->timer)
		event_free(tunnel->timer);
	if (tunnel->turn)
		event_free(tunnel->turn);
	if (tunnel->tick)
		event_free(tunnel->tick);
	tunnel->magic = 0;
	return secret_free(tunnel, sizeof(*tunnel));
}

void tunnel_leave(struct tunnel *tunnel)
{
	CHECK(tunnel->depth > 0);
	if (--tunnel->depth == 0 && tunnel->freed)
		destroy(tunnel);
}

/* Wipes what the leg had; the lanes stay. */
static void drop_leg(struct tunnel *tunnel)
{
	tunnel_flow_stop(tunnel);
	tunnel->noise = noise_free(tunnel->noise);
	tunnel->seal = seal_free(tunnel->seal);
	tunnel->carrier = NULL;
	tunnel->carrier_ctx = NULL;
	tunnel->psk_asked = tunnel->hello_read = false;
	secret_wipe(&tunnel->grant.pair_psk, sizeof(tunnel->grant.pair_psk));
}

void tunnel_deadline(struct tunnel *tunnel, int64_t ms)
{
	evtimer_del(tunnel->timer);
	if (!ms)
		return;
	struct timeval wait = {ms / 1000, ms % 1000 * 1000};
	evtimer_add(tunnel->timer, &wait);
}

void tunnel_end(struct tunnel *tunnel, int reason, enum tunnel_end how)
{
	if (tunnel->state == TUNNEL_OVER)
		return;
	tunnel->state = TUNNEL_OVER;
	tunnel->end_reason = reason;
	tunnel->end_how = how;
	tunnel_deadline(tunnel, 0);
	drop_leg(tunnel);
	secret_wipe(tunnel->config.psk, sizeof(tunnel->config.psk));
	lanes_done(&tunnel->lanes);
	event_active(tunnel->turn, EV_TIMEOUT, 1);
}

void tunnel_fail(struct tunnel *tunnel, int reason, int told)
{
	if (tunnel->state == TUNNEL_OVER)
		return;
	/* Keys first: nothing that follows may seal another word with them. */
	tunnel->seal = seal_free(tunnel->seal);
	tunnel->noise = noise_free(tunnel->noise);
	if (tunnel->carrier)
		tunnel->carrier->close(tunnel->carrier_ctx, told);
	tunnel_end(tunnel, reason, TUNNEL_INTERRUPTED);
}

int tunnel_raw(struct tunnel *tunnel, const uint8_t *bytes, size_t len)
{
	uint8_t *place;
	int rc = tunnel->carrier->reserve(tunnel->carrier_ctx, len, &place);
	if (rc)
		return rc;
	memcpy(place, bytes, len);
	tunnel->carrier->commit(tunnel->carrier_ctx, len);
	tunnel->leg_sent += len;
	return 0;
}

static void on_turn(evutil_socket_t fd UNUSED, short what UNUSED, void *arg)
{
	struct tunnel *tunnel = arg;
	tunnel_enter(tunnel);
	if (tunnel->state == TUNNEL_OVER) {
		if (tunnel->events->ended)
			tunnel->events->ended(tunnel->ctx, tunnel->end_reason,
				tunnel->end_how);
	} else {
		tunnel_flow_turn(tunnel);
	}
	tunnel_leave(tunnel);
}

static void on_tick(evutil_socket_t fd UNUSED, short what UNUSED, void *arg)
{
	struct tunnel *tunnel = arg;
	tunnel_enter(tunnel);
	tunnel_flow_turn(tunnel);
	tunnel_leave(tunnel);
}

static void on_deadline(evutil_socket_t fd UNUSED, short what UNUSED, void *arg)
{
	struct tunnel *tunnel = arg;
	tunnel_enter(tunnel);
	if (tunnel->state == TUNNEL_WAITING)
		tunnel_end(tunnel, REASON_GRACE_OVER, TUNNEL_INTERRUPTED);
	else
		tunnel_fail(tunnel, REASON_TIMEOUT, REASON_E2E_FAILED);
	tunnel_leave(tunnel);
}

int tunnel_new(struct tunnel **ret, struct event_base *base,
	const struct tunnel_config *config, const struct tunnel_events *events, void *ctx)
{
	/* One block without core dumps: it holds the psk and the lanes' heads. */
	struct tunnel *tunnel = secret_alloc(sizeof(*tunnel));
	if (!tunnel)
		return -REASON_NO_MEMORY;
	tunnel->magic = TUNNEL_MAGIC;
	tunnel->base = base;
	tunnel->config = *config;
	tunnel->events = events;
	tunnel->ctx = ctx;
	tunnel->fence = config->fence;
	lanes_init(&tunnel->lanes);
	tunnel->timer = evtimer_new(base, on_deadline, tunnel);
	tunnel->turn = event_new(base, -1, 0, on_turn, tunnel);
	tunnel->tick = evtimer_new(base, on_tick, tunnel);
	if (!tunnel->timer || !tunnel->turn || !tunnel->tick) {
		destroy(tunnel);
		return -REASON_NO_MEMORY;
	}
	*ret = tunnel;
	return 0;
}

/* What CONNECT asked for and what OPEN says have to be one: the relay joins, it does not choose. */
static int open_check(const struct tunnel *tunnel, const struct message_open *open)
{
	const struct tunnel_config *config = &tunnel->config;
	if (tunnel->state == TUNNEL_OVER)
		return -REASON_CONFLICT;
	if (open->fence <= tunnel->fence)
		return -REASON_FENCE_STALE;
	if (tunnel->has_session &&
		memcmp(open->session, tunnel->session, sizeof(tunnel->session)))
		return -REASON_E2E_FAILED;
	if (config->side == SEAL_VIEWER &&
		(open->purpose != config->purpose || open->ticket != config->ticket))
		return -REASON_E2E_FAILED;
	if (tunnel->was_up && open->purpose != PROLOGUE_SESSION)
		return -REASON_E2E_FAILED;
	return 0;
}

static int open_prologue(const struct tunnel *tunnel, const struct message_open *open,
	struct prologue *ret)
{
	bool host = tunnel->config.side == SEAL_HOST;
	*ret = (struct prologue){
		.purpose = (enum prologue_purpose)open->purpose,
		.psk = open->purpose == PROLOGUE_PAIRING ? PROLOGUE_PSK_TICKET
							 : PROLOGUE_PSK_PAIR,
		.viewer_min = host ? (uint8_t)open->viewer_min : PROLOGUE_VERSION_MIN,
		.viewer_max = host ? (uint8_t)open->viewer_max : PROLOGUE_VERSION_MAX,
		.host_min = host ? PROLOGUE_VERSION_MIN : (uint8_t)open->host_min,
		.host_max = host ? PROLOGUE_VERSION_MAX : (uint8_t)open->host_max,
		.ticket_id = (uint32_t)open->ticket,
	};
	if (open->psk_kind != ret->psk)
		return -REASON_E2E_FAILED;
	memcpy(ret->session_id, open->session, sizeof(ret->session_id));
	uint8_t version;
	int rc = prologue_version(ret, &version);
	return rc ? rc : license_id_hash(tunnel->config.license, ret->license_id);
}

int tunnel_open(struct tunnel *tunnel, const struct carrier *carrier, void *carrier_ctx,
	const struct message_open *open)
{
	struct prologue prologue;
	CHECK_OBJ(tunnel, TUNNEL_MAGIC);
	int rc = open_check(tunnel, open);
	if (!rc)
		rc = open_prologue(tunnel, open, &prologue);
	if (rc)
		return rc;
	drop_leg(tunnel);
	tunnel->prologue = prologue;
	tunnel->carrier = carrier;
	tunnel->carrier_ctx = carrier_ctx;
	tunnel->leg_sent = tunnel->leg_received = 0;
	memcpy(tunnel->session, open->session, sizeof(tunnel->session));
	tunnel->has_session = true;
	tunnel->fence = open->fence;
	tunnel->state = TUNNEL_SHAKING;
	tunnel->shake_us = clock_mono_us();
	tunnel_deadline(tunnel, TUNNEL_HANDSHAKE_MS);
	rc = tunnel_shake_begin(tunnel);
	if (rc) {
		drop_leg(tunnel);
		tunnel->state = TUNNEL_WAITING;
		tunnel_deadline(tunnel, tunnel->was_up ? tunnel->config.grace_ms : 0);
	}
	return rc;
}

void tunnel_data(struct tunnel *tunnel, uint8_t *record, size_t len)
{
	tunnel_enter(tunnel);
	if (tunnel->carrier)
		tunnel->leg_received += len;
	if (tunnel->state == TUNNEL_SHAKING)
		tunnel_shake_message(tunnel, record, len);
	else if (tunnel->state == TUNNEL_ADMITTING || tunnel->state == TUNNEL_UP)
		tunnel_flow_record(tunnel, record, len);
	tunnel_leave(tunnel);
}

void tunnel_room(struct tunnel *tunnel)
{
	tunnel_enter(tunnel);
	tunnel_flow_push(tunnel);
	tunnel_leave(tunnel);
}

void tunnel_cut(struct tunnel *tunnel, int reason)
{
	CHECK_OBJ(tunnel, TUNNEL_MAGIC);
	if (tunnel->state == TUNNEL_OVER || tunnel->state == TUNNEL_WAITING)
		return;
	if (!tunnel->was_up) {
		tunnel_end(tunnel, reason, TUNNEL_INTERRUPTED);
		return;
	}
	drop_leg(tunnel);
	tunnel->state = TUNNEL_WAITING;
	tunnel_deadline(tunnel, tunnel->config.grace_ms);
}

/* Reasons after which both ends may meet again in the same session. */
static bool comes_back(int reason)
{
	switch (reason) {
	case REASON_PEER_LOST:
	case REASON_KEEPALIVE_TIMEOUT:
	case REASON_SLOW_READER:
	case REASON_NODE_STOPPED:
	case REASON_DRAINING:
	case REASON_LEG_CLOSED:
	case REASON_HOST_REPLACED:
	case REASON_HOST_OFFLINE:
	case REASON_HOST_ELSEWHERE:
	case REASON_JOIN_SPENT:
	case REASON_HOST_BUSY:
	case REASON_STORE_UNAVAILABLE:
	case REASON_BUSY:
	case REASON_THROTTLED:
	case REASON_TIMEOUT:
		return true;
	default:
		return false;
	}
}

void tunnel_closed(struct tunnel *tunnel, const struct message_close *close)
{
	CHECK_OBJ(tunnel, TUNNEL_MAGIC);
	int reason = (int)close->reason;
	/* The viewer guessed, the host did not say so: who else would know that it was the code? */
	if (reason == REASON_E2E_FAILED && tunnel->state == TUNNEL_ADMITTING &&
		tunnel->config.side == SEAL_VIEWER &&
		tunnel->prologue.purpose == PROLOGUE_PAIRING)
		reason = REASON_TICKET_WRONG;
	if (tunnel->was_up && comes_back(reason))
		tunnel_cut(tunnel, reason);
	else
		tunnel_end(tunnel, reason, TUNNEL_INTERRUPTED);
}

void tunnel_close(struct tunnel *tunnel, int reason)
{
	tunnel_enter(tunnel);
	struct inner_message message = {.kind = INNER_CLOSE};
	message.close.reason = (uint16_t)reason;
	if (tunnel->state == TUNNEL_ADMITTING && tunnel->hello_read) {
		message.kind = INNER_DENY;
		message.deny.reason = (uint16_t)reason;
	}
	if (tunnel->state == TUNNEL_UP || message.kind == INNER_DENY)
		tunnel_flow_say(tunnel, &message);
	if (tunnel->state != TUNNEL_OVER && tunnel->carrier)
		tunnel->carrier->close(tunnel->carrier_ctx, reason);
	tunnel_end(tunnel, reason, TUNNEL_OURS);
	tunnel_leave(tunnel);
}

void tunnel_admit(struct tunnel *tunnel, int reason, const struct tunnel_grant *grant)
{
	tunnel_shake_admit(tunnel, reason, grant);
}

struct tunnel *tunnel_free(struct tunnel *tunnel)
{
	if (!tunnel)
		return NULL;
	tunnel_enter(tunnel);
	if (!tunnel->freed) {
		tunnel->freed = true;
		tunnel_gate(tunnel, NULL);
		tunnel_end(tunnel, REASON_LEG_CLOSED, TUNNEL_OURS);
		event_del(tunnel->turn);
	}
	tunnel_leave(tunnel);
	return NULL;
}

void tunnel_reserve(struct tunnel *tunnel, enum seal_lane lane, uint8_t **ret,
	size_t *ret_len)
{
	CHECK_OBJ(tunnel, TUNNEL_MAGIC);
	CHECK(lane > SEAL_CONTROL && lane < SEAL_LANES);
	*ret = NULL;
	*ret_len = 0;
	size_t room = tunnel_flow_room(tunnel, lane);
	if (room)
		ring_reserve(&tunnel->lanes.out[lane].ring, ret, ret_len);
	if (*ret_len > room)
		*ret_len = room;
	if (!*ret_len && tunnel->state != TUNNEL_OVER)
		tunnel->lanes.out[lane].refused = true;
}

void tunnel_commit(struct tunnel *tunnel, enum seal_lane lane, size_t len)
{
	tunnel_enter(tunnel);
	if (tunnel->state != TUNNEL_OVER) {
		ring_commit(&tunnel->lanes.out[lane].ring, len);
		tunnel_flow_push(tunnel);
	}
	tunnel_leave(tunnel);
}

size_t tunnel_write(struct tunnel *tunnel, enum seal_lane lane, const void *bytes,
	size_t len)
{
	size_t done = 0;
	tunnel_enter(tunnel);
	while (done < len) {
		uint8_t *place;
		size_t room;
		tunnel_reserve(tunnel, lane, &place, &room);
		if (!room)
			break;
		room = room < len - done ? room : len - done;
		memcpy(place, (const uint8_t *)bytes + done, room);
		ring_commit(&tunnel->lanes.out[lane].ring, room);
		done += room;
	}
	if (done)
		tunnel_flow_push(tunnel);
	tunnel_leave(tunnel);
	return done;
}

void tunnel_consumed(struct tunnel *tunnel, enum seal_lane lane, size_t len)
{
	CHECK_OBJ(tunnel, TUNNEL_MAGIC);
	if (tunnel->state == TUNNEL_OVER || !len)
		return;
	lanes_consumed(&tunnel->lanes, lane, len);
	tunnel_flow_consumed(tunnel);
}

static bool owners_message(const struct tunnel *tunnel, enum inner_kind kind)
{
	switch (kind) {
	case INNER_NEW_KEY:
	case INNER_RFB_CLOSE:
		return true;
	case INNER_RFB_OPEN:
		return tunnel->config.side == SEAL_VIEWER;
	case INNER_RFB_OPENED:
	case INNER_RIGHTS:
	case INNER_NOTICE:
	case INNER_STATS:
	case INNER_MONITORS:
		return tunnel->config.side == SEAL_HOST;
	default:
		return false;
	}
}

int tunnel_message(struct tunnel *tunnel, const struct inner_message *message)
{
	CHECK_OBJ(tunnel, TUNNEL_MAGIC);
	if (!owners_message(tunnel, message->kind))
		return -REASON_BAD_VALUE;
	if (tunnel->state == TUNNEL_OVER)
		return -REASON_LEG_CLOSED;
	if (!tunnel_flow_counted(message->kind)) {
		if (tunnel->state == TUNNEL_UP &&
			tunnel->carrier->queued(tunnel->carrier_ctx) < CARRIER_FULL)
			tunnel_flow_say(tunnel, message);
		return 0;
	}
	uint8_t bytes[INNER_MESSAGE_MAX];
	size_t len;
	int rc = inner_pack(message, bytes, sizeof(bytes), &len);
	if (rc)
		return rc;
	struct ring *ring = &tunnel->lanes.out[SEAL_CONTROL].ring;
	if (ring->max - ring_len(ring) < len)
		return -REASON_LIMIT;
	uint64_t tail = ring->tail;
	if (ring_write(ring, bytes, len) != len) {
		/* No memory half-way: a torn message must not stay. */
		ring_truncate(ring, tail);
		return -REASON_NO_MEMORY;
	}
	tunnel_flow_push(tunnel);
	return 0;
}

uint64_t tunnel_received(const struct tunnel *tunnel, enum seal_lane lane)
{
	return tunnel->lanes.in[lane].received;
}

uint64_t tunnel_drop_unsent(struct tunnel *tunnel, enum seal_lane lane)
{
	CHECK_OBJ(tunnel, TUNNEL_MAGIC);
	CHECK(lane > SEAL_CONTROL && lane < SEAL_LANES);
	struct lanes_out *out = &tunnel->lanes.out[lane];
	ring_truncate(&out->ring, out->sent);
	return out->ring.tail;
}

void tunnel_gate(struct tunnel *tunnel, struct gate *gate)
{
	if (gate)
		gate_ref(gate);
	if (tunnel->gate)
		gate_unref(tunnel->gate);
	tunnel->gate = gate;
	tunnel_flow_gate(tunnel);
}

enum tunnel_state tunnel_state(const struct tunnel *tunnel)
{
	return tunnel->state;
}

uint64_t tunnel_fence(const struct tunnel *tunnel)
{
	return tunnel->fence;
}

void tunnel_stats(const struct tunnel *tunnel, struct tunnel_stats *ret)
{
	const struct credit *picture = &tunnel->credit[SEAL_PICTURE];
	*ret = (struct tunnel_stats){
		.rtt_us = tunnel->rtt_us,
		.rtt_min_us = tunnel->rtt_min_us,
		.rate = credit_rate(picture),
		.credit = tunnel->state == TUNNEL_UP ? credit_budget(picture) : 0,
		.in_flight = (int64_t)lanes_in_flight(&tunnel->lanes, SEAL_PICTURE),
		.records_sent = tunnel->seal ? seal_sent(tunnel->seal) : 0,
		.records_received = tunnel->seal ? seal_received(tunnel->seal) : 0,
		.resumes = tunnel->resumes,
	};
	for (int lane = 0; lane < SEAL_LANES; lane++) {
		ret->sent[lane] = tunnel->lanes.out[lane].sent;
		ret->received[lane] = tunnel->lanes.in[lane].received;
	}
}

int tunnel_receipt(const struct tunnel *tunnel, int reason, struct message_receipt *ret)
{
	struct proof_receipt receipt = {
		.fence = tunnel->fence,
		.side = tunnel->config.side == SEAL_HOST ? PROOF_HOST : PROOF_VIEWER,
		.bytes_sent = tunnel->leg_sent,
		.bytes_received = tunnel->leg_received,
		.reason = (uint16_t)reason,
	};
	uint8_t bytes[PROOF_RECEIPT_BYTES];
	memcpy(receipt.session, tunnel->session, sizeof(receipt.session));
	proof_receipt_bytes(&receipt, bytes);
	struct message_receipt message = {
		.fence = tunnel->fence,
		.sent = tunnel->leg_sent,
		.received = tunnel->leg_received,
		.reason = (uint64_t)reason,
	};
	memcpy(message.session, tunnel->session, sizeof(message.session));
	int rc = identity_sign(tunnel->config.identity, bytes, sizeof(bytes),
		message.signature);
	if (!rc)
		*ret = message;
	return rc;
}
