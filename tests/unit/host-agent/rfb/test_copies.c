#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "rfb/copies.h"

#define W 640
#define H 480

static uint32_t old[W * H], fresh[W * H], viewer[W * H];

/* Something like text: rows of dark strokes on paper. */
static void draw_text(uint32_t *to)
{
	for (int y = 0; y < H; y++)
		for (int x = 0; x < W; x++)
			to[y * W + x] =
				y % 16 < 11 && (rand() % 4 == 0) ? 0x101010u : 0xfff8f0u;
}

static void move(int x, int y, int w, int h, int dx, int dy)
{
	for (int row = 0; row < h; row++)
		for (int column = 0; column < w; column++) {
			int to_x = x + column + dx, to_y = y + row + dy;
			if (to_x >= 0 && to_y >= 0 && to_x < W && to_y < H)
				fresh[to_y * W + to_x] = old[(y + row) * W + x + column];
		}
}

struct apply {
	struct tiles_rect rects[4096];
	int count;
};

static void collect(void *ctx, const struct tiles_rect *rect)
{
	struct apply *apply = ctx;
	assert_true(apply->count < 4096);
	apply->rects[apply->count++] = *rect;
}

/* Finds, copies as a viewer would, and demands the exact new pixels wherever it copied. */
static int64_t find_and_check(struct copies *copies, const struct tiles_rect *rect,
	struct copies_vector *v)
{
	static struct apply apply;
	apply.count = 0;
	int64_t pixels = copies_find(copies, old, W, fresh + rect->y * W + rect->x, W,
		rect, v, collect, &apply);
	memcpy(viewer, old, sizeof(viewer));
	for (int i = 0; i < apply.count; i++) {
		const struct tiles_rect *r = &apply.rects[i];
		for (int y = r->y; y < r->y + r->h; y++)
			for (int x = r->x; x < r->x + r->w; x++) {
				uint32_t now = old[(y - v->dy) * W + x - v->dx];
				assert_int_equal(now & 0xffffff,
					fresh[y * W + x] & 0xffffff);
				viewer[y * W + x] = now;
			}
	}
	return pixels;
}

static void test_scroll(void **state)
{
	(void)state;
	struct copies *copies;
	struct copies_vector v = {0, 0};
	const struct tiles_rect all = {0, 0, W, H};
	assert_int_equal(copies_new(&copies), 0);
	for (int dy = -60; dy <= 60; dy += 13) {
		draw_text(old);
		draw_text(fresh);
		move(0, 0, W, H, 0, dy);
		assert_true(find_and_check(copies, &all, &v) > W * H * 7 / 10);
		assert_int_equal(v.dx, 0);
		assert_int_equal(v.dy, dy);
	}
	copies_free(copies);
}

/* An area for which one old row in two is sampled: no shift may fall between the rows looked at. */
static void test_every_shift_is_seen(void **state)
{
	(void)state;
	const struct tiles_rect part = {0, 0, 512, 400};
	for (int dy = 1; dy <= 20; dy++) {
		struct copies *copies;
		struct copies_vector v = {0, 0};
		assert_int_equal(copies_new(&copies), 0);
		draw_text(old);
		draw_text(fresh);
		move(0, dy, W, H - dy, 0, -dy);
		assert_true(find_and_check(copies, &part, &v) > part.w * part.h * 7 / 10);
		assert_int_equal(v.dy, -dy);
		copies_free(copies);
	}
}

static void test_window_moves(void **state)
{
	(void)state;
	struct copies *copies;
	struct copies_vector v = {0, 0};
	const struct tiles_rect all = {0, 0, W, H};
	assert_int_equal(copies_new(&copies), 0);
	draw_text(old);
	memcpy(fresh, old, sizeof(old));
	move(100, 80, 300, 200, 37, 21);
	assert_true(find_and_check(copies, &all, &v) > 300 * 200 * 6 / 10);
	assert_int_equal(v.dx, 37);
	assert_int_equal(v.dy, 21);
	copies_free(copies);
}

static void test_nothing_moved(void **state)
{
	(void)state;
	struct copies *copies;
	struct copies_vector v;
	const struct tiles_rect all = {0, 0, W, H}, small = {0, 0, 40, 40};
	assert_int_equal(copies_new(&copies), 0);
	draw_text(old);
	memcpy(fresh, old, sizeof(old));
	assert_int_equal(find_and_check(copies, &all, &v), 0);
	draw_text(fresh);
	assert_true(find_and_check(copies, &all, &v) < W * H / 50);
	assert_int_equal(find_and_check(copies, &small, &v), 0);
	copies_free(copies);
}

/* Any motion, any noise on it: never a wrong pixel (find_and_check compares). */
static void test_random_motions_are_exact(void **state)
{
	(void)state;
	struct copies *copies;
	struct copies_vector v = {0, 0};
	int64_t found = 0;
	srand(4711);
	assert_int_equal(copies_new(&copies), 0);
	draw_text(old);
	for (int round = 0; round < 60; round++) {
		memcpy(fresh, old, sizeof(old));
		int x = rand() % 200, y = rand() % 200;
		move(x, y, 200 + rand() % 200, 100 + rand() % 150, rand() % 81 - 40,
			rand() % 81 - 40);
		for (int i = 0; i < rand() % 3000; i++)
			fresh[rand() % (W * H)] = (uint32_t)rand();
		struct tiles_rect rect = {rand() % 60, rand() % 60, 0, 0};
		rect.w = W - rect.x - rand() % 60;
		rect.h = H - rect.y - rand() % 60;
		found += find_and_check(copies, &rect, &v);
		memcpy(old, fresh, sizeof(old));
	}
	assert_true(found > 60 * 4000);
	copies_free(copies);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_scroll),
		cmocka_unit_test(test_every_shift_is_seen),
		cmocka_unit_test(test_window_moves),
		cmocka_unit_test(test_nothing_moved),
		cmocka_unit_test(test_random_motions_are_exact),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
