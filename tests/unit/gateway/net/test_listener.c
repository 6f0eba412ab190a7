/* Ports, names, running out of descriptors, and what a TLS client gets that does not fit. */
#include <fcntl.h>
#include <netinet/in.h>
#include <openssl/ssl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/clock.h"
#include "base/reason.h"
#include "fakes/test_cert.h"
#include "fakes/tls_end.h"
#include "metrics/metrics.h"
#include "net/conn.h"
#include "net/listener.h"
#include "net/tls_ctx.h"
#include "net/worker.h"

#define PATIENCE_MS 30000
#define CONNS 64

struct rig {
	struct worker *worker;
	struct test_cert cert;
	struct tls_ctx *tls;
	struct listener *listener;
	struct listener_settings settings;
	struct conn *conns[CONNS];
	int natives, webs, fails, last_failure, refuse, closings, reason;
	char address[CONN_ADDRESS];
};

static size_t on_bytes(void *ctx, const uint8_t *bytes, size_t len)
{
	(void)ctx;
	(void)bytes;
	return len;
}

static void on_room(void *ctx)
{
	(void)ctx;
}

static void on_closed(void *ctx, int reason)
{
	struct rig *rig = ctx;
	rig->closings++;
	rig->reason = reason;
	rig->conns[0] = NULL;
}

static const struct conn_events conn_events = {on_bytes, on_room, on_closed};

static int on_admit(void *ctx, const char *address)
{
	struct rig *rig = ctx;
	(void)address;
	return rig->refuse ? -REASON_THROTTLED : 0;
}

static void on_native(void *ctx, struct conn *conn)
{
	struct rig *rig = ctx;
	assert_true(rig->natives < CONNS);
	rig->conns[rig->natives++] = conn;
	strcpy(rig->address, conn->address);
	conn_listen(conn, &conn_events, rig);
}

static void on_web(void *ctx, struct conn *conn)
{
	struct rig *rig = ctx;
	rig->webs++;
	conn_close(conn, REASON_LEG_CLOSED, CONN_DROP);
}

static void on_failed(void *ctx, const char *address, int reason)
{
	struct rig *rig = ctx;
	(void)address;
	rig->fails++;
	rig->last_failure = reason;
}

static const struct listener_events events = {on_admit, on_native, on_web, on_failed};

static int set_up(void **state)
{
	struct rig *rig = calloc(1, sizeof(*rig));
	char error[TLS_CTX_ERROR];
	assert_int_equal(worker_new("test", &rig->worker), 0);
	test_cert_new(&rig->cert, 5);
	assert_int_equal(tls_ctx_new(rig->cert.cert, rig->cert.key, TLS_OFFER_BOTH,
				 &rig->tls, error),
		0);
	rig->settings =
		(struct listener_settings){.tls = rig->tls, .handshake_ms = PATIENCE_MS};
	*state = rig;
	return 0;
}

static int open_at(struct rig *rig, const char *host, uint16_t port, char *error)
{
	struct text_endpoint endpoint = {.port = port};
	strcpy(endpoint.host, host);
	int rc = listener_new(&endpoint, &rig->worker, 1, &rig->settings, &events, rig,
		&rig->listener, error);
	if (!rc)
		listener_start(rig->listener);
	return rc;
}

static uint16_t open_any(struct rig *rig)
{
	char error[LISTENER_ERROR];
	assert_int_equal(open_at(rig, "127.0.0.1", 0, error), 0);
	return listener_port(rig->listener);
}

static int tear_down(void **state)
{
	struct rig *rig = *state;
	for (int i = 0; i < rig->natives; i++)
		if (rig->conns[i])
			conn_close(rig->conns[i], REASON_LEG_CLOSED, CONN_DROP);
	if (rig->listener)
		listener_stop(rig->listener);
	for (int i = 0; i < 20; i++)
		worker_turn(rig->worker, 1);
	listener_free(rig->listener);
	worker_free(rig->worker);
	tls_ctx_free(rig->tls);
	test_cert_done(&rig->cert);
	free(rig);
	return 0;
}

#define UNTIL(rig, end, condition)                                                       \
	do {                                                                             \
		int64_t until_ms = clock_mono_ms() + PATIENCE_MS;                        \
		while (!(condition) && clock_mono_ms() < until_ms) {                     \
			worker_turn((rig)->worker, 1);                                   \
			tls_end_pump(end);                                               \
		}                                                                        \
		assert_true(condition);                                                  \
	} while (0)

