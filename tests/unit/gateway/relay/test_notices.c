/* What ends are told of the operator's notices, and when. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/reason.h"
#include "fakes/relay_rig.h"
#include "net/worker.h"
#include "store/state.h"

#define HOUR INT64_C(3600000)
#define CHANGED "{\"order\":\"notices\"}"

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

static void put_notice(struct relay_rig *rig, const char *id, const char *tenant,
	int64_t from_ms, const char *places)
{
	char body[1000];
	int status = 1;
	snprintf(body, sizeof(body),
		"{\"id\":\"%s\",\"tenant\":\"%s\",\"kind\":\"planned_stop\",\"text\":{"
		"\"en\":"
		"\"stop %s\",\"ja\":\"停止 "
		"%s\"},\"from_ms\":%lld,\"to_ms\":%lld,\"show_from_"
		"ms\":%lld,\"places\":%s,\"created_ms\":1,\"changed_ms\":1}",
		id, tenant, id, id, (long long)(from_ms + 2 * HOUR),
		(long long)(from_ms + 3 * HOUR), (long long)from_ms, places);
	struct state_doc doc = {STATE_NOTICE, id, tenant, 0, body};
	state_put(rig->store->state, &doc, worker_box(rig->world), on_put, &status);
	relay_rig_settle(rig);
	assert_int_equal(status, 0);
}

static void remove_notice(struct relay_rig *rig, const char *id)
{
	int status = 1;
	state_remove(rig->store->state, STATE_NOTICE, id, 0, worker_box(rig->world),
		on_put, &status);
	relay_rig_settle(rig);
	assert_int_equal(status, 0);
}

#define BOTH "[\"viewer\",\"agent\"]"

static void told_at_the_door_and_while_connected(void **state)
{
	struct relay_rig *rig = *state;
	struct fake_end *host, *viewer;
	put_notice(rig, "ntc_a", "", rig->wall_ms - HOUR, BOTH);
	put_notice(rig, "ntc_agents", "ten_1", rig->wall_ms - HOUR, "[\"agent\"]");
	put_notice(rig, "ntc_others", "ten_2", rig->wall_ms - HOUR, BOTH);
	put_notice(rig, "ntc_console", "", rig->wall_ms - HOUR, "[\"console\"]");
	relay_rig_order(rig, CHANGED);
	relay_rig_join(rig, &host, &viewer);
	assert_non_null(strstr(viewer->welcome.notices, "stop ntc_a"));
	assert_non_null(strstr(viewer->welcome.notices, "停止 ntc_a"));
	assert_null(strstr(viewer->welcome.notices, "ntc_agents"));
	assert_non_null(strstr(host->welcome.notices, "ntc_agents"));
	assert_null(strstr(host->welcome.notices, "ntc_others"));
	assert_null(strstr(host->welcome.notices, "ntc_console"));
	relay_rig_pass(rig, 2000);
	int before = viewer->noted;
	put_notice(rig, "ntc_b", "ten_1", rig->wall_ms - HOUR, BOTH);
	relay_rig_order(rig, CHANGED);
	relay_rig_pass(rig, 2000);
	assert_int_equal(viewer->noted, before + 1);
	assert_non_null(strstr(viewer->board.notices, "stop ntc_a"));
	assert_non_null(strstr(viewer->board.notices, "stop ntc_b"));
	assert_non_null(strstr(host->board.notices, "stop ntc_b"));
	/* Nothing new: nothing is said. */
	relay_rig_order(rig, CHANGED);
	relay_rig_pass(rig, 2000);
	assert_int_equal(viewer->noted, before + 1);
	remove_notice(rig, "ntc_a");
	remove_notice(rig, "ntc_b");
	relay_rig_order(rig, CHANGED);
	relay_rig_pass(rig, 2000);
	assert_string_equal(viewer->board.notices, "{\"items\":[]}");
	struct fake_end *later = relay_rig_welcome(rig, 0, HELLO_VIEWER, RIG_OTHER, 3);
	assert_string_equal(later->welcome.notices, "");
}

/* Time alone makes a notice current, and ends it. */
static void shown_from_its_time_on(void **state)
{
	struct relay_rig *rig = *state;
	put_notice(rig, "ntc_soon", "", rig->wall_ms + 5000, BOTH);
	struct fake_end *host = relay_rig_welcome(rig, 0, HELLO_HOST, RIG_LICENSE, 1);
	relay_rig_order(rig, CHANGED);
	relay_rig_pass(rig, 2000);
	assert_null(strstr(host->board.notices, "ntc_soon"));
	assert_null(strstr(host->welcome.notices, "ntc_soon"));
	relay_rig_pass(rig, 6000);
	assert_non_null(strstr(host->board.notices, "ntc_soon"));
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		TEST(told_at_the_door_and_while_connected),
		TEST(shown_from_its_time_on),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
