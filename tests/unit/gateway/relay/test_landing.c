/* What a node makes of viewers that another node brings: the same sessions, the same refusals, and nothing on
 * trust but what only the other node can know. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/reason.h"
#include "fakes/relay_rig.h"
#include "metrics/metrics.h"
#include "net/conn.h"
#include "net/conn_mem.h"
#include "net/worker.h"
#include "relay/guard.h"
#include "relay/landing.h"
#include "store/state.h"
#include "wire/frame.h"

#define NODE_ADDRESS "192.0.2.200"
#define HOME "198.51.100.7"

static int set_up(void **state)
{
	*state = relay_rig_new();
	return 0;
}

static int tear_down(void **state)
{
	relay_rig_free(*state);
	return 0;
}

/* A connection of node "n0"; it has said nothing. */
static struct fake_end *carried(struct relay_rig *rig, int desk, int device)
{
	CHECK(rig->count < RIG_ENDS);
	struct fake_end *end = &rig->ends[rig->count++];
	struct conn *far, *near;
	fake_end_init(end, HELLO_VIEWER, RIG_LICENSE, device);
	CHECK(!conn_mem_pair(rig->world, rig->workers[desk], NODE_ADDRESS, &far, &near));
	fake_end_on_conn(end, far);
	CHECK(!guard_admit(rig->house.guard, NODE_ADDRESS));
	landing_open(rig->desks[desk], near, "n0");
	return end;
}

static struct message_peer peer_of(const struct fake_end *end)
{
	struct message_peer peer = {.gen = 1,
		.kind = "native",
		.program = "fake_end 1",
		.app_min = 1,
		.app_max = 1,
		.address = HOME,
		.leg = "leg_far",
		.proved_ms = 5};
	strcpy(peer.license, end->license);
	strcpy(peer.name, end->name);
	memcpy(peer.device, end->device, sizeof(peer.device));
	return peer;
}

static void say_peer(struct fake_end *end, const struct message_peer *peer)
{
	struct buf out;
	buf_init(&out, FRAME_MAX);
	CHECK(!message_peer_write(peer, &out));
	fake_end_raw(end, buf_head(&out), buf_len(&out));
	buf_done(&out);
}

/* PEER and CONNECT in one, as a crossing says them. */
static struct fake_end *land(struct relay_rig *rig, int desk, int device)
{
	struct fake_end *end = carried(rig, desk, device);
	struct message_peer peer = peer_of(end);
	say_peer(end, &peer);
	fake_end_connect(end, NULL);
	relay_rig_settle(rig);
	return end;
}

static void a_viewer_that_is_carried_here_has_a_session_like_any_other(void **state)
{
	struct relay_rig *rig = *state;
	char row[4096];
	struct fake_end *host = relay_rig_welcome(rig, 0, HELLO_HOST, RIG_LICENSE, 1);
	struct fake_end *viewer = land(rig, 1, 2);
	assert_int_equal(fake_admission.reviewed, 1);
	assert_string_equal(fake_admission.last.address, HOME);
	assert_memory_equal(fake_admission.last.device, viewer->device, 32);
	assert_int_equal(host->opens, 1);
	assert_int_equal(viewer->opens, 1);
	assert_int_equal(viewer->welcomed, 0); /* where it came in, it was */
	assert_string_equal(host->open.peer_address, HOME);
	assert_string_equal(host->open.peer_name, "viewer-2");
	assert_int_equal(metrics_value(METRIC_PEER_LEGS), 1);
	assert_int_equal(rig->house.viewers, 0); /* it is that node's viewer */
	assert_int_equal(rig->house.legs, 2);
	for (int i = 0; i < 20; i++) {
		fake_end_data(host, 5000);
		fake_end_data(viewer, 300);
	}
	relay_rig_settle(rig);
	assert_int_equal(viewer->received, 100000);
	assert_int_equal(host->received, 6000);
	assert_int_equal(host->out_of_order + viewer->out_of_order, 0);
	assert_true(relay_rig_document(rig, STATE_SESSION, fake_end_session(host), row,
		sizeof(row)));
	assert_non_null(strstr(row, "\"via\":\"n0\""));
	fake_end_close(viewer, FAKE_CLOSE_SESSION, REASON_VIEWER_LEFT);
	relay_rig_settle(rig);
	assert_int_equal(host->close.reason, REASON_VIEWER_LEFT);
	fake_end_receipt(viewer);
	relay_rig_pass(rig, 1000);
	assert_int_equal(relay_rig_rows(rig, JOURNAL_SESSION, "\"event\":\"close\"", row,
				 sizeof(row)),
		1);
	assert_non_null(strstr(row, "\"bytes_to_viewer\":100000,\"bytes_to_host\":6000"));
	assert_non_null(strstr(row, "\"via\":\"n0\""));
	assert_non_null(strstr(row, "\"viewer_address\":\"" HOME "\""));
	/* The leg stays, for the next session. */
	fake_end_connect(viewer, NULL);
	relay_rig_settle(rig);
	assert_int_equal(viewer->opens, 2);
	fake_end_close(viewer, FAKE_CLOSE_LEG, REASON_VIEWER_LEFT);
	relay_rig_settle(rig);
	assert_true(viewer->gone);
	assert_int_equal(metrics_value(METRIC_PEER_LEGS), 0);
}

