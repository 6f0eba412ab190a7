#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "rfb/tiles.h"

#define W 300
#define H 200

static uint32_t picture[W * H], fresh[W * H];
static uint8_t reported[W * H];

static void note(void *ctx, const struct tiles_rect *rect)
{
	int *count = ctx;
	(*count)++;
	for (int y = rect->y; y < rect->y + rect->h; y++)
		for (int x = rect->x; x < rect->x + rect->w; x++) {
			assert_int_equal(reported[y * W + x], 0);
			reported[y * W + x] = 1;
		}
}

static int64_t compare(const struct tiles_rect *rect, int *ret_count)
{
	memset(reported, 0, sizeof(reported));
	*ret_count = 0;
	return tiles_compare(picture, W, fresh + rect->y * W + rect->x, W, rect, note,
		ret_count);
}

static void test_tight_box(void **state)
{
	(void)state;
	int count;
	const struct tiles_rect all = {0, 0, W, H};
	memset(picture, 0, sizeof(picture));
	memset(fresh, 0, sizeof(fresh));
	assert_int_equal(compare(&all, &count), 0);
	fresh[70 * W + 10] = 1;
	fresh[75 * W + 20] = 1;
	assert_int_equal(compare(&all, &count), 11 * 6);
	assert_int_equal(count, 1);
	fresh[70 * W + 10] = 0xff000000; /* the top byte means nothing */
	assert_int_equal(compare(&all, &count), 1);
}

static void test_neighbours_are_joined(void **state)
{
	(void)state;
	int count;
	const struct tiles_rect band = {0, 64, W, 64};
	memset(picture, 0, sizeof(picture));
	for (int i = 0; i < W * H; i++)
		fresh[i] = 7;
	assert_int_equal(compare(&band, &count), W * 64);
	assert_int_equal(count, 1);
}

/* Every difference inside the rectangle is reported, once; nothing outside. */
static void test_random(void **state)
{
	(void)state;
	srand(99);
	for (int round = 0; round < 50; round++) {
		int count;
		struct tiles_rect rect = {rand() % 100, rand() % 100, 0, 0};
		rect.w = 1 + rand() % (W - rect.x);
		rect.h = 1 + rand() % (H - rect.y);
		memcpy(fresh, picture, sizeof(fresh));
		for (int i = 0; i < 30; i++)
			fresh[rand() % (W * H)] ^= 0x10;
		compare(&rect, &count);
		for (int y = 0; y < H; y++)
			for (int x = 0; x < W; x++) {
				int inside = x >= rect.x && y >= rect.y &&
					     x < rect.x + rect.w && y < rect.y + rect.h;
				int at = y * W + x;
				if (inside && picture[at] != fresh[at])
					assert_int_equal(reported[at], 1);
				if (!inside)
					assert_int_equal(reported[at], 0);
			}
		tiles_copy(picture, W, fresh + rect.y * W + rect.x, W, &rect);
		assert_int_equal(compare(&rect, &count), 0);
	}
}

static void test_few_colours(void **state)
{
	(void)state;
	const struct tiles_rect all = {0, 0, W, H};
	for (int i = 0; i < W * H; i++)
		picture[i] = (uint32_t)(i % 96) * 0x010203;
	assert_true(tiles_few_colours(picture, W, &all, 96));
	picture[5000] = 0xfedcba;
	assert_false(tiles_few_colours(picture, W, &all, 96));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_tight_box),
		cmocka_unit_test(test_neighbours_are_joined),
		cmocka_unit_test(test_random),
		cmocka_unit_test(test_few_colours),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
