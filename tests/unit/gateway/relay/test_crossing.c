/* Two whole relays over real sockets, one store: a viewer at the one, its host at the other, which ends cannot
 * reach. Ends are driven by this thread. */
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
#include "base/secret.h"
#include "fakes/fake_admission.h"
#include "fakes/fake_end.h"
#include "fakes/test_cluster.h"
#include "metrics/metrics.h"
#include "relay/relay.h"
#include "store/bus.h"
#include "store/state.h"
#include "store/store_open.h"
#include "store/store_wait.h"
#include "wire/frame.h"

#define LICENSE "lic_0123456zz"
#define PATIENCE_MS 60000

enum { HERE, THERE };

struct rig {
	struct store *store;
	struct test_cluster cluster;
	struct test_cert certs[2];
	struct relay *relays[2];
	struct relay_settings settings;
	uint16_t ports[2];
	char at[2][32];
	struct fake_end ends[6];
	size_t count;
};

/* A port that nothing else is given: relay_new finds out. */
static void start_one(struct rig *rig, int which)
{
	static const char *const names[] = {"n1", "n2"};
	char error[RELAY_ERROR] = "";
	const char *listen[] = {rig->at[which]};
	struct relay_parts parts = {.store = rig->store,
		.node = names[which],
		.address = "",
		.peer = rig->at[which],
		.cert_file = rig->certs[which].cert,
		.key_file = rig->certs[which].key,
		.ca_file = rig->cluster.ca,
		.revoked_file = rig->cluster.revoked,
		.listen = listen,
		.listen_count = 1,
		.workers = 2,
		.settings = &rig->settings};
	int rc = -REASON_PORT_TAKEN;
	for (int i = 0; i < 100 && rc == -REASON_PORT_TAKEN; i++) {
		uint16_t dice;
		assert_int_equal(secret_random(&dice, sizeof(dice)), 0);
		rig->ports[which] = (uint16_t)(12000 + dice % 20000);
		snprintf(rig->at[which], sizeof(rig->at[which]), "127.0.0.1:%u",
			rig->ports[which]);
		rc = relay_new(&parts, &rig->relays[which], error);
	}
	if (rc)
		fail_msg("%s", error);
	assert_int_equal(relay_start(rig->relays[which]), 0);
}

static int set_up(void **state)
{
	struct rig *rig = calloc(1, sizeof(*rig));
	char error[STORE_ERROR];
	signal(SIGPIPE, SIG_IGN);
	log_open("test", 2, LOG_TEXT, getenv("ENGAWA_TEST_LOG") ? LOG_DEBUG : LOG_ERROR);
	fake_admission_reset();
	test_cluster_new(&rig->cluster);
	test_cluster_node(&rig->cluster, "n1", &rig->certs[HERE]);
	test_cluster_node(&rig->cluster, "n2", &rig->certs[THERE]);
	assert_int_equal(store_open("memory:", "n1", &rig->store, error), 0);
	relay_settings_default(&rig->settings);
	rig->settings.drain_ms = 200;
	rig->settings.receipt_ms = 500;
	*state = rig;
	return 0;
}

static void start(struct rig *rig)
{
	start_one(rig, HERE);
	start_one(rig, THERE);
}

static int tear_down(void **state)
{
	struct rig *rig = *state;
	for (size_t i = 0; i < rig->count; i++)
		fake_end_done(&rig->ends[i]);
	relay_free(rig->relays[HERE]);
	relay_free(rig->relays[THERE]);
	assert_int_equal(metrics_value(METRIC_CROSSINGS), 0);
	assert_int_equal(metrics_value(METRIC_PEER_LEGS), 0);
	store_close(rig->store);
	test_cert_done(&rig->certs[HERE]);
	test_cert_done(&rig->certs[THERE]);
	test_cluster_done(&rig->cluster);
	free(rig);
	return 0;
}

static void pump(struct rig *rig)
{
	for (size_t i = 0; i < rig->count; i++)
		fake_end_pump(&rig->ends[i]);
	usleep(100);
}

