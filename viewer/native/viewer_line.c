/* viewer_line: the way to the gateways: signing in, asking for the office PC, coming back. */
#include "viewer_inside.h"

#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/secret.h"
#include "base/text.h"
#include "link/timer.h"
#include "link/tunnel.h"
#include "link/uplink.h"
#include "profile.h"
#include "wire/session_id.h"

/* After the grace time is over the session is lost, but the user still wants the desktop. */
#define PATIENCE_MS (10 * 60 * 1000)
/* A host that moves whenever we come is no host. */
#define SENT_ON_MOST 5

/* Whether waiting can help. A wrong password, a changed key, an administrator's word cannot be waited out. */
int viewer_line_passes(int reason)
{
	switch (reason) {
	case REASON_GATEWAY_UNREACHABLE:
	case REASON_HOST_OFFLINE:
	case REASON_HOST_ELSEWHERE:
	case REASON_HOST_REPLACED:
	case REASON_JOIN_SPENT:
	case REASON_STORE_UNAVAILABLE:
	case REASON_BUSY:
	case REASON_THROTTLED:
	case REASON_DRAINING:
	case REASON_TIMEOUT:
	case REASON_HOST_BUSY:
	case REASON_PEER_LOST:
	case REASON_KEEPALIVE_TIMEOUT:
	case REASON_SLOW_READER:
	case REASON_NODE_STOPPED:
	case REASON_LEG_CLOSED:
	case REASON_GRACE_OVER:
	case REASON_TLS_FAILED:
	case REASON_LICENSE_IN_USE:
	case REASON_DIRECTORY_UNREACHABLE:
		return 1;
	default:
		return 0;
	}
}

/* 1: the person is asked for a one-time code, and the next attempt waits for it. */
static int ask_code(struct viewer *viewer, int reason)
{
	int face_can = viewer->face && viewer->face->vtable->code;
	if (reason != REASON_TOTP_NEEDED && reason != REASON_TOTP_WRONG)
		return 0;
	secret_wipe(viewer->totp, VIEWER_SECRET);
	if (!face_can && !viewer->ask_code)
		return 0;
	/* Whoever looks for his phone is not the line's fault. */
	viewer->lost_ms = 0;
	if (face_can)
		viewer->face->vtable->code(viewer->face, reason);
	else
		viewer->ask_code(viewer, reason);
	return 1;
}

/* One more attempt, or the end. `told`: what the last one failed of. */
static void try_again(struct viewer *viewer, int reason, int64_t retry_ms,
	const char *detail)
{
	int64_t now_ms = clock_mono_ms();
	if (!viewer->finished && ask_code(viewer, reason))
		return;
	if (!viewer->lost_ms)
		viewer->lost_ms = now_ms;
	int moved = reason == REASON_HOST_ELSEWHERE && viewer->sent_on++ < SENT_ON_MOST;
	int hopeless = (!viewer->was_up && !moved) || !viewer_line_passes(reason) ||
		       now_ms - viewer->lost_ms > PATIENCE_MS;
	if (viewer->finished)
		return;
	if (hopeless) {
		char text[VIEWER_DETAIL], retry[REASON_RETRY_SIZE];
		reason_retry_text(retry_ms, reason_lang_env(), retry);
		snprintf(text, sizeof(text), "%.300s%s%s", detail ? detail : "",
			detail && *detail && *retry ? " " : "", retry);
		viewer_finish(viewer, -reason, text);
		return;
	}
	TELL_FACE(viewer, line, FACE_RECONNECTING, reason);
	enum backoff_pace pace =
		viewer->has_session || moved ? BACKOFF_SESSION : BACKOFF_IDLE;
	int64_t wait_ms = backoff_next_ms(&viewer->backoff, pace, retry_ms);
	log_line(LOG_INFO, "reconnecting", LOG_S("reason", reason_symbol(reason)),
		LOG_U("in_ms", wait_ms));
	timer_arm(viewer->attempt, wait_ms);
}

