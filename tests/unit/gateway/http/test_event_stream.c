/* Streams of events over memory connections: who hears what, slow readers, ends. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/reason.h"
#include "http/event_stream.h"
#include "http/http_server.h"
#include "net/conn.h"
#include "net/conn_mem.h"
#include "net/worker.h"

#define PEERS 3

struct peer {
	struct conn *conn;
	struct buf got;
	int closed;
};

struct bench {
	struct worker *worker;
	struct office *office;
	struct http_server *server;
	struct event_streams *streams;
	struct peer peers[PEERS];
	atomic_int answered;
};

/* "/listen?tenant=a&key=k&rights=3" */
static void handle(void *ctx, struct exchange *exchange)
{
	struct bench *bench = ctx;
	struct event_listener listener = {.rights = 1};
	const char *tenant = request_query(exchange->request, "tenant");
	const char *key = request_query(exchange->request, "key");
	const char *rights = request_query(exchange->request, "rights");

	strcpy(listener.tenant, tenant ? tenant : "");
	strcpy(listener.key, key ? key : "");
	if (rights)
		listener.rights = (uint64_t)atoi(rights);
	event_stream_open(bench->streams, exchange, &listener);
	atomic_fetch_add(&bench->answered, 1);
}

static size_t peer_bytes(void *ctx, const uint8_t *bytes, size_t len)
{
	struct peer *peer = ctx;
	assert_int_equal(buf_append(&peer->got, bytes, len), 0);
	return len;
}

static void peer_room(void *ctx)
{
	(void)ctx;
}

static void peer_closed(void *ctx, int reason)
{
	(void)reason;
	((struct peer *)ctx)->closed = 1;
}

static const struct conn_events peer_events = {peer_bytes, peer_room, peer_closed};

static void join(struct bench *bench, struct peer *peer)
{
	struct conn *inner;
	buf_init(&peer->got, 1 << 20);
	assert_int_equal(conn_mem_pair(bench->worker, bench->worker, "192.0.2.9",
				 &peer->conn, &inner),
		0);
	conn_listen(peer->conn, &peer_events, peer);
	http_server_accept(bench->server, inner);
}

static struct bench *bench_new(void)
{
	struct http_server_settings settings = {20000, 20000, 20000, 20000, 1000};
	struct bench *bench = calloc(1, sizeof(*bench));
	assert_non_null(bench);
	assert_int_equal(worker_new("test", &bench->worker), 0);
	assert_int_equal(office_new(1, 400, &bench->office), 0);
	assert_int_equal(event_stream_all_new(bench->worker, &bench->streams), 0);
	assert_int_equal(event_stream_all_start(bench->streams), 0);
	assert_int_equal(http_server_new(bench->worker, bench->office, &settings, handle,
				 bench, &bench->server),
		0);
	for (int i = 0; i < PEERS; i++)
		join(bench, &bench->peers[i]);
	return bench;
}

#define UNTIL(bench, condition)                                                          \
	do {                                                                             \
		int64_t end_ = clock_mono_ms() + 20000;                                  \
		while (!(condition) && clock_mono_ms() < end_)                           \
			worker_turn((bench)->worker, 5);                                 \
		assert_true(condition);                                                  \
	} while (0)

static void send_text(struct peer *peer, const char *text)
{
	assert_int_equal(conn_write(peer->conn, (const uint8_t *)text, strlen(text)), 0);
}

static int has(struct peer *peer, const char *text)
{
	return buf_len(&peer->got) && memmem(buf_head(&peer->got), buf_len(&peer->got),
					      text, strlen(text)) != NULL;
}

static void some_turns(struct bench *bench)
{
	for (int i = 0; i < 20; i++)
		worker_turn(bench->worker, 1);
}

static void listen_as(struct bench *bench, struct peer *peer, const char *query)
{
	send_text(peer, "GET /listen?");
	send_text(peer, query);
	send_text(peer, " HTTP/1.1\r\nHost: h\r\n\r\n");
	UNTIL(bench, has(peer, "event: hello"));
}

static void bench_free(struct bench *bench)
{
	http_server_stop(bench->server, HTTP_SERVER_NOW);
	for (int i = 0; i < PEERS; i++) {
		if (!bench->peers[i].closed)
			conn_close(bench->peers[i].conn, REASON_LEG_CLOSED, CONN_DROP);
		UNTIL(bench, bench->peers[i].closed);
		buf_done(&bench->peers[i].got);
	}
	some_turns(bench);
	office_free(bench->office);
	event_stream_all_stop(bench->streams);
	worker_free(bench->worker);
	http_server_free(bench->server);
	event_stream_all_free(bench->streams); /* checks that no stream is left */
	free(bench);
}

