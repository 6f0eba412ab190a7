/* The server over memory connections: answers, order, back-pressure, ends. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <event2/event.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/reason.h"
#include "http/http_server.h"
#include "net/conn.h"
#include "net/conn_mem.h"
#include "net/worker.h"

#define STREAM_BYTES (3 * 1024 * 1024)

struct bench {
	struct worker *worker;
	struct office *office;
	struct http_server *server;
	struct conn *client;
	struct buf got;
	size_t total;
	int closed, paused;
	atomic_size_t uploaded;
	atomic_int wrong, upload_status;
	atomic_int stream_status, streams;
	struct http_server_settings settings;
};

/* The byte at each place is known, so that none is lost, doubled or moved unseen. */
static char byte_at(size_t at)
{
	return (char)('a' + at % 23);
}

static void take_upload(struct bench *bench, struct exchange *exchange)
{
	char piece[7001];
	size_t len = 1, at = 0;
	int status = 0;

	while (!status && len) {
		status = exchange_read(exchange, piece, sizeof(piece), &len);
		for (size_t i = 0; !status && i < len; i++, at++)
			if (piece[i] != byte_at(at))
				atomic_fetch_add(&bench->wrong, 1);
		atomic_store(&bench->uploaded, at);
	}
	atomic_store(&bench->upload_status, status);
	if (status)
		exchange_problem(exchange, status, NULL);
	else
		exchange_whole(exchange, 200, "text/plain", "all", 3);
}

static void handle(void *ctx, struct exchange *exchange)
{
	struct bench *bench = ctx;
	const char *path = exchange->request->path;
	char block[10000];

	if (!strcmp(path, "/echo")) {
		exchange_whole(exchange, 200, "text/plain", exchange->request->body,
			exchange->request->body_len);
	} else if (!strcmp(path, "/stream")) {
		memset(block, 's', sizeof(block));
		int status = exchange_begin(exchange, "text/plain");
		for (size_t sent = 0; !status && sent < STREAM_BYTES;
			sent += sizeof(block))
			status = exchange_put(exchange, block, sizeof(block));
		if (!status)
			status = exchange_end(exchange);
		atomic_store(&bench->stream_status, status);
		atomic_fetch_add(&bench->streams, 1);
	} else if (!strcmp(path, "/upload")) {
		take_upload(bench, exchange);
	} else if (!strcmp(path, "/nothing")) {
		/* a handler that forgets to answer */
	} else {
		exchange_problem(exchange, REASON_NOT_FOUND, NULL);
	}
}

static size_t client_bytes(void *ctx, const uint8_t *bytes, size_t len)
{
	struct bench *bench = ctx;
	if (buf_len(&bench->got) + len < 65536)
		assert_int_equal(buf_append(&bench->got, bytes, len), 0);
	bench->total += len;
	return len;
}

static void client_room(void *ctx)
{
	(void)ctx;
}

static void client_closed(void *ctx, int reason)
{
	(void)reason;
	((struct bench *)ctx)->closed = 1;
}

static const struct conn_events client_events = {
	client_bytes, client_room, client_closed};

static struct bench *bench_new(void)
{
	struct bench *bench = calloc(1, sizeof(*bench));
	struct conn *inner;
	assert_non_null(bench);
	bench->settings = (struct http_server_settings){20000, 20000, 20000, 20000, 10};
	atomic_store(&bench->stream_status, 1);
	buf_init(&bench->got, 1 << 20);
	assert_int_equal(worker_new("test", &bench->worker), 0);
	assert_int_equal(office_new(2, 8, &bench->office), 0);
	assert_int_equal(http_server_new(bench->worker, bench->office, &bench->settings,
				 handle, bench, &bench->server),
		0);
	assert_int_equal(conn_mem_pair(bench->worker, bench->worker, "192.0.2.9",
				 &bench->client, &inner),
		0);
	conn_listen(bench->client, &client_events, bench);
	http_server_accept(bench->server, inner);
	return bench;
}

/* Turns of the loop until the condition holds; a bound on time only for when it never does. */
#define UNTIL(bench, condition)                                                          \
	do {                                                                             \
		int64_t end_ = clock_mono_ms() + 20000;                                  \
		while (!(condition) && clock_mono_ms() < end_)                           \
			turn(bench);                                                     \
		assert_true(condition);                                                  \
	} while (0)

static void turn(struct bench *bench)
{
	worker_turn(bench->worker, 5);
}

static void send_text(struct bench *bench, const char *text)
{
	assert_int_equal(conn_write(bench->client, (const uint8_t *)text, strlen(text)),
		0);
}

