/* What a killed node left open is closed in the journal by its next run, once. */
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
#include "base/text.h"
#include "fakes/relay_rig.h"
#include "relay/recover.h"
#include "store/state.h"
#include "wire/session_id.h"

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

static void on_put(void *ctx, const struct state_answer *answer)
{
	*(int *)ctx = answer->status;
}

static void put(struct relay_rig *rig, const char *id, const char *body)
{
	struct state_doc doc = {STATE_SESSION, id, "ten_1", 0, body};
	int status = 1;
	state_put(rig->store->state, &doc, desk_box(rig->desks[0]), on_put, &status);
	relay_rig_settle(rig);
	assert_int_equal(status, 0);
}

#define BODY(node, state)                                                                \
	"{\"id\":\"ses_x\",\"fence\":7,\"license\":\"" RIG_LICENSE "\",\"node\":\"" node \
	"\",\"started\":\"2026-11-22T07:00:00.000Z\",\"seen\":\"2026-11-22T07:30:00."    \
	"000Z\","                                                                        \
	"\"until\":\"2026-11-22T07:31:00.000Z\",\"host\":\"h\",\"viewer\":\"v\","        \
	"\"bytes_to_viewer\":123,\"bytes_to_host\":45,\"state\":\"" state "\"}"

static void a_session_of_a_killed_run_gets_its_closing_row_once(void **state)
{
	struct relay_rig *rig = *state;
	char row[2048];
	put(rig, "ses_1", BODY("n1", "live"));
	recover_sweep(rig->desks[0], rig->wall_ms);
	relay_rig_settle(rig);
	assert_int_equal(relay_rig_rows(rig, JOURNAL_SESSION, "\"close\"", row,
				 sizeof(row)),
		1);
	assert_non_null(strstr(row, "\"reason\":\"NODE_STOPPED\""));
	assert_non_null(strstr(row, "\"recovered\":1"));
	assert_non_null(strstr(row, "\"bytes_to_viewer\":123"));
	assert_non_null(strstr(row, "\"ended\":\"2026-11-22T07:30:00.000Z\""));
	assert_non_null(strstr(row, "\"duration_ms\":1800000"));
	assert_null(strstr(row, "\"state\""));
	assert_int_equal(relay_rig_document(rig, STATE_SESSION, "ses_1", NULL, 0), 0);
	recover_sweep(rig->desks[0], rig->wall_ms);
	relay_rig_settle(rig);
	assert_int_equal(relay_rig_rows(rig, JOURNAL_SESSION, "\"close\"", NULL, 0), 1);
}

/* As the node that was killed a second ago wrote it. */
static void put_fresh(struct relay_rig *rig, const char *state, const char *more)
{
	char body[1024], seen[CLOCK_TEXT];
	clock_text(clock_wall_ms() - 1000, seen);
	snprintf(body, sizeof(body),
		"{\"id\":\"ses_x\",\"fence\":7,\"license\":\"" RIG_LICENSE
		"\",\"node\":\"n1\",\"started\":\"2026-11-22T07:00:00.000Z\","
		"\"seen\":\"%s\",\"state\":\"%s\"%s}",
		seen, state, more);
	put(rig, "ses_x", body);
}

/* Its ends are on their way: whoever signed in with a code is not asked for another one. */
static void ends_may_go_on_for_the_grace_time(void **state)
{
	struct relay_rig *rig = *state;
	char body[1024];
	put_fresh(rig, "live", "");
	recover_sweep(rig->desks[0], clock_wall_ms());
	relay_rig_settle(rig);
	assert_int_equal(relay_rig_rows(rig, JOURNAL_SESSION, "\"close\"", NULL, 0), 1);
	assert_int_equal(relay_rig_document(rig, STATE_SESSION, "ses_x", body,
				 sizeof(body)),
		1);
	assert_non_null(strstr(body, "\"state\":\"away\""));
	assert_non_null(strstr(body, "\"until\":\""));
	assert_null(strstr(body, "closer"));
	recover_sweep(rig->desks[0], clock_wall_ms());
	relay_rig_settle(rig);
	assert_int_equal(relay_rig_rows(rig, JOURNAL_SESSION, "\"close\"", NULL, 0), 1);
}