static void news_reach_whom_they_concern(void **state)
{
	(void)state;
	struct bench *bench = bench_new();
	struct peer *all = &bench->peers[0], *a = &bench->peers[1], *b = &bench->peers[2];
	listen_as(bench, all, "rights=3");
	listen_as(bench, a, "tenant=a&rights=3");
	listen_as(bench, b, "tenant=b&rights=1");
	assert_true(has(all, "Content-Type: text/event-stream\r\n"));
	assert_true(has(all, "Cache-Control: no-store\r\n"));
	assert_false(has(all, "Content-Length"));

	struct event of_a = {"a", EVENT_TENANT, 1, "{\"n\":1}"};
	struct event needs_two = {"b", EVENT_TENANT, 2, "{\"n\":2}"};
	struct event of_none = {"", EVENT_TENANT, 1, "{\"n\":3}"};
	struct event for_all = {"", EVENT_EVERYBODY, 1, "{\"n\":4}"};
	event_stream_all_send(bench->streams, &of_a);
	event_stream_all_send(bench->streams, &needs_two);
	event_stream_all_send(bench->streams, &of_none);
	event_stream_all_send(bench->streams, &for_all);
	UNTIL(bench, has(all, "event: news\ndata: {\"n\":4}\n\n") &&
			     has(a, "{\"n\":4}") && has(b, "{\"n\":4}"));
	assert_true(has(all, "{\"n\":1}") && has(all, "{\"n\":2}") &&
		    has(all, "{\"n\":3}"));
	assert_true(has(a, "{\"n\":1}"));
	assert_false(has(a, "{\"n\":2}") || has(a, "{\"n\":3}"));
	assert_false(has(b, "{\"n\":1}") || has(b, "{\"n\":2}") || has(b, "{\"n\":3}"));
	bench_free(bench);
}

static void who_signs_out_hears_nothing(void **state)
{
	(void)state;
	struct bench *bench = bench_new();
	struct event event = {"", EVENT_EVERYBODY, 1, "{\"late\":1}"};
	listen_as(bench, &bench->peers[0], "key=one");
	listen_as(bench, &bench->peers[1], "key=two");
	event_stream_all_drop(bench->streams, "one");
	event_stream_all_send(bench->streams, &event);
	UNTIL(bench, bench->peers[0].closed && has(&bench->peers[1], "late"));
	assert_false(has(&bench->peers[0], "late"));
	assert_false(bench->peers[1].closed);
	bench_free(bench);
}

/* What it does not read is not kept for it, and the others are served. */
static void slow_reader_is_dropped(void **state)
{
	(void)state;
	struct bench *bench = bench_new();
	char json[2000];
	struct event event = {"", EVENT_EVERYBODY, 1, json};
	memset(json, 'x', sizeof(json) - 1);
	json[sizeof(json) - 1] = '\0';
	listen_as(bench, &bench->peers[0], "key=slow");
	listen_as(bench, &bench->peers[1], "key=fast");
	conn_pause(bench->peers[0].conn);
	for (int i = 0; i < 200; i++) {
		event_stream_all_send(bench->streams, &event);
		worker_turn(bench->worker, 0);
	}
	conn_resume(bench->peers[0].conn);
	UNTIL(bench, bench->peers[0].closed);
	assert_true(buf_len(&bench->peers[0].got) < 2 * EVENT_STREAM_QUEUE);
	assert_true(buf_len(&bench->peers[1].got) > 200 * sizeof(json));
	some_turns(bench);
	assert_false(bench->peers[1].closed);
	bench_free(bench);
}

static void nothing_more_can_be_asked(void **state)
{
	(void)state;
	struct bench *bench = bench_new();
	listen_as(bench, &bench->peers[0], "key=k");
	send_text(&bench->peers[0], "GET /listen HTTP/1.1\r\nHost: h\r\n\r\n");
	UNTIL(bench, bench->peers[0].closed);
	assert_int_equal(atomic_load(&bench->answered), 1);
	bench_free(bench);
}

static void head_is_only_a_head(void **state)
{
	(void)state;
	struct bench *bench = bench_new();
	send_text(&bench->peers[0], "HEAD /listen HTTP/1.1\r\nHost: h\r\n\r\n");
	UNTIL(bench, bench->peers[0].closed);
	assert_true(has(&bench->peers[0], "text/event-stream"));
	assert_false(has(&bench->peers[0], "hello"));
	bench_free(bench);
}

static void there_is_a_limit(void **state)
{
	(void)state;
	struct bench *bench = bench_new();
	struct peer more[EVENT_STREAM_MOST] = {0};
	listen_as(bench, &bench->peers[0], "key=first");
	for (int i = 0; i < EVENT_STREAM_MOST - 1; i++) {
		join(bench, &more[i]);
		listen_as(bench, &more[i], "key=more");
	}
	send_text(&bench->peers[1], "GET /listen HTTP/1.1\r\nHost: h\r\n\r\n");
	UNTIL(bench, has(&bench->peers[1], "HTTP/1.1 503"));
	assert_true(has(&bench->peers[1], "Retry-After: 5"));
	for (int i = 0; i < EVENT_STREAM_MOST - 1; i++) {
		conn_close(more[i].conn, REASON_LEG_CLOSED, CONN_DROP);
		UNTIL(bench, more[i].closed);
		buf_done(&more[i].got);
	}
	some_turns(bench);
	listen_as(bench, &bench->peers[2], "key=now");
	bench_free(bench);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(news_reach_whom_they_concern),
		cmocka_unit_test(who_signs_out_hears_nothing),
		cmocka_unit_test(slow_reader_is_dropped),
		cmocka_unit_test(nothing_more_can_be_asked),
		cmocka_unit_test(head_is_only_a_head),
		cmocka_unit_test(there_is_a_limit),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
