#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>

#include "screen/source.h"

static int covered(const struct source_rect *rects, size_t count, int x, int y)
{
	for (size_t i = 0; i < count; i++)
		if (x >= rects[i].x && y >= rects[i].y && x < rects[i].x + rects[i].w &&
			y < rects[i].y + rects[i].h)
			return 1;
	return 0;
}

static void test_coalesce_loses_nothing(void **state)
{
	(void)state;
	srand(5);
	for (int round = 0; round < 30; round++) {
		struct source_rect before[60], after[60];
		for (int i = 0; i < 60; i++)
			before[i] = after[i] = (struct source_rect){rand() % 1800,
				rand() % 1000, 1 + rand() % 120, 1 + rand() % 80};
		size_t count = source_coalesce(after, 60, 12);
		assert_in_range(count, 1, 12);
		for (int i = 0; i < 60; i++) {
			assert_true(covered(after, count, before[i].x, before[i].y));
			assert_true(covered(after, count, before[i].x + before[i].w - 1,
				before[i].y + before[i].h - 1));
		}
	}
}

static void test_far_corners_stay_apart(void **state)
{
	(void)state;
	struct source_rect rects[] = {
		{0, 0, 10, 20}, {1900, 1060, 10, 20}, {12, 0, 10, 20}};
	assert_int_equal(source_coalesce(rects, 3, 8), 2);
}

static void test_clip(void **state)
{
	(void)state;
	struct source_rect rect = {-5, 10, 20, 200};
	assert_true(source_clip(&rect, 100, 100));
	assert_int_equal(rect.x, 0);
	assert_int_equal(rect.w, 15);
	assert_int_equal(rect.h, 90);
	rect = (struct source_rect){100, 0, 5, 5};
	assert_false(source_clip(&rect, 100, 100));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_coalesce_loses_nothing),
		cmocka_unit_test(test_far_corners_stay_apart),
		cmocka_unit_test(test_clip),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