static int has(struct bench *bench, const char *text)
{
	return buf_len(&bench->got) && memmem(buf_head(&bench->got), buf_len(&bench->got),
					       text, strlen(text)) != NULL;
}

static void bench_free(struct bench *bench)
{
	http_server_stop(bench->server, HTTP_SERVER_NOW);
	if (!bench->closed) {
		conn_close(bench->client, REASON_LEG_CLOSED, CONN_DROP);
		UNTIL(bench, bench->closed);
	}
	for (int i = 0; i < 5; i++)
		turn(bench);
	office_free(bench->office);
	worker_free(bench->worker);
	http_server_free(bench->server);
	buf_done(&bench->got);
	free(bench);
}

static void one_after_the_other_in_order(void **state)
{
	(void)state;
	struct bench *bench = bench_new();
	send_text(bench, "POST /echo HTTP/1.1\r\nHost: h\r\nContent-Length: 3\r\n\r\none"
			 "POST /echo HTTP/1.1\r\nHost: h\r\nContent-Length: 3\r\n\r\ntwo"
			 "GET /none HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n");
	UNTIL(bench, bench->closed);
	assert_int_equal(buf_append(&bench->got, "", 1), 0);
	const char *text = (const char *)buf_head(&bench->got);
	const char *one = strstr(text, "\r\n\r\none"), *two = strstr(text, "\r\n\r\ntwo");
	const char *none = strstr(text, "HTTP/1.1 404 Not Found");
	assert_true(one && two && none && one < two && two < none);
	assert_non_null(strstr(none, "Connection: close"));
	bench_free(bench);
}

static void forgotten_answers_are_our_mistake(void **state)
{
	(void)state;
	struct bench *bench = bench_new();
	send_text(bench, "GET /nothing HTTP/1.1\r\nHost: h\r\n\r\n");
	UNTIL(bench, has(bench, "HTTP/1.1 500") && has(bench, "INTERNAL"));
	bench_free(bench);
}

static void malformed_is_answered_and_closed(void **state)
{
	(void)state;
	struct bench *bench = bench_new();
	send_text(bench,
		"GET /echo HTTP/1.1\nHost: h\n\nGET /echo HTTP/1.1\r\nHost: h\r\n\r\n");
	UNTIL(bench, bench->closed);
	assert_true(has(bench, "HTTP/1.1 400 Bad Request"));
	assert_false(has(bench, "200"));
	bench_free(bench);
}

static void a_slow_reader_holds_little_and_gets_all(void **state)
{
	(void)state;
	struct bench *bench = bench_new();
	send_text(bench, "GET /stream HTTP/1.1\r\nHost: h\r\n\r\n");
	UNTIL(bench, bench->total > 1000);
	conn_pause(bench->client);
	size_t before = bench->total;
	for (int i = 0; i < 40; i++)
		turn(bench);
	assert_int_equal(atomic_load(&bench->streams), 0); /* the handler waits */
	assert_true(bench->total - before < STREAM_BYTES / 2);
	conn_resume(bench->client);
	UNTIL(bench, atomic_load(&bench->streams) == 1);
	assert_int_equal(atomic_load(&bench->stream_status), 0);
	UNTIL(bench, bench->total > STREAM_BYTES);
	bench_free(bench);
}

static void who_leaves_frees_the_office_thread(void **state)
{
	(void)state;
	struct bench *bench = bench_new();
	send_text(bench, "GET /stream HTTP/1.1\r\nHost: h\r\n\r\n");
	UNTIL(bench, bench->total > 1000);
	conn_pause(bench->client);
	turn(bench);
	conn_mem_cut(bench->client);
	UNTIL(bench, atomic_load(&bench->streams) == 1);
	assert_int_equal(atomic_load(&bench->stream_status), -REASON_LEG_CLOSED);
	bench_free(bench);
}

static void begin_upload(struct bench *bench, const char *path, size_t len,
	const char *more)
{
	char head[200];
	snprintf(head, sizeof(head),
		"POST %s HTTP/1.1\r\nHost: h\r\n%sContent-Length: %zu\r\n\r\n", path,
		more, len);
	send_text(bench, head);
}

/* As fast as it is taken; gives up when nothing more is. */
static size_t send_upload(struct bench *bench, size_t from, size_t to)
{
	char piece[5000];
	int64_t end_ms = clock_mono_ms() + 20000;
	while (from < to && !bench->closed && clock_mono_ms() < end_ms) {
		size_t len = to - from < sizeof(piece) ? to - from : sizeof(piece);
		for (size_t i = 0; i < len; i++)
			piece[i] = byte_at(from + i);
		if (!conn_full(bench->client)) {
			assert_int_equal(conn_write(bench->client, (const uint8_t *)piece,
						 len),
				0);
			from += len;
		}
		turn(bench);
	}
	return from;
}

