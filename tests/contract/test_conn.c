/* What conn.h promises, asked of every implementation. A rig has two workers that this thread turns
 * by hand, one conn under test on the first, and its peer, which is not a conn of ours for TLS. */
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/reason.h"
#include "base/text.h"
#include "fakes/test_cert.h"
#include "fakes/test_cluster.h"
#include "fakes/tls_end.h"
#include "net/conn.h"
#include "net/conn_mem.h"
#include "net/conn_tls.h"
#include "net/conn_ws.h"
#include "net/dialer.h"
#include "net/handoff.h"
#include "net/listener.h"
#include "net/resolver.h"
#include "net/tls_ctx.h"
#include "net/worker.h"

#define PATIENCE_MS 60000

/* PEER: dialled to another node, whose side of it is a conn too. */
enum kind { MEM, TLS, WS, PEER };

struct rig {
	enum kind kind;
	struct worker *workers[2];
	struct conn *conn; /* under test */
	struct buf got;    /* what its `bytes` used up */
	size_t leave;      /* how many bytes it leaves over each time, at most */
	size_t chunk;      /* uses up whole chunks of this size only; 0: any */
	int rooms, closings, reason, arrived, close_in_bytes;
	int callbacks_after_end;
	/* the peer */
	struct conn *mem_peer; /* of MEM and PEER */
	struct buf mem_in;
	int mem_over;
	struct tls_end tls_peer;
	void (*web)(void *ctx, struct conn *conn);
	int heard, code; /* the last control frame, over WebSocket */
	struct test_cert cert, dialling;
	struct test_cluster cluster;
	struct tls_ctx *tls, *tls_dialling;
	struct resolver *resolver;
	struct listener *listener;
};

/* Its peer is a TLS client that is driven by hand. */
static int has_end(const struct rig *rig)
{
	return rig->kind == TLS || rig->kind == WS;
}

static size_t on_bytes(void *ctx, const uint8_t *bytes, size_t len)
{
	struct rig *rig = ctx;
	rig->callbacks_after_end += rig->closings;
	if (rig->close_in_bytes) {
		conn_close(rig->conn, REASON_PROTOCOL, CONN_DROP);
		return len;
	}
	size_t used = rig->chunk ? len - len % rig->chunk : len;
	if (rig->leave && used > rig->leave)
		used -= rig->leave;
	assert_int_equal(buf_append(&rig->got, bytes, used), 0);
	return used;
}

static void on_room(void *ctx)
{
	((struct rig *)ctx)->rooms++;
}

static void on_closed(void *ctx, int reason)
{
	struct rig *rig = ctx;
	rig->closings++;
	rig->reason = reason;
	rig->conn = NULL;
}

static const struct conn_events events = {on_bytes, on_room, on_closed};

static size_t peer_bytes(void *ctx, const uint8_t *bytes, size_t len)
{
	struct rig *rig = ctx;
	assert_int_equal(buf_append(&rig->mem_in, bytes, len), 0);
	return len;
}

static void peer_room(void *ctx)
{
	(void)ctx;
}

static void peer_closed(void *ctx, int reason)
{
	struct rig *rig = ctx;
	rig->mem_over = reason == REASON_LEG_CLOSED ? 1 : 2;
	rig->mem_peer = NULL;
}

static const struct conn_events peer_events = {peer_bytes, peer_room, peer_closed};

/* What the peer of a WebSocket hears: whole frames of the server, short, medium or long. */
static void take_messages(struct rig *rig)
{
	struct buf *in = &rig->tls_peer.in;
	for (;;) {
		const uint8_t *at = buf_head(in);
		size_t have = buf_len(in), head = 2, len;
		if (have < 10 && (have < 2 || have < 2 + (size_t)(at[1] & 0x7f)))
			return;
		assert_false(at[1] & 0x80); /* a server never masks */
		len = at[1];
		if (len == 126) {
			head = 4;
			len = (size_t)at[2] << 8 | at[3];
		} else if (len == 127) {
			head = 10;
			len = (size_t)at[7] << 16 | (size_t)at[8] << 8 | at[9];
		}
		if (have < head + len)
			return;
		if (at[0] == 0x82) {
			assert_int_equal(buf_append(&rig->mem_in, at + head, len), 0);
		} else {
			assert_true(at[0] == 0x88 || at[0] == 0x8a);
			rig->heard = at[0];
			rig->code = len >= 2 ? at[head] << 8 | at[head + 1] : 0;
		}
		buf_drain(in, head + len);
	}
}

