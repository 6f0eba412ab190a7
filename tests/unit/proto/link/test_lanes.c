#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/reason.h"
#include "link/lanes.h"

static void put(struct lanes *lanes, enum seal_lane lane, size_t len)
{
	static const uint8_t zeros[70000];
	assert_int_equal(ring_write(&lanes->out[lane].ring, zeros, len), len);
}

static void control(struct lanes *lanes, uint8_t number, uint16_t len)
{
	const uint8_t head[3] = {number, (uint8_t)(len >> 8), (uint8_t)len};
	assert_int_equal(ring_write(&lanes->out[SEAL_CONTROL].ring, head, 3), 3);
	put(lanes, SEAL_CONTROL, len);
}

static void take(struct lanes *lanes, enum seal_lane lane, size_t len)
{
	static uint8_t bytes[70000];
	lanes_take(lanes, lane, bytes, len);
}

static void windows_and_acknowledgements(void **state UNUSED)
{
	struct lanes lanes;
	lanes_init(&lanes);
	put(&lanes, SEAL_PICTURE, 50000);
	lanes.out[SEAL_PICTURE].window = 20000;
	assert_int_equal(lanes_ready(&lanes, SEAL_PICTURE), 20000);
	take(&lanes, SEAL_PICTURE, 15000);
	assert_int_equal(lanes_in_flight(&lanes, SEAL_PICTURE), 15000);
	assert_int_equal(lanes_ready(&lanes, SEAL_PICTURE), 5000);
	lanes.out[SEAL_PICTURE].window = 10000; /* the line became slower */
	assert_int_equal(lanes_ready(&lanes, SEAL_PICTURE), 0);
	assert_int_equal(lanes_acked(&lanes, SEAL_PICTURE, 15001), -REASON_PROTOCOL);
	assert_int_equal(lanes_acked(&lanes, SEAL_PICTURE, 12000), 0);
	assert_int_equal(lanes_acked(&lanes, SEAL_PICTURE, 11999), -REASON_PROTOCOL);
	assert_int_equal(lanes_in_flight(&lanes, SEAL_PICTURE), 3000);
	assert_int_equal(lanes_unsent(&lanes, SEAL_PICTURE), 35000);
	lanes_done(&lanes);
	assert_int_equal(lanes_in_flight(&lanes, SEAL_PICTURE), 0);
}

static void rewinds_all_or_nothing(void **state UNUSED)
{
	struct lanes lanes;
	lanes_init(&lanes);
	put(&lanes, SEAL_INPUT, 100);
	put(&lanes, SEAL_CLIPBOARD, 100);
	take(&lanes, SEAL_INPUT, 80);
	take(&lanes, SEAL_CLIPBOARD, 90);
	assert_int_equal(lanes_acked(&lanes, SEAL_INPUT, 20), 0);
	const uint64_t forgotten[SEAL_LANES] = {0, 19, 0, 50, 0};
	const uint64_t invented[SEAL_LANES] = {0, 30, 0, 91, 0};
	const uint64_t good[SEAL_LANES] = {0, 20, 0, 90, 0};
	assert_int_equal(lanes_rewind(&lanes, forgotten), -REASON_PROTOCOL);
	assert_int_equal(lanes_rewind(&lanes, invented), -REASON_PROTOCOL);
	assert_int_equal(lanes.out[SEAL_INPUT].sent, 80);
	assert_int_equal(lanes_rewind(&lanes, good), 0);
	assert_int_equal(lanes.out[SEAL_INPUT].sent, 20);
	assert_int_equal(lanes_ready(&lanes, SEAL_INPUT), 80);
	assert_int_equal(lanes_ready(&lanes, SEAL_CLIPBOARD), 10);
	lanes_done(&lanes);
}

static void control_messages_stay_whole(void **state UNUSED)
{
	struct lanes lanes;
	uint64_t sequence[SEAL_LANES] = {0};
	lanes_init(&lanes);
	assert_int_equal(lanes_control_next(&lanes), 0);
	control(&lanes, 0x18, 12);
	control(&lanes, 0x20, 2);
	assert_int_equal(lanes_control_next(&lanes), 15);
	take(&lanes, SEAL_CONTROL, 15);
	assert_int_equal(lanes_control_next(&lanes), 5);
	take(&lanes, SEAL_CONTROL, 5);
	assert_int_equal(lanes_acked(&lanes, SEAL_CONTROL, 14), -REASON_PROTOCOL);
	sequence[SEAL_CONTROL] = 16;
	assert_int_equal(lanes_rewind(&lanes, sequence), -REASON_PROTOCOL);
	sequence[SEAL_CONTROL] = 15;
	assert_int_equal(lanes_rewind(&lanes, sequence), 0);
	assert_int_equal(lanes_control_next(&lanes), 5);
	take(&lanes, SEAL_CONTROL, 5);
	assert_int_equal(lanes_acked(&lanes, SEAL_CONTROL, 20), 0);
	lanes_done(&lanes);
}

static void a_sender_that_overruns_is_refused(void **state UNUSED)
{
	struct lanes lanes;
	lanes_init(&lanes);
	assert_int_equal(lanes_arrived(&lanes, SEAL_INPUT, LANES_INPUT_MAX), 0);
	assert_int_equal(lanes_arrived(&lanes, SEAL_INPUT, 1), -REASON_PROTOCOL);
	lanes_consumed(&lanes, SEAL_INPUT, 10);
	assert_int_equal(lanes_arrived(&lanes, SEAL_INPUT, 10), 0);
	assert_int_equal(lanes_arrived(&lanes, SEAL_INPUT, 1), -REASON_PROTOCOL);
	assert_int_equal(lanes.in[SEAL_INPUT].received, LANES_INPUT_MAX + 10);
	lanes_done(&lanes);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(windows_and_acknowledgements),
		cmocka_unit_test(rewinds_all_or_nothing),
		cmocka_unit_test(control_messages_stay_whole),
		cmocka_unit_test(a_sender_that_overruns_is_refused),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