static void port_zero_is_a_real_port_and_nobody_else_gets_it(void **state)
{
	struct rig *rig = *state, twin = *rig;
	char error[LISTENER_ERROR] = "";
	uint16_t port = open_any(rig);
	assert_true(port > 0);
	assert_int_equal(open_at(&twin, "127.0.0.1", port, error), -REASON_PORT_TAKEN);
	assert_non_null(strstr(error, "127.0.0.1:"));
	assert_int_equal(open_at(&twin, "no.such.name.invalid", port, error),
		-REASON_CONFIG);
}

static void alpn_decides_who_gets_it(void **state)
{
	struct rig *rig = *state;
	struct tls_end end;
	uint16_t port = open_any(rig);
	tls_end_dial(&end, port, "engawa/1");
	UNTIL(rig, &end, rig->natives == 1 && end.ready);
	assert_string_equal(rig->address, "127.0.0.1");
	tls_end_done(&end);
	tls_end_dial(&end, port, "http/1.1");
	UNTIL(rig, &end, rig->webs == 1);
	tls_end_done(&end);
	tls_end_dial(&end, port, "h2");
	UNTIL(rig, &end, rig->fails == 1 && end.lost);
	assert_int_equal(rig->last_failure, REASON_TLS_FAILED);
	tls_end_done(&end);
	tls_end_dial(&end, port, NULL);
	UNTIL(rig, &end, rig->fails == 2);
	assert_int_equal(rig->last_failure, REASON_PROTOCOL);
	tls_end_done(&end);
}

static void older_tls_and_noise_fail(void **state)
{
	struct rig *rig = *state;
	struct tls_end end;
	uint16_t port = open_any(rig);
	tls_end_dial(&end, port, "engawa/1");
	SSL_set_max_proto_version(end.ssl, TLS1_2_VERSION);
	UNTIL(rig, &end, rig->fails == 1);
	assert_int_equal(rig->last_failure, REASON_TLS_FAILED);
	tls_end_done(&end);
	tls_end_dial(&end, port, "engawa/1");
	assert_int_equal(write(end.fd, "GET / HTTP/1.0\r\n\r\n", 18), 18);
	UNTIL(rig, &end, rig->fails == 2);
	assert_int_equal(rig->last_failure, REASON_TLS_FAILED);
	tls_end_done(&end);
}

static void a_handshake_has_a_deadline(void **state)
{
	struct rig *rig = *state;
	struct tls_end end;
	rig->settings.handshake_ms = 50;
	uint16_t port = open_any(rig);
	tls_end_dial(&end, port, "engawa/1");
	int64_t until_ms = clock_mono_ms() + PATIENCE_MS;
	while (!rig->fails && clock_mono_ms() < until_ms)
		worker_turn(rig->worker, 10);
	assert_int_equal(rig->last_failure, REASON_TIMEOUT);
	tls_end_done(&end);
}

static void who_may_not_in_sees_no_tls(void **state)
{
	struct rig *rig = *state;
	struct tls_end end;
	uint16_t port = open_any(rig);
	rig->refuse = 1;
	tls_end_dial(&end, port, "engawa/1");
	UNTIL(rig, &end, end.lost);
	assert_int_equal(rig->natives + rig->fails, 0);
	tls_end_done(&end);
}

static const char header[] =
	"\r\n\r\n\0\r\nQUIT\n\x21\x11\x00\x0c\xc0\x00\x02\x07\x0a\x00\x00\x01"
	"\x12\x34\x1d\x13";

static void only_listed_proxies_may_name_another_address(void **state)
{
	struct rig *rig = *state;
	struct tls_end end;
	static const char *const proxies[] = {"127.0.0.9"};
	rig->settings.proxies = proxies;
	rig->settings.proxy_count = 1;
	uint16_t port = open_any(rig);
	tls_end_dial_from(&end, "127.0.0.9", port, "engawa/1");
	/* In two parts, and the handshake right behind it. */
	assert_int_equal(write(end.fd, header, 10), 10);
	for (int i = 0; i < 5; i++)
		worker_turn(rig->worker, 1);
	assert_int_equal(write(end.fd, header + 10, sizeof(header) - 11),
		sizeof(header) - 11);
	UNTIL(rig, &end, rig->natives == 1);
	assert_string_equal(rig->address, "192.0.2.7");
	tls_end_done(&end);
	tls_end_dial_from(&end, "127.0.0.8", port, "engawa/1");
	assert_int_equal(write(end.fd, header, sizeof(header) - 1), sizeof(header) - 1);
	UNTIL(rig, &end, rig->fails == 1);
	assert_int_equal(rig->natives, 1);
	tls_end_done(&end);
}

