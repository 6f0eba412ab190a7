/* Path 08/15: frames cross from one leg to the other, by way of a second node. */
#include "relay/crossing.h"

#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/reason.h"
#include "base/text.h"
#include "metrics/metrics.h"
#include "net/conn.h"
#include "net/dialer.h"
#include "relay/desk.h"
#include "relay/distrust.h"
#include "relay/elsewhere.h"
#include "relay/leg.h"
#include "relay/leg_hear.h"
#include "relay/lobby.h"
#include "relay/pump.h"
#include "wire/frame.h"
#include "wire/keepalive.h"
#include "wire/message.h"

#define CROSSING_MAGIC 0x63726f73u
#define COME_AGAIN_MS 1
/* The other node has the same patience with its reader, and knows better whose fault it is. */
#define MORE_PATIENCE_MS 10000

struct crossing {
	uint32_t magic;
	struct desk *desk;
	struct leg *viewer; /* NULL: LEAVING */
	struct dial *dial;  /* DIALLING */
	struct conn *peer;
	struct whereabouts to;
	struct message_peer hello;
	struct message_connect wish;
	struct pump to_host, to_viewer;
	uint64_t carried_to_host, carried_to_viewer, frames;
	struct keepalive keepalive;
	int64_t begun_us, pinged_ms;
	int told;        /* the reason with which one of the two has ended the leg */
	int is_draining; /* that node has asked the viewer to go */
};

static const struct conn_events peer_events;

static void release(struct crossing *crossing)
{
	crossing->desk->asked--;
	metrics_add(METRIC_CROSSINGS, -1);
	crossing->magic = 0;
	free(crossing);
}

static int give(struct conn *to, int rc, struct buf *out)
{
	if (!rc)
		rc = conn_write(to, buf_head(out), buf_len(out));
	buf_done(out);
	return rc;
}

static int give_frame(struct conn *to, const struct frame *frame)
{
	struct buf out;
	buf_init(&out, FRAME_MAX);
	return give(to, message_raw_write(frame->type, frame->payload, frame->len, &out),
		&out);
}

/* The leg is its own again. */
static struct leg *part(struct crossing *crossing)
{
	struct leg *viewer = crossing->viewer;
	crossing->viewer = NULL;
	viewer->crossing = NULL;
	viewer->pump = NULL;
	pump_stop(&crossing->to_host);
	pump_stop(&crossing->to_viewer);
	return viewer;
}

/* ---- beginning --------------------------------------------------------------------------- */

static int say_hello(struct crossing *crossing)
{
	struct buf out;
	buf_init(&out, FRAME_MAX);
	int rc = message_peer_write(&crossing->hello, &out);
	if (!rc)
		rc = message_connect_write(&crossing->wish, &out);
	return give(crossing->peer, rc, &out);
}

static void join(struct crossing *crossing)
{
	struct leg *viewer = crossing->viewer;
	struct conn *near = viewer->conn, *far = crossing->peer;
	pump_start(&crossing->to_host, near, far);
	crossing->to_host.carried = &crossing->carried_to_host;
	crossing->to_host.frames = &crossing->frames;
	crossing->to_host.metric = METRIC_CROSSED_TO_HOST;
	crossing->to_host.frame_metric = METRIC_CROSSED_FRAMES;
	pump_start(&crossing->to_viewer, far, near);
	crossing->to_viewer.carried = &crossing->carried_to_viewer;
	crossing->to_viewer.frames = &crossing->frames;
	crossing->to_viewer.metric = METRIC_CROSSED_TO_VIEWER;
	crossing->to_viewer.frame_metric = METRIC_CROSSED_FRAMES;
	leg_change(viewer, HELLO_JOINED);
	viewer->pump = &crossing->to_host;
	conn_resume(near);
}

static void fail(struct crossing *crossing, int reason)
{
	struct leg *viewer = part(crossing);
	metrics_reason(METRIC_CROSSINGS_FAILED, reason);
	log_line(LOG_WARN, "node not reached", LOG_S("node", crossing->to.node),
		LOG_S("at", crossing->to.peer), LOG_S("leg", viewer->id),
		LOG_S("reason", reason_symbol(reason)));
	release(crossing);
	conn_resume(viewer->conn);
	elsewhere_failed(viewer);
}