static void turn(struct rig *rig)
{
	worker_turn(rig->workers[0], rig->kind != MEM);
	worker_turn(rig->workers[1], 0);
	if (has_end(rig) && rig->tls_peer.ssl)
		tls_end_pump(&rig->tls_peer);
	if (rig->kind == WS)
		take_messages(rig);
}

#define UNTIL(rig, condition)                                                            \
	do {                                                                             \
		int64_t end_ms = clock_mono_ms() + PATIENCE_MS;                          \
		while (!(condition) && clock_mono_ms() < end_ms)                         \
			turn(rig);                                                       \
		assert_true(condition);                                                  \
	} while (0)

static void some_turns(struct rig *rig)
{
	for (int i = 0; i < 50; i++)
		turn(rig);
}

static void on_native(void *ctx, struct conn *conn)
{
	struct rig *rig = ctx;
	rig->conn = conn;
	conn_listen(conn, &events, rig);
}

/* The opening handshake is not the conn's business. */
static void on_web(void *ctx, struct conn *conn)
{
	static const struct conn_ws_settings settings = {.message_max = 65536};
	struct rig *rig = ctx;
	if (rig->web) {
		rig->web(ctx, conn);
		return;
	}
	assert_int_equal(conn_ws_new(conn, &settings, &rig->conn), 0);
	conn_listen(rig->conn, &events, rig);
}

static void set_up_tls(struct rig *rig)
{
	char error[LISTENER_ERROR] = "";
	struct text_endpoint endpoint = {"127.0.0.1", 0};
	const struct listener_events listener_events = {
		.native = on_native, .web = on_web};
	test_cert_new(&rig->cert, 1);
	assert_int_equal(tls_ctx_new(rig->cert.cert, rig->cert.key, TLS_OFFER_BOTH,
				 &rig->tls, error),
		0);
	struct listener_settings settings = {
		.tls = rig->tls, .handshake_ms = PATIENCE_MS};
	assert_int_equal(listener_new(&endpoint, rig->workers, 1, &settings,
				 &listener_events, rig, &rig->listener, error),
		0);
	listener_start(rig->listener);
	tls_end_dial(&rig->tls_peer, listener_port(rig->listener),
		rig->kind == WS ? "http/1.1" : "engawa/1");
	UNTIL(rig, rig->conn && rig->tls_peer.ready);
}

static void on_peer(void *ctx, struct conn *conn)
{
	struct rig *rig = ctx;
	assert_string_equal(conn_tls_node(conn), "node-a");
	rig->mem_peer = conn;
	conn_listen(conn, &peer_events, rig);
}

static void on_dialled(void *ctx, struct conn *conn, int reason)
{
	struct rig *rig = ctx;
	assert_int_equal(reason, 0);
	assert_string_equal(conn_tls_node(conn), "node-b");
	rig->conn = conn;
	conn_listen(conn, &events, rig);
}

static struct tls_ctx *tls_of(struct rig *rig, const char *node, struct test_cert *cert)
{
	char error[TLS_CTX_ERROR];
	struct tls_ctx *tls;
	test_cluster_node(&rig->cluster, node, cert);
	assert_int_equal(tls_ctx_new(cert->cert, cert->key, TLS_OFFER_BOTH, &tls, error),
		0);
	assert_int_equal(tls_ctx_trust_peers(tls, rig->cluster.ca, rig->cluster.revoked,
				 error),
		0);
	return tls;
}

