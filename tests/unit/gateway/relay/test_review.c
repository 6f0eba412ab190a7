/* What a changed policy does to viewers that are in. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/reason.h"
#include "fakes/relay_rig.h"

#define CHANGED "{\"order\":\"policy\",\"tenant\":\"\",\"license\":\"\"}"

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

static void both_ends_are_told(void **state)
{
	struct relay_rig *rig = *state;
	struct fake_end *host, *viewer;
	relay_rig_join(rig, &host, &viewer);
	fake_admission.policy = "{\"rights\":1}";
	relay_rig_order(rig, CHANGED);
	relay_rig_pass(rig, 900);
	assert_int_equal(fake_admission.reviewed, 1);
	assert_int_equal(fake_admission.last.side, HELLO_VIEWER);
	assert_string_equal(fake_admission.last.license, RIG_LICENSE);
	assert_string_equal(fake_admission.last.address, "192.0.2.2");
	assert_memory_equal(fake_admission.last.device, viewer->device, 32);
	assert_string_equal(fake_admission.last.password, "");
	assert_int_equal(host->policies, 1);
	assert_int_equal(viewer->policies, 1);
	assert_string_equal(host->policy.policy, "{\"rights\":1}");
	assert_memory_equal(host->policy.session, host->open.session, 16);
	/* The same once more is no news. */
	relay_rig_order(rig, CHANGED);
	relay_rig_pass(rig, 900);
	assert_int_equal(fake_admission.reviewed, 2);
	assert_int_equal(host->policies, 1);
	assert_int_equal(host->closes + viewer->closes, 0);
}

/* A session that follows on the same leg is under the new policy too. */
static void the_next_session_has_it(void **state)
{
	struct relay_rig *rig = *state;
	struct fake_end *host, *viewer;
	relay_rig_join(rig, &host, &viewer);
	fake_admission.policy = "{\"rights\":5}";
	relay_rig_order(rig, CHANGED);
	relay_rig_pass(rig, 900);
	fake_end_close(viewer, FAKE_CLOSE_SESSION, REASON_VIEWER_LEFT);
	relay_rig_pass(rig, rig->settings.receipt_ms + 1000);
	fake_end_connect(viewer, NULL);
	relay_rig_settle(rig);
	assert_int_equal(host->opens, 2);
	assert_string_equal(host->open.policy, "{\"rights\":5}");
}

static void only_those_concerned(void **state)
{
	struct relay_rig *rig = *state;
	struct fake_end *host, *viewer;
	relay_rig_join(rig, &host, &viewer);
	relay_rig_order(rig,
		"{\"order\":\"policy\",\"tenant\":\"other\",\"license\":\"\"}");
	relay_rig_order(rig,
		"{\"order\":\"policy\",\"tenant\":\"\",\"license\":\"" RIG_OTHER "\"}");
	relay_rig_pass(rig, 900);
	assert_int_equal(fake_admission.reviewed, 0);
	relay_rig_order(rig,
		"{\"order\":\"policy\",\"tenant\":\"ten_1\",\"license\":\"\"}");
	relay_rig_pass(rig, 900);
	assert_int_equal(fake_admission.reviewed, 1);
	relay_rig_order(rig,
		"{\"order\":\"policy\",\"tenant\":\"x\",\"license\":\"" RIG_LICENSE
		"\"}");
	relay_rig_pass(rig, 900);
	assert_int_equal(fake_admission.reviewed, 2);
}

static void who_is_not_permitted_any_more_is_sent_away(void **state)
{
	struct relay_rig *rig = *state;
	struct fake_end *host, *viewer;
	relay_rig_join(rig, &host, &viewer);
	fake_admission.status = -REASON_OUT_OF_HOURS;
	relay_rig_order(rig, CHANGED);
	relay_rig_pass(rig, 900);
	assert_int_equal(host->closes, 1);
	assert_int_equal(host->close.reason, REASON_OUT_OF_HOURS);
	assert_int_equal(viewer->leg_closes, 1);
	assert_int_equal(viewer->close.reason, REASON_OUT_OF_HOURS);
	assert_int_equal(host->leg_closes, 0); /* the PC stays */
}

/* A store that is away ends nobody; it is asked again when it is back. */
static void asked_again_when_there_is_no_answer(void **state)
{
	struct relay_rig *rig = *state;
	struct fake_end *host, *viewer;
	relay_rig_join(rig, &host, &viewer);
	fake_admission.status = -REASON_STORE_UNAVAILABLE;
	relay_rig_order(rig, CHANGED);
	relay_rig_pass(rig, 500);
	assert_int_equal(host->closes, 0);
	fake_admission.status = 0;
	fake_admission.policy = "{\"rights\":3}";
	relay_rig_pass(rig, 2000);
	assert_int_equal(host->policies, 1);
	assert_string_equal(host->policy.policy, "{\"rights\":3}");
	/* An answer that finds nobody. */
	fake_admission.hold = 1;
	relay_rig_order(rig, CHANGED);
	relay_rig_pass(rig, 500);
	fake_end_vanish(viewer);
	relay_rig_settle(rig);
	fake_admission_let_go();
	relay_rig_settle(rig);
	assert_int_equal(host->policies, 1);
}

static void limits_of_time_count_from_the_beginning(void **state)
{
	struct relay_rig *rig = *state;
	struct fake_end *host, *viewer;
	char policy[100];
	relay_rig_join(rig, &host, &viewer);
	relay_rig_pass(rig, 5000);
	fake_admission.policy = "{\"rights\":63,\"max_session_ms\":8000}";
	relay_rig_order(rig, CHANGED);
	relay_rig_pass(rig, 1000);
	assert_int_equal(host->closes, 0);
	relay_rig_pass(rig, 2500);
	assert_int_equal(host->closes, 1);
	assert_int_equal(host->close.reason, REASON_SESSION_TIME_UP);
	relay_rig_pass(rig, rig->settings.receipt_ms + 1000);
	snprintf(policy, sizeof(policy), "{\"rights\":63,\"until_ms\":%lld}",
		(long long)rig->wall_ms + 3000);
	fake_admission.policy = policy;
	relay_rig_order(rig, CHANGED);
	relay_rig_pass(rig, 500);
	fake_end_connect(viewer, NULL);
	relay_rig_settle(rig);
	assert_int_equal(host->opens, 2);
	relay_rig_pass(rig, 3000);
	assert_int_equal(host->closes, 2);
	assert_int_equal(host->close.reason, REASON_OUT_OF_HOURS);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		TEST(both_ends_are_told),
		TEST(the_next_session_has_it),
		TEST(only_those_concerned),
		TEST(who_is_not_permitted_any_more_is_sent_away),
		TEST(asked_again_when_there_is_no_answer),
		TEST(limits_of_time_count_from_the_beginning),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