#define UNTIL(rig, condition)                                                            \
	do {                                                                             \
		int64_t end_ms = clock_mono_ms() + PATIENCE_MS;                          \
		while (!(condition) && clock_mono_ms() < end_ms)                         \
			pump(rig);                                                       \
		assert_true(condition);                                                  \
	} while (0)

static struct fake_end *dial(struct rig *rig, int where, enum hello_side side, int device)
{
	struct fake_end *end = &rig->ends[rig->count++];
	fake_end_init(end, side, LICENSE, device);
	fake_end_on_tls(end, rig->ports[where]);
	fake_end_hello(end);
	UNTIL(rig, end->challenged);
	fake_end_prove(end, "password");
	UNTIL(rig, end->welcomed);
	return end;
}

static int is_announced(struct rig *rig)
{
	struct store_docs docs = {0};
	int found = store_wait_locate(rig->store->state, LICENSE, &docs) == 0;
	store_docs_free(&docs);
	return found;
}

/* The host is there, the viewer here; they are joined. */
static void join(struct rig *rig, struct fake_end **host, struct fake_end **viewer)
{
	start(rig);
	*host = dial(rig, THERE, HELLO_HOST, 1);
	UNTIL(rig, is_announced(rig));
	*viewer = dial(rig, HERE, HELLO_VIEWER, 2);
	assert_int_equal((*viewer)->welcome.host_online, 1);
	fake_end_connect(*viewer, NULL);
	UNTIL(rig, (*host)->opens == 1 && (*viewer)->opens == 1);
}

static int closing_row(struct rig *rig, char *ret, size_t size)
{
	struct journal_query query = {.kind = JOURNAL_SESSION, .limit = 100};
	struct store_rows rows;
	int found = 0;
	assert_int_equal(store_wait_query(rig->store->journal, &query, &rows), 0);
	for (size_t i = 0; i < rows.count; i++)
		if (strstr(rows.rows[i].body, "\"event\":\"close\"")) {
			snprintf(ret, size, "%s", rows.rows[i].body);
			found++;
		}
	store_rows_free(&rows);
	return found;
}

#define FRAMES 1500

static void bytes_are_exact_both_ways_and_counted_once(void **state)
{
	struct rig *rig = *state;
	struct fake_end *host, *viewer;
	char row[4096], expected[120];
	uint32_t x = 1;
	int64_t carried = metrics_value(METRIC_DATA_TO_VIEWER),
		crossed = metrics_value(METRIC_CROSSED_TO_VIEWER);
	join(rig, &host, &viewer);
	assert_int_equal(metrics_value(METRIC_CROSSINGS), 1);
	assert_int_equal(metrics_value(METRIC_PEER_LEGS), 1);
	assert_int_equal(metrics_value(METRIC_VIEWERS), 1);
	for (int i = 0; i < FRAMES; i++) {
		x = x * 1664525u + 1013904223u;
		fake_end_data(host, 16 + (x >> 8) % (FRAME_DATA_MAX - 15));
		fake_end_data(viewer, 16 + (x >> 20) % 3000);
		while (buf_len(&host->tls.out) > 4 << 20)
			pump(rig);
	}
	UNTIL(rig, viewer->received == host->sent && host->received == viewer->sent);
	assert_int_equal(viewer->out_of_order + host->out_of_order, 0);
	assert_int_equal(viewer->frames, FRAMES);
	int64_t to_viewer = (int64_t)viewer->received, to_host = (int64_t)host->received;
	fake_end_close(viewer, FAKE_CLOSE_SESSION, REASON_VIEWER_LEFT);
	UNTIL(rig, host->closes == 1);
	assert_int_equal(host->close.reason, REASON_VIEWER_LEFT);
	UNTIL(rig, closing_row(rig, row, sizeof(row)) == 1);
	snprintf(expected, sizeof(expected),
		"\"bytes_to_viewer\":%lld,\"bytes_to_host\":%lld", (long long)to_viewer,
		(long long)to_host);
	assert_non_null(strstr(row, expected));
	assert_non_null(strstr(row, "\"node\":\"n2\""));
	assert_non_null(strstr(row, "\"via\":\"n1\""));
	assert_int_equal(metrics_value(METRIC_DATA_TO_VIEWER) - carried, to_viewer);
	assert_int_equal(metrics_value(METRIC_CROSSED_TO_VIEWER) - crossed, to_viewer);
	/* The leg stays, on both nodes: the next session needs no proof. */
	fake_end_connect(viewer, NULL);
	UNTIL(rig, host->opens == 2 && viewer->opens == 2);
}

