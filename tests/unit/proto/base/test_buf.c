#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/reason.h"

static void idle_costs_nothing(void **state)
{
	(void)state;
	struct buf buf;
	buf_init(&buf, 1000);
	assert_null(buf.data);
	assert_int_equal(buf_len(&buf), 0);
	assert_int_equal(buf_append(&buf, "", 0), 0);
	assert_null(buf.data);
	assert_int_equal(buf_append(&buf, "abc", 3), 0);
	buf_release(&buf);
	assert_int_equal(buf_len(&buf), 3); /* a waiting byte keeps the memory */
	buf_drain(&buf, 3);
	buf_release(&buf);
	assert_null(buf.data);
	assert_int_equal(buf_append(&buf, "again", 5), 0);
	assert_memory_equal(buf_head(&buf), "again", 5);
	buf_done(&buf);
	assert_null(buf.data);
}

static void maximum_is_hard(void **state)
{
	(void)state;
	struct buf buf;
	uint8_t *at = NULL;
	buf_init(&buf, 10);
	assert_int_equal(buf_append(&buf, "0123456789", 10), 0);
	assert_int_equal(buf_append(&buf, "x", 1), -REASON_LIMIT);
	assert_int_equal(buf_reserve(&buf, 1, &at), -REASON_LIMIT);
	assert_null(at);
	assert_int_equal(buf_append(&buf, "x", SIZE_MAX), -REASON_LIMIT);
	assert_int_equal(buf_len(&buf), 10);
	assert_memory_equal(buf_head(&buf), "0123456789", 10);
	buf_drain(&buf, 4);
	assert_int_equal(buf_append(&buf, "abcd", 4), 0);
	assert_memory_equal(buf_head(&buf), "456789abcd", 10);
	assert_int_equal(buf_append(&buf, "x", 1), -REASON_LIMIT);
	buf_done(&buf);
}

static void reserve_and_commit(void **state)
{
	(void)state;
	struct buf buf;
	uint8_t *at;
	buf_init(&buf, 100000);
	assert_int_equal(buf_reserve(&buf, 70000, &at), 0);
	memset(at, 7, 70000);
	buf_commit(&buf, 3);
	assert_int_equal(buf_len(&buf), 3);
	assert_int_equal(buf_head(&buf)[2], 7);
	buf_done(&buf);
}

static void integers_are_big_endian(void **state)
{
	(void)state;
	static const uint8_t golden[] = {
		1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15};
	struct buf buf;
	buf_init(&buf, 15);
	assert_int_equal(buf_put_u8(&buf, 0x01), 0);
	assert_int_equal(buf_put_u16(&buf, 0x0203), 0);
	assert_int_equal(buf_put_u32(&buf, 0x04050607), 0);
	assert_int_equal(buf_put_u64(&buf, 0x08090A0B0C0D0E0F), 0);
	assert_int_equal(buf_put_u8(&buf, 1), -REASON_LIMIT);
	assert_int_equal(buf_len(&buf), sizeof(golden));
	assert_memory_equal(buf_head(&buf), golden, sizeof(golden));
	buf_done(&buf);
}

/* A queue kept nearly full: every byte comes out once and in order, whatever was moved. */
static void queue_keeps_order(void **state)
{
	(void)state;
	struct buf buf;
	uint8_t in = 0, out = 0, chunk[97];
	buf_init(&buf, 1000);
	srand(7);
	for (int turn = 0; turn < 20000; turn++) {
		size_t len = (size_t)rand() % sizeof(chunk);
		for (size_t i = 0; i < len; i++)
			chunk[i] = (uint8_t)(in + i);
		if (len <= 1000 - buf_len(&buf)) {
			assert_int_equal(buf_append(&buf, chunk, len), 0);
			in = (uint8_t)(in + len);
		} else {
			assert_int_equal(buf_append(&buf, chunk, len), -REASON_LIMIT);
		}
		assert_true(buf_len(&buf) <= 1000 && buf.cap <= 1250);
		size_t take = (size_t)rand() % 90;
		if (take > buf_len(&buf))
			take = buf_len(&buf);
		for (size_t i = 0; i < take; i++)
			assert_int_equal(buf_head(&buf)[i], out++);
		buf_drain(&buf, take);
	}
	buf_done(&buf);
}

static void full_queue_moves_seldom(void **state)
{
	(void)state;
	struct buf buf;
	static uint8_t block[200000];
	buf_init(&buf, sizeof(block));
	assert_int_equal(buf_append(&buf, block, sizeof(block)), 0);
	int moves = 0;
	for (int i = 0; i < 100000; i++) {
		size_t start = buf.start;
		buf_drain(&buf, 1);
		assert_int_equal(buf_append(&buf, "x", 1), 0);
		moves += buf.start < start;
	}
	assert_in_range(moves, 0, 3);
	buf_done(&buf);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(idle_costs_nothing),
		cmocka_unit_test(maximum_is_hard),
		cmocka_unit_test(reserve_and_commit),
		cmocka_unit_test(integers_are_big_endian),
		cmocka_unit_test(queue_keeps_order),
		cmocka_unit_test(full_queue_moves_seldom),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
