/* bridge: RFB leaves the VNC library and enters it.
 *
 * Path 03/13: from the library's stream into a lane, from a lane into the library's stream.
 */
#include "link/bridge.h"

#include <errno.h>
#include <event2/event.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/reason.h"
#include "link/gate.h"
#include "link/lanes.h"
#include "link/ring.h"
#include "link/tunnel.h"

#define BRIDGE_MAGIC 0x62726467u
/* What the kernel keeps for the library counts as consumed, so it has to be little. */
#define BRIDGE_STREAM (32 * 1024)
#define BRIDGE_READ (64 * 1024)
#define BRIDGE_READS 4 /* per turn: the tunnel's own leg has its turn as well */

enum bridge_state {
	BRIDGE_NONE,   /* no stream: bytes of the old one are thrown away */
	BRIDGE_WANTED, /* host: asked for, no fd yet */
	BRIDGE_ASKED,  /* viewer: RFB_OPEN is on its way; old picture is thrown away */
	BRIDGE_RUNNING,
};

struct bridge {
	uint32_t magic;
	struct event_base *base;
	struct tunnel *tunnel;
	enum seal_side side;
	enum seal_lane out, in;
	const struct bridge_events *events;
	void *ctx;
	int depth;
	bool freed;

	enum bridge_state state;
	uint32_t id;
	int fd;
	struct event *readable, *writable;
	struct gate *gate;
	uint64_t in_from; /* bytes of the lane before this belong to an older stream */
	struct ring backlog;
};

int bridge_new(struct bridge **ret, struct event_base *base, struct tunnel *tunnel,
	enum seal_side side, const struct bridge_events *events, void *ctx)
{
	struct bridge *bridge = calloc(1, sizeof(*bridge));
	if (!bridge)
		return -REASON_NO_MEMORY;
	bool host = side == SEAL_HOST;
	bridge->magic = BRIDGE_MAGIC;
	bridge->base = base;
	bridge->tunnel = tunnel;
	bridge->side = side;
	bridge->out = host ? SEAL_PICTURE : SEAL_INPUT;
	bridge->in = host ? SEAL_INPUT : SEAL_PICTURE;
	bridge->events = events;
	bridge->ctx = ctx;
	bridge->fd = -1;
	ring_init(&bridge->backlog, host ? LANES_INPUT_MAX : LANES_PICTURE_MAX);
	*ret = bridge;
	return 0;
}

static void enter(struct bridge *bridge)
{
	CHECK_OBJ(bridge, BRIDGE_MAGIC);
	bridge->depth++;
}

static void leave(struct bridge *bridge)
{
	if (--bridge->depth || !bridge->freed)
		return;
	bridge->magic = 0;
	free(bridge);
}

/* The fd goes, and what waited for it is as good as consumed. Nobody is told. */
static void stream_drop(struct bridge *bridge)
{
	if (bridge->readable)
		event_free(bridge->readable);
	if (bridge->writable)
		event_free(bridge->writable);
	bridge->readable = bridge->writable = NULL;
	if (bridge->fd >= 0)
		close(bridge->fd);
	bridge->fd = -1;
	if (bridge->gate) {
		tunnel_gate(bridge->tunnel, NULL);
		bridge->gate = gate_unref(bridge->gate);
	}
	size_t waiting = ring_len(&bridge->backlog);
	ring_done(&bridge->backlog);
	tunnel_consumed(bridge->tunnel, bridge->in, waiting);
	bridge->state = BRIDGE_NONE;
}

static void say_close(struct bridge *bridge)
{
	struct inner_message message = {.kind = INNER_RFB_CLOSE};
	message.rfb_close.id = bridge->id;
	/* Refused only when the session is over, or drowned in messages and about to be. */
	(void)!tunnel_message(bridge->tunnel, &message);
}

static void stream_ended(struct bridge *bridge, int reason)
{
	stream_drop(bridge);
	if (bridge->events->closed)
		bridge->events->closed(bridge->ctx, reason);
}