/* Both nodes stop reading; what is under way waits in them and in the kernel. */
static void a_viewer_that_rests_slows_its_host_and_loses_nothing(void **state)
{
	struct rig *rig = *state;
	struct fake_end *host, *viewer;
	const uint64_t all = 32u << 20;
	join(rig, &host, &viewer);
	viewer->tls.reads = 0;
	int64_t paused = metrics_value(METRIC_PAUSES);
	while (!viewer->tls.reads || host->sent < all) {
		assert_true(host->sent < 1u << 30);
		if (buf_len(&host->tls.out) < 65536)
			fake_end_data(host, 60000);
		else if (metrics_value(METRIC_PAUSES) >= paused + 2)
			viewer->tls.reads = 1;
		pump(rig);
	}
	UNTIL(rig, viewer->received == host->sent);
	assert_int_equal(viewer->out_of_order, 0);
	/* The other direction never waited. */
	fake_end_data(viewer, 1000);
	UNTIL(rig, host->received == 1000);
}

static void a_viewer_that_never_reads_is_cut(void **state)
{
	struct rig *rig = *state;
	struct fake_end *host, *viewer;
	rig->settings.slow_reader_ms = 1000;
	join(rig, &host, &viewer);
	viewer->tls.reads = 0;
	while (!host->closes) {
		if (buf_len(&host->tls.out) < 65536)
			fake_end_data(host, 60000);
		pump(rig);
	}
	assert_int_equal(host->close.reason, REASON_SLOW_READER);
}

static void the_viewers_word_goes_no_further_than_a_viewer_can_know(void **state)
{
	struct rig *rig = *state;
	struct fake_end *host, *viewer;
	join(rig, &host, &viewer);
	fake_end_close(viewer, FAKE_CLOSE_LEG, REASON_ADMIN_DISCONNECT);
	UNTIL(rig, host->closes == 1);
	assert_int_equal(host->close.reason, REASON_VIEWER_LEFT);
	UNTIL(rig, viewer->gone);
	assert_int_equal(viewer->leg_closes, 0);
}

static void a_viewer_that_is_lost_is_lost_there_too(void **state)
{
	struct rig *rig = *state;
	struct fake_end *host, *viewer;
	join(rig, &host, &viewer);
	fake_end_vanish(viewer);
	UNTIL(rig, host->closes == 1);
	assert_int_equal(host->close.reason, REASON_PEER_LOST);
	/* It comes again, and goes on. */
	viewer = dial(rig, HERE, HELLO_VIEWER, 2);
	fake_end_connect(viewer, fake_end_session(host));
	UNTIL(rig, viewer->opens == 1);
	assert_int_equal(viewer->open.resumed, 1);
}

static void what_no_end_may_say_is_refused_where_it_comes_in(void **state)
{
	static const uint8_t types[] = {FRAME_PEER, FRAME_HELLO, FRAME_REPORT};
	struct rig *rig = *state;
	struct fake_end *host, *viewer;
	join(rig, &host, &viewer);
	for (size_t i = 0; i < ARRAY_LEN(types); i++) {
		uint8_t frame[FRAME_HEADER + 2];
		frame_header(frame, types[i], 2);
		memcpy(frame + FRAME_HEADER, "{}", 2);
		fake_end_raw(viewer, frame, sizeof(frame));
		UNTIL(rig, viewer->gone);
		assert_int_equal(viewer->close.reason, REASON_PROTOCOL);
		UNTIL(rig, host->closes == (int)i + 1);
		viewer = dial(rig, HERE, HELLO_VIEWER, 2);
		fake_end_connect(viewer, NULL);
		UNTIL(rig, viewer->opens == 1);
	}
}

