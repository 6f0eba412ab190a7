/* Who meets whom: one host and one viewer per license, whoever comes in which order at which desk. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/reason.h"
#include "fakes/relay_rig.h"
#include "net/conn.h"
#include "relay/lobby.h"
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

static void without_its_host_a_viewer_hears_so_at_once(void **state)
{
	struct relay_rig *rig = *state;
	struct fake_end *viewer = relay_rig_welcome(rig, 0, HELLO_VIEWER, RIG_LICENSE, 2);
	relay_rig_welcome(rig, 0, HELLO_HOST, RIG_OTHER, 1); /* another license's */
	assert_int_equal(viewer->welcome.host_online, 0);
	fake_end_connect(viewer, NULL);
	relay_rig_settle(rig);
	assert_int_equal(viewer->leg_closes, 1);
	assert_int_equal(viewer->close.reason, REASON_HOST_OFFLINE);
	assert_true(viewer->close.retry_ms > 0);
	assert_true(viewer->gone);
}

static void licenses_do_not_meet_each_other(void **state)
{
	struct relay_rig *rig = *state;
	struct fake_end *one = relay_rig_welcome(rig, 0, HELLO_HOST, RIG_LICENSE, 1);
	struct fake_end *other = relay_rig_welcome(rig, 0, HELLO_HOST, RIG_OTHER, 1);
	struct fake_end *viewer = relay_rig_welcome(rig, 1, HELLO_VIEWER, RIG_OTHER, 2);
	fake_end_connect(viewer, NULL);
	relay_rig_settle(rig);
	assert_int_equal(one->opens, 0);
	assert_int_equal(other->opens, 1);
}

/* Whatever desk each of them came in at. */
static void desks_do_not_matter(void **state)
{
	struct relay_rig *rig = *state;
	for (int i = 0; i < 4; i++) {
		struct fake_end *host =
			relay_rig_welcome(rig, i & 1, HELLO_HOST, RIG_LICENSE, 1);
		struct fake_end *viewer =
			relay_rig_welcome(rig, i >> 1, HELLO_VIEWER, RIG_LICENSE, 2);
		fake_end_connect(viewer, NULL);
		relay_rig_settle(rig);
		fake_end_data(host, 100);
		fake_end_data(viewer, 50);
		relay_rig_settle(rig);
		assert_int_equal(viewer->received, 100);
		assert_int_equal(host->received, 50);
		fake_end_vanish(host);
		fake_end_vanish(viewer);
		relay_rig_settle(rig);
		fake_end_done(host);
		fake_end_done(viewer);
		rig->count = 0;
	}
}

static void a_newer_host_takes_the_place_of_the_older(void **state)
{
	struct relay_rig *rig = *state;
	struct fake_end *older = relay_rig_welcome(rig, 0, HELLO_HOST, RIG_LICENSE, 1);
	struct fake_end *newer = relay_rig_welcome(rig, 1, HELLO_HOST, RIG_LICENSE, 1);
	relay_rig_settle(rig);
	assert_int_equal(older->leg_closes, 1);
	assert_int_equal(older->close.reason, REASON_HOST_REPLACED);
	assert_true(older->gone);
	assert_false(newer->gone);
	struct fake_end *viewer = relay_rig_welcome(rig, 0, HELLO_VIEWER, RIG_LICENSE, 2);
	fake_end_connect(viewer, NULL);
	relay_rig_settle(rig);
	assert_int_equal(newer->opens, 1);
}

static void a_host_that_comes_again_ends_its_old_session(void **state)
{
	struct relay_rig *rig = *state;
	struct fake_end *older, *viewer;
	relay_rig_join(rig, &older, &viewer);
	char session[40];
	strcpy(session, fake_end_session(older));
	struct fake_end *newer = relay_rig_welcome(rig, 1, HELLO_HOST, RIG_LICENSE, 1);
	relay_rig_settle(rig);
	assert_int_equal(viewer->closes, 1);
	assert_int_equal(viewer->close.reason, REASON_HOST_REPLACED);
	fake_end_connect(viewer, session);
	relay_rig_settle(rig);
	assert_int_equal(newer->opens, 1);
	assert_int_equal(viewer->open.resumed, 1);
}

static void a_second_device_is_refused_and_told_since_when(void **state)
{
	struct relay_rig *rig = *state;
	struct fake_end *host, *viewer;
	relay_rig_join(rig, &host, &viewer);
	struct fake_end *other = relay_rig_welcome(rig, 1, HELLO_VIEWER, RIG_LICENSE, 3);
	fake_end_connect(other, NULL);
	relay_rig_settle(rig);
	assert_int_equal(other->leg_closes, 1);
	assert_int_equal(other->close.reason, REASON_LICENSE_IN_USE);
	assert_non_null(strstr(other->close.detail,
		"native viewer, since 2026-11-22T08:00"));
	assert_null(strstr(other->close.detail,
		"viewer-2")); /* no names of people's devices */
	assert_int_equal(viewer->closes, 0);
	fake_end_data(host, 100);
	relay_rig_settle(rig);
	assert_int_equal(viewer->received, 100);
}

