/* Sessions over memory conns: how they open, what they carry, how they end and what is written. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/clock.h"
#include "base/reason.h"
#include "fakes/relay_rig.h"
#include "metrics/metrics.h"
#include "net/conn.h"
#include "relay/session.h"
#include "store/state.h"
#include "wire/frame.h"

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

static void host_and_viewer_are_joined_and_told_the_same(void **state)
{
	struct relay_rig *rig = *state;
	struct fake_end *host, *viewer;
	relay_rig_join(rig, &host, &viewer);
	assert_memory_equal(host->open.session, viewer->open.session, 16);
	assert_true(host->open.fence > 0);
	assert_int_equal(host->open.fence, viewer->open.fence);
	assert_int_equal(host->open.resumed, 0);
	assert_string_equal(host->open.peer_name, "viewer-2");
	assert_string_equal(viewer->open.peer_name, "host-1");
	assert_string_equal(host->open.peer_address, "192.0.2.2");
	assert_string_equal(viewer->open.policy, "{\"rights\":63}");
	assert_int_equal(rig->house.sessions, 1);
}

static void data_crosses_both_ways_in_order_and_is_counted(void **state)
{
	struct relay_rig *rig = *state;
	struct fake_end *host, *viewer;
	char row[4096];
	uint64_t to_viewer = 0, to_host = 0;
	relay_rig_join(rig, &host, &viewer);
	for (unsigned i = 0; i < 200; i++) {
		size_t len = 16 + i * 977 % (FRAME_DATA_MAX - 15);
		fake_end_data(host, len);
		to_viewer += len;
		fake_end_data(viewer, 16 + i % 64);
		to_host += 16 + i % 64;
		if (i % 3 == 0)
			relay_rig_settle(rig);
	}
	relay_rig_settle(rig);
	assert_int_equal(viewer->received, to_viewer);
	assert_int_equal(host->received, to_host);
	assert_int_equal(viewer->out_of_order + host->out_of_order, 0);
	fake_end_close(viewer, FAKE_CLOSE_SESSION, REASON_VIEWER_LEFT);
	relay_rig_settle(rig);
	assert_int_equal(host->closes, 1);
	assert_int_equal(host->close.reason, REASON_VIEWER_LEFT);
	assert_int_equal(viewer->closes, 0); /* it said so itself */
	relay_rig_pass(rig, rig->settings.receipt_ms + 100);
	assert_int_equal(relay_rig_rows(rig, JOURNAL_SESSION, "\"close\"", row,
				 sizeof(row)),
		1);
	char expected[100];
	snprintf(expected, sizeof(expected),
		"\"bytes_to_viewer\":%llu,\"bytes_to_host\":%llu",
		(unsigned long long)to_viewer, (unsigned long long)to_host);
	assert_non_null(strstr(row, expected));
	assert_non_null(strstr(row, "\"reason\":\"VIEWER_LEFT\""));
	assert_non_null(strstr(row, "\"host\":\"host-1\""));
	assert_non_null(strstr(row, "\"viewer_address\":\"192.0.2.2\""));
}

static void the_opening_is_in_the_journal_before_anybody_is_told(void **state)
{
	struct relay_rig *rig = *state;
	struct fake_end *host, *viewer;
	char row[4096];
	relay_rig_join(rig, &host, &viewer);
	assert_int_equal(relay_rig_rows(rig, JOURNAL_SESSION, "\"open\"", row,
				 sizeof(row)),
		1);
	assert_non_null(strstr(row, fake_end_session(host)));
	assert_int_equal(relay_rig_rows(rig, JOURNAL_SESSION, "\"close\"", NULL, 0), 0);
	assert_int_equal(relay_rig_document(rig, STATE_SESSION, fake_end_session(host),
				 row, sizeof(row)),
		1);
	assert_non_null(strstr(row, "\"state\":\"live\""));
}

/* One way is full: it waits, with its sender unread; the other way does not notice. */
static void a_slow_viewer_pauses_the_host_and_only_that_way(void **state)
{
	struct relay_rig *rig = *state;
	struct fake_end *host, *viewer;
	relay_rig_join(rig, &host, &viewer);
	conn_pause(viewer->conn);
	size_t pushed = 0;
	while (!conn_full(host->conn) && pushed < 64u << 20) {
		fake_end_data(host, 60000);
		pushed += 60000;
		relay_rig_settle(rig);
	}
	assert_true(conn_full(host->conn)); /* the pause has reached the host */
	assert_true(pushed < 2u << 20);     /* and nowhere was more kept */
	fake_end_data(viewer, 64);
	relay_rig_settle(rig);
	assert_int_equal(host->received, 64);
	conn_resume(viewer->conn);
	relay_rig_settle(rig);
	assert_int_equal(viewer->received, host->sent);
	assert_int_equal(viewer->out_of_order, 0);
	assert_false(conn_full(host->conn));
}