static void nobody_goes_on_with_what_was_ended(void **state)
{
	struct relay_rig *rig = *state;
	put_fresh(rig, "closing", ",\"reason\":\"ADMIN_DISCONNECT\"");
	recover_sweep(rig->desks[0], clock_wall_ms());
	relay_rig_settle(rig);
	assert_int_equal(relay_rig_rows(rig, JOURNAL_SESSION, "\"close\"", NULL, 0), 1);
	assert_int_equal(relay_rig_document(rig, STATE_SESSION, "ses_x", NULL, 0), 0);
}

static void other_nodes_and_living_sessions_are_left_alone(void **state)
{
	struct relay_rig *rig = *state;
	struct fake_end *host, *viewer;
	put(rig, "ses_2", BODY("n2", "live"));
	put(rig, "ses_3", "not JSON");
	relay_rig_join(rig, &host, &viewer);
	recover_sweep(rig->desks[0], rig->wall_ms);
	relay_rig_settle(rig);
	assert_int_equal(relay_rig_rows(rig, JOURNAL_SESSION, "\"close\"", NULL, 0), 0);
	assert_int_equal(relay_rig_document(rig, STATE_SESSION, "ses_2", NULL, 0), 1);
	assert_int_equal(relay_rig_document(rig, STATE_SESSION, fake_end_session(host),
				 NULL, 0),
		1);
}

static void what_nobody_came_back_for_goes(void **state)
{
	struct relay_rig *rig = *state;
	put(rig, "ses_4", BODY("n1", "away"));
	recover_sweep(rig->desks[0], rig->wall_ms);
	relay_rig_settle(rig);
	assert_int_equal(relay_rig_document(rig, STATE_SESSION, "ses_4", NULL, 0), 0);
	assert_int_equal(relay_rig_rows(rig, JOURNAL_SESSION, "", NULL, 0), 0);
}

/* Also of this run: whoever wrote it may have failed to take it out. */
static void what_is_over_goes_whoever_wrote_it(void **state)
{
	struct relay_rig *rig = *state;
	put(rig, "ses_5", BODY("n1", "away"));
	recover_sweep(rig->desks[0], 0);
	relay_rig_settle(rig);
	assert_int_equal(relay_rig_document(rig, STATE_SESSION, "ses_5", NULL, 0), 0);
}

/* ---- bytes ------------------------------------------------------------------------------- */

static uint64_t member(const char *body, const char *name)
{
	char key[64];
	snprintf(key, sizeof(key), "\"%s\":", name);
	const char *at = strstr(body, key);
	return at ? strtoull(at + strlen(key), NULL, 10) : 0;
}

struct sums {
	uint64_t to_viewer, to_host, rows;
};

static void on_sum(void *ctx, const struct journal_answer *answer)
{
	struct sums *sums = ctx;
	for (size_t i = 0; i < answer->count; i++) {
		sums->to_viewer += member(answer->rows[i].body, "bytes_to_viewer");
		sums->to_host += member(answer->rows[i].body, "bytes_to_host");
		sums->rows++;
	}
}

static struct sums bandwidth(struct relay_rig *rig)
{
	struct journal_query query = {.kind = JOURNAL_BANDWIDTH, .limit = 1000};
	struct sums sums = {0};
	journal_query(rig->store->journal, &query, desk_box(rig->desks[0]), on_sum,
		&sums);
	relay_rig_settle(rig);
	return sums;
}

static void on_appended(void *ctx, const struct journal_answer *answer)
{
	*(int *)ctx = answer->status;
}

static void append(struct relay_rig *rig, enum journal_kind kind, const char *body)
{
	struct journal_row row = {kind, "ten_1", RIG_LICENSE,
		rig->wall_ms - 45 * 60 * 1000, body, 0, NULL, {0}};
	int status = 1;
	journal_append(rig->store->journal, &row, 1, desk_box(rig->desks[0]), on_appended,
		&status);
	relay_rig_settle(rig);
	assert_int_equal(status, 0);
}

static void sweep(struct relay_rig *rig)
{
	recover_sweep(rig->desks[0], rig->wall_ms);
	relay_rig_settle(rig);
}

/* What the next run finds is all that the store has at this moment; the killed one writes nothing more
 * until that is looked at. */