static void set_up_peer(struct rig *rig)
{
	char error[LISTENER_ERROR] = "", address[32];
	struct text_endpoint endpoint = {"127.0.0.1", 0};
	const struct listener_events listener_events = {.peer = on_peer};
	struct dial *dial;
	test_cluster_new(&rig->cluster);
	rig->tls_dialling = tls_of(rig, "node-a", &rig->dialling);
	rig->tls = tls_of(rig, "node-b", &rig->cert);
	assert_int_equal(resolver_new(&rig->resolver), 0);
	struct listener_settings settings = {
		.tls = rig->tls, .handshake_ms = PATIENCE_MS};
	assert_int_equal(listener_new(&endpoint, rig->workers + 1, 1, &settings,
				 &listener_events, rig, &rig->listener, error),
		0);
	listener_start(rig->listener);
	struct dialer dialer = {rig->workers[0], rig->resolver, rig->tls_dialling};
	snprintf(address, sizeof(address), "localhost:%u", listener_port(rig->listener));
	assert_int_equal(dialer_begin(&dialer, address, "node-b", PATIENCE_MS, on_dialled,
				 rig, &dial),
		0);
	UNTIL(rig, rig->conn && rig->mem_peer);
}

static struct rig *set_up(void **state)
{
	struct rig *rig = calloc(1, sizeof(*rig));
	rig->kind = *(enum kind *)*state;
	buf_init(&rig->got, 64 << 20);
	buf_init(&rig->mem_in, 64 << 20);
	for (int i = 0; i < 2; i++)
		assert_int_equal(worker_new("test", &rig->workers[i]), 0);
	if (has_end(rig)) {
		set_up_tls(rig);
		return rig;
	}
	if (rig->kind == PEER) {
		set_up_peer(rig);
		return rig;
	}
	assert_int_equal(conn_mem_pair(rig->workers[1], rig->workers[0], "127.0.0.1",
				 &rig->mem_peer, &rig->conn),
		0);
	conn_listen(rig->conn, &events, rig);
	conn_listen(rig->mem_peer, &peer_events, rig);
	return rig;
}

static void tear_down(struct rig *rig)
{
	if (rig->conn)
		conn_close(rig->conn, REASON_LEG_CLOSED, CONN_DROP);
	if (rig->mem_peer)
		conn_close(rig->mem_peer, REASON_LEG_CLOSED, CONN_DROP);
	if (has_end(rig))
		tls_end_done(&rig->tls_peer);
	some_turns(rig);
	assert_int_equal(rig->closings, 1);
	assert_int_equal(rig->callbacks_after_end, 0);
	rig->listener = listener_free(rig->listener);
	for (int i = 0; i < 2; i++)
		worker_free(rig->workers[i]);
	tls_ctx_free(rig->tls);
	tls_ctx_free(rig->tls_dialling);
	resolver_free(rig->resolver);
	if (rig->kind != MEM)
		test_cert_done(&rig->cert);
	if (rig->kind == PEER) {
		test_cert_done(&rig->dialling);
		test_cluster_done(&rig->cluster);
	}
	buf_done(&rig->got);
	buf_done(&rig->mem_in);
	free(rig);
}

/* One frame of a client; `first` is FIN, reserved bits and opcode. */
static void send_frame(struct rig *rig, uint8_t first, const void *payload, size_t len)
{
	static const uint8_t mask[4] = {0x37, 0xfa, 0x21, 0x3d};
	uint8_t frame[8 + 65536] = {first}, *at = frame + 2;
	assert_true(len <= 65535);
	if (len < 126) {
		frame[1] = (uint8_t)(0x80 | len);
	} else {
		frame[1] = 0x80 | 126;
		*at++ = (uint8_t)(len >> 8);
		*at++ = (uint8_t)len;
	}
	memcpy(at, mask, 4);
	at += 4;
	for (size_t i = 0; i < len; i++)
		*at++ = ((const uint8_t *)payload)[i] ^ mask[i % 4];
	tls_end_send(&rig->tls_peer, frame, (size_t)(at - frame));
}

static void peer_send(struct rig *rig, const void *bytes, size_t len)
{
	if (rig->kind == TLS) {
		tls_end_send(&rig->tls_peer, bytes, len);
		return;
	}
	for (const uint8_t *at = bytes; rig->kind == WS && len;) {
		size_t part = len < 60000 ? len : 60000, half = part / 2;
		send_frame(rig, 0x02, at, half);
		send_frame(rig, 0x89, "there?", 6);
		send_frame(rig, 0x80, at + half, part - half);
		at += part;
		len -= part;
	}
	const uint8_t *at = bytes;
	while (len) {
		size_t part = len < 60000 ? len : 60000;
		while (conn_full(rig->mem_peer))
			turn(rig);
		assert_int_equal(conn_write(rig->mem_peer, at, part), 0);
		at += part;
		len -= part;
	}
}

