/* What a killed node left open is closed in the journal by its next run, once. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/reason.h"
#include "fakes/relay_rig.h"
#include "relay/recover.h"
#include "store/state.h"

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

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_session_of_a_killed_run_gets_its_closing_row_once),
		TEST(other_nodes_and_living_sessions_are_left_alone),
		TEST(what_nobody_came_back_for_goes),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