static void a_kill_in_mid_session_loses_a_second_at_most(void **state)
{
	struct relay_rig *rig = *state;
	struct fake_end *host, *viewer;
	uint64_t to_viewer[200], to_host[200];
	char row[4096];
	int i;
	rig->desks[0]->settings.meter_ms = 4000;
	rig->desks[1]->settings.meter_ms = 4000;
	relay_rig_join(rig, &host, &viewer);
	for (i = 0; i < 105; i++) { /* 10.5 s */
		fake_end_data(host, 1000 + (size_t)i);
		fake_end_data(viewer, 100 + (size_t)i);
		relay_rig_settle(rig);
		to_viewer[i] = host->sent;
		to_host[i] = viewer->sent;
		relay_rig_pass(rig, 100);
		if (i < 10)
			continue;
		relay_rig_document(rig, STATE_SESSION, fake_end_session(host), row,
			sizeof(row)); /* all that a kill would leave now */
		assert_in_range(member(row, "bytes_to_viewer"), to_viewer[i - 10],
			to_viewer[i]);
	}
	struct sums before = bandwidth(rig);
	assert_int_equal(before.rows, 2);
	sweep(rig);
	assert_int_equal(relay_rig_rows(rig, JOURNAL_SESSION, "\"close\"", row,
				 sizeof(row)),
		1);
	assert_non_null(strstr(row, "\"recovered\":1"));
	assert_null(strstr(row, "\"metered"));
	assert_in_range(member(row, "bytes_to_viewer"), to_viewer[i - 11],
		to_viewer[i - 1]);
	assert_in_range(member(row, "bytes_to_host"), to_host[i - 11], to_host[i - 1]);
	assert_true(member(row, "bytes_to_viewer") > before.to_viewer);
	struct sums after = bandwidth(rig);
	assert_int_equal(after.rows, 3);
	assert_int_equal(after.to_viewer, member(row, "bytes_to_viewer"));
	assert_int_equal(after.to_host, member(row, "bytes_to_host"));
	relay_rig_rows(rig, JOURNAL_BANDWIDTH, "", row, sizeof(row));
	assert_non_null(strstr(row, fake_end_session(host)));
	assert_non_null(strstr(row, "\"hour\":\"2026-11-22T08:00:00.000Z\""));
	assert_int_equal(member(row, "fence"), host->open.fence);
}

#define BANDWIDTH(fence, to_viewer, to_host)                                             \
	"{\"session\":\"ses_x\",\"fence\":" fence ",\"bytes_to_viewer\":" to_viewer      \
	",\"bytes_to_host\":" to_host "}"

/* Killed after a bandwidth row and before the document that would have told of it. */
static void rows_younger_than_the_document_are_not_written_twice(void **state)
{
	struct relay_rig *rig = *state;
	char row[2048];
	put(rig, "ses_x", BODY("n1", "live")); /* 123 and 45 */
	append(rig, JOURNAL_BANDWIDTH, BANDWIDTH("7", "100", "20"));
	append(rig, JOURNAL_BANDWIDTH, BANDWIDTH("7", "30", "5"));
	append(rig, JOURNAL_BANDWIDTH, BANDWIDTH("6", "1000", "1000"));
	sweep(rig);
	assert_int_equal(relay_rig_rows(rig, JOURNAL_SESSION, "\"close\"", row,
				 sizeof(row)),
		1);
	assert_int_equal(member(row, "bytes_to_viewer"), 130);
	assert_int_equal(member(row, "bytes_to_host"), 45);
	struct sums sums = bandwidth(rig);
	assert_int_equal(sums.rows, 4);
	assert_int_equal(sums.to_viewer, 1000 + 130);
	assert_int_equal(sums.to_host, 1000 + 45);
}

/* Rows that were acknowledged into a spool are on their way, though the journal does not show them. */
static void rows_that_are_not_seen_yet_are_not_written_twice(void **state)
{
	struct relay_rig *rig = *state;
	put(rig, "ses_x",
		"{\"id\":\"ses_x\",\"fence\":7,\"license\":\"" RIG_LICENSE
		"\",\"node\":\"n1\",\"started\":\"2026-11-22T07:00:00.000Z\","
		"\"seen\":\"2026-11-22T07:30:00.000Z\",\"bytes_to_viewer\":123,"
		"\"bytes_to_host\":45,\"metered_to_viewer\":120,"
		"\"metered_to_host\":45,\"state\":\"live\"}");
	append(rig, JOURNAL_BANDWIDTH, BANDWIDTH("7", "100", "20"));
	sweep(rig);
	struct sums sums = bandwidth(rig);
	assert_int_equal(sums.rows, 2);
	assert_int_equal(sums.to_viewer, 103);
	assert_int_equal(sums.to_host, 20);
}

