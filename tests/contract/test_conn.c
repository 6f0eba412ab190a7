/* What conn.h promises, asked of every implementation. A rig has two workers that this thread turns
 * by hand, one conn under test on the first, and its peer, which is not a conn of ours for TLS. */
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/reason.h"
#include "base/text.h"
#include "fakes/test_cert.h"
#include "fakes/tls_end.h"
#include "net/conn.h"
#include "net/conn_mem.h"
#include "net/handoff.h"
#include "net/listener.h"
#include "net/tls_ctx.h"
#include "net/worker.h"

#define PATIENCE_MS 60000

enum kind { MEM, TLS };

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
	struct conn *mem_peer;
	struct buf mem_in;
	int mem_over;
	struct tls_end tls_peer;
	struct test_cert cert;
	struct tls_ctx *tls;
	struct listener *listener;
};

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

static void turn(struct rig *rig)
{
	worker_turn(rig->workers[0], rig->kind == TLS);
	worker_turn(rig->workers[1], 0);
	if (rig->kind == TLS && rig->tls_peer.ssl)
		tls_end_pump(&rig->tls_peer);
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

static void set_up_tls(struct rig *rig)
{
	char error[LISTENER_ERROR] = "";
	struct text_endpoint endpoint = {"127.0.0.1", 0};
	const struct listener_events listener_events = {.native = on_native};
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
	tls_end_dial(&rig->tls_peer, listener_port(rig->listener), "engawa/1");
	UNTIL(rig, rig->conn && rig->tls_peer.ready);
}

static struct rig *set_up(void **state)
{
	struct rig *rig = calloc(1, sizeof(*rig));
	rig->kind = *(enum kind *)*state;
	buf_init(&rig->got, 64 << 20);
	buf_init(&rig->mem_in, 64 << 20);
	for (int i = 0; i < 2; i++)
		assert_int_equal(worker_new("test", &rig->workers[i]), 0);
	if (rig->kind == TLS) {
		set_up_tls(rig);
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
	if (rig->kind == TLS)
		tls_end_done(&rig->tls_peer);
	some_turns(rig);
	assert_int_equal(rig->closings, 1);
	assert_int_equal(rig->callbacks_after_end, 0);
	rig->listener = listener_free(rig->listener);
	for (int i = 0; i < 2; i++)
		worker_free(rig->workers[i]);
	if (rig->kind == TLS) {
		tls_ctx_free(rig->tls);
		test_cert_done(&rig->cert);
	}
	buf_done(&rig->got);
	buf_done(&rig->mem_in);
	free(rig);
}

static void peer_send(struct rig *rig, const void *bytes, size_t len)
{
	if (rig->kind == TLS) {
		tls_end_send(&rig->tls_peer, bytes, len);
		return;
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
	if (rig->kind == TLS)
		rig->tls_peer.reads = 0;
	else
		conn_pause(rig->mem_peer);
}

static void peer_read_on(struct rig *rig)
{
	if (rig->kind == TLS)
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
	if (rig->kind == TLS) {
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
	if (rig->kind == TLS) {
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
	if (rig->kind == TLS) {
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

static void both_sides_export_the_same(void **state)
{
	struct rig *rig = set_up(state);
	uint8_t ours[32], theirs[32], zero[32] = {0};
	assert_int_equal(conn_exporter(rig->conn, ours), 0);
	if (rig->kind == TLS)
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
		if (part && (rig->kind == TLS || !conn_full(rig->mem_peer))) {
			if (rig->kind == TLS)
				tls_end_send(&rig->tls_peer, in + sent, part);
			else
				assert_int_equal(conn_write(rig->mem_peer, in + sent,
							 part),
					0);
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

#define BOTH(test)                                                                       \
	{#test " (mem)", test, NULL, NULL, &mem},                                        \
	{                                                                                \
#test " (tls)", test, NULL, NULL, &tls                                   \
	}

int main(void)
{
	static enum kind mem = MEM, tls = TLS;
	signal(SIGPIPE, SIG_IGN);
	const struct CMUnitTest tests[] = {
		BOTH(what_the_peer_sends_is_shown_in_order),
		BOTH(what_is_written_arrives_in_order),
		BOTH(a_reader_that_stops_fills_the_queue_and_room_tells_when_it_reads_on),
		BOTH(while_paused_nothing_is_shown),
		BOTH(what_is_left_over_is_shown_again_after_a_pause),
		BOTH(close_with_flush_delivers_everything_first),
		BOTH(close_inside_the_callback_is_the_last_one),
		BOTH(the_end_of_the_peer_has_a_reason),
		BOTH(a_cut_is_noticed_even_while_paused),
		BOTH(both_sides_export_the_same),
		BOTH(a_move_to_another_worker_loses_and_doubles_nothing),
		BOTH(a_paused_conn_moves_with_what_was_left_over),
		BOTH(a_conn_that_ends_before_its_move_does_not_arrive),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