static struct buf *peer_in(struct rig *rig)
{
	return rig->kind == TLS ? &rig->tls_peer.in : &rig->mem_in;
}

static void peer_stop_reading(struct rig *rig)
{
	if (has_end(rig))
		rig->tls_peer.reads = 0;
	else
		conn_pause(rig->mem_peer);
}

static void peer_read_on(struct rig *rig)
{
	if (has_end(rig))
		rig->tls_peer.reads = 1;
	else
		conn_resume(rig->mem_peer);
}

static uint8_t *noise(size_t len, unsigned seed)
{
	uint8_t *bytes = malloc(len);
	uint32_t x = seed * 2654435761u + 1;
	for (size_t i = 0; i < len; i++) {
		x = x * 1664525u + 1013904223u;
		bytes[i] = (uint8_t)(x >> 24);
	}
	return bytes;
}

#define LOT (3 * 1000 * 1000 + 17)

static void what_the_peer_sends_is_shown_in_order(void **state)
{
	struct rig *rig = set_up(state);
	uint8_t *bytes = noise(LOT, 1);
	rig->chunk = 4093; /* so that every view ends with a part of a chunk */
	peer_send(rig, bytes, LOT);
	UNTIL(rig, buf_len(&rig->got) == LOT - LOT % rig->chunk);
	assert_memory_equal(buf_head(&rig->got), bytes, buf_len(&rig->got));
	UNTIL(rig, rig->conn->bytes_in == LOT);
	free(bytes);
	tear_down(rig);
}

static void what_is_written_arrives_in_order(void **state)
{
	struct rig *rig = set_up(state);
	uint8_t *bytes = noise(LOT, 2);
	for (size_t at = 0, part = 1; at < LOT; at += part, part = part * 3 % 65521 + 1) {
		if (part > LOT - at)
			part = LOT - at;
		UNTIL(rig, !conn_full(rig->conn));
		assert_int_equal(conn_write(rig->conn, bytes + at, part), 0);
	}
	UNTIL(rig, buf_len(peer_in(rig)) == LOT);
	assert_memory_equal(buf_head(peer_in(rig)), bytes, LOT);
	assert_int_equal(rig->conn->bytes_out, LOT);
	assert_int_equal(conn_queued(rig->conn), 0);
	free(bytes);
	tear_down(rig);
}

static void
a_reader_that_stops_fills_the_queue_and_room_tells_when_it_reads_on(void **state)
{
	struct rig *rig = set_up(state);
	uint8_t *bytes = noise(65536, 3);
	size_t written = 0;
	peer_stop_reading(rig);
	/* The kernel takes some megabytes before the queue grows. */
	while (!conn_full(rig->conn) && written < 64u << 20) {
		assert_int_equal(conn_write(rig->conn, bytes, 65536), 0);
		written += 65536;
		turn(rig);
	}
	assert_true(conn_full(rig->conn));
	assert_int_equal(rig->rooms, 0);
	int rc = 0;
	while (!rc) {
		rc = conn_write(rig->conn, bytes, 65536);
		written += rc ? 0 : 65536;
	}
	assert_int_equal(rc, -REASON_LIMIT);
	assert_in_range(conn_queued(rig->conn), CONN_HARD - 65536 - 4096,
		CONN_HARD + 4096);
	peer_read_on(rig);
	UNTIL(rig, rig->rooms == 1);
	assert_true(conn_queued(rig->conn) <= CONN_LOW);
	UNTIL(rig, buf_len(peer_in(rig)) == written);
	assert_int_equal(rig->rooms, 1);
	free(bytes);
	tear_down(rig);
}

static void while_paused_nothing_is_shown(void **state)
{
	struct rig *rig = set_up(state);
	conn_pause(rig->conn);
	peer_send(rig, "abcdef", 6);
	some_turns(rig);
	assert_int_equal(buf_len(&rig->got), 0);
	conn_resume(rig->conn);
	UNTIL(rig, buf_len(&rig->got) == 6);
	assert_memory_equal(buf_head(&rig->got), "abcdef", 6);
	tear_down(rig);
}