static void who_takes_nothing_for_too_long_is_cut(void **state)
{
	struct relay_rig *rig = *state;
	struct fake_end *host, *viewer;
	char row[4096];
	relay_rig_join(rig, &host, &viewer);
	conn_pause(viewer->conn);
	while (!conn_full(host->conn)) {
		fake_end_data(host, 60000);
		relay_rig_settle(rig);
	}
	relay_rig_pass(rig, rig->settings.slow_reader_ms - 2000);
	assert_int_equal(host->closes, 0);
	relay_rig_pass(rig, 4000);
	assert_int_equal(host->closes, 1);
	assert_int_equal(host->close.reason, REASON_SLOW_READER);
	relay_rig_pass(rig, 3000);
	assert_int_equal(relay_rig_rows(rig, JOURNAL_SESSION, "\"SLOW_READER\"", row,
				 sizeof(row)),
		1);
	/* The host is not held back any more. */
	assert_false(conn_full(host->conn));
	assert_int_equal(rig->house.hosts, 1);
	assert_int_equal(rig->house.viewers, 0);
}

static void a_slow_but_moving_viewer_stays(void **state)
{
	struct relay_rig *rig = *state;
	struct fake_end *host, *viewer;
	relay_rig_join(rig, &host, &viewer);
	for (int i = 0; i < 8; i++) {
		conn_pause(viewer->conn);
		while (!conn_full(host->conn)) {
			fake_end_data(host, 60000);
			relay_rig_settle(rig);
		}
		relay_rig_pass(rig, rig->settings.slow_reader_ms / 2);
		conn_resume(viewer->conn);
		relay_rig_settle(rig);
	}
	assert_int_equal(viewer->closes + host->closes, 0);
	assert_int_equal(viewer->received, host->sent);
}

static void receipts_that_agree_are_written_so(void **state)
{
	struct relay_rig *rig = *state;
	struct fake_end *host, *viewer;
	char row[4096];
	relay_rig_join(rig, &host, &viewer);
	fake_end_data(host, 5000);
	fake_end_data(viewer, 100);
	relay_rig_settle(rig);
	relay_rig_order(rig, "{\"order\":\"disconnect\",\"license\":\"" RIG_LICENSE
			     "\",\"by\":\"boss\"}");
	assert_int_equal(host->close.reason, REASON_ADMIN_DISCONNECT);
	assert_int_equal(viewer->close.reason, REASON_ADMIN_DISCONNECT);
	relay_rig_pass(rig, 100); /* both receipts are there: no waiting */
	assert_int_equal(relay_rig_rows(rig, JOURNAL_SESSION, "\"close\"", row,
				 sizeof(row)),
		1);
	assert_non_null(strstr(row, "\"agree\":\"yes\""));
	assert_non_null(strstr(row, "\"by\":\"boss\""));
	assert_non_null(strstr(row, "\"sent\":5000"));
}

static void receipts_that_differ_are_written_so(void **state)
{
	struct relay_rig *rig = *state;
	struct fake_end *host, *viewer;
	char row[4096];
	int64_t differed = metrics_value(METRIC_RECEIPTS_DIFFER);
	relay_rig_join(rig, &host, &viewer);
	viewer->lie = 10;
	fake_end_data(host, 5000);
	relay_rig_settle(rig);
	relay_rig_order(rig,
		"{\"order\":\"disconnect\",\"license\":\"" RIG_LICENSE "\"}");
	relay_rig_pass(rig, 100);
	assert_int_equal(relay_rig_rows(rig, JOURNAL_SESSION, "\"close\"", row,
				 sizeof(row)),
		1);
	assert_non_null(strstr(row, "\"agree\":\"no\""));
	assert_int_equal(metrics_value(METRIC_RECEIPTS_DIFFER), differed + 1);
	assert_int_equal(relay_rig_rows(rig, JOURNAL_AUDIT, "RECEIPTS_DIFFER", row,
				 sizeof(row)),
		1);
	assert_non_null(strstr(row, fake_end_session(host)));
	assert_non_null(strstr(row, "sent 5000, carried 5000, received 5010"));
}

#define DISCONNECT "{\"order\":\"disconnect\",\"license\":\"" RIG_LICENSE "\"}"

/* Numbers that nobody signed are no numbers, and the end that sent them has had its word. */
static void a_receipt_with_a_wrong_signature_counts_for_nothing(void **state)
{
	struct relay_rig *rig = *state;
	struct fake_end *host, *viewer;
	char row[4096];
	int64_t refused = metrics_value(METRIC_RECEIPTS_REFUSED);
	relay_rig_join(rig, &host, &viewer);
	viewer->forge = 1;
	fake_end_data(host, 5000);
	relay_rig_settle(rig);
	relay_rig_order(rig, DISCONNECT);
	viewer->forge = 0;
	fake_end_receipt(viewer);
	relay_rig_settle(rig);
	relay_rig_pass(rig, 100); /* both have spoken: no waiting */
	assert_int_equal(relay_rig_rows(rig, JOURNAL_SESSION, "\"close\"", row,
				 sizeof(row)),
		1);
	assert_non_null(strstr(row, "\"host\":{\"sent\":5000,"));
	assert_non_null(strstr(row, "\"viewer\":{\"refused\":\"PROOF_WRONG\"}"));
	assert_non_null(strstr(row, "\"agree\":\"unknown\""));
	assert_int_equal(metrics_value(METRIC_RECEIPTS_REFUSED), refused + 1);
}