/* Killed after the closing row and before the document was taken out. */
static void what_has_its_closing_row_gets_no_second_one(void **state)
{
	struct relay_rig *rig = *state;
	put(rig, "ses_x", BODY("n1", "live"));
	append(rig, JOURNAL_SESSION, "{\"id\":\"ses_x\",\"fence\":7,\"event\":\"open\"}");
	append(rig, JOURNAL_SESSION,
		"{\"id\":\"ses_x\",\"fence\":7,\"event\":\"close\"}");
	sweep(rig);
	assert_int_equal(relay_rig_rows(rig, JOURNAL_SESSION, "\"close\"", NULL, 0), 1);
	assert_int_equal(bandwidth(rig).rows, 0);
	assert_int_equal(relay_rig_document(rig, STATE_SESSION, "ses_x", NULL, 0), 0);
}

/* A closing row of the same session under another fence is another one's. */
static void every_fence_has_its_own_closing_row(void **state)
{
	struct relay_rig *rig = *state;
	put(rig, "ses_x", BODY("n1", "live"));
	append(rig, JOURNAL_SESSION,
		"{\"id\":\"ses_x\",\"fence\":6,\"event\":\"close\"}");
	sweep(rig);
	assert_int_equal(relay_rig_rows(rig, JOURNAL_SESSION, "\"close\"", NULL, 0), 2);
	assert_int_equal(bandwidth(rig).to_viewer, 123);
}

/* The ends are back before the sweep has done its work: the former fence gets its rows, and the session
 * goes on under its id, with a document of its own. */
static void who_comes_back_at_once_goes_on_while_the_rest_is_closed(void **state)
{
	struct relay_rig *rig = *state;
	static const uint8_t id[SESSION_ID] = {1, 2, 3};
	char text[SESSION_ID_TEXT], device[TEXT_B64_SIZE(32)], body[1024], row[4096];
	struct fake_end *host = relay_rig_welcome(rig, 0, HELLO_HOST, RIG_LICENSE, 1);
	struct fake_end *viewer = relay_rig_welcome(rig, 1, HELLO_VIEWER, RIG_LICENSE, 2);
	session_id_text(id, text);
	text_b64(device, viewer->device, sizeof(viewer->device));
	snprintf(body, sizeof(body),
		"{\"id\":\"%s\",\"fence\":7,\"license\":\"" RIG_LICENSE
		"\",\"node\":\"n1\",\"started\":\"2026-11-22T07:00:00.000Z\","
		"\"seen\":\"2026-11-22T07:59:00.000Z\",\"viewer_device\":\"%s\","
		"\"bytes_to_viewer\":123,\"bytes_to_host\":45,\"state\":\"live\"}",
		text, device);
	put(rig, text, body);
	recover_sweep(rig->desks[0], rig->wall_ms);
	viewer->open.fence = 7;
	fake_end_connect(viewer, text);
	relay_rig_settle(rig);
	assert_int_equal(host->opens, 1);
	assert_int_equal(viewer->open.resumed, 1);
	assert_string_equal(fake_end_session(viewer), text);
	fake_end_data(host, 5000);
	relay_rig_pass(rig, 3000);
	assert_int_equal(viewer->received, 5000);
	assert_int_equal(relay_rig_rows(rig, JOURNAL_SESSION, "\"close\"", row,
				 sizeof(row)),
		1);
	assert_int_equal(member(row, "fence"), 7);
	assert_int_equal(bandwidth(rig).to_viewer, 123);
	assert_int_equal(relay_rig_document(rig, STATE_SESSION, text, row, sizeof(row)),
		1);
	assert_int_equal(member(row, "fence"), viewer->open.fence);
	assert_int_equal(member(row, "bytes_to_viewer"), 5000);
	assert_non_null(strstr(row, "\"state\":\"live\""));
}

/* ---- nodes that do not come back ----------------------------------------------------------- */

#define LOST_MS 2000

static void on_node(void *ctx, const struct state_answer *answer)
{
	assert_int_equal(answer->status, 0);
	*(uint64_t *)ctx = answer->docs[0].version;
}

/* The node says that it lives. */
static void node_says(struct relay_rig *rig, const char *node, uint64_t *version)
{
	struct state_doc doc = {STATE_NODE, node, "", *version, "{}"};
	state_put(rig->store->state, &doc, desk_box(rig->desks[0]), on_node, version);
	relay_rig_settle(rig);
}