static void what_is_left_over_is_shown_again_after_a_pause(void **state)
{
	struct rig *rig = set_up(state);
	rig->leave = 2;
	peer_send(rig, "abcdef", 6);
	UNTIL(rig, buf_len(&rig->got) == 4);
	some_turns(rig);
	assert_int_equal(buf_len(&rig->got), 4); /* nothing new came: not asked again */
	conn_pause(rig->conn);
	rig->leave = 0;
	conn_resume(rig->conn);
	UNTIL(rig, buf_len(&rig->got) == 6);
	assert_memory_equal(buf_head(&rig->got), "abcdef", 6);
	tear_down(rig);
}

static void close_with_flush_delivers_everything_first(void **state)
{
	struct rig *rig = set_up(state);
	uint8_t *bytes = noise(CONN_HIGH, 4);
	peer_send(rig, "unread", 6); /* must not turn the close into a reset */
	conn_pause(rig->conn);
	assert_int_equal(conn_write(rig->conn, bytes, CONN_HIGH), 0);
	conn_close(rig->conn, REASON_ADMIN_DISCONNECT, CONN_FLUSH);
	conn_close(rig->conn, REASON_PROTOCOL, CONN_FLUSH);
	assert_int_equal(conn_write(rig->conn, bytes, 1), -REASON_LEG_CLOSED);
	UNTIL(rig, buf_len(peer_in(rig)) == CONN_HIGH);
	if (has_end(rig)) {
		UNTIL(rig, rig->tls_peer.over);
		assert_false(rig->tls_peer.lost);
		tls_end_done(&rig->tls_peer);
	}
	UNTIL(rig, rig->closings);
	assert_int_equal(rig->reason, REASON_ADMIN_DISCONNECT);
	free(bytes);
	tear_down(rig);
}

static void close_inside_the_callback_is_the_last_one(void **state)
{
	struct rig *rig = set_up(state);
	rig->close_in_bytes = 1;
	peer_send(rig, "abc", 3);
	UNTIL(rig, rig->closings == 1);
	assert_int_equal(rig->reason, REASON_PROTOCOL);
	tear_down(rig);
}

static void the_end_of_the_peer_has_a_reason(void **state)
{
	struct rig *rig = set_up(state);
	peer_send(rig, "last words", 10);
	if (has_end(rig)) {
		tls_end_pump(&rig->tls_peer);
		tls_end_finish(&rig->tls_peer);
	} else {
		conn_close(rig->mem_peer, REASON_LEG_CLOSED, CONN_FLUSH);
	}
	UNTIL(rig, rig->closings == 1);
	assert_int_equal(buf_len(&rig->got), 10);
	assert_int_equal(rig->reason, REASON_LEG_CLOSED);
	tear_down(rig);
}

static void a_cut_is_noticed_even_while_paused(void **state)
{
	struct rig *rig = set_up(state);
	conn_pause(rig->conn);
	if (rig->kind == PEER) {
		conn_pause(rig->mem_peer);
		assert_int_equal(conn_write(rig->conn, (const uint8_t *)"x", 1), 0);
		some_turns(rig);
		conn_close(rig->mem_peer, REASON_PROTOCOL, CONN_DROP);
	} else if (rig->kind != MEM) {
		/* Unread bytes make the kernel send a reset. */
		assert_int_equal(conn_write(rig->conn, (const uint8_t *)"x", 1), 0);
		rig->tls_peer.reads = 0;
		some_turns(rig);
		tls_end_done(&rig->tls_peer);
	} else {
		conn_mem_cut(rig->conn);
	}
	UNTIL(rig, rig->closings == 1);
	assert_int_equal(rig->reason, REASON_PEER_LOST);
	tear_down(rig);
}