/* Signed is what the node was told, to the last number: a bent one is not what the device signed. */
static void a_receipt_that_was_bent_on_its_way_is_refused(void **state)
{
	struct relay_rig *rig = *state;
	struct fake_end *host, *viewer;
	char row[4096];
	relay_rig_join(rig, &host, &viewer);
	host->bend = 1;
	relay_rig_order(rig, DISCONNECT);
	relay_rig_pass(rig, 100);
	assert_int_equal(relay_rig_rows(rig, JOURNAL_SESSION, "\"close\"", row,
				 sizeof(row)),
		1);
	assert_non_null(strstr(row, "\"host\":{\"refused\":\"PROOF_WRONG\"}"));
	assert_non_null(strstr(row, "\"viewer\":{\"sent\":0,"));
	assert_non_null(strstr(row, "\"agree\":\"unknown\""));
}

static void a_missing_receipt_delays_the_row_only_so_long(void **state)
{
	struct relay_rig *rig = *state;
	struct fake_end *host, *viewer;
	char row[4096];
	relay_rig_join(rig, &host, &viewer);
	viewer->no_receipts = 1;
	relay_rig_order(rig,
		"{\"order\":\"disconnect\",\"license\":\"" RIG_LICENSE "\"}");
	relay_rig_pass(rig, rig->settings.receipt_ms - 200);
	assert_int_equal(relay_rig_rows(rig, JOURNAL_SESSION, "\"close\"", NULL, 0), 0);
	relay_rig_pass(rig, 400);
	assert_int_equal(relay_rig_rows(rig, JOURNAL_SESSION, "\"close\"", row,
				 sizeof(row)),
		1);
	assert_non_null(strstr(row, "\"agree\":\"unknown\""));
}

static uint64_t member(const char *body, const char *name)
{
	char key[64];
	snprintf(key, sizeof(key), "\"%s\":", name);
	const char *at = strstr(body, key);
	return at ? strtoull(at + strlen(key), NULL, 10) : 0;
}

static void on_sum(void *ctx, const struct journal_answer *answer)
{
	uint64_t *sums = ctx;
	for (size_t i = 0; i < answer->count; i++) {
		sums[0] += member(answer->rows[i].body, "bytes_to_viewer");
		sums[1] += member(answer->rows[i].body, "bytes_to_host");
		sums[2]++;
	}
}

static void bandwidth_rows_add_up_to_the_session(void **state)
{
	struct relay_rig *rig = *state;
	struct fake_end *host, *viewer;
	char row[4096];
	uint64_t sums[3] = {0};
	struct journal_query query = {.kind = JOURNAL_BANDWIDTH, .limit = 1000};
	relay_rig_join(rig, &host, &viewer);
	for (int i = 0; i < 5; i++) {
		fake_end_data(host, 10000 + (size_t)i);
		fake_end_data(viewer, 100);
		relay_rig_pass(rig, rig->settings.meter_ms / 2 + 10);
	}
	fake_end_close(host, FAKE_CLOSE_SESSION, REASON_HOST_ENDED);
	relay_rig_pass(rig, rig->settings.receipt_ms + 500);
	relay_rig_rows(rig, JOURNAL_SESSION, "\"close\"", row, sizeof(row));
	journal_query(rig->store->journal, &query, desk_box(rig->desks[0]), on_sum, sums);
	relay_rig_settle(rig);
	assert_int_equal(sums[0], 50010);
	assert_int_equal(sums[1], 500);
	assert_int_equal(sums[0], member(row, "bytes_to_viewer"));
	assert_int_equal(sums[1], member(row, "bytes_to_host"));
	assert_in_range(sums[2], 2, 4);
}

struct hours {
	char texts[8][40];
	uint64_t bytes[8];
	size_t count;
};

static void on_hours(void *ctx, const struct journal_answer *answer)
{
	struct hours *hours = ctx;
	for (size_t i = 0; i < answer->count && hours->count < 8; i++) {
		const char *hour = strstr(answer->rows[i].body, "\"hour\":\"");
		snprintf(hours->texts[hours->count], 40, "%.20s", hour + 8);
		hours->bytes[hours->count++] =
			member(answer->rows[i].body, "bytes_to_viewer");
	}
}