static void local_sessions_have_no_via(void **state)
{
	struct relay_rig *rig = *state;
	struct fake_end *host, *viewer;
	relay_rig_join(rig, &host, &viewer);
	assert_int_equal(relay_rig_rows(rig, JOURNAL_SESSION, "\"via\"", NULL, 0), 0);
}

static void admission_may_say_no_and_the_viewer_hears_it(void **state)
{
	static const int reasons[] = {REASON_LICENSE_DISABLED, REASON_ADDRESS_REFUSED,
		REASON_OUT_OF_HOURS, REASON_STORE_UNAVAILABLE};
	struct relay_rig *rig = *state;
	relay_rig_welcome(rig, 0, HELLO_HOST, RIG_LICENSE, 1);
	for (size_t i = 0; i < ARRAY_LEN(reasons); i++) {
		fake_admission.status = -reasons[i];
		fake_admission.retry_ms = 1234;
		struct fake_end *viewer = land(rig, 1, 2);
		assert_int_equal(viewer->leg_closes, 1);
		assert_int_equal(viewer->close.reason, reasons[i]);
		assert_int_equal(viewer->close.retry_ms, 1234);
		assert_true(viewer->gone);
	}
	assert_int_equal(rig->house.legs, 1);
}

static void a_host_that_is_not_here_is_said_to_be_away(void **state)
{
	struct relay_rig *rig = *state;
	struct fake_end *viewer = land(rig, 1, 2);
	assert_int_equal(viewer->close.reason, REASON_HOST_OFFLINE);
	assert_true(viewer->gone);
}

/* The first frame is PEER and makes sense, or nothing happens at all. */
static void what_makes_no_sense_is_refused(void **state)
{
	struct relay_rig *rig = *state;
	static const struct {
		size_t at;
		const char *text;
	} wrongs[] = {
		{offsetof(struct message_peer, license), "lic_0123"},
		{offsetof(struct message_peer, license), "lic_0123456zU"},
		{offsetof(struct message_peer, kind), "pigeon"},
		{offsetof(struct message_peer, address), "home"},
		{offsetof(struct message_peer, address), "192.0.2.1:80"},
	};
	int64_t before = metrics_value(METRIC_PEERS_REFUSED);
	size_t i = 0;
	for (; i < ARRAY_LEN(wrongs); i++) {
		struct fake_end *end = carried(rig, 0, 2);
		struct message_peer peer = peer_of(end);
		strcpy((char *)&peer + wrongs[i].at, wrongs[i].text);
		say_peer(end, &peer);
		relay_rig_settle(rig);
		assert_int_equal(end->close.reason, REASON_BAD_MESSAGE);
		assert_true(end->gone);
	}
	assert_int_equal(metrics_value(METRIC_PEERS_REFUSED), before + (int64_t)i);
	assert_int_equal(fake_admission.asked, 0);
	struct fake_end *end = carried(rig, 0, 2);
	struct message_peer peer = peer_of(end);
	peer.gen = 2;
	say_peer(end, &peer);
	relay_rig_settle(rig);
	assert_int_equal(end->close.reason, REASON_VERSION);
	end = carried(rig, 0, 2);
	fake_end_hello(end); /* an end's first frame; a node has none of that */
	relay_rig_settle(rig);
	assert_int_equal(end->close.reason, REASON_PROTOCOL);
	assert_int_equal(rig->house.legs, 0);
	assert_int_equal(guard_strangers(rig->house.guard), 0);
}

