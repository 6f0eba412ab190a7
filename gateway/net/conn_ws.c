/* Path 09: out to a browser; and its frames in, as step 07 does for native ends.
 *
 *   below → on_bytes → wslay (unmasks) → rest → events->bytes
 *   conn_write → wslay (header) → a record's worth on the stack → below
 *
 * What was unmasked waits in `rest`, which is empty on an idle conn; wslay's own buffer (4 KiB) holds
 * the beginning of a frame that has not come whole.
 */
#include "net/conn_ws.h"

#include <stdlib.h>
#include <string.h>
#include <wslay/wslay.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/reason.h"
#include "base/secret.h"
#include "base/text.h"
#include "net/bucket.h"
#include "net/conn.h"
#include "net/worker.h"

#define CONN_WS_MAGIC 0x636f7773u
#define RECORD 16384 /* what fits one TLS record */
#define CONTROL_MAX 125
/* Frames that bring (nearly) nothing: pings, pongs, fragments of a few bytes. */
#define IDLE_PAYLOAD 4
#define IDLE_PER_S 20
#define IDLE_BURST 200

struct conn_ws {
	struct conn conn; /* first */
	struct conn *below;
	const struct conn_ws_settings *settings;
	wslay_frame_context_ptr frames;
	uint8_t closing; /* by us or by the peer: nothing is shown or written any more */
	uint8_t told;    /* `closed` was: nothing is below any more */
	uint8_t paused, held, again_due;
	uint8_t in_frame, in_message;
	uint8_t control_len, control[CONTROL_MAX];
	uint64_t frame_left, message_len;
	struct writing *writing; /* within one conn_write() */
	const uint8_t *in;       /* what wslay has not taken yet, within one callback */
	size_t in_len;
	struct buf rest;
	struct bucket idle;
	struct post_item again;
};

/* What is being written, gathered so that small messages leave in one TLS record. */
struct writing {
	struct conn_ws *conn;
	int status;
	size_t len;
	uint8_t bytes[RECORD];
};

static const struct conn_vtable vtable;

static struct conn_ws *conn_ws_of(const struct conn *base)
{
	struct conn_ws *conn = (struct conn_ws *)base;
	CHECK_OBJ(&conn->conn, CONN_WS_MAGIC);
	return conn;
}

static void release(struct conn_ws *conn)
{
	if (conn->again_due) /* comes first, and then releases */
		return;
	wslay_frame_context_free(conn->frames);
	buf_done(&conn->rest);
	secret_wipe(conn->control, sizeof(conn->control));
	conn->conn.magic = 0;
	free(conn);
}

/* ---- writing ----------------------------------------------------------------------------- */

static void flush(struct writing *writing)
{
	if (!writing->status && writing->len)
		writing->status =
			conn_write(writing->conn->below, writing->bytes, writing->len);
	writing->len = 0;
}

/* wslay gives the header and the payload; both are always taken. */
static ssize_t gather(const uint8_t *bytes, size_t len, int flags, void *ctx)
{
	struct writing *writing = ((struct conn_ws *)ctx)->writing;
	size_t left = len;
	(void)flags;
	while (left) {
		size_t part = RECORD - writing->len;
		part = part < left ? part : left;
		memcpy(writing->bytes + writing->len, bytes, part);
		writing->len += part;
		bytes += part;
		left -= part;
		if (writing->len == RECORD)
			flush(writing);
	}
	return (ssize_t)len;
}

static void put_frame(struct writing *writing, uint8_t opcode, const uint8_t *payload,
	size_t len)
{
	struct wslay_frame_iocb frame = {.fin = 1,
		.opcode = opcode,
		.payload_length = len,
		.data = payload,
		.data_length = len};
	struct conn_ws *conn = writing->conn;

	conn->writing = writing;
	if (!writing->status && wslay_frame_send(conn->frames, &frame) < 0)
		writing->status = -REASON_INTERNAL;
	conn->writing = NULL;
}

static void put_control(struct conn_ws *conn, uint8_t opcode, const uint8_t *payload,
	size_t len)
{
	struct writing writing;
	writing.conn = conn;
	writing.status = 0;
	writing.len = 0;
	put_frame(&writing, opcode, payload, len);
	flush(&writing);
	if (writing.status)
		conn_close(conn->below, -writing.status, CONN_DROP);
}

static size_t conn_ws_queued(const struct conn *base)
{
	const struct conn_ws *conn = conn_ws_of(base);
	return conn->told ? 0 : conn_queued(conn->below);
}