/* One row an hour, and none tells of two hours. */
static void a_row_is_about_one_hour(void **state)
{
	struct relay_rig *rig = *state;
	struct fake_end *host, *viewer;
	struct hours hours = {.count = 0};
	struct journal_query query = {.kind = JOURNAL_BANDWIDTH, .limit = 1000};
	const int64_t hour = 3600000;
	rig->desks[0]->settings.meter_ms = hour;
	rig->wall_ms += hour - rig->wall_ms % hour - 90000;
	relay_rig_pass(rig, 100);
	relay_rig_join(rig, &host, &viewer);
	fake_end_data(host, 1000);
	relay_rig_pass(rig, 80000);
	fake_end_data(host, 2000);
	relay_rig_pass(rig, 20000);
	fake_end_data(host, 4000);
	relay_rig_pass(rig, 5000);
	fake_end_close(host, FAKE_CLOSE_SESSION, REASON_HOST_ENDED);
	relay_rig_pass(rig, rig->settings.receipt_ms + 500);
	journal_query(rig->store->journal, &query, desk_box(rig->desks[0]), on_hours,
		&hours);
	relay_rig_settle(rig);
	assert_int_equal(hours.count, 2);
	assert_int_equal(hours.bytes[0], 3000);
	assert_int_equal(hours.bytes[1], 4000);
	assert_string_not_equal(hours.texts[0], hours.texts[1]);
}

static void a_lost_viewer_ends_the_session_and_can_resume_it(void **state)
{
	struct relay_rig *rig = *state;
	struct fake_end *host, *viewer, *again;
	char session[40], row[4096];
	relay_rig_join(rig, &host, &viewer);
	uint64_t fence = host->open.fence;
	strcpy(session, fake_end_session(host));
	fake_end_vanish(viewer);
	relay_rig_settle(rig);
	assert_int_equal(host->closes, 1);
	assert_int_equal(host->close.reason, REASON_PEER_LOST);
	relay_rig_pass(rig, 3000);
	assert_int_equal(relay_rig_document(rig, STATE_SESSION, session, row,
				 sizeof(row)),
		1);
	assert_non_null(strstr(row, "\"state\":\"away\""));
	again = relay_rig_welcome(rig, 1, HELLO_VIEWER, RIG_LICENSE, 2);
	again->open.fence = fence;
	fake_end_connect(again, session);
	relay_rig_settle(rig);
	assert_int_equal(again->opens, 1);
	assert_int_equal(host->opens, 2);
	assert_string_equal(fake_end_session(again), session);
	assert_int_equal(again->open.resumed, 1);
	assert_true(again->open.fence > fence);
	assert_int_equal(relay_rig_document(rig, STATE_SESSION, session, row,
				 sizeof(row)),
		1);
	assert_non_null(strstr(row, "\"state\":\"live\""));
	fake_end_data(again, 77);
	relay_rig_settle(rig);
	assert_int_equal(host->received, 77);
	/* The former one goes without taking the new one's document with it. */
	relay_rig_pass(rig, rig->settings.grace_ms + 1000);
	assert_int_equal(relay_rig_document(rig, STATE_SESSION, session, NULL, 0), 1);
	fake_end_close(again, FAKE_CLOSE_SESSION, REASON_VIEWER_LEFT);
	relay_rig_pass(rig, 3000);
	assert_int_equal(relay_rig_document(rig, STATE_SESSION, session, NULL, 0), 0);
	assert_int_equal(relay_rig_rows(rig, JOURNAL_SESSION, "\"close\"", NULL, 0), 2);
}

static void nobody_else_resumes_it(void **state)
{
	struct relay_rig *rig = *state;
	struct fake_end *host, *viewer, *other;
	char session[40];
	relay_rig_join(rig, &host, &viewer);
	strcpy(session, fake_end_session(host));
	fake_end_vanish(viewer);
	relay_rig_pass(rig, 3000);
	other = relay_rig_welcome(rig, 1, HELLO_VIEWER, RIG_LICENSE, 3);
	fake_end_connect(other, session);
	relay_rig_settle(rig);
	assert_int_equal(other->opens, 1);
	assert_int_equal(other->open.resumed, 0);
	assert_string_not_equal(fake_end_session(other), session);
}

static void a_resuming_viewer_waits_for_its_host(void **state)
{
	struct relay_rig *rig = *state;
	struct fake_end *host, *viewer, *again;
	char session[40];
	relay_rig_join(rig, &host, &viewer);
	strcpy(session, fake_end_session(host));
	fake_end_vanish(host);
	relay_rig_settle(rig);
	assert_int_equal(viewer->closes, 1);
	assert_int_equal(viewer->close.reason, REASON_PEER_LOST);
	fake_end_connect(viewer, session);
	relay_rig_pass(rig, 5000);
	assert_int_equal(viewer->opens, 1);
	assert_int_equal(viewer->leg_closes, 0);
	again = relay_rig_welcome(rig, 0, HELLO_HOST, RIG_LICENSE, 1);
	relay_rig_settle(rig);
	assert_int_equal(viewer->opens, 2);
	assert_int_equal(again->opens, 1);
	assert_int_equal(viewer->open.resumed, 1);
	assert_string_equal(fake_end_session(again), session);
}