static void both_sides_export_the_same_or_nothing(void **state)
{
	struct rig *rig = set_up(state);
	uint8_t ours[32], theirs[32], zero[32] = {0};
	if (rig->kind == WS) {
		assert_int_equal(conn_exporter(rig->conn, ours), -REASON_TLS_FAILED);
		tear_down(rig);
		return;
	}
	assert_int_equal(conn_exporter(rig->conn, ours), 0);
	if (has_end(rig))
		tls_end_exporter(&rig->tls_peer, theirs);
	else
		assert_int_equal(conn_exporter(rig->mem_peer, theirs), 0);
	assert_memory_equal(ours, theirs, 32);
	assert_memory_not_equal(ours, zero, 32);
	tear_down(rig);
}

static void on_arrived(void *ctx, struct conn *conn)
{
	struct rig *rig = ctx;
	assert_ptr_equal(conn, rig->conn);
	rig->arrived++;
}

/* There and back while both directions are under way and part of a chunk is always left over. */
static void a_move_to_another_worker_loses_and_doubles_nothing(void **state)
{
	struct rig *rig = set_up(state);
	uint8_t *in = noise(LOT, 5), *out = noise(LOT, 6);
	size_t sent = 0, written = 0;
	int moves = 0, moving = 0;
	rig->chunk = 1009;
	while (!rig->closings &&
		(buf_len(&rig->got) + rig->chunk <= LOT || buf_len(peer_in(rig)) < LOT)) {
		size_t part = LOT - sent < 50000 ? LOT - sent : 50000;
		if (part && (has_end(rig) || !conn_full(rig->mem_peer))) {
			peer_send(rig, in + sent, part);
			sent += part;
		}
		part = LOT - written < 70000 ? LOT - written : 70000;
		if (part && !moving && !conn_full(rig->conn)) {
			assert_int_equal(conn_write(rig->conn, out + written, part), 0);
			written += part;
		}
		if (!moving && moves < 40 && buf_len(&rig->got) > (size_t)moves * 60000) {
			struct worker *to =
				rig->workers[rig->conn->worker == rig->workers[0]];
			assert_int_equal(handoff_send(rig->conn, to, on_arrived, rig), 0);
			moving = 1;
			moves++;
		}
		turn(rig);
		if (moving && rig->arrived == moves)
			moving = 0;
	}
	assert_int_equal(rig->reason, 0);
	assert_true(moves >= 20);
	UNTIL(rig, rig->arrived == moves);
	assert_memory_equal(buf_head(&rig->got), in, buf_len(&rig->got));
	assert_memory_equal(buf_head(peer_in(rig)), out, LOT);
	assert_int_equal(buf_len(peer_in(rig)), LOT);
	free(in);
	free(out);
	tear_down(rig);
}

/* Paused and with bytes left over: they are shown on the new worker, once it is resumed. */
static void a_paused_conn_moves_with_what_was_left_over(void **state)
{
	struct rig *rig = set_up(state);
	rig->leave = 3;
	peer_send(rig, "abcdef", 6);
	UNTIL(rig, buf_len(&rig->got) == 3);
	conn_pause(rig->conn);
	assert_int_equal(handoff_send(rig->conn, rig->workers[1], on_arrived, rig), 0);
	peer_send(rig, "ghi", 3);
	UNTIL(rig, rig->arrived);
	some_turns(rig);
	assert_int_equal(buf_len(&rig->got), 3);
	rig->leave = 0;
	conn_resume(rig->conn);
	UNTIL(rig, buf_len(&rig->got) == 9);
	assert_memory_equal(buf_head(&rig->got), "abcdefghi", 9);
	tear_down(rig);
}

/* The move was asked for, then the conn ended in the same turn: told once, arrived never. */
static void a_conn_that_ends_before_its_move_does_not_arrive(void **state)
{
	struct rig *rig = set_up(state);
	assert_int_equal(handoff_send(rig->conn, rig->workers[1], on_arrived, rig), 0);
	conn_close(rig->conn, REASON_ADMIN_DISCONNECT, CONN_DROP);
	some_turns(rig);
	assert_int_equal(rig->closings, 1);
	assert_int_equal(rig->arrived, 0);
	tear_down(rig);

	rig = set_up(state);
	conn_close(rig->conn, REASON_ADMIN_DISCONNECT, CONN_DROP);
	assert_int_equal(handoff_send(rig->conn, rig->workers[1], on_arrived, rig), 0);
	some_turns(rig);
	assert_int_equal(rig->closings, 1);
	assert_int_equal(rig->arrived, 0);
	tear_down(rig);
}

