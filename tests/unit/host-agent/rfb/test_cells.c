#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "rfb/cells.h"

#define W 1920
#define H 1080
#define CELL (CELL_W * CELL_H)

struct chosen {
	struct tiles_rect rects[1000];
	int count;
};

static void take(void *ctx, const struct tiles_rect *rect)
{
	struct chosen *chosen = ctx;
	chosen->rects[chosen->count++] = *rect;
}

static int holds(const struct chosen *chosen, int x, int y)
{
	for (int i = 0; i < chosen->count; i++) {
		const struct tiles_rect *r = &chosen->rects[i];
		if (x >= r->x && y >= r->y && x < r->x + r->w && y < r->y + r->h)
			return 1;
	}
	return 0;
}

static const struct tiles_rect all = {0, 0, W, H};

static void choose(struct cells *cells, int64_t pixels, int x, int y, int64_t now,
	struct chosen *ret)
{
	ret->count = 0;
	cells_begin(cells);
	cells_count(cells, &all, 0);
	cells_choose(cells, pixels, x, y, now, take, ret);
}

static void test_near_the_pointer_first(void **state)
{
	(void)state;
	struct cells *cells;
	struct chosen chosen;
	assert_int_equal(cells_new(W, H, &cells), 0);
	cells_touch(cells, &all, 1000, CELLS_NORMAL);
	choose(cells, 4 * CELL, 1500, 900, 1000, &chosen);
	assert_int_equal(chosen.count, 4);
	assert_true(holds(&chosen, 1500, 900));
	assert_false(holds(&chosen, 10, 10));
	cells_free(cells);
}

static void test_what_was_typed_before_all(void **state)
{
	(void)state;
	struct cells *cells;
	struct chosen chosen;
	const struct tiles_rect letter = {20, 30, 8, 16};
	assert_int_equal(cells_new(W, H, &cells), 0);
	cells_touch(cells, &all, 1000, CELLS_NORMAL);
	cells_touch(cells, &letter, 1000, CELLS_URGENT);
	choose(cells, CELL, 1500, 900, 1000, &chosen);
	assert_int_equal(chosen.count, 1);
	assert_true(holds(&chosen, 20, 30));
	cells_free(cells);
}

/* While everything changes all the time, every cell is sent again and again. */
static void test_nothing_starves(void **state)
{
	(void)state;
	struct cells *cells;
	struct chosen chosen;
	int corner = 0;
	assert_int_equal(cells_new(W, H, &cells), 0);
	for (int64_t now = 1000; now < 2000000; now += 15000) {
		cells_touch(cells, &all, now, CELLS_NORMAL);
		choose(cells, 30 * CELL, 1900, 1000, now, &chosen);
		corner += holds(&chosen, 0, 0);
	}
	assert_true(corner >= 3);
	cells_free(cells);
}

static void test_only_what_rested(void **state)
{
	(void)state;
	struct cells *cells;
	struct chosen chosen = {.count = 0};
	const struct tiles_rect video = {0, 0, 640, 360};
	assert_int_equal(cells_new(W, H, &cells), 0);
	cells_touch(cells, &all, 1000, CELLS_NORMAL);
	cells_touch(cells, &video, 900000, CELLS_NORMAL);
	cells_begin(cells);
	cells_count(cells, &all, 500000);
	cells_choose(cells, INT64_MAX, 0, 0, 900000, take, &chosen);
	assert_false(holds(&chosen, 100, 100));
	assert_true(holds(&chosen, W - 1, H - 1));
	assert_true(chosen.count > 100);
	cells_free(cells);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_near_the_pointer_first),
		cmocka_unit_test(test_what_was_typed_before_all),
		cmocka_unit_test(test_nothing_starves),
		cmocka_unit_test(test_only_what_rested),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