static void orders_end_it_as_they_end_every_session(void **state)
{
	struct rig *rig = *state;
	struct fake_end *host, *viewer;
	char order[200];
	join(rig, &host, &viewer);
	snprintf(order, sizeof(order),
		"{\"order\":\"disconnect\",\"session\":\"%s\",\"reason\":"
		"\"ADMIN_DISCONNECT\",\"by\":\"acc_1\"}",
		fake_end_session(host));
	assert_int_equal(bus_publish(rig->store->bus, "orders", order), 0);
	UNTIL(rig, viewer->closes == 1 && host->closes == 1);
	assert_int_equal(viewer->close.reason, REASON_ADMIN_DISCONNECT);
	fake_end_connect(viewer, NULL);
	UNTIL(rig, viewer->opens == 2);
	assert_int_equal(bus_publish(rig->store->bus, "orders",
				 "{\"order\":\"revoke\",\"license\":\"" LICENSE
				 "\",\"reason\":\"LICENSE_DISABLED\",\"by\":\"acc_1\"}"),
		0);
	UNTIL(rig, viewer->gone && host->gone);
	assert_int_equal(viewer->leg_closes, 1);
	assert_int_equal(viewer->close.reason, REASON_LICENSE_DISABLED);
}

/* What the other node refuses, the viewer hears as if it were refused here. */
static void refusals_come_through(void **state)
{
	struct rig *rig = *state;
	struct fake_end *host, *viewer;
	join(rig, &host, &viewer);
	struct fake_end *second = dial(rig, HERE, HELLO_VIEWER, 3);
	fake_end_connect(second, NULL);
	UNTIL(rig, second->gone);
	assert_int_equal(second->leg_closes, 1);
	assert_int_equal(second->close.reason, REASON_LICENSE_IN_USE);
	assert_non_null(strstr(second->close.detail, "native viewer, since "));
	assert_int_equal(viewer->closes, 0);
	/* It was let in here, but not any more when it gets there. */
	struct fake_end *third = dial(rig, HERE, HELLO_VIEWER, 3);
	fake_admission_answer(-REASON_OUT_OF_HOURS);
	fake_end_connect(third, NULL);
	UNTIL(rig, third->gone);
	assert_int_equal(third->close.reason, REASON_OUT_OF_HOURS);
}

static void an_idle_crossing_lives_on_keepalives(void **state)
{
	struct rig *rig = *state;
	struct fake_end *host, *viewer;
	rig->settings.keepalive_ms = 200;
	join(rig, &host, &viewer);
	int pings = viewer->pings;
	UNTIL(rig, viewer->pings >= pings + 10 || viewer->gone);
	assert_int_equal(viewer->gone + host->closes, 0);
	fake_end_data(host, 100);
	UNTIL(rig, viewer->received == 100);
}

/* The node of the host is drained: the viewer goes by itself and says so, and its session waits for it. */
static void a_drain_of_the_other_node_is_heard_and_answered(void **state)
{
	struct rig *rig = *state;
	struct fake_end *host, *viewer;
	char row[4096];
	join(rig, &host, &viewer);
	assert_int_equal(
		bus_publish(rig->store->bus, "orders",
			"{\"order\":\"drain\",\"node\":\"n2\",\"within_ms\":60000,"
			"\"by\":\"acc_1\"}"),
		0);
	UNTIL(rig, viewer->notices == 1);
	assert_string_equal(viewer->notice.kind, "drain");
	fake_end_close(viewer, FAKE_CLOSE_LEG, REASON_DRAINING);
	UNTIL(rig, closing_row(rig, row, sizeof(row)) == 1);
	assert_non_null(strstr(row, "\"reason\":\"DRAINING\""));
	/* At this node nobody has asked anybody to go. */
	assert_int_equal(
		bus_publish(rig->store->bus, "orders",
			"{\"order\":\"undrain\",\"node\":\"n2\",\"by\":\"acc_1\"}"),
		0);
}

static void a_node_that_stops_says_so(void **state)
{
	struct rig *rig = *state;
	struct fake_end *host, *viewer;
	join(rig, &host, &viewer);
	rig->relays[THERE] = relay_free(rig->relays[THERE]);
	UNTIL(rig, viewer->gone);
	assert_int_equal(viewer->leg_closes, 1);
	assert_int_equal(viewer->close.reason, REASON_NODE_STOPPED);
}