static void the_same_device_takes_its_session_over(void **state)
{
	struct relay_rig *rig = *state;
	struct fake_end *host, *viewer;
	relay_rig_join(rig, &host, &viewer);
	uint64_t fence = host->open.fence;
	struct fake_end *again = relay_rig_welcome(rig, 0, HELLO_VIEWER, RIG_LICENSE, 2);
	fake_end_connect(again, NULL);
	relay_rig_settle(rig);
	assert_int_equal(viewer->closes, 1);
	assert_int_equal(viewer->leg_closes, 1);
	assert_int_equal(viewer->close.reason, REASON_TAKEN_OVER);
	assert_true(viewer->gone);
	assert_int_equal(again->opens, 1);
	assert_int_equal(host->opens, 2);
	assert_true(again->open.fence > fence);
	assert_int_equal(rig->house.sessions, 1);
	fake_end_data(host, 100);
	relay_rig_settle(rig);
	assert_int_equal(again->received, 100);
}

/* Two viewers ask in the same moment, before either session is open: one wins, the other is told. */
static void of_two_devices_one_wins(void **state)
{
	struct relay_rig *rig = *state;
	struct fake_end *host = relay_rig_welcome(rig, 0, HELLO_HOST, RIG_LICENSE, 1);
	struct fake_end *a = relay_rig_welcome(rig, 0, HELLO_VIEWER, RIG_LICENSE, 2);
	struct fake_end *b = relay_rig_welcome(rig, 1, HELLO_VIEWER, RIG_LICENSE, 3);
	fake_end_connect(a, NULL);
	fake_end_connect(b, NULL);
	relay_rig_settle(rig);
	assert_int_equal(a->opens + b->opens, 1);
	assert_int_equal(a->leg_closes + b->leg_closes, 1);
	assert_int_equal((a->leg_closes ? a : b)->close.reason, REASON_LICENSE_IN_USE);
	assert_int_equal(host->opens, 1);
	assert_int_equal(rig->house.sessions, 1);
}

/* The same device twice in the same moment: the later one has it. */
static void the_same_device_twice_at_once_gets_one_session(void **state)
{
	struct relay_rig *rig = *state;
	struct fake_end *host = relay_rig_welcome(rig, 0, HELLO_HOST, RIG_LICENSE, 1);
	struct fake_end *ends[3];
	for (int i = 0; i < 3; i++)
		ends[i] = relay_rig_welcome(rig, i & 1, HELLO_VIEWER, RIG_LICENSE, 2);
	for (int i = 0; i < 3; i++)
		fake_end_connect(ends[i], NULL);
	relay_rig_settle(rig);
	assert_int_equal(rig->house.sessions, 1);
	int joined = 0;
	for (int i = 0; i < 3; i++)
		joined += ends[i]->opens && !ends[i]->closes && !ends[i]->gone;
	assert_int_equal(joined, 1);
	assert_int_equal(host->opens - host->closes, 1);
}

static void a_host_that_goes_while_it_opens_refuses_the_viewer(void **state)
{
	struct relay_rig *rig = *state;
	struct fake_end *host = relay_rig_welcome(rig, 0, HELLO_HOST, RIG_LICENSE, 1);
	struct fake_end *viewer = relay_rig_welcome(rig, 1, HELLO_VIEWER, RIG_LICENSE, 2);
	fake_end_connect(viewer, NULL);
	fake_end_close(host, FAKE_CLOSE_LEG, REASON_HOST_ENDED);
	relay_rig_settle(rig);
	assert_int_equal(viewer->leg_closes + viewer->closes > 0, 1);
	assert_int_equal(rig->house.sessions, 0);
	assert_int_equal(rig->house.hosts, 0);
}

static void a_license_has_only_so_many_viewers(void **state)
{
	struct relay_rig *rig = *state;
	rig->desks[0]->settings.viewers_per_license = 2;
	for (int i = 0; i < 2; i++)
		relay_rig_welcome(rig, 0, HELLO_VIEWER, RIG_LICENSE, 2 + i);
	struct fake_end *third = relay_rig_welcome(rig, 0, HELLO_VIEWER, RIG_LICENSE, 5);
	assert_int_equal(third->leg_closes, 1);
	assert_int_equal(third->close.reason, REASON_THROTTLED);
	assert_int_equal(rig->house.viewers, 2);
}

