#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>

#include "fakes/relay_rig.h"
#include "net/throttle.h"
#include "relay/neighbours.h"
#include "relay/shares.h"
#include "store/state.h"
#include "wire/hello.h"

#define MB 1000000
#define S INT64_C(1000000)

/* µs that 1 MB takes once nothing is saved up any more. */
static int64_t pace(struct throttle *way, int64_t now_us)
{
	int64_t before = throttle_take(way, MB, now_us);
	return throttle_take(way, MB, now_us) - before;
}

static void sessions_of_a_company_share_and_others_do_not(void **state)
{
	struct shares *shares;
	struct share *one, *two, *other;
	(void)state;
	assert_int_equal(shares_new(&shares), 0);
	assert_int_equal(shares_enter(shares, "acme", 4 * MB, &one), 0);
	assert_int_equal(shares_enter(shares, "acme", 2 * MB, &two), 0);
	assert_int_equal(shares_enter(shares, "bolt", MB, &other), 0);
	assert_ptr_equal(one, two);
	assert_ptr_not_equal(one, other);
	assert_ptr_not_equal(shares_way(one, HELLO_HOST), shares_way(one, HELLO_VIEWER));
	/* The newest word counts. */
	assert_int_equal(pace(shares_way(one, HELLO_HOST), 100 * S), S / 2);
	assert_int_equal(pace(shares_way(other, HELLO_VIEWER), 100 * S), S);
	shares_leave(shares, one);
	assert_int_equal(pace(shares_way(two, HELLO_VIEWER), 100 * S), S / 2);
	shares_leave(shares, two);
	shares_leave(shares, other);
	assert_null(shares_leave(shares, NULL));
	shares_free(shares);
}

static void nodes_divide_the_cap(void **state)
{
	struct shares *shares;
	struct share *share;
	(void)state;
	assert_int_equal(shares_new(&shares), 0);
	shares_set_nodes(shares, 4);
	assert_int_equal(shares_enter(shares, "acme", 4 * MB, &share), 0);
	assert_int_equal(pace(shares_way(share, HELLO_HOST), 100 * S), S);
	shares_set_nodes(shares, 2);
	assert_int_equal(pace(shares_way(share, HELLO_HOST), 200 * S), S / 2);
	shares_set_nodes(shares, 0);
	assert_int_equal(pace(shares_way(share, HELLO_HOST), 300 * S), S / 4);
	/* So little that nothing could be carried is not granted. */
	shares_set_nodes(shares, 1000);
	struct throttle *way = shares_way(share, HELLO_HOST);
	int64_t before = throttle_take(way, THROTTLE_BURST, 400 * S);
	assert_int_equal(throttle_take(way, THROTTLE_RATE_LEAST, 400 * S) - before, S);
	shares_leave(shares, share);
	shares_free(shares);
}

static void on_put(void *ctx, const struct state_answer *answer)
{
	(void)ctx;
	assert_int_equal(answer->status, 0);
}

static void put_node(struct relay_rig *rig, const char *id, uint64_t version,
	int64_t seen_ms)
{
	char body[100];
	snprintf(body, sizeof(body), "{\"id\":\"%s\",\"seen\":%lld}", id,
		(long long)seen_ms);
	struct state_doc doc = {STATE_NODE, id, "", version, body};
	state_put(rig->store->state, &doc, desk_box(rig->desks[0]), on_put, rig);
	relay_rig_settle(rig);
}

static void a_node_that_is_gone_leaves_its_part_to_the_others(void **state)
{
	struct relay_rig *rig = relay_rig_new();
	struct share *share;
	(void)state;
	assert_int_equal(shares_enter(rig->house.shares, "acme", 3 * MB, &share), 0);
	put_node(rig, "n1", 0, rig->wall_ms);
	put_node(rig, "n2", 0, rig->wall_ms);
	/* Their clocks, or ours, are far off. */
	put_node(rig, "n3", 0, rig->wall_ms + 3600000);
	put_node(rig, "n4", 0, rig->wall_ms - 3600000);
	neighbours_look(rig->desks[0]);
	relay_rig_settle(rig);
	assert_int_equal(pace(shares_way(share, HELLO_HOST), 100 * S), 1333333);
	relay_rig_pass(rig, NEIGHBOURS_FRESH_MS / 2);
	put_node(rig, "n4", 1, rig->wall_ms - 3600000);
	neighbours_look(rig->desks[0]);
	relay_rig_settle(rig);
	relay_rig_pass(rig, NEIGHBOURS_FRESH_MS / 2 + 1);
	neighbours_look(rig->desks[0]);
	relay_rig_settle(rig);
	assert_int_equal(pace(shares_way(share, HELLO_HOST), 200 * S), 666667);
	shares_leave(rig->house.shares, share);
	relay_rig_free(rig);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(sessions_of_a_company_share_and_others_do_not),
		cmocka_unit_test(nodes_divide_the_cap),
		cmocka_unit_test(a_node_that_is_gone_leaves_its_part_to_the_others),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