static void the_wait_for_a_host_has_an_end(void **state)
{
	struct relay_rig *rig = *state;
	struct fake_end *host, *viewer;
	char session[40];
	relay_rig_join(rig, &host, &viewer);
	strcpy(session, fake_end_session(host));
	fake_end_vanish(host);
	relay_rig_settle(rig);
	fake_end_connect(viewer, session);
	relay_rig_settle(rig);
	relay_rig_pass(rig, rig->settings.grace_ms + 2000);
	assert_int_equal(viewer->leg_closes, 1);
	assert_int_equal(viewer->close.reason, REASON_GRACE_OVER);
}

static void a_session_ends_when_its_time_is_up(void **state)
{
	struct relay_rig *rig = *state;
	struct fake_end *host, *viewer;
	fake_admission.policy = "{\"rights\":63,\"max_session_ms\":60000}";
	relay_rig_join(rig, &host, &viewer);
	relay_rig_pass(rig, 59000);
	assert_int_equal(viewer->closes, 0);
	relay_rig_pass(rig, 2000);
	assert_int_equal(viewer->closes, 1);
	assert_int_equal(viewer->close.reason, REASON_SESSION_TIME_UP);
	assert_int_equal(host->close.reason, REASON_SESSION_TIME_UP);
}

static void a_license_that_expires_ends_it(void **state)
{
	struct relay_rig *rig = *state;
	struct fake_end *host, *viewer;
	fake_admission.expires_ms = rig->wall_ms + 30000;
	relay_rig_join(rig, &host, &viewer);
	relay_rig_pass(rig, 31000);
	assert_int_equal(viewer->close.reason, REASON_LICENSE_EXPIRED);
	assert_int_equal(host->close.reason, REASON_LICENSE_EXPIRED);
	relay_rig_pass(rig, 3000);
	assert_int_equal(rig->house.legs, 0);
}

/* What only a node or an administrator can know is not believed from an end. */
static void an_end_cannot_speak_for_others(void **state)
{
	struct relay_rig *rig = *state;
	struct fake_end *host, *viewer;
	relay_rig_join(rig, &host, &viewer);
	fake_end_close(viewer, FAKE_CLOSE_SESSION, REASON_ADMIN_DISCONNECT);
	relay_rig_settle(rig);
	assert_int_equal(host->close.reason, REASON_VIEWER_LEFT);
}

static void the_claim_is_kept_and_given_back(void **state)
{
	struct relay_rig *rig = *state;
	struct fake_end *host, *viewer;
	relay_rig_join(rig, &host, &viewer);
	relay_rig_pass(rig, rig->settings.claim_ttl_ms * 4);
	assert_int_equal(viewer->closes, 0);
	fake_end_close(viewer, FAKE_CLOSE_SESSION, REASON_VIEWER_LEFT);
	relay_rig_settle(rig);
	fake_end_connect(viewer, NULL); /* at once, on the same leg */
	relay_rig_settle(rig);
	assert_int_equal(viewer->opens, 2);
	assert_true(viewer->open.fence > 1);
}

static void ignore(void *ctx, const struct state_answer *answer)
{
	(void)ctx;
	(void)answer;
}

static void expect_in_use(void *ctx, const struct state_answer *answer)
{
	(void)ctx;
	assert_int_equal(answer->status, -REASON_LICENSE_IN_USE);
}

/* The store was emptied, or we slept: as long as nobody else has it, it is made anew. */
static void a_claim_that_is_lost_is_made_anew(void **state)
{
	struct relay_rig *rig = *state;
	struct fake_end *host, *viewer;
	relay_rig_join(rig, &host, &viewer);
	state_release(rig->store->state, RIG_LICENSE, fake_end_session(host),
		host->open.fence, desk_box(rig->desks[1]), ignore, NULL);
	relay_rig_pass(rig, rig->settings.claim_renew_ms * 2 + 500);
	assert_int_equal(viewer->closes, 0);
	/* It is held, and given back at the end. */
	state_claim(rig->store->state, RIG_LICENSE, "ses_elsewhere", "n2", 60000,
		desk_box(rig->desks[1]), expect_in_use, NULL);
	relay_rig_settle(rig);
	fake_end_close(viewer, FAKE_CLOSE_SESSION, REASON_VIEWER_LEFT);
	relay_rig_settle(rig);
	fake_end_connect(viewer, NULL);
	relay_rig_settle(rig);
	assert_int_equal(viewer->opens, 2);
}

