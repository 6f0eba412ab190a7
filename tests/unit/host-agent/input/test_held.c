#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "input/held.h"

struct lifted {
	uint32_t keys[HELD_KEYS_MAX];
	int count, buttons;
};

static void key(void *ctx, uint32_t keysym)
{
	struct lifted *lifted = ctx;
	lifted->keys[lifted->count++] = keysym;
}

static void buttons(void *ctx, int x, int y)
{
	struct lifted *lifted = ctx;
	assert_int_equal(x, 3);
	assert_int_equal(y, 4);
	lifted->buttons++;
}

static void test_release_in_reverse(void **state)
{
	(void)state;
	struct held held = {0};
	struct lifted lifted = {0};
	const struct held_release release = {key, buttons, &lifted};
	assert_int_equal(held_key(&held, 1, 1), 1);
	assert_int_equal(held_key(&held, 2, 1), 1);
	assert_int_equal(held_key(&held, 3, 1), 1);
	assert_int_equal(held_key(&held, 2, 0), 1);
	assert_int_equal(held_key(&held, 1, 1), 1); /* a repeat */
	held_pointer(&held, 3, 4, 5);
	held_release(&held, &release);
	assert_int_equal(lifted.count, 2);
	assert_int_equal(lifted.keys[0], 3);
	assert_int_equal(lifted.keys[1], 1);
	assert_int_equal(lifted.buttons, 1);
	held_release(&held, &release);
	assert_int_equal(lifted.count, 2);
	assert_int_equal(lifted.buttons, 1);
}

static void test_limits(void **state)
{
	(void)state;
	struct held held = {0};
	assert_int_equal(held_key(&held, 7, 0), 0);
	for (uint32_t i = 0; i < HELD_KEYS_MAX; i++)
		assert_int_equal(held_key(&held, 100 + i, 1), 1);
	assert_int_equal(held_key(&held, 99, 1), 0);
	assert_int_equal(held_key(&held, 100, 0), 1);
	assert_int_equal(held_key(&held, 99, 1), 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_release_in_reverse),
		cmocka_unit_test(test_limits),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
