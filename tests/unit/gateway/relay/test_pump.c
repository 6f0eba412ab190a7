/* A pump between two memory conns: how it rests when it went faster than it may. The clock stands still
 * unless a test moves it; the rests themselves are timers of the loop, in real time and short. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/clock.h"
#include "net/conn.h"
#include "net/conn_mem.h"
#include "net/throttle.h"
#include "net/worker.h"
#include "relay/pump.h"
#include "wire/frame.h"

#define NOW_US INT64_C(1000000000)
#define RECORD 16000
#define SETTLED 50

struct rig {
	struct worker *worker;
	/* host → [near_host] pump [near_viewer] → viewer */
	struct conn *host, *near_host, *near_viewer, *viewer;
	struct pump pump;
	uint64_t carried, frames, arrived;
};

static size_t feed(void *ctx, const uint8_t *bytes, size_t len)
{
	struct rig *rig = ctx;
	return pump_take(&rig->pump, bytes, len);
}

static size_t arrive(void *ctx, const uint8_t *bytes, size_t len)
{
	struct rig *rig = ctx;
	(void)bytes;
	rig->arrived += len;
	return len;
}

static size_t ignore(void *ctx, const uint8_t *bytes, size_t len)
{
	(void)ctx;
	(void)bytes;
	return len;
}

static void room(void *ctx)
{
	struct rig *rig = ctx;
	pump_room(&rig->pump);
}

static void no_room(void *ctx)
{
	(void)ctx;
}

static void closed(void *ctx, int reason)
{
	(void)ctx;
	(void)reason;
}

static int set_up(void **state)
{
	static const struct conn_events near_host = {feed, no_room, closed},
					near_viewer = {ignore, room, closed},
					viewer = {arrive, no_room, closed},
					host = {ignore, no_room, closed};
	struct rig *rig = calloc(1, sizeof(*rig));
	clock_fake(NOW_US, 0);
	CHECK(!worker_new("w", &rig->worker));
	CHECK(!conn_mem_pair(rig->worker, rig->worker, "192.0.2.1", &rig->host,
		&rig->near_host));
	CHECK(!conn_mem_pair(rig->worker, rig->worker, "192.0.2.2", &rig->viewer,
		&rig->near_viewer));
	conn_listen(rig->host, &host, rig);
	conn_listen(rig->near_host, &near_host, rig);
	conn_listen(rig->near_viewer, &near_viewer, rig);
	conn_listen(rig->viewer, &viewer, rig);
	pump_start(&rig->pump, rig->near_host, rig->near_viewer);
	rig->pump.carried = &rig->carried;
	rig->pump.frames = &rig->frames;
	rig->pump.metric = METRIC_DATA_TO_VIEWER;
	*state = rig;
	return 0;
}

static void settle(struct rig *rig)
{
	for (int i = 0; i < SETTLED; i++)
		worker_turn(rig->worker, 0);
}

static int tear_down(void **state)
{
	struct rig *rig = *state;
	pump_stop(&rig->pump);
	conn_close(rig->host, 1, CONN_DROP);
	conn_close(rig->viewer, 1, CONN_DROP);
	conn_close(rig->near_host, 1, CONN_DROP);
	conn_close(rig->near_viewer, 1, CONN_DROP);
	settle(rig);
	worker_free(rig->worker);
	clock_fake(-1, -1);
	free(rig);
	return 0;
}

static void say(struct rig *rig, uint32_t len)
{
	uint8_t frame[FRAME_HEADER + RECORD] = {0};
	frame_header(frame, FRAME_DATA, len);
	assert_int_equal(conn_write(rig->host, frame, FRAME_HEADER + len), 0);
}

/* Until so much has arrived; a test that hangs here is ended from outside. */
static void wait_for(struct rig *rig, uint64_t arrived)
{
	while (rig->arrived < arrived)
		worker_turn(rig->worker, 1);
}

static void without_a_limit_nothing_rests(void **state)
{
	struct rig *rig = *state;
	assert_int_equal(pump_limit(&rig->pump, 0, NULL), 0);
	for (int i = 0; i < 100; i++) {
		say(rig, RECORD);
		settle(rig);
	}
	assert_int_equal(rig->arrived, 100 * (FRAME_HEADER + RECORD));
	assert_int_equal(rig->carried, 100 * RECORD);
	assert_false(pump_is_deaf(&rig->pump));
	assert_int_equal(rig->near_host->read_most, 0);
}