/* ---- of WebSocket alone: RFC 6455 ---- */

static struct rig *set_up_ws(void)
{
	static enum kind ws = WS;
	void *state = &ws;
	return set_up(&state);
}

/* The conn ends, the peer hears this code, and nothing was shown. */
static void expect_code(struct rig *rig, int code)
{
	UNTIL(rig, rig->tls_peer.over);
	assert_int_equal(rig->heard, 0x88);
	assert_int_equal(rig->code, code);
	assert_int_equal(buf_len(&rig->got), 0);
	tls_end_done(&rig->tls_peer);
	UNTIL(rig, rig->closings);
	assert_int_equal(rig->reason,
		code == 1000 || code == 0 ? REASON_LEG_CLOSED : REASON_PROTOCOL);
	tear_down(rig);
}

static void what_breaks_the_rules_ends_it(void **state)
{
	static const struct {
		uint8_t first;
		const char *payload;
		size_t len;
		int code;
	} frames[] = {
		{0x81, "text", 4, 1003},             /* text */
		{0xc2, "x", 1, 1002},                /* a reserved bit */
		{0x83, "x", 1, 1002},                /* an unknown opcode */
		{0x8b, "x", 1, 1002},                /* an unknown control opcode */
		{0x80, "x", 1, 1002},                /* goes on with nothing */
		{0x09, "x", 1, 1002},                /* a ping in pieces */
		{0x88, "\x03", 1, 1002},             /* half a code */
		{0x88, "\x03\xed", 2, 1002},         /* 1005 is never sent */
		{0x88, "\x03\xe8\xc0\x80", 4, 1007}, /* not UTF-8 */
		{0x88, "\x03\xe8 bye", 6, 1000},
		{0x88, "", 0, 0},
	};
	static const uint8_t bare[] = {0x82, 0x01, 'x'},
			     huge[] = {0x82, 0xff, 0x7f, 0xff, 0xff, 0xff, 0xff, 0xff,
				     0xff, 0xff, 1, 2, 3, 4, 5};
	struct rig *rig;
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(frames); i++) {
		rig = set_up_ws();
		send_frame(rig, frames[i].first, frames[i].payload, frames[i].len);
		expect_code(rig, frames[i].code);
	}
	rig = set_up_ws(); /* not masked */
	tls_end_send(&rig->tls_peer, bare, sizeof(bare));
	expect_code(rig, 1002);
	rig = set_up_ws(); /* a length nobody has memory for: said with its first byte */
	tls_end_send(&rig->tls_peer, huge, sizeof(huge));
	expect_code(rig, 1009);
}

static void a_message_in_pieces_has_the_same_limit(void **state)
{
	struct rig *rig = set_up_ws();
	uint8_t *bytes = noise(65535, 7);
	(void)state;
	send_frame(rig, 0x02, bytes, 65535);
	send_frame(rig, 0x00, bytes, 1);
	UNTIL(rig, buf_len(&rig->got) == 65536);
	send_frame(rig, 0x00, bytes, 1);
	UNTIL(rig, rig->closings);
	assert_int_equal(rig->code, 1009);
	assert_int_equal(buf_len(&rig->got), 65536);
	free(bytes);
	tear_down(rig);
}

static void pings_are_answered_but_not_without_end(void **state)
{
	struct rig *rig = set_up_ws();
	(void)state;
	send_frame(rig, 0x89, "still there?", 12);
	UNTIL(rig, rig->heard == 0x8a);
	for (int i = 0; i < 5000; i++)
		send_frame(rig, 0x80 | 0x0a, "", 0);
	UNTIL(rig, rig->closings);
	assert_int_equal(rig->code, 1008);
	assert_int_equal(rig->reason, REASON_PROTOCOL);
	tear_down(rig);

	rig = set_up_ws(); /* fragments of nothing */
	for (int i = 0; i < 5000; i++)
		send_frame(rig, i ? 0x00 : 0x02, "", 0);
	UNTIL(rig, rig->closings);
	assert_int_equal(rig->code, 1008);
	tear_down(rig);
}