/* Without descriptors: no spin, the live connection goes on, and it recovers. */
static void it_survives_running_out_of_descriptors(void **state)
{
	struct rig *rig = *state;
	struct tls_end end, more[8];
	struct rlimit before, none;
	uint16_t port = open_any(rig);
	tls_end_dial(&end, port, "engawa/1");
	UNTIL(rig, &end, rig->natives == 1 && end.ready);
	for (int i = 0; i < 8; i++)
		tls_end_dial(&more[i], port, "engawa/1");
	int highest = dup(0);
	close(highest);
	getrlimit(RLIMIT_NOFILE, &before);
	none = before;
	none.rlim_cur = (rlim_t)highest;
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &none), 0);
	int64_t rests = metrics_value(METRIC_ACCEPT_RESTS);
	int64_t rest_until_ms = clock_mono_ms() + 350;
	int turns = 0;
	while (clock_mono_ms() < rest_until_ms) {
		worker_turn(rig->worker, 50);
		turns++;
	}
	setrlimit(RLIMIT_NOFILE, &before);
	assert_true(metrics_value(METRIC_ACCEPT_RESTS) > rests);
	assert_true(turns < 100); /* it rested, it did not spin */
	assert_int_equal(conn_write(rig->conns[0], (const uint8_t *)"alive", 5), 0);
	UNTIL(rig, &end, buf_len(&end.in) == 5);
	for (int i = 0; i < 8; i++)
		tls_end_done(&more[i]);
	tls_end_dial(&more[0], port, "engawa/1");
	UNTIL(rig, &more[0], more[0].ready);
	tls_end_done(&more[0]);
	tls_end_done(&end);
}

/* A peer that renews its keys without end costs CPU and carries nothing. */
static void a_flood_of_key_updates_ends_the_connection(void **state)
{
	struct rig *rig = *state;
	struct tls_end end;
	uint16_t port = open_any(rig);
	tls_end_dial(&end, port, "engawa/1");
	UNTIL(rig, &end, rig->natives == 1 && end.ready);
	for (int i = 0; i < 10; i++) {
		SSL_key_update(end.ssl, SSL_KEY_UPDATE_NOT_REQUESTED);
		tls_end_send(&end, "x", 1);
		UNTIL(rig, &end,
			rig->conns[0] && rig->conns[0]->bytes_in == (uint64_t)i + 1);
	}
	for (int i = 0; i < 300 && !rig->closings; i++) {
		SSL_key_update(end.ssl, SSL_KEY_UPDATE_NOT_REQUESTED);
		tls_end_send(&end, "x", 1);
		tls_end_pump(&end);
		worker_turn(rig->worker, 1);
	}
	UNTIL(rig, &end, rig->closings == 1);
	assert_int_equal(rig->reason, REASON_PROTOCOL);
	tls_end_done(&end);
}

static void both_families_are_served_by_one_address(void **state)
{
	struct rig *rig = *state;
	struct tls_end end;
	char error[LISTENER_ERROR];
	int rc = open_at(rig, "::", 0, error);
	if (rc) { /* a machine without IPv6 */
		print_message("no IPv6 here: %s\n", error);
		return;
	}
	tls_end_dial(&end, listener_port(rig->listener), "engawa/1");
	UNTIL(rig, &end, rig->natives == 1);
	assert_string_equal(rig->address, "127.0.0.1");
	tls_end_done(&end);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(port_zero_is_a_real_port_and_nobody_else_gets_it),
		TEST(alpn_decides_who_gets_it),
		TEST(older_tls_and_noise_fail),
		TEST(a_handshake_has_a_deadline),
		TEST(who_may_not_in_sees_no_tls),
		TEST(only_listed_proxies_may_name_another_address),
		TEST(it_survives_running_out_of_descriptors),
		TEST(a_flood_of_key_updates_ends_the_connection),
		TEST(both_families_are_served_by_one_address),
	};
	signal(SIGPIPE, SIG_IGN);
	cmocka_set_test_filter(getenv("ENGAWA_TEST_ONLY"));
	return cmocka_run_group_tests(tests, NULL, NULL);
}