static void on_dialled(void *ctx, struct conn *conn, int reason)
{
	struct crossing *crossing = ctx;
	CHECK_OBJ(crossing, CROSSING_MAGIC);
	int64_t now_ms = clock_mono_ms();
	crossing->dial = NULL;
	if (!conn) {
		fail(crossing, reason);
		return;
	}
	crossing->peer = conn;
	conn->bulk = 1;
	conn_listen(conn, &peer_events, crossing);
	keepalive_start(&crossing->keepalive, crossing->desk->settings.keepalive_ms,
		now_ms);
	crossing->pinged_ms = now_ms;
	metrics_time(METRIC_CROSSING_SECONDS, clock_mono_us() - crossing->begun_us);
	if (distrust_closes(crossing->desk, conn, crossing->to.node))
		return; /* `closed` tells the viewer, as below */
	if (say_hello(crossing)) {
		conn_close(conn, REASON_NO_MEMORY, CONN_DROP);
		return; /* `closed` tells the viewer */
	}
	log_line(LOG_INFO, "viewer crosses", LOG_S("leg", crossing->viewer->id),
		LOG_S("license", crossing->viewer->license),
		LOG_S("node", crossing->to.node));
	join(crossing);
}

static void describe(struct crossing *crossing, const struct leg *viewer)
{
	struct message_peer *hello = &crossing->hello;
	hello->gen = CROSSING_GEN;
	hello->app_min = viewer->app_min;
	hello->app_max = viewer->app_max;
	hello->proved_ms = (uint64_t)(clock_mono_ms() - viewer->proved_ms);
	hello->resume_only = (uint64_t)viewer->resume_only;
	memcpy(hello->device, viewer->device, sizeof(hello->device));
	text_clip(hello->license, sizeof(hello->license), viewer->license);
	text_clip(hello->kind, sizeof(hello->kind), viewer->kind);
	text_clip(hello->program, sizeof(hello->program), viewer->program);
	text_clip(hello->name, sizeof(hello->name), viewer->name);
	text_clip(hello->address, sizeof(hello->address), viewer->address);
	text_clip(hello->leg, sizeof(hello->leg), viewer->id);
	crossing->wish = *viewer->wish;
}

static struct crossing *make(struct leg *viewer, const struct whereabouts *to)
{
	struct crossing *crossing = calloc(1, sizeof(*crossing));
	struct desk *desk = viewer->desk;
	if (!crossing)
		return NULL;
	crossing->magic = CROSSING_MAGIC;
	crossing->desk = desk;
	crossing->viewer = viewer;
	crossing->to = *to;
	crossing->begun_us = clock_mono_us();
	describe(crossing, viewer);
	viewer->crossing = crossing;
	desk->asked++;
	metrics_add(METRIC_CROSSINGS, 1);
	return crossing;
}

void crossing_begin(struct leg *viewer, const struct whereabouts *to)
{
	struct desk *desk = viewer->desk;
	const struct dialer dialer = {
		desk->worker, desk->house->resolver, desk->house->tls};
	CHECK(viewer->state == HELLO_WAITING && viewer->wish && !viewer->crossing);
	if (viewer->via) {
		leg_refuse(viewer, REASON_HOST_OFFLINE, COME_AGAIN_MS, NULL);
		return;
	}
	if (viewer->waiting_for_host)
		lobby_wait_no_more(desk->house->lobby, viewer);
	viewer->waiting_for_host = 0;
	struct crossing *crossing = make(viewer, to);
	if (!crossing) {
		leg_refuse(viewer, REASON_NO_MEMORY, COME_AGAIN_MS, NULL);
		return;
	}
	conn_pause(viewer->conn);
	int rc = !dialer.resolver ? -REASON_CONFIG
				  : dialer_begin(&dialer, to->peer, to->node,
					    desk->settings.peer_ms, on_dialled, crossing,
					    &crossing->dial);
	if (rc)
		fail(crossing, -rc);
}

/* ---- what the viewer says ---------------------------------------------------------------- */

