/* Who is a node of the cluster, over real handshakes: what one certificate after the other leads to, at both
 * sides. */
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/reason.h"
#include "fakes/test_cluster.h"
#include "fakes/tls_end.h"
#include "metrics/metrics.h"
#include "net/conn.h"
#include "net/conn_tls.h"
#include "net/dialer.h"
#include "net/listener.h"
#include "net/peer_trust.h"
#include "net/resolver.h"
#include "net/tls_ctx.h"
#include "net/worker.h"

#define PATIENCE_MS 60000
#define GOOD "serverAuth,clientAuth"

static struct rig {
	struct worker *worker;
	struct test_cluster cluster;
	struct test_cert cert; /* of node-b, which listens */
	struct tls_ctx *tls;
	struct listener *listener;
	struct resolver *resolver;
	struct conn *accepted, *dialled, *native;
	int failed, dial_over, dial_reason, ended;
	char address[64];
} rig;

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
	struct conn **conn = ctx;
	*conn = NULL;
	rig.ended = reason;
}

static const struct conn_events events = {on_bytes, on_room, on_closed};

static void on_peer(void *ctx, struct conn *conn)
{
	(void)ctx;
	rig.accepted = conn;
	conn_listen(conn, &events, &rig.accepted);
}

static void on_native(void *ctx, struct conn *conn)
{
	(void)ctx;
	rig.native = conn;
	conn_listen(conn, &events, &rig.native);
}

static void on_failed(void *ctx, const char *address, int reason)
{
	(void)ctx;
	assert_string_equal(address, "127.0.0.1");
	rig.failed = reason;
}

static void on_dialled(void *ctx, struct conn *conn, int reason)
{
	(void)ctx;
	rig.dial_over = 1;
	rig.dial_reason = reason;
	rig.dialled = conn;
	if (conn)
		conn_listen(conn, &events, &rig.dialled);
}

#define UNTIL(condition)                                                                 \
	do {                                                                             \
		int64_t end_ms = clock_mono_ms() + PATIENCE_MS;                          \
		while (!(condition) && clock_mono_ms() < end_ms)                         \
			worker_turn(rig.worker, 1);                                      \
		assert_true(condition);                                                  \
	} while (0)

static struct tls_ctx *tls_of(const struct test_cluster *cluster,
	const struct test_cert *cert)
{
	char error[TLS_CTX_ERROR];
	struct tls_ctx *tls;
	assert_int_equal(tls_ctx_new(cert->cert, cert->key, TLS_OFFER_BOTH, &tls, error),
		0);
	assert_int_equal(tls_ctx_trust_peers(tls, cluster->ca, cluster->revoked, error),
		0);
	return tls;
}

static int set_up(void **state)
{
	char error[LISTENER_ERROR];
	struct text_endpoint endpoint = {"127.0.0.1", 0};
	const struct listener_events listening = {
		.native = on_native, .peer = on_peer, .failed = on_failed};
	(void)state;
	signal(SIGPIPE, SIG_IGN);
	log_open("test", 2, LOG_TEXT, getenv("ENGAWA_TEST_LOG") ? LOG_DEBUG : LOG_ERROR);
	memset(&rig, 0, sizeof(rig));
	assert_int_equal(worker_new("test", &rig.worker), 0);
	assert_int_equal(resolver_new(&rig.resolver), 0);
	test_cluster_new(&rig.cluster);
	test_cluster_node(&rig.cluster, "node-b", &rig.cert);
	rig.tls = tls_of(&rig.cluster, &rig.cert);
	struct listener_settings settings = {.tls = rig.tls, .handshake_ms = PATIENCE_MS};
	assert_int_equal(listener_new(&endpoint, &rig.worker, 1, &settings, &listening,
				 NULL, &rig.listener, error),
		0);
	listener_start(rig.listener);
	snprintf(rig.address, sizeof(rig.address), "127.0.0.1:%u",
		listener_port(rig.listener));
	return 0;
}

static void part(void)
{
	if (rig.dialled)
		conn_close(rig.dialled, REASON_LEG_CLOSED, CONN_DROP);
	if (rig.accepted)
		conn_close(rig.accepted, REASON_LEG_CLOSED, CONN_DROP);
	if (rig.native)
		conn_close(rig.native, REASON_LEG_CLOSED, CONN_DROP);
	UNTIL(!rig.dialled && !rig.accepted && !rig.native);
}