static uint64_t closings(struct relay_rig *rig)
{
	return (uint64_t)relay_rig_rows(rig, JOURNAL_SESSION, "\"close\"", NULL, 0);
}

/* As often as a node does it. */
static void sweeps_for(struct relay_rig *rig, int64_t ms)
{
	for (rig->desks[0]->settings.node_lost_ms = LOST_MS; ms > 0; ms -= LOST_MS / 2) {
		sweep(rig);
		relay_rig_pass(rig, LOST_MS / 2);
	}
	sweep(rig);
}

static void a_lost_node_leaves_nothing_open(void **state)
{
	struct relay_rig *rig = *state;
	uint64_t version = 0;
	char row[2048];
	node_says(rig, "n2", &version);
	put(rig, "ses_x", BODY("n2", "live"));
	put(rig, "ses_y", BODY("n2", "away"));
	for (int i = 0; i < 3; i++) {
		sweeps_for(rig, LOST_MS - LOST_MS / 2);
		node_says(rig, "n2", &version);
	}
	assert_int_equal(closings(rig), 0);
	sweeps_for(rig, LOST_MS + LOST_MS / 2);
	assert_int_equal(closings(rig), 1);
	relay_rig_rows(rig, JOURNAL_SESSION, "\"close\"", row, sizeof(row));
	assert_non_null(strstr(row, "\"node\":\"n2\""));
	assert_null(strstr(row, "closer"));
	assert_int_equal(bandwidth(rig).to_viewer, 123);
	assert_int_equal(relay_rig_document(rig, STATE_SESSION, "ses_x", NULL, 0), 0);
	assert_int_equal(relay_rig_document(rig, STATE_SESSION, "ses_y", NULL, 0), 0);
	sweeps_for(rig, LOST_MS * 2);
	assert_int_equal(closings(rig), 1);
}

static void of_several_nodes_one_closes_it(void **state)
{
	struct relay_rig *rig = *state;
	uint64_t version = 0;
	char body[1024];
	node_says(rig, "n3", &version);
	snprintf(body, sizeof(body), "%.*s,\"closer\":\"n3\",\"closer_ms\":%lld}",
		(int)strlen(BODY("n2", "live")) - 1, BODY("n2", "live"),
		(long long)rig->wall_ms);
	put(rig, "ses_x", body);
	for (int i = 0; i < 40; i++) {
		sweeps_for(rig, LOST_MS - LOST_MS / 2);
		node_says(rig, "n3", &version);
	}
	assert_int_equal(closings(rig), 0);
	/* The one that began to has died over it. */
	sweeps_for(rig, LOST_MS * 2);
	assert_int_equal(closings(rig), 1);
	assert_int_equal(relay_rig_document(rig, STATE_SESSION, "ses_x", NULL, 0), 0);
}

static void a_part_that_is_owed_gets_its_row_when_its_node_is_lost(void **state)
{
	struct relay_rig *rig = *state;
	uint64_t version = 0;
	node_says(rig, "n2", &version);
	put(rig, "ses_x~7", BODY("n2", "owed"));
	put(rig, "ses_x~8", BODY("n1", "owed")); /* of our former run, the same fence */
	sweep(rig);
	assert_int_equal(closings(rig), 1);
	assert_int_equal(relay_rig_document(rig, STATE_SESSION, "ses_x~8", NULL, 0), 0);
	/* The node of the other one has written it itself. */
	sweep(rig);
	assert_int_equal(closings(rig), 1);
	assert_int_equal(relay_rig_document(rig, STATE_SESSION, "ses_x~7", NULL, 0), 0);
}

static void a_part_that_is_owed_waits_for_its_living_node(void **state)
{
	struct relay_rig *rig = *state;
	uint64_t version = 0;
	put(rig, "ses_x~7", BODY("n2", "owed"));
	for (int i = 0; i < 5; i++) {
		node_says(rig, "n2", &version);
		sweeps_for(rig, LOST_MS - LOST_MS / 2);
	}
	assert_int_equal(closings(rig), 0);
	assert_int_equal(relay_rig_document(rig, STATE_SESSION, "ses_x~7", NULL, 0), 1);
	sweeps_for(rig, LOST_MS * 2);
	assert_int_equal(closings(rig), 1);
}