static void pump_out(struct bridge *bridge)
{
	for (int i = 0; i < BRIDGE_READS && bridge->fd >= 0; i++) {
		uint8_t *place;
		size_t room;
		tunnel_reserve(bridge->tunnel, bridge->out, &place, &room);
		if (!room) {
			event_del(bridge->readable);
			return;
		}
		ssize_t got =
			read(bridge->fd, place, room < BRIDGE_READ ? room : BRIDGE_READ);
		if (got < 0 && (errno == EAGAIN || errno == EINTR))
			return;
		if (got <= 0) {
			say_close(bridge);
			stream_ended(bridge, REASON_LEG_CLOSED);
			return;
		}
		tunnel_commit(bridge->tunnel, bridge->out, (size_t)got);
		if (bridge->gate)
			gate_took(bridge->gate, got);
	}
}

/* How much the stream took: 0 when it is full, -1 when it is broken. */
static ssize_t stream_write(struct bridge *bridge, const uint8_t *bytes, size_t len)
{
	ssize_t put = send(bridge->fd, bytes, len, MSG_NOSIGNAL | MSG_DONTWAIT);
	if (put < 0 && (errno == EAGAIN || errno == EINTR))
		return 0;
	if (put > 0)
		tunnel_consumed(bridge->tunnel, bridge->in, (size_t)put);
	return put;
}

static void broken(struct bridge *bridge)
{
	say_close(bridge);
	stream_ended(bridge, REASON_LEG_CLOSED);
}

static void pump_in(struct bridge *bridge)
{
	struct ring *backlog = &bridge->backlog;
	while (ring_len(backlog)) {
		size_t at = backlog->head & (backlog->cap - 1);
		size_t run = backlog->cap - at;
		run = run < ring_len(backlog) ? run : ring_len(backlog);
		ssize_t put = stream_write(bridge, backlog->data + at, run);
		if (put < 0) {
			broken(bridge);
			return;
		}
		if (!put)
			return;
		ring_release(backlog, backlog->head + (uint64_t)put);
	}
	event_del(bridge->writable);
}

static void on_readable(evutil_socket_t fd UNUSED, short what UNUSED, void *arg)
{
	struct bridge *bridge = arg;
	enter(bridge);
	pump_out(bridge);
	leave(bridge);
}

static void on_writable(evutil_socket_t fd UNUSED, short what UNUSED, void *arg)
{
	struct bridge *bridge = arg;
	enter(bridge);
	pump_in(bridge);
	leave(bridge);
}

static int stream_begin(struct bridge *bridge, int fd, struct gate *gate)
{
	bridge->readable =
		event_new(bridge->base, fd, EV_READ | EV_PERSIST, on_readable, bridge);
	bridge->writable =
		event_new(bridge->base, fd, EV_WRITE | EV_PERSIST, on_writable, bridge);
	bridge->fd = fd;
	if (!bridge->readable || !bridge->writable)
		return -REASON_NO_MEMORY;
	int size = BRIDGE_STREAM;
	(void)setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &size, sizeof(size));
	if (evutil_make_socket_nonblocking(fd) || event_add(bridge->readable, NULL) ||
		(ring_len(&bridge->backlog) && event_add(bridge->writable, NULL)))
		return -REASON_INTERNAL;
	if (gate) {
		bridge->gate = gate_ref(gate);
		tunnel_gate(bridge->tunnel, gate);
	}
	return 0;
}

/* The viewer's: what was typed for the old stream and not sent yet is for nobody. */
static int say_open(struct bridge *bridge)
{
	struct inner_message message = {.kind = INNER_RFB_OPEN};
	message.rfb_open.id = ++bridge->id;
	message.rfb_open.input_offset = tunnel_drop_unsent(bridge->tunnel, SEAL_INPUT);
	return tunnel_message(bridge->tunnel, &message);
}

static int say_opened(struct bridge *bridge)
{
	struct inner_message message = {.kind = INNER_RFB_OPENED};
	message.rfb_opened.id = bridge->id;
	message.rfb_opened.picture_offset =
		tunnel_drop_unsent(bridge->tunnel, SEAL_PICTURE);
	return tunnel_message(bridge->tunnel, &message);
}

int bridge_start(struct bridge *bridge, int fd, struct gate *gate)
{
	bool host = bridge->side == SEAL_HOST;
	if (host && bridge->state != BRIDGE_WANTED) {
		close(fd);
		return -REASON_CONFLICT;
	}
	if (!host)
		stream_drop(bridge);
	int rc = host ? say_opened(bridge) : say_open(bridge);
	if (rc) {
		close(fd);
		stream_drop(bridge);
		return rc;
	}
	bridge->state = host ? BRIDGE_RUNNING : BRIDGE_ASKED;
	rc = stream_begin(bridge, fd, gate);
	if (rc)
		bridge_stop(bridge);
	return rc;
}