static int conn_ws_write(struct conn *base, const uint8_t *bytes, size_t len)
{
	struct conn_ws *conn = conn_ws_of(base);
	struct writing writing;

	CHECK(!conn->held);
	if (conn->closing)
		return -REASON_LEG_CLOSED;
	/* All or nothing: no record of what follows may be refused below. */
	if (conn_queued(conn->below) + len + len / 128 + RECORD / 4 > CONN_HARD)
		return -REASON_LIMIT;
	writing.conn = conn;
	writing.status = 0;
	writing.len = 0;
	for (size_t at = 0, span; at < len; at += span) {
		span = conn->settings->span ? conn->settings->span(bytes + at, len - at)
					    : len - at;
		CHECK(span && span <= len - at);
		put_frame(&writing, WSLAY_BINARY_FRAME, bytes + at, span);
	}
	flush(&writing);
	if (writing.status)
		return writing.status;
	base->bytes_out += len;
	return 0;
}

/* ---- the end ----------------------------------------------------------------------------- */

static uint16_t close_code(int reason)
{
	switch (reason) {
	case REASON_NODE_STOPPED:
	case REASON_DRAINING:
		return WSLAY_CODE_GOING_AWAY;
	case REASON_PROTOCOL:
		return WSLAY_CODE_PROTOCOL_ERROR;
	case REASON_LIMIT:
		return WSLAY_CODE_MESSAGE_TOO_BIG;
	default:
		return WSLAY_CODE_NORMAL_CLOSURE;
	}
}

/* Says why and closes: the last frame of this side. */
static void finish(struct conn_ws *conn, uint16_t code, int reason)
{
	uint8_t payload[2] = {(uint8_t)(code >> 8), (uint8_t)code};

	if (conn->closing)
		return;
	conn->closing = 1;
	if (!conn->held) /* on the way to another worker nothing is written */
		put_control(conn, WSLAY_CONNECTION_CLOSE, payload,
			code ? sizeof(payload) : 0);
	conn_close(conn->below, reason, CONN_FLUSH);
}

static void on_closed(void *ctx, int reason)
{
	struct conn_ws *conn = ctx;

	CHECK_OBJ(&conn->conn, CONN_WS_MAGIC);
	conn->closing = conn->told = 1;
	if (conn->conn.events)
		conn->conn.events->closed(conn->conn.ctx, reason);
	/* A handoff that was asked for still has to see that there is nothing to move. */
	if (!conn->held)
		release(conn);
}

static void on_room(void *ctx)
{
	struct conn_ws *conn = ctx;

	if (!conn->closing && conn->conn.events)
		conn->conn.events->room(conn->conn.ctx);
}

/* ---- reading ----------------------------------------------------------------------------- */

static ssize_t feed(uint8_t *ret, size_t len, int flags, void *ctx)
{
	struct conn_ws *conn = ctx;
	size_t part = len < conn->in_len ? len : conn->in_len;
	(void)flags;
	if (!part)
		return -1;
	memcpy(ret, conn->in, part);
	conn->in += part;
	conn->in_len -= part;
	return (ssize_t)part;
}

/* 0, or the close code. RFC 6455 sections 5.2 and 5.4. */
static uint16_t begin_data(struct conn_ws *conn, const struct wslay_frame_iocb *frame)
{
	int goes_on = frame->opcode == WSLAY_CONTINUATION_FRAME;

	if (frame->opcode == WSLAY_TEXT_FRAME)
		return WSLAY_CODE_UNSUPPORTED_DATA;
	if (goes_on != conn->in_message)
		return WSLAY_CODE_PROTOCOL_ERROR;
	if (!goes_on)
		conn->message_len = 0;
	if (frame->payload_length > conn->settings->message_max - conn->message_len)
		return WSLAY_CODE_MESSAGE_TOO_BIG;
	conn->message_len += frame->payload_length;
	conn->in_message = !frame->fin;
	return 0;
}