static int tear_down(void **state)
{
	(void)state;
	part();
	listener_stop(rig.listener);
	for (int i = 0; i < 10; i++)
		worker_turn(rig.worker, 1);
	listener_free(rig.listener);
	resolver_free(rig.resolver);
	worker_free(rig.worker);
	tls_ctx_free(rig.tls);
	test_cert_done(&rig.cert);
	test_cluster_done(&rig.cluster);
	return 0;
}

static struct dial *dial(struct tls_ctx *tls, const char *address, const char *node)
{
	struct dialer dialer = {rig.worker, rig.resolver, tls};
	struct dial *dial;
	rig.dial_over = rig.dial_reason = rig.failed = rig.ended = 0;
	assert_int_equal(dialer_begin(&dialer, address, node, PATIENCE_MS, on_dialled,
				 NULL, &dial),
		0);
	return dial;
}

static void a_node_is_welcome_and_both_know_whom_they_talk_to(void **state)
{
	struct test_cert cert;
	(void)state;
	test_cluster_node(&rig.cluster, "node-a", &cert);
	struct tls_ctx *tls = tls_of(&rig.cluster, &cert);
	assert_true(tls_ctx_is_marked(tls));
	dial(tls, rig.address, "node-b");
	UNTIL(rig.dial_over && rig.accepted);
	assert_non_null(rig.dialled);
	assert_string_equal(conn_tls_node(rig.dialled), "node-b");
	assert_string_equal(conn_tls_node(rig.accepted), "node-a");
	part();
	tls_ctx_free(tls);
	test_cert_done(&cert);
}

/* Which certificate, and that the other side says no to it. */
static void refused(const struct test_cluster *cluster, const struct test_cert *cert)
{
	int64_t before = metrics_value(METRIC_PEERS_REFUSED);
	/* It trusts the other side, whatever its own certificate is worth. */
	struct tls_ctx *tls = tls_of(&rig.cluster, cert);
	(void)cluster;
	dial(tls, rig.address, "node-b");
	UNTIL(rig.failed);
	assert_int_equal(rig.failed, REASON_PEER_UNTRUSTED);
	assert_null(rig.accepted);
	assert_int_equal(metrics_value(METRIC_PEERS_REFUSED), before + 1);
	/* In TLS 1.3 the client is ready before it is judged; then the alert comes. */
	UNTIL(rig.dial_over && !rig.dialled);
	assert_true(rig.dial_reason == REASON_TLS_FAILED ||
		    rig.ended == REASON_TLS_FAILED);
	tls_ctx_free(tls);
}

static void what_is_signed_but_no_node_is_refused(void **state)
{
	static const struct {
		const char *names, *usage;
	} certificates[] = {
		{"IP:127.0.0.1,DNS:node-a", GOOD},
		{"IP:127.0.0.1,DNS:engawa-node.node-a", GOOD},
		{"URI:engawa-node:", GOOD},
		{"URI:engawa-nodes:node-a", GOOD},
		{"URI:engawa-node:no de", GOOD},
		{NULL, GOOD},
		{"URI:engawa-node:node-a", "clientAuth"},
		{"URI:engawa-node:node-a", NULL},
	};
	struct test_cert cert;
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(certificates); i++) {
		test_cluster_issue(&rig.cluster, certificates[i].names,
			certificates[i].usage, &cert);
		refused(&rig.cluster, &cert);
		test_cert_done(&cert);
	}
}

static void a_server_certificate_is_no_node(void **state)
{
	struct test_cert cert;
	(void)state;
	test_cluster_issue(&rig.cluster, "URI:engawa-node:node-a", "serverAuth", &cert);
	refused(&rig.cluster, &cert);
	test_cert_done(&cert);
}

static void a_foreign_ca_is_refused_at_both_sides(void **state)
{
	struct test_cluster other;
	struct test_cert cert;
	(void)state;
	test_cluster_new(&other);
	test_cluster_node(&other, "node-a", &cert);
	refused(&other, &cert);
	/* The one who dials finds a stranger. */
	struct tls_ctx *tls = tls_of(&other, &cert);
	dial(tls, rig.address, "node-b");
	UNTIL(rig.dial_over && rig.failed);
	assert_null(rig.dialled);
	assert_int_equal(rig.dial_reason, REASON_PEER_UNTRUSTED);
	tls_ctx_free(tls);
	test_cert_done(&cert);
	test_cluster_done(&other);
}