/* Each is told once, and kept for `list`. */
static void take_news(struct viewer *viewer, const char *json)
{
	struct news before = viewer->news;
	news_read(&viewer->news, json);
	for (size_t i = 0; i < viewer->news.count; i++) {
		const struct news_item *item = &viewer->news.items[i];
		char line[NEWS_LINE];
		size_t old = 0;
		while (old < before.count && strcmp(before.items[old].id, item->id))
			old++;
		news_line(item, reason_lang_env(), line);
		if (old == before.count)
			log_line(LOG_INFO, "notice", LOG_S("id", item->id),
				LOG_S("text", line));
	}
	if (profile_news_write(viewer->dir, viewer->profile, json) < 0)
		log_line(LOG_DEBUG, "the notices could not be kept");
	TELL_FACE(viewer, news, &viewer->news);
}

static void on_notices(void *ctx, const char *notices)
{
	struct viewer *viewer = ctx;
	CHECK_OBJ(viewer, VIEWER_MAGIC);
	take_news(viewer, notices);
}

static void on_policy(void *ctx, const char *policy)
{
	struct viewer *viewer = ctx;
	CHECK_OBJ(viewer, VIEWER_MAGIC);
	/* What follows from it, the host says (RIGHTS, NOTICE, CLOSE). */
	log_line(LOG_INFO, "the company's policy changed", LOG_S("policy", policy));
}

static void on_welcome(void *ctx, const struct message_welcome *welcome)
{
	struct viewer *viewer = ctx;
	CHECK_OBJ(viewer, VIEWER_MAGIC);
	const char *gateway;
	viewer->gateway = uplink_gateway(viewer->uplink, &gateway);
	viewer->drained = 0;
	backoff_up(&viewer->backoff, clock_mono_ms());
	/* Used up. The gateway remembers this device for as long as its session may be taken up again. */
	secret_wipe(viewer->totp, VIEWER_SECRET);
	take_news(viewer, welcome->notices);
	log_line(LOG_INFO, "signed in", LOG_S("gateway", gateway),
		LOG_S("leg", welcome->leg));
	int status = viewer->tunnel ? 0 : viewer_tunnel_new(viewer);
	struct message_connect connect = {
		.purpose = viewer->purpose,
		.psk_kind = viewer->purpose == PROLOGUE_PAIRING ? PROLOGUE_PSK_TICKET
								: PROLOGUE_PSK_PAIR,
		.ticket = viewer->purpose == PROLOGUE_PAIRING ? viewer->ticket.id : 0,
	};
	if (viewer->has_session) {
		session_id_text(viewer->session, connect.resume);
		connect.fence = viewer->fence;
	}
	if (!status)
		status = uplink_connect(viewer->uplink, &connect);
	if (status < 0)
		viewer_finish(viewer, status, NULL);
}

static void on_open(void *ctx, const struct message_open *open)
{
	struct viewer *viewer = ctx;
	CHECK_OBJ(viewer, VIEWER_MAGIC);
	memcpy(viewer->session, open->session, sizeof(viewer->session));
	int status = viewer->tunnel ? tunnel_open(viewer->tunnel, &uplink_carrier,
					      viewer->uplink, open)
				    : -REASON_PROTOCOL;
	if (status < 0) {
		uplink_close(viewer->uplink, -status, NULL);
		viewer_finish(viewer, status, NULL);
	}
}

static void on_data(void *ctx, uint8_t *record, size_t len)
{
	struct viewer *viewer = ctx;
	if (viewer->tunnel)
		tunnel_data(viewer->tunnel, record, len);
}

/* The node parted us. The leg stays, so asking again is one message. */
static void on_close(void *ctx, const struct message_close *close)
{
	struct viewer *viewer = ctx;
	CHECK_OBJ(viewer, VIEWER_MAGIC);
	int reason = (int)close->reason;
	viewer_tunnel_receipt(viewer, reason);
	viewer->up = 0;
	if (viewer_is_paired(viewer, reason)) {
		/* The loop ends with the leg, behind the receipt. */
		viewer->finished = 1;
		uplink_leave(viewer->uplink, REASON_VIEWER_LEFT);
		return;
	}
	if (reason == REASON_GRACE_OVER && viewer->was_up) {
		/* The host has given this session up (it was restarted): a fresh one, unasked. */
		viewer_tunnel_drop(viewer);
		try_again(viewer, reason, (int64_t)close->retry_ms, close->detail);
		return;
	}
	if (!viewer->has_session || !viewer_line_passes(reason)) {
		char detail[VIEWER_DETAIL];
		text_clip(detail, sizeof(detail), close->detail);
		if (viewer->purpose == PROLOGUE_PAIRING && reason == REASON_E2E_FAILED)
			reason = REASON_TICKET_WRONG;
		/* Behind the receipt, as above. */
		viewer_settle(viewer, -reason, detail);
		uplink_leave(viewer->uplink, reason);
		return;
	}
	tunnel_cut(viewer->tunnel, reason);
	if (viewer->drained) {
		/* `down` follows, behind the receipt, and then the next gateway. */
		backoff_reset(&viewer->backoff);
		uplink_leave(viewer->uplink, REASON_DRAINING);
		return;
	}
	try_again(viewer, reason, (int64_t)close->retry_ms, close->detail);
}