/* It had ended, and its node died before the row was written. */
static void what_had_ended_keeps_its_reason(void **state)
{
	struct relay_rig *rig = *state;
	char body[1024], row[2048];
	snprintf(body, sizeof(body), "%.*s,\"reason\":\"VIEWER_LEFT\"}",
		(int)strlen(BODY("n1", "closing")) - 1, BODY("n1", "closing"));
	put(rig, "ses_x", body);
	sweep(rig);
	assert_int_equal(relay_rig_rows(rig, JOURNAL_SESSION, "\"close\"", row,
				 sizeof(row)),
		1);
	assert_non_null(strstr(row, "\"reason\":\"VIEWER_LEFT\""));
	assert_non_null(strstr(row, "\"recovered\":1"));
}

/* The former part is put aside before its document is written over. */
static void a_part_whose_node_died_is_not_forgotten(void **state)
{
	struct relay_rig *rig = *state;
	static const uint8_t id[SESSION_ID] = {1, 2, 3};
	int64_t born_ms = rig->wall_ms;
	char text[SESSION_ID_TEXT], device[TEXT_B64_SIZE(32)], body[1024], owed[64];
	struct fake_end *host = relay_rig_welcome(rig, 0, HELLO_HOST, RIG_LICENSE, 1);
	struct fake_end *viewer = relay_rig_welcome(rig, 1, HELLO_VIEWER, RIG_LICENSE, 2);
	session_id_text(id, text);
	text_b64(device, viewer->device, sizeof(viewer->device));
	snprintf(body, sizeof(body),
		"{\"id\":\"%s\",\"fence\":7,\"license\":\"" RIG_LICENSE
		"\",\"node\":\"n2\",\"started\":\"2026-11-22T07:00:00.000Z\","
		"\"seen\":\"2026-11-22T07:59:00.000Z\",\"viewer_device\":\"%s\","
		"\"bytes_to_viewer\":123,\"bytes_to_host\":45,\"state\":\"live\"}",
		text, device);
	put(rig, text, body);
	fake_end_connect(viewer, text);
	relay_rig_settle(rig);
	assert_int_equal(host->opens, 1);
	assert_int_equal(viewer->open.resumed, 1);
	snprintf(owed, sizeof(owed), "%s~7", text);
	assert_int_equal(relay_rig_document(rig, STATE_SESSION, owed, body, sizeof(body)),
		1);
	assert_non_null(strstr(body, "\"state\":\"owed\""));
	assert_int_equal(closings(rig), 0);
	relay_rig_pass(rig, 31000);
	rig->desks[0]->settings.node_lost_ms = LOST_MS;
	for (int i = 0; i < 4; i++) {
		recover_sweep(rig->desks[0], born_ms);
		relay_rig_pass(rig, LOST_MS);
	}
	assert_int_equal(closings(rig), 1);
	assert_int_equal(bandwidth(rig).to_viewer, 123);
	assert_int_equal(relay_rig_document(rig, STATE_SESSION, owed, NULL, 0), 0);
	assert_int_equal(viewer->closes, 0);
}

#define MANY_ROWS 1005

/* More rows than one answer holds. */
static void long_sessions_are_added_up_to_their_last_row(void **state)
{
	struct relay_rig *rig = *state;
	char row[2048];
	put(rig, "ses_x", BODY("n1", "live"));
	for (int i = 0; i < MANY_ROWS; i++)
		append(rig, JOURNAL_BANDWIDTH, BANDWIDTH("7", "1", "0"));
	sweep(rig);
	assert_int_equal(relay_rig_rows(rig, JOURNAL_SESSION, "\"close\"", row,
				 sizeof(row)),
		1);
	assert_int_equal(member(row, "bytes_to_viewer"), MANY_ROWS);
	assert_int_equal(member(row, "bytes_to_host"), 45);
}

/* What others do that took this node for lost while it stood still: a sweep of another run. */
static void others_close_it(struct relay_rig *rig, const struct fake_end *host)
{
	char shown[4096];
	for (int i = 0; i < 30; i++) { /* until the document tells all */
		relay_rig_pass(rig, 100);
		relay_rig_document(rig, STATE_SESSION, fake_end_session(host), shown,
			sizeof(shown));
		if (member(shown, "bytes_to_viewer") == host->sent)
			break;
	}
	assert_int_equal(member(shown, "bytes_to_viewer"), host->sent);
	sweep(rig);
	assert_int_equal(closings(rig), 1);
}