static void what_came_before_the_close_counts(void **state)
{
	/* In one breath, as a page that is left does it; masked with zeros. */
	static const uint8_t both[] = {0x82, 0x83, 0, 0, 0, 0, 'b', 'y', 'e', 0x88, 0x82,
		0, 0, 0, 0, 0x03, 0xe8};
	struct rig *rig = set_up_ws();
	(void)state;
	tls_end_send(&rig->tls_peer, both, sizeof(both));
	UNTIL(rig, rig->tls_peer.over);
	assert_int_equal(rig->code, 1000);
	assert_int_equal(buf_len(&rig->got), 3);
	assert_memory_equal(buf_head(&rig->got), "bye", 3);
	tls_end_done(&rig->tls_peer);
	UNTIL(rig, rig->closings);
	tear_down(rig);
}

static size_t spans_of_three(const uint8_t *bytes, size_t len)
{
	(void)bytes;
	return len < 3 ? len : 3;
}

static const struct conn_ws_settings in_threes = {
	.message_max = 100, .span = spans_of_three};

static void on_web_in_threes(void *ctx, struct conn *conn)
{
	struct rig *rig = ctx;
	assert_int_equal(conn_ws_new(conn, &in_threes, &rig->conn), 0);
	conn_listen(rig->conn, &events, rig);
}

static void each_span_is_a_message(void **state)
{
	static const uint8_t expected[] = "\x82\x03"
					  "abc"
					  "\x82\x03"
					  "def"
					  "\x82\x01"
					  "g";
	struct rig *rig = set_up_ws();
	(void)state;
	rig->kind = TLS; /* look at the bytes themselves */
	conn_close(rig->conn, REASON_LEG_CLOSED, CONN_DROP);
	tls_end_done(&rig->tls_peer);
	some_turns(rig);
	rig->closings = 0;
	rig->reason = 0;
	memset(&rig->tls_peer, 0, sizeof(rig->tls_peer));
	rig->web = on_web_in_threes;
	tls_end_dial(&rig->tls_peer, listener_port(rig->listener), "http/1.1");
	UNTIL(rig, rig->conn && rig->tls_peer.ready);
	assert_int_equal(conn_write(rig->conn, (const uint8_t *)"abcdefg", 7), 0);
	UNTIL(rig, buf_len(&rig->tls_peer.in) >= sizeof(expected) - 1);
	assert_memory_equal(buf_head(&rig->tls_peer.in), expected, sizeof(expected) - 1);
	tear_down(rig);
}

#define EACH(test)                                                                       \
	{#test " (mem)", test, NULL, NULL, &mem},                                        \
		{#test " (tls)", test, NULL, NULL, &tls},                                \
		{#test " (ws)", test, NULL, NULL, &ws},                                  \
	{                                                                                \
#test " (peer)", test, NULL, NULL, &peer                                 \
	}

int main(void)
{
	static enum kind mem = MEM, tls = TLS, ws = WS, peer = PEER;
	signal(SIGPIPE, SIG_IGN);
	const struct CMUnitTest tests[] = {
		EACH(what_the_peer_sends_is_shown_in_order),
		EACH(what_is_written_arrives_in_order),
		EACH(a_reader_that_stops_fills_the_queue_and_room_tells_when_it_reads_on),
		EACH(while_paused_nothing_is_shown),
		EACH(what_is_left_over_is_shown_again_after_a_pause),
		EACH(close_with_flush_delivers_everything_first),
		EACH(close_inside_the_callback_is_the_last_one),
		EACH(the_end_of_the_peer_has_a_reason),
		EACH(a_cut_is_noticed_even_while_paused),
		EACH(both_sides_export_the_same_or_nothing),
		EACH(a_move_to_another_worker_loses_and_doubles_nothing),
		EACH(a_paused_conn_moves_with_what_was_left_over),
		EACH(a_conn_that_ends_before_its_move_does_not_arrive),
		cmocka_unit_test(what_breaks_the_rules_ends_it),
		cmocka_unit_test(a_message_in_pieces_has_the_same_limit),
		cmocka_unit_test(pings_are_answered_but_not_without_end),
		cmocka_unit_test(what_came_before_the_close_counts),
		cmocka_unit_test(each_span_is_a_message),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