static void an_end_cannot_say_what_nodes_say(void **state)
{
	struct relay_rig *rig = *state;
	struct fake_end *viewer = relay_rig_welcome(rig, 0, HELLO_VIEWER, RIG_LICENSE, 2);
	struct message_peer peer = peer_of(viewer);
	say_peer(viewer, &peer);
	relay_rig_settle(rig);
	assert_int_equal(viewer->close.reason, REASON_PROTOCOL);
	/* Nor twice on one connection. */
	struct fake_end *host = relay_rig_welcome(rig, 0, HELLO_HOST, RIG_LICENSE, 1);
	struct fake_end *carrying = land(rig, 1, 3);
	assert_int_equal(host->opens, 1);
	say_peer(carrying, &peer);
	relay_rig_settle(rig);
	assert_int_equal(carrying->close.reason, REASON_PROTOCOL);
	assert_int_equal(host->closes, 1);
}

static void a_proof_from_before_a_revocation_is_worth_nothing(void **state)
{
	struct relay_rig *rig = *state;
	relay_rig_welcome(rig, 0, HELLO_HOST, RIG_LICENSE, 1);
	relay_rig_order(rig, "{\"order\":\"revoke\",\"license\":\"" RIG_LICENSE
			     "\",\"reason\":\"LICENSE_DISABLED\",\"by\":\"acc_1\"}");
	relay_rig_pass(rig, 1000);
	struct fake_end *early = carried(rig, 0, 2);
	struct message_peer peer = peer_of(early);
	peer.proved_ms = 2000;
	say_peer(early, &peer);
	relay_rig_settle(rig);
	assert_int_equal(early->close.reason, REASON_LICENSE_DISABLED);
	struct fake_end *late = carried(rig, 0, 2);
	peer.proved_ms = 100;
	say_peer(late, &peer);
	relay_rig_settle(rig);
	assert_false(late->gone);
}

static void orders_reach_it(void **state)
{
	struct relay_rig *rig = *state;
	char order[200], row[4096];
	struct fake_end *host = relay_rig_welcome(rig, 0, HELLO_HOST, RIG_LICENSE, 1);
	struct fake_end *viewer = land(rig, 1, 2);
	snprintf(order, sizeof(order),
		"{\"order\":\"disconnect\",\"session\":\"%s\",\"reason\":"
		"\"ADMIN_DISCONNECT\",\"by\":\"acc_1\"}",
		fake_end_session(host));
	relay_rig_order(rig, order);
	assert_int_equal(viewer->closes, 1);
	assert_int_equal(viewer->close.reason, REASON_ADMIN_DISCONNECT);
	relay_rig_pass(rig, 3000);
	assert_int_equal(relay_rig_rows(rig, JOURNAL_SESSION, "\"by\":\"acc_1\"", row,
				 sizeof(row)),
		1);
	relay_rig_order(rig, "{\"order\":\"revoke\",\"license\":\"" RIG_LICENSE
			     "\",\"reason\":\"LICENSE_DISABLED\",\"by\":\"acc_1\"}");
	assert_int_equal(viewer->close.reason, REASON_LICENSE_DISABLED);
	assert_int_equal(viewer->leg_closes, 1);
}

/* The other node has seen why; the same word of an end is not believed (test_session). */
static void the_reasons_of_a_node_are_believed(void **state)
{
	static const int reasons[] = {REASON_PEER_LOST, REASON_LICENSE_DISABLED,
		REASON_DRAINING, REASON_SLOW_READER};
	struct relay_rig *rig = *state;
	struct fake_end *host = relay_rig_welcome(rig, 0, HELLO_HOST, RIG_LICENSE, 1);
	for (size_t i = 0; i < ARRAY_LEN(reasons); i++) {
		struct fake_end *viewer = land(rig, 1, 2);
		assert_int_equal(viewer->opens, 1);
		fake_end_close(viewer, FAKE_CLOSE_LEG, reasons[i]);
		relay_rig_settle(rig);
		assert_int_equal(host->close.reason, reasons[i]);
		relay_rig_pass(rig, 3000);
	}
}

static void a_lost_node_is_a_lost_viewer(void **state)
{
	struct relay_rig *rig = *state;
	struct fake_end *host = relay_rig_welcome(rig, 0, HELLO_HOST, RIG_LICENSE, 1);
	struct fake_end *viewer = land(rig, 1, 2);
	fake_end_vanish(viewer);
	relay_rig_settle(rig);
	assert_int_equal(host->close.reason, REASON_PEER_LOST);
	assert_int_equal(rig->house.legs, 1);
}

static void on_announced(void *ctx, const struct state_answer *answer)
{
	*(int *)ctx = !answer->status;
}