static void no_certificate_is_refused_and_ends_are_asked_for_none(void **state)
{
	struct tls_end end = {0};
	uint16_t port = listener_port(rig.listener);
	int64_t before = metrics_value(METRIC_PEERS_REFUSED);
	(void)state;
	tls_end_dial(&end, port, "engawa-peer/1");
	UNTIL((tls_end_pump(&end), rig.failed));
	assert_int_equal(rig.failed, REASON_PEER_UNTRUSTED);
	assert_int_equal(metrics_value(METRIC_PEERS_REFUSED), before + 1);
	tls_end_done(&end);
	memset(&end, 0, sizeof(end));
	tls_end_dial(&end, port, "engawa/1");
	UNTIL((tls_end_pump(&end), rig.native && end.ready));
	tls_end_done(&end);
	UNTIL(!rig.native);
}

static void a_revoked_certificate_is_refused_from_the_next_reading_on(void **state)
{
	char error[TLS_CTX_ERROR];
	struct test_cert cert, other;
	(void)state;
	test_cluster_node(&rig.cluster, "node-a", &cert);
	test_cluster_node(&rig.cluster, "node-a", &other);
	struct tls_ctx *tls = tls_of(&rig.cluster, &cert);
	dial(tls, rig.address, "node-b");
	UNTIL(rig.dial_over && rig.accepted);
	part();
	test_cluster_revoke(&rig.cluster, &cert);
	assert_int_equal(tls_ctx_reload(rig.tls, error), 0);
	refused(&rig.cluster, &cert);
	tls_ctx_free(tls);
	/* The node's next certificate is not meant. */
	tls = tls_of(&rig.cluster, &other);
	dial(tls, rig.address, "node-b");
	UNTIL(rig.dial_over && rig.accepted);
	part();
	tls_ctx_free(tls);
	test_cert_done(&cert);
	test_cert_done(&other);
}

/* A connection that began with an older list, at both of its ends; and one whose CA is not the cluster's any more. */
static void a_live_connection_is_judged_again(void **state)
{
	char error[TLS_CTX_ERROR];
	struct test_cluster other;
	struct test_cert cert, foreign;
	(void)state;
	test_cluster_node(&rig.cluster, "node-a", &cert);
	struct tls_ctx *tls = tls_of(&rig.cluster, &cert);
	dial(tls, rig.address, "node-b");
	UNTIL(rig.dial_over && rig.accepted);
	assert_null(conn_distrust(rig.accepted, rig.tls));
	assert_null(conn_distrust(rig.dialled, tls));
	assert_int_equal(tls_ctx_reload(rig.tls, error), 0);
	assert_int_equal(tls_ctx_reload(tls, error), 0);
	assert_null(conn_distrust(rig.accepted, rig.tls));
	assert_null(conn_distrust(rig.dialled, tls));
	test_cluster_new(&other);
	test_cluster_node(&other, "node-b", &foreign);
	struct tls_ctx *elsewhere = tls_of(&other, &foreign);
	assert_non_null(conn_distrust(rig.accepted, elsewhere));
	assert_non_null(conn_distrust(rig.dialled, elsewhere));
	tls_ctx_free(elsewhere);
	test_cluster_revoke(&rig.cluster, &cert);
	assert_null(conn_distrust(rig.accepted, rig.tls));
	assert_int_equal(tls_ctx_reload(rig.tls, error), 0);
	assert_int_equal(tls_ctx_reload(tls, error), 0);
	assert_string_equal(conn_distrust(rig.accepted, rig.tls),
		"the certificate is revoked");
	/* Its own is the one that is revoked. */
	assert_null(conn_distrust(rig.dialled, tls));
	test_cluster_revoke(&rig.cluster, &rig.cert);
	assert_int_equal(tls_ctx_reload(tls, error), 0);
	assert_string_equal(conn_distrust(rig.dialled, tls),
		"the certificate is revoked");
	part();
	tls_ctx_free(tls);
	test_cert_done(&cert);
	test_cert_done(&foreign);
	test_cluster_done(&other);
}

static void another_node_at_that_address_is_not_the_one(void **state)
{
	struct test_cert cert;
	(void)state;
	test_cluster_node(&rig.cluster, "node-a", &cert);
	struct tls_ctx *tls = tls_of(&rig.cluster, &cert);
	dial(tls, rig.address, "node-c");
	UNTIL(rig.dial_over && rig.failed);
	assert_int_equal(rig.dial_reason, REASON_PEER_UNTRUSTED);
	tls_ctx_free(tls);
	test_cert_done(&cert);
}