/* It wakes up, is not joined to anybody any more, and writes its own. */
static void what_others_closed_is_not_closed_again(void **state)
{
	struct relay_rig *rig = *state;
	struct fake_end *host, *viewer;
	char row[4096];
	relay_rig_join(rig, &host, &viewer);
	fake_end_data(host, 4000);
	fake_end_data(viewer, 300);
	others_close_it(rig, host);
	fake_end_vanish(viewer);
	relay_rig_pass(rig, rig->settings.receipt_ms + 5000);
	assert_int_equal(closings(rig), 1);
	relay_rig_rows(rig, JOURNAL_SESSION, "\"close\"", row, sizeof(row));
	assert_int_equal(member(row, "bytes_to_viewer"), 4000);
	struct sums sums = bandwidth(rig);
	assert_int_equal(sums.to_viewer, 4000);
	assert_int_equal(sums.to_host, 300);
}

/* Its line to the store was cut; the session never noticed. Every byte is in a bandwidth row, once. */
static void what_others_closed_goes_on_and_is_counted(void **state)
{
	struct relay_rig *rig = *state;
	struct fake_end *host, *viewer;
	for (int i = 0; i < 2; i++)
		rig->desks[i]->settings.meter_ms = 4000;
	relay_rig_join(rig, &host, &viewer);
	fake_end_data(host, 4000);
	others_close_it(rig, host);
	for (int i = 0; i < 3; i++) {
		fake_end_data(host, 1000);
		fake_end_data(viewer, 100);
		relay_rig_pass(rig, 5000);
	}
	assert_int_equal(viewer->closes, 0);
	assert_int_equal(bandwidth(rig).to_viewer, 7000);
	assert_int_equal(bandwidth(rig).to_host, 300);
	fake_end_data(host, 500);
	relay_rig_order(rig,
		"{\"order\":\"disconnect\",\"license\":\"" RIG_LICENSE "\"}");
	relay_rig_pass(rig, rig->settings.receipt_ms + 5000);
	assert_int_equal(closings(rig), 1);
	assert_int_equal(bandwidth(rig).to_viewer, 7500);
	assert_int_equal(bandwidth(rig).to_host, 300);
}

/* A clock that is set back makes what this process carries look older than the process. */
static void what_this_run_carries_is_left_alone_by_any_clock(void **state)
{
	struct relay_rig *rig = *state;
	struct fake_end *host, *viewer;
	strcpy(rig->house.run, "0123456789abcdef");
	relay_rig_join(rig, &host, &viewer);
	recover_sweep(rig->desks[0], rig->wall_ms + 3600000);
	relay_rig_settle(rig);
	assert_int_equal(closings(rig), 0);
	/* And what an earlier run left is closed although it seems to come from the future. */
	put_fresh(rig, "live", ",\"run\":\"fedcba9876543210\"");
	recover_sweep(rig->desks[0], 0);
	relay_rig_settle(rig);
	assert_int_equal(closings(rig), 1);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_lost_node_leaves_nothing_open),
		TEST(of_several_nodes_one_closes_it),
		TEST(a_part_that_is_owed_gets_its_row_when_its_node_is_lost),
		TEST(a_part_that_is_owed_waits_for_its_living_node),
		TEST(what_had_ended_keeps_its_reason),
		TEST(a_part_whose_node_died_is_not_forgotten),
		TEST(a_session_of_a_killed_run_gets_its_closing_row_once),
		TEST(ends_may_go_on_for_the_grace_time),
		TEST(nobody_goes_on_with_what_was_ended),
		TEST(other_nodes_and_living_sessions_are_left_alone),
		TEST(what_nobody_came_back_for_goes),
		TEST(what_is_over_goes_whoever_wrote_it),
		TEST(a_kill_in_mid_session_loses_a_second_at_most),
		TEST(rows_younger_than_the_document_are_not_written_twice),
		TEST(rows_that_are_not_seen_yet_are_not_written_twice),
		TEST(what_has_its_closing_row_gets_no_second_one),
		TEST(every_fence_has_its_own_closing_row),
		TEST(who_comes_back_at_once_goes_on_while_the_rest_is_closed),
		TEST(long_sessions_are_added_up_to_their_last_row),
		TEST(what_others_closed_is_not_closed_again),
		TEST(what_others_closed_goes_on_and_is_counted),
		TEST(what_this_run_carries_is_left_alone_by_any_clock),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
