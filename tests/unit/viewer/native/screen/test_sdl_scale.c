#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/check.h"
#include "screen/sdl_scale.h"

static const struct {
	enum sdl_scale scale;
	int view_w, view_h, window_w, window_h, at_x, at_y;
	struct sdl_scale_rect place;
} cases[] = {
	{SDL_SCALE_FIT, 800, 600, 800, 600, 0, 0, {0, 0, 800, 600}},
	{SDL_SCALE_FIT, 800, 600, 1600, 600, 0, 0, {400, 0, 800, 600}},
	{SDL_SCALE_FIT, 1600, 900, 800, 600, 0, 0, {0, 75, 800, 450}},
	{SDL_SCALE_FIT, 16384, 1, 100, 100, 0, 0, {0, 49, 100, 1}},
	{SDL_SCALE_FIT, 1, 16384, 1, 1, 0, 0, {0, 0, 1, 1}},
	{SDL_SCALE_FIT, 0, 0, 100, 100, 0, 0, {0, 0, 0, 0}},
	{SDL_SCALE_ONE, 800, 600, 1000, 700, 0, 0, {100, 50, 800, 600}},
	{SDL_SCALE_ONE, 800, 600, 400, 300, 0, 0, {0, 0, 800, 600}},
	{SDL_SCALE_ONE, 800, 600, 400, 300, 399, 299, {-400, -300, 800, 600}},
	{SDL_SCALE_ONE, 800, 600, 400, 700, 9999, -5, {-400, 50, 800, 600}},
	{SDL_SCALE_INTEGER, 400, 300, 1000, 700, 0, 0, {100, 50, 800, 600}},
	{SDL_SCALE_INTEGER, 800, 600, 400, 300, 0, 0, {0, 0, 400, 300}},
};

static void test_place(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		const struct sdl_scale_rect view = {
			7, 9, cases[i].view_w, cases[i].view_h};
		struct sdl_scale_rect place =
			sdl_scale_place(cases[i].scale, &view, cases[i].window_w,
				cases[i].window_h, cases[i].at_x, cases[i].at_y);
		if (memcmp(&place, &cases[i].place, sizeof place))
			fail_msg("case %zu: %d,%d %dx%d", i, place.x, place.y, place.w,
				place.h);
	}
}

static void test_pick(void **state)
{
	const struct sdl_scale_rect view = {100, 50, 800, 600},
				    place = {10, 20, 400, 300};
	uint16_t x, y;

	(void)state;
	sdl_scale_pick(&view, &place, 10, 20, &x, &y);
	assert_int_equal(x, 100);
	assert_int_equal(y, 50);
	sdl_scale_pick(&view, &place, 110, 120, &x, &y);
	assert_int_equal(x, 300);
	assert_int_equal(y, 250);
	/* Outside: the edge, never beyond. */
	sdl_scale_pick(&view, &place, -1000, 5000, &x, &y);
	assert_int_equal(x, 100);
	assert_int_equal(y, 649);
	sdl_scale_pick(&view, &place, 410, 319, &x, &y);
	assert_int_equal(x, 899);
	assert_int_equal(y, 648);
}

static void test_halvings(void **state)
{
	const struct picture_rect rect = {3, 5, 2, 1};

	(void)state;
	assert_int_equal(sdl_scale_halvings(800, 800), 0);
	assert_int_equal(sdl_scale_halvings(800, 401), 0);
	assert_int_equal(sdl_scale_halvings(800, 400), 1);
	assert_int_equal(sdl_scale_halvings(3840, 800), 2);
	assert_int_equal(sdl_scale_halvings(16384, 1), 4);
	assert_int_equal(sdl_scale_halvings(800, 0), 0);
	struct sdl_scale_rect halved = sdl_scale_halved(&rect, 1);
	assert_int_equal(halved.x, 1);
	assert_int_equal(halved.y, 2);
	assert_int_equal(halved.w, 2);
	assert_int_equal(halved.h, 1);
}

static void test_shrink(void **state)
{
	/* 3 x 3: the last block of a row and of a column is not whole. */
	static const uint32_t pixels[9] = {0x000000, 0x040000, 0xff0000, 0x080000,
		0x0c0000, 0xff0000, 0x0000ff, 0x000001, 0x123456};
	const struct picture picture = {(const uint8_t *)pixels, 3, 3, 12};
	const struct sdl_scale_rect all = {0, 0, 2, 2}, last = {1, 1, 1, 1};
	uint32_t out[4], one = 0;

	(void)state;
	sdl_scale_shrink(&picture, 1, &all, (uint8_t *)out, 8);
	assert_int_equal(out[0], 0x060000);
	assert_int_equal(out[1], 0xff0000);
	assert_int_equal(out[2], 0x000080);
	assert_int_equal(out[3], 0x123456);
	sdl_scale_shrink(&picture, 1, &last, (uint8_t *)&one, 4);
	assert_int_equal(one, 0x123456);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_place),
		cmocka_unit_test(test_pick),
		cmocka_unit_test(test_halvings),
		cmocka_unit_test(test_shrink),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