static void announce(struct relay_rig *rig, const char *value)
{
	int done = 0;
	state_announce(rig->store->state, RIG_LICENSE, "n9", value, 45000,
		worker_box(rig->world), on_announced, &done);
	relay_rig_settle(rig);
	assert_true(done);
}

static void it_is_no_chain(void **state)
{
	struct relay_rig *rig = *state;
	struct fake_end *host = relay_rig_welcome(rig, 0, HELLO_HOST, RIG_LICENSE, 1);
	struct fake_end *viewer = land(rig, 1, 2);
	fake_end_vanish(host);
	relay_rig_settle(rig);
	assert_int_equal(viewer->closes, 1);
	/* Its host has come to a third node. */
	int64_t crossings = metrics_value(METRIC_CROSSINGS);
	announce(rig, "{\"node\":\"n9\",\"address\":\"\",\"peer\":\"192.0.2.9:7443\"}");
	fake_end_connect(viewer, fake_end_session(viewer));
	relay_rig_settle(rig);
	assert_int_equal(viewer->leg_closes, 1);
	assert_int_equal(viewer->close.reason, REASON_HOST_OFFLINE);
	assert_int_equal(viewer->close.retry_ms, 1);
	assert_int_equal(metrics_value(METRIC_CROSSINGS), crossings);
}

static void a_node_brings_more_than_one_address_may(void **state)
{
	struct relay_rig *rig = *state;
	struct relay_settings settings = rig->settings;
	settings.strangers_per_address = 2;
	settings.accepts_per_address = 2;
	guard_set(rig->house.guard, &settings);
	struct fake_end *first = carried(rig, 0, 2);
	/* From now on it is known as a node's. */
	for (int i = 0; i < 50; i++)
		assert_int_equal(guard_admit(rig->house.guard, NODE_ADDRESS), 0);
	for (int i = 0; i < 50; i++)
		guard_failed(rig->house.guard, NODE_ADDRESS, REASON_PEER_LOST);
	/* Others are held to the limit as before. */
	int admitted = 0;
	for (int i = 0; i < 50; i++)
		admitted += !guard_admit(rig->house.guard, "192.0.2.77");
	assert_int_equal(admitted, 2);
	for (int i = 0; i < admitted; i++)
		guard_failed(rig->house.guard, "192.0.2.77", REASON_PEER_LOST);
	fake_end_vanish(first);
	relay_rig_settle(rig);
}

static void one_that_says_nothing_is_sent_away(void **state)
{
	struct relay_rig *rig = *state;
	struct fake_end *silent = carried(rig, 0, 2);
	relay_rig_pass(rig, rig->settings.hello_ms + 100);
	assert_int_equal(silent->close.reason, REASON_TIMEOUT);
	assert_true(silent->gone);
	/* And one for whom admission has no answer. */
	fake_admission.hold = 1;
	struct fake_end *waiting = land(rig, 0, 2);
	relay_rig_pass(rig, rig->settings.login_ms + 100);
	assert_int_equal(waiting->close.reason, REASON_TIMEOUT);
	fake_admission_let_go();
	relay_rig_settle(rig);
	assert_int_equal(rig->house.legs, 0);
}

static void while_the_node_drains_nobody_lands(void **state)
{
	struct relay_rig *rig = *state;
	atomic_store(&rig->house.draining, 1);
	struct fake_end *viewer = land(rig, 0, 2);
	assert_int_equal(viewer->close.reason, REASON_DRAINING);
	atomic_store(&rig->house.draining, 0);
	rig->desks[0]->settings.legs = 0;
	viewer = land(rig, 0, 2);
	assert_int_equal(viewer->close.reason, REASON_BUSY);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		TEST(a_viewer_that_is_carried_here_has_a_session_like_any_other),
		TEST(local_sessions_have_no_via),
		TEST(admission_may_say_no_and_the_viewer_hears_it),
		TEST(a_host_that_is_not_here_is_said_to_be_away),
		TEST(what_makes_no_sense_is_refused),
		TEST(an_end_cannot_say_what_nodes_say),
		TEST(a_proof_from_before_a_revocation_is_worth_nothing),
		TEST(orders_reach_it),
		TEST(the_reasons_of_a_node_are_believed),
		TEST(a_lost_node_is_a_lost_viewer),
		TEST(it_is_no_chain),
		TEST(a_node_brings_more_than_one_address_may),
		TEST(one_that_says_nothing_is_sent_away),
		TEST(while_the_node_drains_nobody_lands),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