void bridge_stop(struct bridge *bridge)
{
	if (bridge->state == BRIDGE_NONE)
		return;
	stream_drop(bridge);
	say_close(bridge);
}

bool bridge_has_stream(const struct bridge *bridge)
{
	return bridge->fd >= 0;
}

bool bridge_running(const struct bridge *bridge)
{
	return bridge->state == BRIDGE_RUNNING;
}

/* Cuts off what belongs to an older stream, and tells the sender that it is gone. */
static size_t skip_old(struct bridge *bridge, size_t len)
{
	uint64_t from = tunnel_received(bridge->tunnel, bridge->in) - len;
	size_t old = len;
	if (bridge->state == BRIDGE_RUNNING || bridge->state == BRIDGE_WANTED) {
		old = 0;
		if (from < bridge->in_from)
			old = bridge->in_from - from < len
				      ? (size_t)(bridge->in_from - from)
				      : len;
	}
	tunnel_consumed(bridge->tunnel, bridge->in, old);
	return old;
}

void bridge_bytes(struct bridge *bridge, enum seal_lane lane, const uint8_t *bytes,
	size_t len)
{
	if (lane != bridge->in)
		return;
	enter(bridge);
	size_t skip = skip_old(bridge, len);
	bytes += skip;
	len -= skip;
	if (len && bridge->fd >= 0 && !ring_len(&bridge->backlog)) {
		ssize_t put = stream_write(bridge, bytes, len);
		if (put < 0) {
			tunnel_consumed(bridge->tunnel, bridge->in, len);
			broken(bridge);
			goto out;
		}
		bytes += put;
		len -= (size_t)put;
		if (len)
			event_add(bridge->writable, NULL);
	}
	/* The tunnel lets no more arrive than the backlog holds, so only memory can lack. */
	if (len && ring_write(&bridge->backlog, bytes, len) != len) {
		stream_drop(bridge);
		tunnel_close(bridge->tunnel, REASON_NO_MEMORY);
	}
out:
	leave(bridge);
}

void bridge_room(struct bridge *bridge, enum seal_lane lane)
{
	if (lane != bridge->out || !bridge->readable)
		return;
	enter(bridge);
	event_add(bridge->readable, NULL);
	pump_out(bridge);
	leave(bridge);
}

static void on_open(struct bridge *bridge, const struct inner_rfb_open *open)
{
	stream_drop(bridge);
	bridge->id = open->id;
	bridge->in_from = open->input_offset;
	bridge->state = BRIDGE_WANTED;
	if (bridge->events->wanted)
		bridge->events->wanted(bridge->ctx);
	else
		bridge_stop(bridge);
}

static void on_opened(struct bridge *bridge, const struct inner_rfb_opened *opened)
{
	if (bridge->state != BRIDGE_ASKED || opened->id != bridge->id)
		return;
	bridge->in_from = opened->picture_offset;
	bridge->state = BRIDGE_RUNNING;
	if (bridge->events->opened)
		bridge->events->opened(bridge->ctx);
}

static void on_close(struct bridge *bridge, const struct inner_rfb_close *close)
{
	if (bridge->state == BRIDGE_NONE || close->id != bridge->id)
		return;
	stream_ended(bridge,
		bridge->side == SEAL_HOST ? REASON_VIEWER_LEFT : REASON_HOST_ENDED);
}

bool bridge_message(struct bridge *bridge, const struct inner_message *message)
{
	bool ours = true;
	enter(bridge);
	if (message->kind == INNER_RFB_OPEN)
		on_open(bridge, &message->rfb_open);
	else if (message->kind == INNER_RFB_OPENED)
		on_opened(bridge, &message->rfb_opened);
	else if (message->kind == INNER_RFB_CLOSE)
		on_close(bridge, &message->rfb_close);
	else
		ours = false;
	leave(bridge);
	return ours;
}

size_t bridge_backlog(const struct bridge *bridge)
{
	return ring_len(&bridge->backlog);
}

struct bridge *bridge_free(struct bridge *bridge)
{
	if (!bridge)
		return NULL;
	enter(bridge);
	if (!bridge->freed) {
		stream_drop(bridge);
		bridge->freed = true;
	}
	leave(bridge);
	return NULL;
}