static void on_uplink_room(void *ctx)
{
	struct viewer *viewer = ctx;
	if (viewer->tunnel)
		tunnel_room(viewer->tunnel);
}

static void on_notice(void *ctx, const struct message_notice *notice)
{
	struct viewer *viewer = ctx;
	CHECK_OBJ(viewer, VIEWER_MAGIC);
	size_t count = viewer->profile->access.gateway_count;
	if (!strcmp(notice->kind, "drain")) {
		/* With the host, which goes first; where there is no other way, when the gateway says so. */
		viewer->drained = count > 1;
		viewer->gateway = (viewer->gateway + 1) % count;
	} else
		TELL_FACE(viewer, notice, notice->en, notice->ja);
}

static void on_down(void *ctx, const struct uplink_down *down)
{
	struct viewer *viewer = ctx;
	CHECK_OBJ(viewer, VIEWER_MAGIC);
	viewer->uplink = uplink_free(viewer->uplink);
	/* A gateway that fell silent is tried last. */
	if (down->reason == REASON_KEEPALIVE_TIMEOUT)
		viewer->gateway =
			(viewer->gateway + 1) % viewer->profile->access.gateway_count;
	backoff_down(&viewer->backoff, clock_mono_ms());
	if (viewer->finished) {
		event_base_loopbreak(viewer->base);
		return;
	}
	viewer->up = 0;
	if (viewer->tunnel && viewer->has_session)
		tunnel_cut(viewer->tunnel, down->reason);
	else
		viewer_tunnel_drop(viewer);
	try_again(viewer, down->reason, down->retry_ms, down->detail);
}

static const struct uplink_events uplink_events = {
	.welcome = on_welcome,
	.down = on_down,
	.open = on_open,
	.data = on_data,
	.close = on_close,
	.notice = on_notice,
	.policy = on_policy,
	.notices = on_notices,
	.room = on_uplink_room,
};

static void start_uplink(struct viewer *viewer)
{
	const struct access *access = &viewer->profile->access;
	const struct uplink_config config = {
		.gateways = access->gateways,
		.gateway_count = access->gateway_count,
		.first = viewer->gateway,
		.ca_file = *viewer->ca_file ? viewer->ca_file : NULL,
		.side = HELLO_VIEWER,
		.license = access->key.public_id,
		.secret = access->key.secret,
		.identity = viewer->identity,
		.kind = "native",
		.program = "engawa-viewer " ENGAWA_VERSION,
		.name = viewer->device_name,
		.password = viewer->password,
		.totp = viewer->totp,
	};
	int status = uplink_new(&viewer->uplink, viewer->base, &config, &uplink_events,
		viewer);
	if (!status)
		status = uplink_start(viewer->uplink);
	if (status < 0)
		viewer_finish(viewer, status, *viewer->ca_file ? viewer->ca_file : NULL);
}

void viewer_line_attempt(evutil_socket_t fd UNUSED, short what UNUSED, void *ctx)
{
	struct viewer *viewer = ctx;
	CHECK_OBJ(viewer, VIEWER_MAGIC);
	struct message_connect again = {
		.purpose = viewer->purpose, .psk_kind = PROLOGUE_PSK_PAIR};
	if (!viewer->uplink) {
		start_uplink(viewer);
		return;
	}
	/* The leg lived on; only the other end was gone. */
	int status = viewer->tunnel ? 0 : viewer_tunnel_new(viewer);
	if (viewer->has_session) {
		session_id_text(viewer->session, again.resume);
		again.fence = viewer->fence;
	}
	if (!status)
		status = uplink_connect(viewer->uplink, &again);
	if (status < 0)
		try_again(viewer, -status, 0, NULL);
}