static void a_revoked_license_loses_both_legs_and_the_session(void **state)
{
	struct relay_rig *rig = *state;
	struct fake_end *host, *viewer;
	relay_rig_join(rig, &host, &viewer);
	struct fake_end *idle = relay_rig_welcome(rig, 1, HELLO_VIEWER, RIG_LICENSE, 3);
	struct fake_end *other = relay_rig_welcome(rig, 1, HELLO_HOST, RIG_OTHER, 4);
	relay_rig_order(rig, "{\"order\":\"revoke\",\"license\":\"" RIG_LICENSE
			     "\",\"reason\":\"LICENSE_DISABLED\"}");
	struct fake_end *gone[] = {host, viewer, idle};
	for (int i = 0; i < 3; i++) {
		assert_int_equal(gone[i]->close.reason, REASON_LICENSE_DISABLED);
		assert_true(gone[i]->gone);
	}
	assert_false(other->gone);
	assert_int_equal(rig->house.legs, 1);
}

static void disconnect_ends_the_session_and_leaves_the_legs(void **state)
{
	struct relay_rig *rig = *state;
	struct fake_end *host, *viewer;
	char order[160] = "{\"order\":\"disconnect\",\"session\":\"";
	relay_rig_join(rig, &host, &viewer);
	strcat(strcat(order, fake_end_session(host)),
		"\",\"reason\":\"ADMIN_DISCONNECT\"}");
	relay_rig_order(rig, "{\"order\":\"disconnect\",\"session\":\"ses_other\"}");
	relay_rig_order(rig, "not even JSON");
	assert_int_equal(host->closes, 0);
	relay_rig_order(rig, order);
	assert_int_equal(host->closes, 1);
	assert_int_equal(viewer->close.reason, REASON_ADMIN_DISCONNECT);
	assert_int_equal(rig->house.legs, 2);
	assert_int_equal(rig->house.sessions, 0);
}

/* Idle ends are asked after their health; one that answers nothing is cut. */
static void a_silent_leg_is_asked_and_then_cut(void **state)
{
	struct relay_rig *rig = *state;
	struct fake_end *alive = relay_rig_welcome(rig, 0, HELLO_HOST, RIG_LICENSE, 1);
	struct fake_end *dead = relay_rig_welcome(rig, 1, HELLO_HOST, RIG_OTHER, 2);
	dead->mute = 1;
	relay_rig_pass(rig, 3 * rig->settings.keepalive_ms - 3000);
	assert_int_equal(dead->pings, 1);
	assert_false(dead->gone);
	relay_rig_pass(rig, 6000);
	assert_true(dead->gone);
	assert_false(alive->gone);
	assert_true(alive->pings >= 2);
}

static void on_put(void *ctx, const struct state_answer *answer)
{
	*(int *)ctx = answer->status;
}

static void people_see_a_host_come_and_go(void **state)
{
	struct relay_rig *rig = *state;
	struct state_doc doc = {
		STATE_HOST, RIG_LICENSE, "ten_1", 0, "{\"device\":\"abc\"}"};
	char body[1024];
	int status = 1;
	state_put(rig->store->state, &doc, desk_box(rig->desks[0]), on_put, &status);
	relay_rig_settle(rig);
	assert_int_equal(status, 0);
	struct fake_end *host = relay_rig_welcome(rig, 1, HELLO_HOST, RIG_LICENSE, 1);
	relay_rig_settle(rig);
	assert_int_equal(relay_rig_document(rig, STATE_HOST, RIG_LICENSE, body,
				 sizeof(body)),
		1);
	assert_non_null(strstr(body, "\"device\":\"abc\""));
	assert_non_null(strstr(body, "\"online\":1"));
	assert_non_null(strstr(body, "\"node\":\"n1\""));
	fake_end_close(host, FAKE_CLOSE_LEG, REASON_HOST_ENDED);
	relay_rig_settle(rig);
	relay_rig_document(rig, STATE_HOST, RIG_LICENSE, body, sizeof(body));
	assert_non_null(strstr(body, "\"online\":0"));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(without_its_host_a_viewer_hears_so_at_once),
		TEST(licenses_do_not_meet_each_other),
		TEST(desks_do_not_matter),
		TEST(a_newer_host_takes_the_place_of_the_older),
		TEST(a_host_that_comes_again_ends_its_old_session),
		TEST(a_second_device_is_refused_and_told_since_when),
		TEST(the_same_device_takes_its_session_over),
		TEST(of_two_devices_one_wins),
		TEST(the_same_device_twice_at_once_gets_one_session),
		TEST(a_host_that_goes_while_it_opens_refuses_the_viewer),
		TEST(a_license_has_only_so_many_viewers),
		TEST(a_revoked_license_loses_both_legs_and_the_session),
		TEST(disconnect_ends_the_session_and_leaves_the_legs),
		TEST(a_silent_leg_is_asked_and_then_cut),
		TEST(people_see_a_host_come_and_go),
	};
	cmocka_set_test_filter(getenv("ENGAWA_TEST_ONLY"));
	return cmocka_run_group_tests(tests, NULL, NULL);
}
