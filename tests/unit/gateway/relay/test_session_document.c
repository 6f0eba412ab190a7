/* The document of a session: how often it is written, by whom, and what it says. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/reason.h"
#include "base/text.h"
#include "fakes/relay_rig.h"
#include "relay/recover.h"
#include "store/state.h"
#include "wire/session_id.h"

/* A store whose puts are counted, and held back while `hold`: they are carried out and answered when
 * the test lets them go. */
struct held {
	struct held *next;
	struct state_doc doc;
	char id[64], tenant[64], body[4096];
	struct post_box *box;
	state_done done;
	void *ctx;
};

static struct {
	const struct state_vtable *real;
	struct state_vtable vtable;
	struct held *held;
	int puts, waiting, most, hold;
	int lost,
		away; /* next puts whose answers are lost; next removals that find no store */
} slow;

/* Carried out, but who asked hears that the store is away. */
struct lost {
	state_done done;
	void *ctx;
};

static void on_lost(void *ctx, const struct state_answer *answer)
{
	struct lost lost = *(struct lost *)ctx;
	struct state_answer nothing = {.status = -REASON_STORE_UNAVAILABLE};
	(void)answer;
	free(ctx);
	lost.done(lost.ctx, &nothing);
}

static void lose_answer(state_done *done, void **ctx)
{
	struct lost *lost = malloc(sizeof(*lost));
	*lost = (struct lost){*done, *ctx};
	*done = on_lost;
	*ctx = lost;
}

/* An id that is nobody's and that no store takes. */
#define NO_ID ""

static void failing_remove(struct state *state, enum state_kind kind, const char *id,
	uint64_t version, struct post_box *box, state_done done, void *ctx)
{
	if (kind == STATE_SESSION && slow.away > 0) {
		slow.away--;
		lose_answer(&done, &ctx);
		id = NO_ID;
	}
	slow.real->remove(state, kind, id, version, box, done, ctx);
}

static void counted_put(struct state *state, const struct state_doc *doc,
	struct post_box *box, state_done done, void *ctx)
{
	slow.puts += doc->kind == STATE_SESSION;
	if (doc->kind == STATE_SESSION && slow.lost > 0) {
		slow.lost--;
		lose_answer(&done, &ctx);
	}
	/* What the sweep takes, and what a former part left behind, is not what is looked at here. */
	if (!slow.hold || doc->kind != STATE_SESSION || strchr(doc->id, '~') ||
		strstr(doc->body, "\"closer\"")) {
		slow.real->put(state, doc, box, done, ctx);
		return;
	}
	struct held *held = calloc(1, sizeof(*held));
	snprintf(held->id, sizeof(held->id), "%s", doc->id);
	snprintf(held->tenant, sizeof(held->tenant), "%s", doc->tenant);
	snprintf(held->body, sizeof(held->body), "%s", doc->body);
	held->doc = (struct state_doc){
		doc->kind, held->id, held->tenant, doc->version, held->body};
	held->box = box;
	held->done = done;
	held->ctx = ctx;
	held->next = slow.held;
	slow.held = held;
	if (++slow.waiting > slow.most)
		slow.most = slow.waiting;
}

static void let_go(struct relay_rig *rig)
{
	while (slow.held) {
		struct held *held = slow.held;
		slow.held = held->next;
		slow.waiting--;
		slow.real->put(rig->store->state, &held->doc, held->box, held->done,
			held->ctx);
		free(held);
	}
	relay_rig_settle(rig);
}

static int set_up(void **state)
{
	struct relay_rig *rig = relay_rig_new();
	memset(&slow, 0, sizeof(slow));
	slow.real = rig->store->state->vtable;
	slow.vtable = *slow.real;
	slow.vtable.put = counted_put;
	slow.vtable.remove = failing_remove;
	rig->store->state->vtable = &slow.vtable;
	*state = rig;
	return 0;
}

static int tear_down(void **state)
{
	struct relay_rig *rig = *state;
	slow.hold = 0;
	let_go(rig);
	rig->store->state->vtable = slow.real;
	relay_rig_free(rig);
	return 0;
}

static uint64_t member(const char *body, const char *name)
{
	char key[64];
	snprintf(key, sizeof(key), "\"%s\":", name);
	const char *at = strstr(body, key);
	return at ? strtoull(at + strlen(key), NULL, 10) : 0;
}

static void traffic(struct relay_rig *rig, struct fake_end *host, int64_t ms)
{
	for (int64_t i = 0; i < ms; i += 100) {
		fake_end_data(host, 1000);
		relay_rig_pass(rig, 100);
	}
}