static void the_node_in_between_stops(void **state)
{
	struct rig *rig = *state;
	struct fake_end *host, *viewer;
	join(rig, &host, &viewer);
	rig->relays[HERE] = relay_free(rig->relays[HERE]);
	UNTIL(rig, viewer->gone && host->closes == 1);
	assert_int_equal(viewer->close.reason, REASON_NODE_STOPPED);
	assert_int_equal(host->close.reason, REASON_NODE_STOPPED);
	assert_false(host->gone);
}

/* What a third node says of the host. */
static void announce(struct rig *rig, const char *peer)
{
	char value[300];
	snprintf(value, sizeof(value),
		"{\"node\":\"n3\",\"address\":\"\",\"peer\":\"%s\"}", peer);
	assert_int_equal(store_wait_announce(rig->store->state, LICENSE, "n3", value,
				 600000),
		0);
}

static void a_node_that_cannot_be_reached_is_a_host_that_is_away(void **state)
{
	struct rig *rig = *state;
	int64_t failed = metrics_value(METRIC_CROSSINGS_FAILED);
	start(rig);
	announce(rig, "127.0.0.1:1");
	struct fake_end *viewer = dial(rig, HERE, HELLO_VIEWER, 2);
	fake_end_connect(viewer, NULL);
	UNTIL(rig, viewer->gone);
	assert_int_equal(viewer->close.reason, REASON_HOST_OFFLINE);
	assert_int_equal(metrics_value(METRIC_CROSSINGS_FAILED), failed + 1);
	/* Somebody else answers there: the second node, which is not the third. */
	announce(rig, rig->at[THERE]);
	viewer = dial(rig, HERE, HELLO_VIEWER, 2);
	fake_end_connect(viewer, NULL);
	UNTIL(rig, viewer->gone);
	assert_int_equal(viewer->close.reason, REASON_HOST_OFFLINE);
	assert_int_equal(metrics_value(METRIC_CROSSINGS_FAILED), failed + 2);
}

/* One that resumes waits for its host instead, and is joined wherever that comes. */
static void who_resumes_waits_when_the_node_is_lost(void **state)
{
	struct rig *rig = *state;
	start(rig);
	announce(rig, "127.0.0.1:1");
	struct fake_end *viewer = dial(rig, HERE, HELLO_VIEWER, 2);
	int64_t failed = metrics_value(METRIC_CROSSINGS_FAILED);
	fake_end_connect(viewer, "ses_00000000000000000000000001");
	UNTIL(rig, metrics_value(METRIC_CROSSINGS_FAILED) > failed);
	assert_false(viewer->gone);
	dial(rig, HERE, HELLO_HOST, 1);
	UNTIL(rig, viewer->opens == 1);
}

static void a_viewer_that_leaves_while_the_node_does_not_answer(void **state)
{
	struct rig *rig = *state;
	start(rig);
	announce(rig, "192.0.2.1:7443"); /* of documentation: packets vanish */
	struct fake_end *viewer = dial(rig, HERE, HELLO_VIEWER, 2);
	fake_end_connect(viewer, NULL);
	for (int i = 0; i < 100; i++)
		pump(rig);
	fake_end_vanish(viewer);
	UNTIL(rig, metrics_value(METRIC_CROSSINGS) == 0);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		TEST(bytes_are_exact_both_ways_and_counted_once),
		TEST(a_viewer_that_rests_slows_its_host_and_loses_nothing),
		TEST(a_viewer_that_never_reads_is_cut),
		TEST(the_viewers_word_goes_no_further_than_a_viewer_can_know),
		TEST(a_viewer_that_is_lost_is_lost_there_too),
		TEST(what_no_end_may_say_is_refused_where_it_comes_in),
		TEST(orders_end_it_as_they_end_every_session),
		TEST(refusals_come_through),
		TEST(an_idle_crossing_lives_on_keepalives),
		TEST(a_drain_of_the_other_node_is_heard_and_answered),
		TEST(a_node_that_stops_says_so),
		TEST(the_node_in_between_stops),
		TEST(a_node_that_cannot_be_reached_is_a_host_that_is_away),
		TEST(who_resumes_waits_when_the_node_is_lost),
		TEST(a_viewer_that_leaves_while_the_node_does_not_answer),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
