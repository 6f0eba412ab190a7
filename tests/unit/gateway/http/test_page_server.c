/* The public port's pages over memory connections: files, the way into a leg, and what is refused. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/reason.h"
#include "http/page_server.h"
#include "net/conn.h"
#include "net/conn_mem.h"
#include "net/worker.h"

static const char page[] = "<!doctype html>";
static const struct assets_file files[] = {
	{"/", "text/html; charset=utf-8", "0123456789abcdef01234567", ASSETS_ASK,
		{{(const uint8_t *)page, sizeof(page) - 1}}}};
static const struct assets assets = {files, 1, "default-src 'none'"};
static const char *const origins[] = {"https://remote.example.co.jp"};
static const struct page_server_settings settings = {.assets = &assets,
	.leg_path = "/v1/leg",
	.rules = {"engawa.1", origins, 1},
	.idle_ms = 60000,
	.whole_ms = 60000};

struct bench {
	struct worker *worker;
	struct page_server *server;
	struct conn *client, *upgraded;
	struct buf got, leg;
	int client_closed, closed, reason;
};

static size_t client_bytes(void *ctx, const uint8_t *bytes, size_t len)
{
	struct bench *bench = ctx;
	assert_int_equal(buf_append(&bench->got, bytes, len), 0);
	return len;
}

static void client_over(void *ctx, int reason)
{
	struct bench *bench = ctx;
	(void)reason;
	bench->client_closed = 1;
	bench->client = NULL;
}

static void no_room(void *ctx)
{
	(void)ctx;
}

static const struct conn_events client_events = {client_bytes, no_room, client_over};

static size_t leg_bytes(void *ctx, const uint8_t *bytes, size_t len)
{
	struct bench *bench = ctx;
	assert_int_equal(buf_append(&bench->leg, bytes, len), 0);
	return len;
}

static void leg_over(void *ctx, int reason)
{
	(void)reason;
	((struct bench *)ctx)->upgraded = NULL;
}

static const struct conn_events leg_events = {leg_bytes, no_room, leg_over};

static void on_upgraded(void *ctx, struct conn *conn)
{
	struct bench *bench = ctx;
	bench->upgraded = conn;
	conn_listen(conn, &leg_events, bench);
}

static void on_gone(void *ctx, const char *address, int reason)
{
	struct bench *bench = ctx;
	assert_string_equal(address, "192.0.2.7");
	bench->closed++;
	bench->reason = reason;
}

static const struct page_server_events events = {on_upgraded, on_gone};

static void turns(struct bench *bench)
{
	for (int i = 0; i < 20; i++)
		worker_turn(bench->worker, 0);
}

static struct bench *open_with(const struct page_server_settings *with)
{
	struct bench *bench = calloc(1, sizeof(*bench));
	struct conn *served;
	buf_init(&bench->got, 1 << 20);
	buf_init(&bench->leg, 1 << 20);
	assert_int_equal(worker_new("test", &bench->worker), 0);
	assert_int_equal(page_server_new(bench->worker, with, &events, bench,
				 &bench->server),
		0);
	assert_int_equal(conn_mem_pair(bench->worker, bench->worker, "192.0.2.7",
				 &bench->client, &served),
		0);
	conn_listen(bench->client, &client_events, bench);
	page_server_accept(bench->server, served);
	return bench;
}

static void shut(struct bench *bench)
{
	if (bench->client)
		conn_close(bench->client, REASON_LEG_CLOSED, CONN_DROP);
	if (bench->upgraded)
		conn_close(bench->upgraded, REASON_LEG_CLOSED, CONN_DROP);
	turns(bench);
	page_server_stop(bench->server);
	turns(bench);
	page_server_free(bench->server);
	worker_free(bench->worker);
	buf_done(&bench->got);
	buf_done(&bench->leg);
	free(bench);
}

static void say(struct bench *bench, const char *text)
{
	assert_int_equal(conn_write(bench->client, (const uint8_t *)text, strlen(text)),
		0);
	turns(bench);
}

static void expect(struct bench *bench, const char *text)
{
	char got[8192];
	size_t len = buf_len(&bench->got);
	assert_true(len < sizeof(got));
	memcpy(got, buf_head(&bench->got), len);
	got[len] = '\0';
	if (!strstr(got, text))
		fail_msg("no \"%s\" in:\n%s", text, got);
}

static void files_are_answered_one_after_the_other(void **state)
{
	struct bench *bench = open_with(&settings);
	(void)state;
	say(bench, "GET / HTTP/1.1\r\nHost: gw\r\n\r\nHEAD / HTTP/1.1\r\nHost: gw\r\n\r\n"
		   "GET /none HTTP/1.1\r\nHost: gw\r\n\r\n");
	expect(bench, "HTTP/1.1 200 OK\r\n");
	expect(bench, "\r\n\r\n<!doctype html>HTTP/1.1 200 OK");
	expect(bench, "HTTP/1.1 404 ");
	assert_int_equal(bench->client_closed + bench->closed, 0);
	conn_close(bench->client, REASON_LEG_CLOSED, CONN_DROP);
	turns(bench);
	assert_int_equal(bench->closed, 1);
	shut(bench);
}

#define UPGRADE(origin)                                                                  \
	"GET /v1/leg HTTP/1.1\r\nHost: gw.example:7443\r\nConnection: keep-alive, "      \
	"Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"                 \
	"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"                                \
	"Sec-WebSocket-Protocol: other, engawa.1\r\n" origin "\r\n"

static void a_page_of_ours_gets_a_leg(void **state)
{
	static const char *const good[] = {"Origin: https://gw.example:7443\r\n",
		"Origin: https://remote.example.co.jp\r\n"};
	char text[1024];
	(void)state;
	for (size_t i = 0; i < 2; i++) {
		struct bench *bench = open_with(&settings);
		snprintf(text, sizeof(text), UPGRADE("%s"), good[i]);
		say(bench, text);
		expect(bench, "HTTP/1.1 101 Switching Protocols\r\n");
		/* The known answer of RFC 6455 section 1.3. */
		expect(bench, "Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n");
		expect(bench, "Sec-WebSocket-Protocol: engawa.1\r\n");
		assert_non_null(bench->upgraded);
		say(bench, "frames");
		assert_int_equal(buf_len(&bench->leg), 6);
		assert_int_equal(bench->closed, 0);
		shut(bench);
	}
}