/* The other node believes us, so nothing goes there that a viewer cannot know. */
static int take_close(struct crossing *crossing, const struct frame *frame)
{
	struct message_close message;
	struct buf out;
	int rc = message_close_parse(frame->payload, frame->len, &message);
	if (rc)
		return rc;
	int reason = crossing->is_draining && message.reason == REASON_DRAINING
			     ? REASON_DRAINING
			     : leg_hear_reason(crossing->viewer, message.reason);
	message.reason = (uint64_t)reason;
	text_clip(message.symbol, sizeof(message.symbol), reason_symbol(reason));
	if (!message.session[0])
		crossing->told = reason;
	buf_init(&out, FRAME_MAX);
	rc = give(crossing->peer, message_close_write(&message, &out), &out);
	if (crossing->told)
		leg_part(crossing->viewer, reason);
	return rc == -REASON_LEG_CLOSED ? 0 : rc;
}

int crossing_take(struct crossing *crossing, const struct frame *frame)
{
	CHECK_OBJ(crossing, CROSSING_MAGIC);
	/* Which of them it is in, the other node knows; one of them it must be. */
	if (!hello_end_may(HELLO_VIEWER, HELLO_IDLE, frame->type) &&
		!hello_end_may(HELLO_VIEWER, HELLO_JOINED, frame->type))
		return -REASON_PROTOCOL;
	if (frame->type == FRAME_CLOSE)
		return take_close(crossing, frame);
	int rc = give_frame(crossing->peer, frame);
	/* It has been lost in this turn; that is told at its end. */
	return rc == -REASON_LEG_CLOSED ? 0 : rc;
}

/* ---- what the other node says ------------------------------------------------------------ */

static int take_node_close(struct crossing *crossing, const struct frame *frame)
{
	struct message_close message;
	int rc = message_close_parse(frame->payload, frame->len, &message);
	if (!rc && !message.session[0])
		crossing->told =
			message.reason ? (int)message.reason : REASON_NODE_STOPPED;
	return rc;
}

static int take_node_notice(struct crossing *crossing, const struct frame *frame)
{
	struct message_notice message;
	int rc = message_notice_parse(frame->payload, frame->len, &message);
	if (!rc && !strcmp(message.kind, "drain"))
		crossing->is_draining = 1;
	return rc;
}

static int take_node_frame(struct crossing *crossing, const struct frame *frame)
{
	struct frame pong = {FRAME_PONG, frame->len, frame->payload};
	int rc = 0;
	switch (frame->type) {
	case FRAME_PING:
		return give_frame(crossing->peer, &pong);
	case FRAME_PONG:
		keepalive_pong(&crossing->keepalive, clock_mono_us(), frame->payload);
		return 0;
	case FRAME_HELLO:
	case FRAME_PROVE:
	case FRAME_PEER:
		return -REASON_PROTOCOL;
	case FRAME_CLOSE:
		rc = take_node_close(crossing, frame);
		break;
	case FRAME_NOTICE:
		rc = take_node_notice(crossing, frame);
		break;
	default:
		break;
	}
	return rc ? rc : give_frame(crossing->viewer->conn, frame);
}

static size_t on_bytes(void *ctx, const uint8_t *bytes, size_t len)
{
	struct crossing *crossing = ctx;
	struct frame frame;
	size_t used = 0;
	CHECK_OBJ(crossing, CROSSING_MAGIC);
	keepalive_heard(&crossing->keepalive, clock_mono_ms());
	while (crossing->viewer && used < len) {
		used += pump_take(&crossing->to_viewer, bytes + used, len - used);
		if (used == len)
			break;
		int rc = frame_parse(bytes + used, len - used, &frame);
		if (!rc)
			return used;
		if (rc > 0) {
			used += frame_size(&frame);
			rc = take_node_frame(crossing, &frame);
		}
		if (rc < 0) {
			conn_close(crossing->peer, -rc, CONN_DROP);
			return len;
		}
	}
	return crossing->viewer ? used : len;
}

static void on_room(void *ctx)
{
	struct crossing *crossing = ctx;
	CHECK_OBJ(crossing, CROSSING_MAGIC);
	pump_room(&crossing->to_host);
}

