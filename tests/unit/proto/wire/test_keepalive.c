#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "wire/keepalive.h"

static int64_t wait_ms;

static void one_ping_per_silence(void **state)
{
	(void)state;
	struct keepalive k;
	uint8_t payload[8];
	keepalive_start(&k, 15000, 1000);
	assert_int_equal(keepalive_due(&k, 1000, &wait_ms), KEEPALIVE_WAIT);
	assert_int_equal(wait_ms, 15000);
	assert_int_equal(keepalive_due(&k, 15999, &wait_ms), KEEPALIVE_WAIT);
	assert_int_equal(wait_ms, 1);
	assert_int_equal(keepalive_due(&k, 16000, &wait_ms), KEEPALIVE_PING);
	keepalive_ping(&k, 16000000, payload);
	assert_int_equal(keepalive_due(&k, 16000, &wait_ms), KEEPALIVE_WAIT);
	assert_int_equal(wait_ms, 30000);
	assert_int_equal(keepalive_due(&k, 45999, &wait_ms), KEEPALIVE_WAIT);
	assert_int_equal(wait_ms, 1);
	assert_int_equal(keepalive_due(&k, 46000, &wait_ms), KEEPALIVE_DEAD);
	assert_int_equal(wait_ms, 0);
}

static void any_byte_is_life(void **state)
{
	(void)state;
	struct keepalive k;
	uint8_t payload[8];
	keepalive_start(&k, 15000, 0);
	keepalive_ping(&k, 20000000, payload);
	/* heard in the very millisecond of the PING: that silence is over all the same */
	keepalive_heard(&k, 20000);
	assert_int_equal(keepalive_due(&k, 34999, &wait_ms), KEEPALIVE_WAIT);
	assert_int_equal(wait_ms, 1);
	assert_int_equal(keepalive_due(&k, 35000, &wait_ms), KEEPALIVE_PING);
	keepalive_heard(&k, 64000);
	assert_int_equal(keepalive_due(&k, 64000, &wait_ms), KEEPALIVE_WAIT);
}

static void pong_gives_the_round_trip(void **state)
{
	(void)state;
	struct keepalive k;
	uint8_t payload[8], other[8] = {0, 0, 0, 0, 0, 0, 0, 9};
	static const uint8_t golden[8] = {0, 0, 0, 0, 0x00, 0xF4, 0x24, 0x01};
	keepalive_start(&k, 15000, 0);
	assert_int_equal(k.rtt_us, 0);
	keepalive_pong(&k, 5, other); /* nobody asked */
	keepalive_pong(&k, 5, (uint8_t[8]){0});
	assert_int_equal(k.rtt_us, 0);
	keepalive_ping(&k, 16000001, payload);
	assert_memory_equal(payload, golden, 8);
	keepalive_pong(&k, 16030001, other);
	assert_int_equal(k.rtt_us, 0);
	keepalive_heard(&k, 16030);
	keepalive_pong(&k, 16030001, payload);
	assert_int_equal(k.rtt_us, 30000);
	keepalive_pong(&k, 16090001, payload); /* said twice */
	assert_int_equal(k.rtt_us, 30000);
	keepalive_ping(&k, 40000000, payload);
	keepalive_ping(&k, 50000000, other);
	keepalive_pong(&k, 50000001, payload); /* of the PING before the last */
	assert_int_equal(k.rtt_us, 30000);
	keepalive_pong(&k, 50000000, other);
	assert_int_equal(k.rtt_us, 1); /* measured, and not 0 */
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(one_ping_per_silence),
		cmocka_unit_test(any_byte_is_life),
		cmocka_unit_test(pong_gives_the_round_trip),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
