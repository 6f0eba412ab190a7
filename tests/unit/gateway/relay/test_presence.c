/* That a host is here is told again when the store has lost it, soon and once. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdatomic.h>

#include "base/reason.h"
#include "fakes/relay_rig.h"
#include "metrics/metrics.h"
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

static void keep_status(void *ctx, const struct state_answer *answer)
{
	*(int *)ctx = answer->status;
}

static int located(struct relay_rig *rig)
{
	int status = 1;
	state_locate(rig->store->state, RIG_LICENSE, desk_box(rig->desks[0]), keep_status,
		&status);
	relay_rig_settle(rig);
	return status;
}

static void forget(struct relay_rig *rig)
{
	int status = 1;
	state_withdraw(rig->store->state, RIG_LICENSE, rig->house.node,
		desk_box(rig->desks[0]), keep_status, &status);
	relay_rig_settle(rig);
	assert_int_equal(status, 0);
	assert_int_equal(located(rig), -REASON_NOT_FOUND);
}

static void an_emptied_store_is_told_again(void **state)
{
	struct relay_rig *rig = *state;
	atomic_uint emptied;
	atomic_init(&emptied, 0);
	rig->store->emptied = &emptied;
	rig->settings.presence_renew_ms = 15000;
	relay_rig_welcome(rig, 0, HELLO_HOST, RIG_LICENSE, 1);
	assert_int_equal(located(rig), 0);
	forget(rig);
	/* Nobody knows yet. */
	relay_rig_pass(rig, 5000);
	assert_int_equal(located(rig), -REASON_NOT_FOUND);
	int64_t before = metrics_value(METRIC_PRESENCE);
	atomic_store(&emptied, 1);
	relay_rig_pass(rig, 5000);
	assert_int_equal(located(rig), 0);
	assert_int_equal(metrics_value(METRIC_PRESENCE), before + 1);
	rig->store->emptied = NULL;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(an_emptied_store_is_told_again, set_up,
			tear_down),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