static uint16_t begin_frame(struct conn_ws *conn, const struct wslay_frame_iocb *frame)
{
	int control = wslay_is_ctrl_frame(frame->opcode);

	if (!frame->mask || frame->rsv)
		return WSLAY_CODE_PROTOCOL_ERROR;
	if ((control || frame->payload_length <= IDLE_PAYLOAD) &&
		!bucket_take(&conn->idle, clock_mono_ms()))
		return WSLAY_CODE_POLICY_VIOLATION;
	conn->frame_left = frame->payload_length;
	conn->in_frame = 1;
	if (!control)
		return frame->opcode <= WSLAY_BINARY_FRAME ? begin_data(conn, frame)
							   : WSLAY_CODE_PROTOCOL_ERROR;
	conn->control_len = 0;
	if (frame->opcode > WSLAY_PONG || !frame->fin ||
		frame->payload_length > CONTROL_MAX)
		return WSLAY_CODE_PROTOCOL_ERROR;
	return 0;
}

/* Whether a peer may send this code: RFC 6455 section 7.4. */
static int code_good(unsigned code)
{
	if (code >= 3000 && code < 5000)
		return 1;
	return code >= 1000 && code <= 1014 && code != 1004 && code != 1005 &&
	       code != 1006;
}

static void answer_close(struct conn_ws *conn)
{
	unsigned code = 0;

	if (conn->control_len >= 2)
		code = (unsigned)conn->control[0] << 8 | conn->control[1];
	if (conn->control_len == 1 || (conn->control_len && !code_good(code)))
		finish(conn, WSLAY_CODE_PROTOCOL_ERROR, REASON_PROTOCOL);
	else if (conn->control_len > 2 &&
		 !text_utf8_valid(conn->control + 2, conn->control_len - 2u))
		finish(conn, WSLAY_CODE_INVALID_FRAME_PAYLOAD_DATA, REASON_PROTOCOL);
	else
		finish(conn, (uint16_t)code, REASON_LEG_CLOSED);
}

static void show(struct conn_ws *conn);

static void end_frame(struct conn_ws *conn, uint8_t opcode)
{
	conn->in_frame = 0;
	if (opcode == WSLAY_CONNECTION_CLOSE) {
		/* A page says goodbye and closes in one breath: the goodbye counts. */
		show(conn);
		answer_close(conn);
	} else if (opcode == WSLAY_PING) {
		put_control(conn, WSLAY_PONG, conn->control, conn->control_len);
	}
}

/* Bytes of a frame, as many as there are. */
static int take_payload(struct conn_ws *conn, const struct wslay_frame_iocb *frame)
{
	int status = 0;

	if (wslay_is_ctrl_frame(frame->opcode)) {
		memcpy(conn->control + conn->control_len, frame->data,
			frame->data_length);
		conn->control_len = (uint8_t)(conn->control_len + frame->data_length);
	} else {
		status = buf_append(&conn->rest, frame->data, frame->data_length);
		conn->conn.bytes_in += frame->data_length;
	}
	/* It lies in wslay's buffer and is not read again. */
	if (!conn->conn.bulk)
		secret_wipe((void *)(uintptr_t)frame->data, frame->data_length);
	conn->frame_left -= frame->data_length;
	return status;
}

/* Whether there may be more. */
static int take_frame(struct conn_ws *conn)
{
	struct wslay_frame_iocb frame = {0};
	ssize_t got = wslay_frame_recv(conn->frames, &frame);

	if (got == WSLAY_ERR_WANT_READ)
		return 0;
	if (got < 0) {
		finish(conn, WSLAY_CODE_PROTOCOL_ERROR, REASON_PROTOCOL);
		return 0;
	}
	uint16_t code = conn->in_frame ? 0 : begin_frame(conn, &frame);
	if (code) {
		finish(conn, code, REASON_PROTOCOL);
		return 0;
	}
	int status = take_payload(conn, &frame);
	if (status) {
		conn_close(conn->below, -status, CONN_DROP);
		conn->closing = 1;
		return 0;
	}
	if (!conn->frame_left)
		end_frame(conn, frame.opcode);
	return !conn->closing;
}

static void show(struct conn_ws *conn)
{
	size_t len = buf_len(&conn->rest);

	if (!len || conn->paused || conn->held || conn->closing || !conn->conn.events)
		return;
	const uint8_t *bytes = buf_head(&conn->rest);
	size_t used = conn->conn.events->bytes(conn->conn.ctx, bytes, len);
	CHECK(used <= len);
	if (!conn->conn.bulk)
		secret_wipe((void *)(uintptr_t)bytes, used);
	buf_drain(&conn->rest, used);
	buf_release(&conn->rest);
}