static void it_says_what_was_carried_and_what_is_in_rows(void **state)
{
	struct relay_rig *rig = *state;
	struct fake_end *host, *viewer;
	char body[4096];
	rig->desks[0]->settings.meter_ms = 5000;
	relay_rig_join(rig, &host, &viewer);
	traffic(rig, host, 4000);
	relay_rig_pass(rig, 1000);
	relay_rig_document(rig, STATE_SESSION, fake_end_session(host), body,
		sizeof(body));
	assert_int_equal(member(body, "bytes_to_viewer"), 40000);
	assert_int_equal(member(body, "frames"), 40);
	relay_rig_pass(rig, 2000); /* the row has gone out */
	relay_rig_document(rig, STATE_SESSION, fake_end_session(host), body,
		sizeof(body));
	assert_int_equal(member(body, "metered_to_viewer"), 40000);
	fake_end_data(host, 500);
	relay_rig_pass(rig, 1000);
	relay_rig_document(rig, STATE_SESSION, fake_end_session(host), body,
		sizeof(body));
	assert_int_equal(member(body, "bytes_to_viewer"), 40500);
	assert_int_equal(member(body, "metered_to_viewer"), 40000);
}

static void it_is_written_each_second_and_only_while_bytes_flow(void **state)
{
	struct relay_rig *rig = *state;
	struct fake_end *host, *viewer;
	relay_rig_join(rig, &host, &viewer);
	slow.puts = 0;
	traffic(rig, host, 20000);
	assert_in_range(slow.puts, 20, 27);
	relay_rig_pass(rig, 2000);
	slow.puts = 0;
	relay_rig_pass(rig, 30000);
	assert_int_equal(slow.puts, 0);
}

/* So that its end is known when a node is killed while nothing moved. */
static void an_idle_one_is_seen_now_and_then(void **state)
{
	struct relay_rig *rig = *state;
	struct fake_end *host, *viewer;
	relay_rig_join(rig, &host, &viewer);
	relay_rig_pass(rig, 2000);
	slow.puts = 0;
	for (int i = 0; i < 5; i++)
		relay_rig_pass(rig, rig->settings.meter_ms);
	assert_in_range(slow.puts, 4, 6);
}

static void a_slow_store_has_one_write_to_do_at_a_time(void **state)
{
	struct relay_rig *rig = *state;
	struct fake_end *host, *viewer;
	char body[4096];
	relay_rig_join(rig, &host, &viewer);
	slow.hold = 1;
	slow.puts = 0;
	traffic(rig, host, 10000);
	assert_int_equal(slow.puts, 1);
	assert_int_equal(slow.most, 1);
	slow.hold = 0;
	let_go(rig);
	/* It needed some nine seconds: it has as long to rest. */
	traffic(rig, host, 8000);
	assert_int_equal(slow.puts, 1);
	traffic(rig, host, 3000);
	assert_in_range(slow.puts, 2, 5);
	relay_rig_pass(rig, 1000);
	relay_rig_document(rig, STATE_SESSION, fake_end_session(host), body,
		sizeof(body));
	assert_int_equal(member(body, "bytes_to_viewer"), host->sent);
}

/* The last word of a session waits for the one before it, and is said then. */
static void away_follows_a_write_that_is_under_way(void **state)
{
	struct relay_rig *rig = *state;
	struct fake_end *host, *viewer;
	char body[4096], session[40];
	relay_rig_join(rig, &host, &viewer);
	strcpy(session, fake_end_session(host));
	slow.hold = 1;
	traffic(rig, host, 2000);
	assert_int_equal(slow.waiting, 1);
	fake_end_vanish(viewer);
	relay_rig_pass(rig, rig->settings.receipt_ms + 1000);
	assert_int_equal(slow.most, 1);
	slow.hold = 0;
	let_go(rig);
	assert_int_equal(relay_rig_document(rig, STATE_SESSION, session, body,
				 sizeof(body)),
		1);
	assert_non_null(strstr(body, "\"state\":\"away\""));
	relay_rig_pass(rig, rig->settings.grace_ms + 1000);
	assert_int_equal(relay_rig_document(rig, STATE_SESSION, session, NULL, 0), 0);
}