static void it_rests_when_it_was_too_fast_and_loses_nothing(void **state)
{
	struct rig *rig = *state;
	assert_int_equal(pump_limit(&rig->pump, THROTTLE_RATE_LEAST, NULL), 0);
	assert_true(rig->near_host->read_most > 0);
	for (int i = 0; i < 8; i++)
		say(rig, RECORD);
	settle(rig);
	/* 64 KiB were saved up; one read may go beyond. The timer is seconds away. */
	assert_true(rig->arrived >= THROTTLE_BURST);
	assert_true(pump_is_deaf(&rig->pump));
	say(rig, 20);
	settle(rig);
	assert_true(rig->arrived <= 8 * (FRAME_HEADER + RECORD));
	/* The limit is lifted while it rests. */
	assert_int_equal(pump_limit(&rig->pump, 0, NULL), 0);
	settle(rig);
	assert_int_equal(rig->arrived, 8 * (FRAME_HEADER + RECORD) + FRAME_HEADER + 20);
	assert_false(pump_is_deaf(&rig->pump));
}

static void a_rest_ends_by_itself(void **state)
{
	struct rig *rig = *state;
	uint64_t sum = 0;
	assert_int_equal(pump_limit(&rig->pump, 10000000, NULL), 0);
	for (int i = 0; i < 100; i++) {
		say(rig, RECORD);
		sum += FRAME_HEADER + RECORD;
		settle(rig);
	}
	assert_true(rig->arrived < sum);
	wait_for(rig, sum);
	assert_int_equal(rig->carried, 100 * RECORD);
}

static void small_frames_do_not_wait_for_what_others_carried(void **state)
{
	struct rig *rig = *state;
	struct throttle shared = {0};
	throttle_set(&shared, THROTTLE_RATE_LEAST);
	assert_int_equal(pump_limit(&rig->pump, 0, &shared), 0);
	assert_true(throttle_take(&shared, 10 * THROTTLE_BURST, NOW_US) > 0);
	for (int i = 0; i < 100; i++) {
		say(rig, 100);
		settle(rig);
	}
	assert_int_equal(rig->arrived, 100 * (FRAME_HEADER + 100));
	assert_false(pump_is_deaf(&rig->pump));
	say(rig, RECORD); /* a picture does */
	settle(rig);
	assert_true(pump_is_deaf(&rig->pump));
	pump_stop(&rig->pump);
	assert_int_equal(rig->near_host->read_most, 0);
}

/* Small ones are not a way around the cap. */
static void many_small_frames_wait_too(void **state)
{
	struct rig *rig = *state;
	struct throttle shared = {0};
	throttle_set(&shared, THROTTLE_RATE_LEAST);
	assert_int_equal(pump_limit(&rig->pump, 0, &shared), 0);
	for (int i = 0; i < 200 && !pump_is_deaf(&rig->pump); i++) {
		say(rig, 1000);
		settle(rig);
	}
	assert_true(pump_is_deaf(&rig->pump));
	assert_true(rig->carried <= 2 * THROTTLE_BURST);
}

static void a_full_reader_and_a_rest_go_together(void **state)
{
	struct rig *rig = *state;
	assert_int_equal(pump_limit(&rig->pump, THROTTLE_RATE_LEAST, NULL), 0);
	conn_pause(rig->viewer);
	for (int i = 0; i < 40; i++)
		say(rig, RECORD);
	settle(rig);
	assert_true(pump_is_deaf(&rig->pump));
	conn_resume(rig->viewer);
	settle(rig);
	assert_true(pump_is_deaf(&rig->pump)); /* there is room, and it still rests */
	assert_int_equal(pump_limit(&rig->pump, 0, NULL), 0);
	wait_for(rig, 40 * (FRAME_HEADER + RECORD));
	assert_false(pump_is_deaf(&rig->pump));
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		TEST(without_a_limit_nothing_rests),
		TEST(it_rests_when_it_was_too_fast_and_loses_nothing),
		TEST(a_rest_ends_by_itself),
		TEST(small_frames_do_not_wait_for_what_others_carried),
		TEST(many_small_frames_wait_too),
		TEST(a_full_reader_and_a_rest_go_together),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