static void a_list_that_is_none_is_named_by_its_line(void **state)
{
	char error[PEER_TRUST_ERROR] = "";
	struct peer_trust *trust = NULL;
	(void)state;
	FILE *file = fopen(rig.cluster.revoked, "w");
	fprintf(file, "# nothing yet\n\n00:11:22\n");
	fclose(file);
	assert_int_equal(peer_trust_new(rig.cluster.revoked, &trust, error),
		-REASON_CONFIG);
	assert_non_null(strstr(error, ":3: not the SHA-256 fingerprint"));
	assert_null(trust);
	/* A node that runs keeps the one it has. */
	assert_int_equal(tls_ctx_reload(rig.tls, error), -REASON_CONFIG);
	assert_int_equal(peer_trust_new("/nowhere/revoked.txt", &trust, error), 0);
	peer_trust_free(trust);
}

static void nobody_at_the_address_and_no_such_name(void **state)
{
	static const struct {
		const char *address;
		int reason;
	} addresses[] = {
		{"127.0.0.1:1", REASON_GATEWAY_UNREACHABLE},
		{"[::1]:1", REASON_GATEWAY_UNREACHABLE},
		{"nobody.invalid:7443", REASON_GATEWAY_UNREACHABLE},
	};
	struct dialer dialer = {rig.worker, rig.resolver, rig.tls};
	struct dial *never = NULL;
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(addresses); i++) {
		dial(rig.tls, addresses[i].address, "node-c");
		UNTIL(rig.dial_over);
		assert_null(rig.dialled);
		assert_int_equal(rig.dial_reason, addresses[i].reason);
	}
	assert_int_equal(dialer_begin(&dialer, "127.0.0.1", "node-c", 1000, on_dialled,
				 NULL, &never),
		-REASON_BAD_VALUE);
	assert_null(never);
}

static void a_dial_that_is_dropped_tells_nothing(void **state)
{
	(void)state;
	dialer_drop(dial(rig.tls, rig.address, "node-b"));
	dialer_drop(dial(rig.tls, "nobody.invalid:7443", "node-b"));
	struct dial *third = dial(rig.tls, rig.address, "node-b");
	worker_turn(rig.worker, 0); /* its TCP is under way */
	dialer_drop(third);
	UNTIL(metrics_value(METRIC_CONNS) == 0);
	assert_int_equal(rig.dial_over, 0);
}

/* A listener that takes no connection: the handshake never comes. */
static void a_node_that_does_not_answer_runs_out_of_time(void **state)
{
	struct test_cert cert;
	struct dial *dial;
	(void)state;
	struct text_endpoint endpoint = {"127.0.0.1", 0};
	struct listener_settings settings = {.tls = rig.tls, .handshake_ms = PATIENCE_MS};
	const struct listener_events none = {0};
	struct listener *silent;
	char error[LISTENER_ERROR], address[64];
	assert_int_equal(listener_new(&endpoint, &rig.worker, 1, &settings, &none, NULL,
				 &silent, error),
		0); /* never started: the kernel's backlog answers, nobody else */
	snprintf(address, sizeof(address), "127.0.0.1:%u", listener_port(silent));
	test_cluster_node(&rig.cluster, "node-a", &cert);
	struct tls_ctx *tls = tls_of(&rig.cluster, &cert);
	struct dialer dialer = {rig.worker, rig.resolver, tls};
	assert_int_equal(dialer_begin(&dialer, address, "node-b", 50, on_dialled, NULL,
				 &dial),
		0);
	UNTIL(rig.dial_over);
	assert_int_equal(rig.dial_reason, REASON_TIMEOUT);
	listener_free(silent);
	tls_ctx_free(tls);
	test_cert_done(&cert);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		TEST(a_node_is_welcome_and_both_know_whom_they_talk_to),
		TEST(what_is_signed_but_no_node_is_refused),
		TEST(a_server_certificate_is_no_node),
		TEST(a_foreign_ca_is_refused_at_both_sides),
		TEST(no_certificate_is_refused_and_ends_are_asked_for_none),
		TEST(a_revoked_certificate_is_refused_from_the_next_reading_on),
		TEST(a_live_connection_is_judged_again),
		TEST(another_node_at_that_address_is_not_the_one),
		TEST(a_list_that_is_none_is_named_by_its_line),
		TEST(nobody_at_the_address_and_no_such_name),
		TEST(a_dial_that_is_dropped_tells_nothing),
		TEST(a_node_that_does_not_answer_runs_out_of_time),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