static void others_do_not(void **state)
{
	static const struct {
		const char *text, *status;
	} tries[] = {
		{UPGRADE("Origin: https://evil.example\r\n"), "HTTP/1.1 403 "},
		{UPGRADE("Origin: http://gw.example:7443\r\n"), "HTTP/1.1 403 "},
		{UPGRADE("Origin: null\r\n"), "HTTP/1.1 403 "},
		{UPGRADE(""), "HTTP/1.1 403 "},
		{"GET /v1/leg HTTP/1.1\r\nHost: gw\r\n\r\n", "HTTP/1.1 400 "},
		{"POST /v1/leg HTTP/1.1\r\nHost: gw\r\nContent-Length: 0\r\n\r\n",
			"HTTP/1.1 405 "},
		{"POST / HTTP/1.1\r\nHost: gw\r\nContent-Length: 3\r\n\r\nabc",
			"HTTP/1.1 413 "},
		{"GET /v1/leg HTTP/1.1\r\nHost: gw\r\nConnection: Upgrade\r\nUpgrade: "
		 "websocket\r\nSec-WebSocket-Version: 8\r\nSec-WebSocket-Key: "
		 "dGhlIHNhbXBsZSBub25jZQ==\r\nOrigin: https://gw\r\n\r\n",
			"HTTP/1.1 426 "},
		{"GET /v1/leg HTTP/1.1\r\nHost: gw\r\nConnection: Upgrade\r\nUpgrade: "
		 "websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: "
		 "short\r\nOrigin: https://gw\r\n\r\n",
			"HTTP/1.1 400 "},
		{"nonsense\r\n\r\n", "HTTP/1.1 400 "},
	};
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(tries); i++) {
		struct bench *bench = open_with(&settings);
		say(bench, tries[i].text);
		expect(bench, tries[i].status);
		assert_null(bench->upgraded);
		assert_int_equal(bench->closed, 1);
		shut(bench);
	}
}

static void who_is_silent_goes(void **state)
{
	struct page_server_settings hasty = settings;
	int64_t end_ms = clock_mono_ms() + 60000;
	(void)state;
	hasty.idle_ms = 20;
	struct bench *bench = open_with(&hasty);
	say(bench, "GET / HT");
	while (!bench->closed && clock_mono_ms() < end_ms)
		worker_turn(bench->worker, 10);
	assert_int_equal(bench->closed, 1);
	assert_int_equal(bench->reason, REASON_TIMEOUT);
	shut(bench);
}

/* Browsers open connections before they know what for, and keep them afterwards. */
static void who_asks_for_nothing_more_is_no_attacker(void **state)
{
	static const char *const said[] = {"", "GET / HTTP/1.1\r\nHost: gw\r\n\r\n"};
	struct page_server_settings hasty = settings;
	(void)state;
	hasty.idle_ms = 20;
	for (size_t i = 0; i < ARRAY_LEN(said); i++) {
		int64_t end_ms = clock_mono_ms() + 60000;
		struct bench *bench = open_with(&hasty);
		say(bench, said[i]);
		while (!bench->closed && clock_mono_ms() < end_ms)
			worker_turn(bench->worker, 10);
		assert_int_equal(bench->closed, 1);
		assert_int_equal(bench->reason, REASON_LEG_CLOSED);
		shut(bench);
	}
}

static void without_files_there_are_still_legs(void **state)
{
	struct page_server_settings bare = settings;
	(void)state;
	bare.assets = NULL;
	struct bench *bench = open_with(&bare);
	say(bench, "GET / HTTP/1.1\r\nHost: gw\r\n\r\n");
	expect(bench, "HTTP/1.1 404 ");
	shut(bench);
	bench = open_with(&bare);
	say(bench, UPGRADE("Origin: https://gw.example:7443\r\n"));
	assert_non_null(bench->upgraded);
	shut(bench);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(files_are_answered_one_after_the_other),
		cmocka_unit_test(a_page_of_ours_gets_a_leg),
		cmocka_unit_test(others_do_not),
		cmocka_unit_test(who_is_silent_goes),
		cmocka_unit_test(who_asks_for_nothing_more_is_no_attacker),
		cmocka_unit_test(without_files_there_are_still_legs),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