static void a_claim_that_another_has_ends_the_session(void **state)
{
	struct relay_rig *rig = *state;
	struct fake_end *host, *viewer;
	relay_rig_join(rig, &host, &viewer);
	state_release(rig->store->state, RIG_LICENSE, fake_end_session(host),
		host->open.fence, desk_box(rig->desks[1]), ignore, NULL);
	state_claim(rig->store->state, RIG_LICENSE, "ses_elsewhere", "n2", 60000,
		desk_box(rig->desks[1]), ignore, NULL);
	relay_rig_pass(rig, rig->settings.claim_renew_ms + 500);
	assert_int_equal(viewer->closes, 1);
	assert_int_equal(host->closes, 1);
	assert_int_equal(viewer->close.reason, REASON_STORE_UNAVAILABLE);
}

/* The same session with a later fence: both ends have gone on through another node. */
static void a_session_that_went_on_elsewhere_ends_here(void **state)
{
	struct relay_rig *rig = *state;
	struct fake_end *host, *viewer;
	relay_rig_join(rig, &host, &viewer);
	state_claim(rig->store->state, RIG_LICENSE, fake_end_session(host), "n2", 60000,
		desk_box(rig->desks[1]), ignore, NULL);
	relay_rig_pass(rig, rig->settings.claim_renew_ms + 500);
	assert_int_equal(viewer->closes, 1);
	assert_int_equal(host->closes, 1);
	assert_int_equal(viewer->close.reason, REASON_STORE_UNAVAILABLE);
}

static void a_claim_of_another_node_refuses_the_viewer(void **state)
{
	struct relay_rig *rig = *state;
	struct fake_end *viewer;
	relay_rig_welcome(rig, 0, HELLO_HOST, RIG_LICENSE, 1);
	viewer = relay_rig_welcome(rig, 1, HELLO_VIEWER, RIG_LICENSE, 2);
	state_claim(rig->store->state, RIG_LICENSE, "ses_elsewhere",
		"native viewer, node n2", 60000, desk_box(rig->desks[1]), ignore, NULL);
	fake_end_connect(viewer, NULL);
	relay_rig_settle(rig);
	assert_int_equal(viewer->opens, 0);
	assert_int_equal(viewer->leg_closes, 1);
	assert_int_equal(viewer->close.reason, REASON_LICENSE_IN_USE);
	assert_string_equal(viewer->close.detail, "native viewer, node n2");
	assert_int_equal(relay_rig_rows(rig, JOURNAL_SESSION, "", NULL, 0), 0);
}

/* After CLOSE the last records of the other side are still on the way: no offence. */
static void data_after_the_end_is_dropped(void **state)
{
	struct relay_rig *rig = *state;
	struct fake_end *host, *viewer;
	relay_rig_join(rig, &host, &viewer);
	fake_end_close(viewer, FAKE_CLOSE_SESSION, REASON_VIEWER_LEFT);
	fake_end_data(host, 1000);
	relay_rig_settle(rig);
	fake_end_data(host, 1000);
	relay_rig_settle(rig);
	assert_int_equal(host->gone, 0);
	assert_int_equal(viewer->received, 0);
	assert_int_equal(rig->house.legs, 2);
}

/* The host is far away: its last records of a session arrive when the next one is open already. */
static void late_records_go_to_nobody(void **state)
{
	struct relay_rig *rig = *state;
	struct fake_end *host, *viewer;
	relay_rig_join(rig, &host, &viewer);
	host->no_receipts = 1;
	fake_end_vanish(viewer);
	relay_rig_settle(rig);
	struct fake_end *other = relay_rig_welcome(rig, 1, HELLO_VIEWER, RIG_LICENSE, 3);
	fake_end_connect(other, NULL);
	relay_rig_settle(rig);
	assert_int_equal(other->opens, 1);
	fake_end_data(host, 100);
	fake_end_data(host, 3000);
	relay_rig_settle(rig);
	assert_int_equal(other->received, 0);
	fake_end_data(other, 50); /* the other way nothing is late */
	relay_rig_settle(rig);
	assert_int_equal(host->received, 50);
	fake_end_receipt(host);
	host->next_sent = 0;
	fake_end_data(host, 70);
	relay_rig_settle(rig);
	assert_int_equal(other->received, 70);
	assert_int_equal(other->out_of_order, 0);
}

/* The viewer's last word in the tunnel was faster than its CLOSE: the receipt is there before the end. */
static void a_receipt_before_the_end_is_a_receipt(void **state)
{
	struct relay_rig *rig = *state;
	struct fake_end *host, *viewer;
	char row[4096];
	relay_rig_join(rig, &host, &viewer);
	fake_end_receipt(host);
	host->no_receipts = 1;
	relay_rig_settle(rig);
	fake_end_close(viewer, FAKE_CLOSE_SESSION, REASON_VIEWER_LEFT);
	relay_rig_settle(rig);
	struct fake_end *other = relay_rig_welcome(rig, 1, HELLO_VIEWER, RIG_LICENSE, 3);
	fake_end_connect(other, NULL);
	relay_rig_settle(rig);
	assert_int_equal(other->opens, 1);
	fake_end_data(host, 100); /* at once: no other receipt is awaited */
	relay_rig_settle(rig);
	assert_int_equal(other->received, 100);
	relay_rig_pass(rig, rig->settings.receipt_ms + 100);
	assert_int_equal(relay_rig_rows(rig, JOURNAL_SESSION, "\"close\"", row,
				 sizeof(row)),
		1);
	assert_non_null(strstr(row, "\"host\":{\"sent\":0"));
}