static void an_end_while_a_write_is_under_way_leaves_no_document(void **state)
{
	struct relay_rig *rig = *state;
	struct fake_end *host, *viewer;
	relay_rig_join(rig, &host, &viewer);
	slow.hold = 1;
	traffic(rig, host, 2000);
	fake_end_close(viewer, FAKE_CLOSE_SESSION, REASON_VIEWER_LEFT);
	relay_rig_pass(rig, rig->settings.receipt_ms + 1000);
	slow.hold = 0;
	let_go(rig);
	relay_rig_pass(rig, 1000);
	assert_int_equal(relay_rig_document(rig, STATE_SESSION, fake_end_session(host),
				 NULL, 0),
		0);
}

static void ignore(void *ctx, const struct state_answer *answer)
{
	(void)ctx;
	assert_int_equal(answer->status, 0);
}

static void overwrite(struct relay_rig *rig, const char *id, uint64_t version,
	const char *body)
{
	struct state_doc doc = {STATE_SESSION, id, "ten_1", version, body};
	slow.real->put(rig->store->state, &doc, desk_box(rig->desks[1]), ignore, NULL);
	relay_rig_settle(rig);
}

/* By the sweep of this node's next run, or a former session: a live one is shown again. */
static void one_that_was_taken_out_comes_back(void **state)
{
	struct relay_rig *rig = *state;
	struct fake_end *host, *viewer;
	char body[4096];
	relay_rig_join(rig, &host, &viewer);
	state_remove(rig->store->state, STATE_SESSION, fake_end_session(host), 0,
		desk_box(rig->desks[1]), ignore, NULL);
	traffic(rig, host, 2000);
	assert_int_equal(relay_rig_document(rig, STATE_SESSION, fake_end_session(host),
				 body, sizeof(body)),
		1);
	overwrite(rig, fake_end_session(host), 2, "{\"fence\":0,\"state\":\"away\"}");
	traffic(rig, host, 2000);
	relay_rig_document(rig, STATE_SESSION, fake_end_session(host), body,
		sizeof(body));
	assert_non_null(strstr(body, "\"state\":\"live\""));
}

static void a_later_one_keeps_it(void **state)
{
	struct relay_rig *rig = *state;
	struct fake_end *host, *viewer;
	char body[4096];
	relay_rig_join(rig, &host, &viewer);
	snprintf(body, sizeof(body), "{\"fence\":%llu,\"state\":\"live\"}",
		(unsigned long long)host->open.fence + 1);
	overwrite(rig, fake_end_session(host), 1, body);
	slow.puts = 0;
	traffic(rig, host, 10000);
	assert_int_equal(slow.puts, 1);
	fake_end_close(viewer, FAKE_CLOSE_SESSION, REASON_VIEWER_LEFT);
	relay_rig_pass(rig, rig->settings.receipt_ms + 1000);
	assert_int_equal(relay_rig_document(rig, STATE_SESSION, fake_end_session(host),
				 body, sizeof(body)),
		1);
	assert_int_equal(member(body, "fence"), host->open.fence + 1);
}

/* ---- what is left behind ----------------------------------------------------------------- */

static void leave_and_look(struct relay_rig *rig, struct fake_end *viewer)
{
	char session[SESSION_ID_TEXT];
	snprintf(session, sizeof(session), "%s", fake_end_session(viewer));
	assert_int_equal(relay_rig_document(rig, STATE_SESSION, session, NULL, 0), 1);
	fake_end_close(viewer, FAKE_CLOSE_SESSION, REASON_VIEWER_LEFT);
	for (int i = 0; i < 12; i++)
		relay_rig_pass(rig, 1000);
	slow.hold = 0;
	let_go(rig);
	assert_int_equal(relay_rig_document(rig, STATE_SESSION, session, NULL, 0), 0);
	assert_true(list_empty(&rig->desks[0]->sessions));
}

static void a_store_that_is_away_gets_it_out_later(void **state)
{
	struct relay_rig *rig = *state;
	struct fake_end *host, *viewer;
	relay_rig_join(rig, &host, &viewer);
	slow.away = 1;
	leave_and_look(rig, viewer);
	assert_int_equal(slow.away, 0);
}

/* The version that the session knows of is not the one in the store. */
static void a_write_whose_answer_was_lost_leaves_nothing(void **state)
{
	struct relay_rig *rig = *state;
	struct fake_end *host, *viewer;
	relay_rig_join(rig, &host, &viewer);
	slow.lost = 1;
	traffic(rig, host, 1500);
	assert_int_equal(slow.lost, 0);
	leave_and_look(rig, viewer);
}

static void not_even_when_it_was_the_first(void **state)
{
	struct relay_rig *rig = *state;
	struct fake_end *host, *viewer;
	slow.lost = 1;
	relay_rig_join(rig, &host, &viewer);
	assert_int_equal(slow.lost, 0);
	leave_and_look(rig, viewer);
}