/* Everything is taken, so the conn below never keeps anything back. */
static size_t on_bytes(void *ctx, const uint8_t *bytes, size_t len)
{
	struct conn_ws *conn = ctx;

	CHECK_OBJ(&conn->conn, CONN_WS_MAGIC);
	conn->in = bytes;
	conn->in_len = conn->closing ? 0 : len;
	while (!conn->closing && take_frame(conn))
		;
	show(conn);
	conn->below->bulk = conn->conn.bulk;
	return len;
}

static void show_again(struct post_item *item)
{
	struct conn_ws *conn =
		(struct conn_ws *)((char *)item - offsetof(struct conn_ws, again));

	CHECK_OBJ(&conn->conn, CONN_WS_MAGIC);
	conn->again_due = 0;
	if (conn->told && !conn->held)
		release(conn);
	else
		show(conn);
}

static void show_rest_soon(struct conn_ws *conn)
{
	if (conn->again_due || conn->closing || !buf_len(&conn->rest))
		return;
	conn->again_due = 1;
	conn->again.run = show_again;
	worker_defer(conn->conn.worker, &conn->again);
}

/* ---- pausing, closing, moving ---------------------------------------------------------------- */

static void conn_ws_pause(struct conn *base)
{
	struct conn_ws *conn = conn_ws_of(base);
	conn->paused = 1;
	if (!conn->told)
		conn_pause(conn->below);
}

static void conn_ws_resume(struct conn *base)
{
	struct conn_ws *conn = conn_ws_of(base);
	if (!conn->paused || conn->told)
		return;
	conn->paused = 0;
	conn_resume(conn->below);
	if (!conn->held)
		show_rest_soon(conn);
}

static void conn_ws_close(struct conn *base, int reason, enum conn_flush how)
{
	struct conn_ws *conn = conn_ws_of(base);
	if (conn->told)
		return;
	if (how == CONN_FLUSH) {
		finish(conn, close_code(reason), reason);
		return;
	}
	conn->closing = 1;
	conn_close(conn->below, reason, CONN_DROP);
}

static int conn_ws_exporter(struct conn *base, uint8_t ret[static 32])
{
	(void)base;
	(void)ret;
	return -REASON_TLS_FAILED;
}

static void conn_ws_hold(struct conn *base)
{
	struct conn_ws *conn = conn_ws_of(base);
	conn->held = 1;
	conn->below->vtable->hold(conn->below);
}

static int conn_ws_detach(struct conn *base)
{
	struct conn_ws *conn = conn_ws_of(base);

	if (conn->again_due) /* of this worker: first */
		return -REASON_BUSY;
	int status = conn->below->vtable->detach(conn->below);
	if (status != -REASON_PEER_LOST)
		return status;
	conn->held = 0;
	if (conn->told) /* else `closed` comes next, and frees */
		release(conn);
	return status;
}

static void conn_ws_attach(struct conn *base, struct worker *worker)
{
	struct conn_ws *conn = conn_ws_of(base);
	base->worker = worker;
	conn->held = 0;
	conn->below->vtable->attach(conn->below, worker);
	if (!conn->paused)
		show_rest_soon(conn);
}

static const struct conn_vtable vtable = {
	.write = conn_ws_write,
	.queued = conn_ws_queued,
	.pause = conn_ws_pause,
	.resume = conn_ws_resume,
	.close = conn_ws_close,
	.exporter = conn_ws_exporter,
	.hold = conn_ws_hold,
	.detach = conn_ws_detach,
	.attach = conn_ws_attach,
};

static const struct conn_events events_below = {on_bytes, on_room, on_closed};

int conn_ws_new(struct conn *below, const struct conn_ws_settings *settings,
	struct conn **ret)
{
	const struct wslay_frame_callbacks callbacks = {gather, feed, NULL};
	struct conn_ws *conn = calloc(1, sizeof(*conn));

	if (!conn)
		return -REASON_NO_MEMORY;
	if (wslay_frame_context_init(&conn->frames, &callbacks, conn)) {
		free(conn);
		return -REASON_NO_MEMORY;
	}
	conn->conn = (struct conn){CONN_WS_MAGIC, &vtable, .worker = below->worker};
	text_clip(conn->conn.address, sizeof(conn->conn.address), below->address);
	conn->below = below;
	conn->settings = settings;
	buf_init(&conn->rest, WORKER_SCRATCH);
	bucket_start(&conn->idle, IDLE_PER_S, IDLE_BURST, clock_mono_ms());
	conn_listen(below, &events_below, conn);
	*ret = &conn->conn;
	return 0;
}