#define UPLOAD ((size_t)1000001)

static void an_upload_comes_as_it_is_read(void **state)
{
	(void)state;
	struct bench *bench = bench_new();
	begin_upload(bench, "/upload", UPLOAD, "");
	assert_int_equal(send_upload(bench, 0, UPLOAD), UPLOAD);
	/* What follows at once is another request. */
	send_text(bench,
		"POST /echo HTTP/1.1\r\nHost: h\r\nContent-Length: 3\r\n\r\ntwo");
	UNTIL(bench, has(bench, "\r\n\r\ntwo"));
	assert_true(has(bench, "\r\n\r\nall"));
	assert_int_equal(atomic_load(&bench->uploaded), UPLOAD);
	assert_int_equal(atomic_load(&bench->wrong), 0);
	bench_free(bench);
}

static void whoever_asks_is_told_when_to_send(void **state)
{
	(void)state;
	struct bench *bench = bench_new();
	begin_upload(bench, "/upload", UPLOAD, "Expect: 100-continue\r\n");
	UNTIL(bench, has(bench, "HTTP/1.1 100 Continue"));
	assert_int_equal(send_upload(bench, 0, UPLOAD), UPLOAD);
	UNTIL(bench, has(bench, "\r\n\r\nall"));
	assert_int_equal(atomic_load(&bench->wrong), 0);
	bench_free(bench);
	bench = bench_new();
	begin_upload(bench, "/none", UPLOAD, "Expect: 100-continue\r\n");
	UNTIL(bench, bench->closed);
	assert_true(has(bench, "404"));
	assert_false(has(bench, "100 Continue"));
	bench_free(bench);
}

static void an_unwanted_upload_loses_no_answer(void **state)
{
	(void)state;
	struct bench *bench = bench_new();
	begin_upload(bench, "/none", UPLOAD, "");
	assert_int_equal(send_upload(bench, 0, UPLOAD), UPLOAD);
	send_text(bench,
		"POST /echo HTTP/1.1\r\nHost: h\r\nContent-Length: 3\r\n\r\ntwo");
	UNTIL(bench, has(bench, "\r\n\r\ntwo"));
	assert_true(has(bench, "HTTP/1.1 404"));
	assert_int_equal(atomic_load(&bench->uploaded), 0);
	bench_free(bench);
}

static void half_an_upload_ends(void **state)
{
	(void)state;
	struct bench *bench = bench_new();
	begin_upload(bench, "/upload", UPLOAD, "");
	assert_int_equal(send_upload(bench, 0, UPLOAD / 2), UPLOAD / 2);
	conn_mem_cut(bench->client);
	UNTIL(bench, atomic_load(&bench->upload_status));
	assert_int_equal(atomic_load(&bench->upload_status), -REASON_LEG_CLOSED);
	bench_free(bench);
	bench = bench_new();
	bench->settings.body_ms = 200;
	http_server_set(bench->server, &bench->settings);
	begin_upload(bench, "/upload", UPLOAD, "");
	assert_int_equal(send_upload(bench, 0, 1000), 1000);
	UNTIL(bench, bench->closed);
	UNTIL(bench, atomic_load(&bench->upload_status));
	bench_free(bench);
}

static void too_many_connections_are_closed(void **state)
{
	(void)state;
	struct bench *bench = bench_new();
	struct http_server_settings settings = bench->settings;
	struct conn *client, *inner;
	struct bench other = {0};
	settings.connections = 1;
	http_server_set(bench->server, &settings);
	buf_init(&other.got, 1000);
	assert_int_equal(conn_mem_pair(bench->worker, bench->worker, "192.0.2.8", &client,
				 &inner),
		0);
	conn_listen(client, &client_events, &other);
	http_server_accept(bench->server, inner);
	UNTIL(bench, other.closed);
	assert_false(bench->closed);
	bench_free(bench);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(one_after_the_other_in_order),
		cmocka_unit_test(forgotten_answers_are_our_mistake),
		cmocka_unit_test(malformed_is_answered_and_closed),
		cmocka_unit_test(a_slow_reader_holds_little_and_gets_all),
		cmocka_unit_test(who_leaves_frees_the_office_thread),
		cmocka_unit_test(an_upload_comes_as_it_is_read),
		cmocka_unit_test(whoever_asks_is_told_when_to_send),
		cmocka_unit_test(an_unwanted_upload_loses_no_answer),
		cmocka_unit_test(half_an_upload_ends),
		cmocka_unit_test(too_many_connections_are_closed),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