/* A node that stops does not wait for the store. */
static void a_store_that_stays_away_keeps_no_node_from_stopping(void **state)
{
	struct relay_rig *rig = *state;
	struct fake_end *host, *viewer;
	relay_rig_join(rig, &host, &viewer);
	slow.away = 1000000;
	fake_end_close(viewer, FAKE_CLOSE_SESSION, REASON_VIEWER_LEFT);
	for (int i = 0; i < 12; i++)
		relay_rig_pass(rig, 1000);
	assert_false(list_empty(&rig->desks[0]->sessions));
	/* tear_down checks that the desks become empty */
}

/* Resumed after a kill, with the document of the killed run in the way. */
static struct fake_end *resume(struct relay_rig *rig, char text[static SESSION_ID_TEXT])
{
	static const uint8_t id[SESSION_ID] = {4, 5, 6};
	char device[TEXT_B64_SIZE(32)], body[1024];
	relay_rig_welcome(rig, 0, HELLO_HOST, RIG_LICENSE, 1);
	struct fake_end *viewer = relay_rig_welcome(rig, 1, HELLO_VIEWER, RIG_LICENSE, 2);
	session_id_text(id, text);
	text_b64(device, viewer->device, sizeof(viewer->device));
	snprintf(body, sizeof(body),
		"{\"id\":\"%s\",\"fence\":7,\"license\":\"" RIG_LICENSE
		"\",\"node\":\"n1\",\"started\":\"2026-11-22T07:00:00.000Z\","
		"\"seen\":\"2026-11-22T07:59:00.000Z\",\"viewer_device\":\"%s\","
		"\"state\":\"live\"}",
		text, device);
	overwrite(rig, text, 0, body);
	slow.hold = 1;
	viewer->open.fence = 7;
	fake_end_connect(viewer, text);
	relay_rig_settle(rig);
	assert_int_equal(viewer->open.resumed, 1);
	assert_int_equal(slow.waiting, 1);
	return viewer;
}

static void leaving_right_after_a_kill_leaves_nothing(void **state)
{
	struct relay_rig *rig = *state;
	char text[SESSION_ID_TEXT];
	leave_and_look(rig, resume(rig, text));
}

/* The former run's last word came between the reading and the writing. */
static void nor_with_a_younger_version_in_the_way(void **state)
{
	struct relay_rig *rig = *state;
	char text[SESSION_ID_TEXT];
	struct fake_end *viewer = resume(rig, text);
	overwrite(rig, text, 1, "{\"fence\":7,\"node\":\"n1\",\"state\":\"away\"}");
	leave_and_look(rig, viewer);
}

/* The sweep closed it and leaves it for the grace time, while the one to replace it is on its way. */
static void nor_when_the_sweep_was_there_first(void **state)
{
	struct relay_rig *rig = *state;
	char text[SESSION_ID_TEXT];
	struct fake_end *viewer = resume(rig, text);
	recover_sweep(rig->desks[0], rig->wall_ms);
	relay_rig_settle(rig);
	assert_int_equal(relay_rig_rows(rig, JOURNAL_SESSION, "\"recovered\"", NULL, 0),
		1);
	assert_int_equal(slow.waiting, 2);
	slow.hold = 0;
	let_go(rig);
	leave_and_look(rig, viewer);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(it_says_what_was_carried_and_what_is_in_rows),
		TEST(it_is_written_each_second_and_only_while_bytes_flow),
		TEST(an_idle_one_is_seen_now_and_then),
		TEST(a_slow_store_has_one_write_to_do_at_a_time),
		TEST(away_follows_a_write_that_is_under_way),
		TEST(an_end_while_a_write_is_under_way_leaves_no_document),
		TEST(one_that_was_taken_out_comes_back),
		TEST(a_later_one_keeps_it),
		TEST(a_store_that_is_away_gets_it_out_later),
		TEST(a_write_whose_answer_was_lost_leaves_nothing),
		TEST(not_even_when_it_was_the_first),
		TEST(a_store_that_stays_away_keeps_no_node_from_stopping),
		TEST(leaving_right_after_a_kill_leaves_nothing),
		TEST(nor_with_a_younger_version_in_the_way),
		TEST(nor_when_the_sweep_was_there_first),
	};
	cmocka_set_test_filter(getenv("ENGAWA_TEST_ONLY"));
	return cmocka_run_group_tests(tests, NULL, NULL);
}