static void on_closed(void *ctx, int reason)
{
	struct crossing *crossing = ctx;
	CHECK_OBJ(crossing, CROSSING_MAGIC);
	struct leg *viewer = crossing->viewer;
	int told = crossing->told;
	log_line(LOG_INFO, "crossing ended", LOG_S("node", crossing->to.node),
		LOG_S("license", crossing->hello.license),
		LOG_S("leg", crossing->hello.leg),
		LOG_S("reason", reason_symbol(told ? told : reason)),
		LOG_U("bytes_to_viewer", crossing->carried_to_viewer),
		LOG_U("bytes_to_host", crossing->carried_to_host));
	if (viewer)
		part(crossing);
	if (viewer && !told)
		metrics_reason(METRIC_CROSSINGS_FAILED, reason);
	release(crossing);
	/* That node has said why and the viewer has heard it; or it was lost without a word, and the
	 * viewer can go on with its session as after the loss of any node. */
	if (viewer && told)
		leg_part(viewer, told);
	else if (viewer)
		leg_end(viewer, REASON_NODE_STOPPED);
}

static const struct conn_events peer_events = {on_bytes, on_room, on_closed};

void crossing_distrust(struct crossing *crossing)
{
	CHECK_OBJ(crossing, CROSSING_MAGIC);
	if (crossing->peer)
		distrust_closes(crossing->desk, crossing->peer, crossing->to.node);
}

void crossing_room(struct crossing *crossing)
{
	CHECK_OBJ(crossing, CROSSING_MAGIC);
	pump_room(&crossing->to_viewer);
}

/* ---- time, and the end ------------------------------------------------------------------- */

static void ping(struct crossing *crossing, int64_t now_ms)
{
	uint8_t payload[8];
	struct frame frame = {FRAME_PING, sizeof(payload), payload};
	crossing->pinged_ms = now_ms;
	keepalive_ping(&crossing->keepalive, clock_mono_us(), payload);
	if (give_frame(crossing->peer, &frame))
		log_line(LOG_DEBUG, "keepalive not sent",
			LOG_S("node", crossing->to.node));
}

/* While this node does not read the other one, that one's PINGs wait too: it must hear from us all the same. */
static void keep_alive(struct crossing *crossing, int64_t now_ms)
{
	int64_t wait_ms;
	if (crossing->to_viewer.paused || crossing->to_host.paused)
		keepalive_heard(&crossing->keepalive, now_ms);
	enum keepalive_verdict verdict =
		keepalive_due(&crossing->keepalive, now_ms, &wait_ms);
	if (verdict == KEEPALIVE_DEAD)
		conn_close(crossing->peer, REASON_KEEPALIVE_TIMEOUT, CONN_DROP);
	else if (verdict == KEEPALIVE_PING ||
		 now_ms - crossing->pinged_ms >= crossing->keepalive.interval_ms)
		ping(crossing, now_ms);
}

void crossing_tick(struct crossing *crossing, int64_t now_ms)
{
	CHECK_OBJ(crossing, CROSSING_MAGIC);
	int64_t patience_ms = crossing->desk->settings.slow_reader_ms;
	if (!crossing->peer)
		return;
	if (pump_is_stuck(&crossing->to_viewer, now_ms, patience_ms))
		leg_cut(crossing->viewer, REASON_SLOW_READER);
	else if (pump_is_stuck(&crossing->to_host, now_ms,
			 patience_ms + MORE_PATIENCE_MS))
		conn_close(crossing->peer, REASON_SLOW_READER, CONN_DROP);
	else
		keep_alive(crossing, now_ms);
}

static void tell_end(struct crossing *crossing, int reason)
{
	struct message_close message = {.reason = (uint64_t)reason};
	struct buf out;
	text_clip(message.symbol, sizeof(message.symbol), reason_symbol(reason));
	buf_init(&out, FRAME_MAX);
	if (give(crossing->peer, message_close_write(&message, &out), &out))
		log_line(LOG_DEBUG, "close not sent", LOG_S("node", crossing->to.node));
}

void crossing_lose(struct crossing *crossing, int reason)
{
	CHECK_OBJ(crossing, CROSSING_MAGIC);
	part(crossing);
	if (!crossing->peer) {
		dialer_drop(crossing->dial);
		release(crossing);
		return;
	}
	if (!crossing->told)
		tell_end(crossing, reason);
	conn_close(crossing->peer, reason, CONN_FLUSH);
}
