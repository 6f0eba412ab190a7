#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include <X11/XF86keysym.h>
#include <X11/keysym.h>

#include "input/paste.h"

static unsigned asks(const uint32_t *down, size_t count, uint32_t keysym)
{
	struct held held = {0};
	for (size_t i = 0; i < count; i++)
		assert_int_equal(held_key(&held, down[i], 1), 1);
	return paste_by_key(&held, keysym);
}
#define ASKS(keysym, ...)                                                                \
	asks((const uint32_t[]){__VA_ARGS__},                                            \
		sizeof((const uint32_t[]){__VA_ARGS__}) / sizeof(uint32_t), keysym)

static void test_which_keys_paste(void **state)
{
	(void)state;
	assert_int_equal(ASKS(XK_v, XK_Control_L), PASTE_CLIPBOARD);
	assert_int_equal(ASKS(XK_V, XK_Control_R, XK_Shift_L), PASTE_CLIPBOARD);
	assert_int_equal(ASKS(XK_v, XK_a, XK_Control_L), PASTE_CLIPBOARD);
	assert_int_equal(ASKS(XF86XK_Paste, XK_a), PASTE_CLIPBOARD);
	assert_int_equal(ASKS(XK_Insert, XK_Shift_R), PASTE_CLIPBOARD | PASTE_PRIMARY);
	assert_int_equal(ASKS(XK_v, XK_a), PASTE_NOTHING);
	assert_int_equal(ASKS(XK_v, XK_Shift_L), PASTE_NOTHING);
	assert_int_equal(ASKS(XK_v, XK_Control_L, XK_Alt_L), PASTE_NOTHING);
	assert_int_equal(ASKS(XK_v, XK_Super_L), PASTE_NOTHING);
	assert_int_equal(ASKS(XK_c, XK_Control_L), PASTE_NOTHING);
	assert_int_equal(ASKS(XK_Insert, XK_Control_L), PASTE_NOTHING);
	assert_int_equal(ASKS(XK_Insert, XK_Control_L, XK_Shift_L), PASTE_NOTHING);
}

static void test_waiting_is_bounded(void **state)
{
	(void)state;
	struct paste paste = {0};
	const struct paste_input one = {.kind = PASTE_KEY, .keysym = 'a', .down = 1};
	paste_asked(&paste, 1000);
	assert_false(paste_waits(&paste, 1000));
	paste_begin(&paste, PASTE_WAIT_US, 1000);
	assert_true(paste_waits(&paste, 1000));
	assert_int_equal(paste_until_us(&paste), -1); /* nobody to wake for */
	assert_int_equal(paste_put(&paste, &one), 1);
	assert_int_equal(paste_until_us(&paste), 1000 + PASTE_WAIT_US);
	assert_false(paste_waits(&paste, 1000 + PASTE_WAIT_US));
	/* A program that asks again and again. */
	const int64_t most = 1000 + PASTE_TIMES * PASTE_WAIT_US;
	for (int64_t now = 1000; now < 2 * most; now += PASTE_WAIT_US / 2)
		paste_asked(&paste, now);
	assert_false(paste_waits(&paste, most));
	assert_true(paste_waits(&paste, most - 1));
	paste_end(&paste);
	assert_false(paste_waits(&paste, 1000));
}

static void test_order(void **state)
{
	(void)state;
	struct paste paste = {0};
	struct paste_input got;
	for (int round = 0; round < 3; round++) {
		for (uint32_t i = 0; i < PASTE_QUEUE_MAX; i++) {
			const struct paste_input one = {
				.kind = PASTE_KEY, .keysym = i, .down = i % 2};
			assert_int_equal(paste_put(&paste, &one), 1);
		}
		const struct paste_input more = {.kind = PASTE_KEY, .keysym = 1};
		assert_int_equal(paste_put(&paste, &more), 0);
		for (uint32_t i = 0; i < PASTE_QUEUE_MAX; i++) {
			assert_int_equal(paste_take(&paste, &got), 1);
			assert_int_equal(got.keysym, i);
			assert_int_equal(got.down, i % 2);
		}
		assert_int_equal(paste_take(&paste, &got), 0);
		/* So that the next round goes over the end of the ring. */
		const struct paste_input odd = {.kind = PASTE_KEY};
		assert_int_equal(paste_put(&paste, &odd), 1);
		assert_int_equal(paste_take(&paste, &got), 1);
	}
}

static void test_moves_become_one(void **state)
{
	(void)state;
	struct paste paste = {0};
	struct paste_input got;
	const struct paste_input list[] = {
		{.kind = PASTE_POINTER, .x = 1},
		{.kind = PASTE_POINTER, .x = 2},
		{.kind = PASTE_POINTER, .x = 3, .buttons = 1},
		{.kind = PASTE_KEY, .keysym = 'a', .down = 1},
		{.kind = PASTE_POINTER, .x = 4, .buttons = 1},
		{.kind = PASTE_POINTER, .x = 5, .buttons = 1},
		{.kind = PASTE_POINTER, .x = 6},
	};
	const int left[] = {2, 3, 0, 5, 6};
	for (size_t i = 0; i < sizeof(list) / sizeof(list[0]); i++)
		assert_int_equal(paste_put(&paste, &list[i]), 1);
	for (size_t i = 0; i < sizeof(left) / sizeof(left[0]); i++) {
		assert_int_equal(paste_take(&paste, &got), 1);
		assert_int_equal(got.x, left[i]);
	}
	assert_int_equal(paste_take(&paste, &got), 0);
}

static struct paste_input text_of(size_t len)
{
	char *text = calloc(1, len + 1);
	assert_non_null(text);
	return (struct paste_input){.kind = PASTE_TEXT, .text = text, .len = len};
}

static void test_texts_are_bounded(void **state)
{
	(void)state;
	struct paste paste = {0};
	struct paste_input got, one = text_of(PASTE_TEXTS_MAX - 1), more = text_of(2);
	assert_int_equal(paste_put(&paste, &one), 1);
	assert_int_equal(paste_put(&paste, &more), 0);
	assert_int_equal(paste_take(&paste, &got), 1);
	assert_ptr_equal(got.text, one.text);
	free(got.text);
	assert_int_equal(paste_put(&paste, &more), 1);
	paste_begin(&paste, PASTE_WAIT_US, 1000);
	paste_empty(&paste);
	assert_false(paste_waits(&paste, 1000));
	assert_int_equal(paste_take(&paste, &got), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_which_keys_paste),
		cmocka_unit_test(test_waiting_is_bounded),
		cmocka_unit_test(test_order),
		cmocka_unit_test(test_moves_become_one),
		cmocka_unit_test(test_texts_are_bounded),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
