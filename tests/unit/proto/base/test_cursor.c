#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include "base/cursor.h"
#include "base/reason.h"
#include <cmocka.h>

static const uint8_t bytes[] = {
	1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18};

static void integers_are_big_endian(void **state)
{
	(void)state;
	struct cursor cursor = cursor_of(bytes, sizeof(bytes));
	uint8_t u8;
	uint16_t u16;
	uint32_t u24, u32;
	uint64_t u64;
	assert_int_equal(cursor_u8(&cursor, &u8), 0);
	assert_int_equal(cursor_u16(&cursor, &u16), 0);
	assert_int_equal(cursor_u24(&cursor, &u24), 0);
	assert_int_equal(cursor_u32(&cursor, &u32), 0);
	assert_int_equal(cursor_u64(&cursor, &u64), 0);
	assert_int_equal(u8, 1);
	assert_int_equal(u16, 0x0203);
	assert_int_equal(u24, 0x040506);
	assert_int_equal(u32, 0x0708090A);
	assert_true(u64 == 0x0B0C0D0E0F101112);
	assert_int_equal(cursor_left(&cursor), 0);
}

static void views_are_not_copies(void **state)
{
	(void)state;
	struct cursor cursor = cursor_of(bytes, sizeof(bytes));
	const uint8_t *view = NULL;
	assert_int_equal(cursor_bytes(&cursor, 4, &view), 0);
	assert_ptr_equal(view, bytes);
	assert_int_equal(cursor_bytes(&cursor, 14, &view), 0);
	assert_ptr_equal(view, bytes + 4);
	assert_int_equal(cursor_bytes(&cursor, 0, &view), 0);
	assert_int_equal(cursor_bytes(&cursor, SIZE_MAX, &view), -REASON_BAD_MESSAGE);
}

static void too_few_leaves_no_trace(void **state)
{
	(void)state;
	uint64_t u64 = 42;
	uint32_t u32 = 42;
	uint16_t u16 = 42;
	uint8_t u8 = 42;
	const uint8_t *view = bytes;
	for (size_t len = 0; len < 8; len++) {
		struct cursor cursor = cursor_of(bytes, len);
		assert_int_equal(cursor_u64(&cursor, &u64), -REASON_BAD_MESSAGE);
		if (len < 4)
			assert_int_equal(cursor_u32(&cursor, &u32), -REASON_BAD_MESSAGE);
		if (len < 3)
			assert_int_equal(cursor_u24(&cursor, &u32), -REASON_BAD_MESSAGE);
		if (len < 2)
			assert_int_equal(cursor_u16(&cursor, &u16), -REASON_BAD_MESSAGE);
		if (len < 1)
			assert_int_equal(cursor_u8(&cursor, &u8), -REASON_BAD_MESSAGE);
		assert_int_equal(cursor_bytes(&cursor, len + 1, &view),
			-REASON_BAD_MESSAGE);
		assert_int_equal(cursor_left(&cursor), len);
		assert_ptr_equal(cursor.at, bytes);
	}
	assert_true(u64 == 42 && u32 == 42 && u16 == 42 && u8 == 42 && view == bytes);
}

static void nothing_is_a_cursor_too(void **state)
{
	(void)state;
	struct cursor cursor = cursor_of(NULL, 0);
	const uint8_t *view = bytes;
	uint8_t u8;
	assert_int_equal(cursor_bytes(&cursor, 0, &view), 0);
	assert_int_equal(cursor_u8(&cursor, &u8), -REASON_BAD_MESSAGE);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(integers_are_big_endian),
		cmocka_unit_test(views_are_not_copies),
		cmocka_unit_test(too_few_leaves_no_trace),
		cmocka_unit_test(nothing_is_a_cursor_too),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