static void a_host_without_receipts_is_heard_again(void **state)
{
	struct relay_rig *rig = *state;
	struct fake_end *host, *viewer;
	relay_rig_join(rig, &host, &viewer);
	host->no_receipts = 1;
	fake_end_vanish(viewer);
	relay_rig_settle(rig);
	struct fake_end *other = relay_rig_welcome(rig, 1, HELLO_VIEWER, RIG_LICENSE, 3);
	fake_end_connect(other, NULL);
	relay_rig_pass(rig, rig->settings.receipt_ms);
	fake_end_data(host, 100);
	relay_rig_settle(rig);
	assert_int_equal(other->received, 100);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

/* Who comes without a new one-time code may go on with his session and begin no other. */
static void a_remembered_code_begins_no_session(void **state)
{
	struct relay_rig *rig = *state;
	struct fake_end *host, *viewer;
	char session[41];
	relay_rig_join(rig, &host, &viewer);
	snprintf(session, sizeof(session), "%s", fake_end_session(viewer));
	fake_end_vanish(viewer);
	relay_rig_pass(rig, rig->settings.receipt_ms + 500);
	fake_admission.resume_only = REASON_TOTP_NEEDED;
	struct fake_end *again = relay_rig_welcome(rig, 1, HELLO_VIEWER, RIG_LICENSE, 2);
	fake_end_connect(again, session);
	relay_rig_settle(rig);
	assert_int_equal(again->opens, 1);
	assert_int_equal(again->open.resumed, 1);
	fake_end_close(again, FAKE_CLOSE_SESSION, REASON_VIEWER_LEFT);
	relay_rig_pass(rig, rig->settings.receipt_ms + 500);
	fake_end_connect(again, NULL);
	relay_rig_settle(rig);
	assert_int_equal(again->opens, 1);
	assert_int_equal(again->leg_closes, 1);
	assert_int_equal(again->close.reason, REASON_TOTP_NEEDED);
}

/* The timers of a rest are real ones and seconds away here; the clock of the bytes stands still. */
static void it_carries_no_faster_than_it_may(void **state)
{
	struct relay_rig *rig = *state;
	struct fake_end *host, *viewer;
	fake_admission.policy = "{\"rights\":63,\"rate_max_bytes\":20000}";
	relay_rig_join(rig, &host, &viewer);
	for (int i = 0; i < 10; i++)
		fake_end_data(host, 16000);
	fake_end_data(viewer, 100);
	relay_rig_settle(rig);
	assert_true(viewer->received >= 60000 && viewer->received < 160000);
	assert_int_equal(host->received, 100); /* the other way is its own */
	uint64_t before = viewer->received;
	fake_end_data(host, 100);
	relay_rig_settle(rig);
	assert_int_equal(viewer->received, before);
	/* It is lifted by a policy that says nothing of it. */
	fake_admission.policy = "{\"rights\":63}";
	relay_rig_order(rig, "{\"order\":\"policy\",\"tenant\":\"\",\"license\":\"\"}");
	relay_rig_pass(rig, 900);
	assert_int_equal(viewer->received, 160100);
	assert_int_equal(viewer->out_of_order, 0);
}

static void the_node_has_a_cap_too(void **state)
{
	struct relay_rig *rig = *state;
	struct fake_end *host, *viewer;
	rig->desks[0]->settings.rate_per_session = 1; /* counts as the least */
	fake_admission.policy = "{\"rights\":63,\"rate_max_bytes\":9000000000000}";
	relay_rig_join(rig, &host, &viewer);
	for (int i = 0; i < 10; i++)
		fake_end_data(viewer, 16000);
	relay_rig_settle(rig);
	assert_true(host->received >= 60000 && host->received < 160000);
	/* Who rests is not taken for dead, however long it takes. */
	relay_rig_pass(rig, 4 * rig->settings.keepalive_ms);
	assert_int_equal(host->closes + viewer->closes, 0);
}

static void a_company_has_one_cap_for_its_sessions(void **state)
{
	struct relay_rig *rig = *state;
	struct fake_end *host, *viewer;
	fake_admission.policy = "{\"rights\":63,\"tenant_rate_max_bytes\":20000}";
	relay_rig_join(rig, &host, &viewer);
	struct fake_end *host2 = relay_rig_welcome(rig, 0, HELLO_HOST, RIG_OTHER, 3);
	struct fake_end *viewer2 = relay_rig_welcome(rig, 0, HELLO_VIEWER, RIG_OTHER, 4);
	fake_end_connect(viewer2, NULL);
	relay_rig_settle(rig);
	assert_int_equal(host2->opens, 1);
	for (int i = 0; i < 10; i++)
		fake_end_data(host, 16000);
	relay_rig_settle(rig);
	for (int i = 0; i < 10; i++)
		fake_end_data(host2, 16000);
	relay_rig_settle(rig);
	/* Both wait for one another, and the keys for nobody. */
	assert_true(viewer->received < 160000);
	assert_true(viewer2->received < 160000);
	fake_end_data(viewer2, 100);
	relay_rig_settle(rig);
	assert_int_equal(host2->received, 100);
	relay_rig_pass(rig, 60000);
}

/* A device that says that it had a session that never was gets none by that. */
static void a_remembered_code_invents_no_session(void **state)
{
	struct relay_rig *rig = *state;
	static const uint8_t id[SESSION_ID] = {9};
	char text[SESSION_ID_TEXT];
	session_id_text(id, text);
	relay_rig_welcome(rig, 0, HELLO_HOST, RIG_LICENSE, 1);
	fake_admission.resume_only = REASON_TOTP_NEEDED;
	struct fake_end *viewer = relay_rig_welcome(rig, 1, HELLO_VIEWER, RIG_LICENSE, 2);
	fake_end_connect(viewer, text);
	relay_rig_settle(rig);
	assert_int_equal(viewer->opens, 0);
	assert_int_equal(viewer->leg_closes, 1);
	assert_int_equal(viewer->close.reason, REASON_TOTP_NEEDED);
	assert_int_equal(relay_rig_rows(rig, JOURNAL_SESSION, "", NULL, 0), 0);
}

/* Nobody is in it any more: it says so before the receipts are there. */
static void what_has_ended_says_so_at_once(void **state)
{
	struct relay_rig *rig = *state;
	struct fake_end *host, *viewer;
	char body[2048];
	relay_rig_join(rig, &host, &viewer);
	relay_rig_settle(rig);
	fake_end_close(viewer, FAKE_CLOSE_SESSION, REASON_VIEWER_LEFT);
	relay_rig_settle(rig);
	assert_int_equal(relay_rig_document(rig, STATE_SESSION, fake_end_session(host),
				 body, sizeof(body)),
		1);
	assert_non_null(strstr(body, "\"state\":\"closing\""));
	assert_non_null(strstr(body, "\"reason\":\"VIEWER_LEFT\""));
	relay_rig_pass(rig, rig->settings.receipt_ms + 500);
	assert_int_equal(relay_rig_document(rig, STATE_SESSION, fake_end_session(host),
				 NULL, 0),
		0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(it_carries_no_faster_than_it_may),
		TEST(the_node_has_a_cap_too),
		TEST(a_company_has_one_cap_for_its_sessions),
		TEST(host_and_viewer_are_joined_and_told_the_same),
		TEST(data_crosses_both_ways_in_order_and_is_counted),
		TEST(the_opening_is_in_the_journal_before_anybody_is_told),
		TEST(a_slow_viewer_pauses_the_host_and_only_that_way),
		TEST(who_takes_nothing_for_too_long_is_cut),
		TEST(a_slow_but_moving_viewer_stays),
		TEST(receipts_that_agree_are_written_so),
		TEST(receipts_that_differ_are_written_so),
		TEST(a_receipt_with_a_wrong_signature_counts_for_nothing),
		TEST(a_receipt_that_was_bent_on_its_way_is_refused),
		TEST(a_missing_receipt_delays_the_row_only_so_long),
		TEST(a_row_is_about_one_hour),
		TEST(bandwidth_rows_add_up_to_the_session),
		TEST(a_lost_viewer_ends_the_session_and_can_resume_it),
		TEST(nobody_else_resumes_it),
		TEST(a_resuming_viewer_waits_for_its_host),
		TEST(the_wait_for_a_host_has_an_end),
		TEST(a_session_ends_when_its_time_is_up),
		TEST(a_license_that_expires_ends_it),
		TEST(an_end_cannot_speak_for_others),
		TEST(the_claim_is_kept_and_given_back),
		TEST(a_claim_that_is_lost_is_made_anew),
		TEST(a_claim_that_another_has_ends_the_session),
		TEST(a_session_that_went_on_elsewhere_ends_here),
		TEST(a_claim_of_another_node_refuses_the_viewer),
		TEST(a_remembered_code_begins_no_session),
		TEST(a_remembered_code_invents_no_session),
		TEST(what_has_ended_says_so_at_once),
		TEST(data_after_the_end_is_dropped),
		TEST(late_records_go_to_nobody),
		TEST(a_receipt_before_the_end_is_a_receipt),
		TEST(a_host_without_receipts_is_heard_again),
	};
	cmocka_set_test_filter(getenv("ENGAWA_TEST_ONLY"));
	return cmocka_run_group_tests(tests, NULL, NULL);
}
