#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <string.h>

#include "admin/usage_board.h"

static void test_who_has_most_comes_first(void **state)
{
	(void)state;
	struct usage_board *board;
	assert_int_equal(usage_board_new(&board), 0);
	assert_int_equal(usage_board_sort(board), 0);
	board = usage_board_free(board);
	assert_int_equal(usage_board_new(&board), 0);
	/* More licenses than there were places at first, each in three pages. */
	for (int i = 0; i < 15000; i++) {
		struct usage_line line = {
			.sum = {(uint64_t)(i % 5000) * 10, (uint64_t)(i % 5000), 1, 7}};
		snprintf(line.key, sizeof(line.key), "lic_%04d", i % 5000);
		assert_int_equal(usage_board_add(board, &line), 0);
	}
	assert_int_equal(usage_board_sort(board), 5000);
	for (size_t i = 0; i < 5000; i++) {
		const struct usage_line *line = usage_board_at(board, i);
		char key[16];
		snprintf(key, sizeof(key), "lic_%04zu", 4999 - i);
		assert_string_equal(line->key, key);
		assert_int_equal(line->sum.to_viewer, 30 * (4999 - i));
		assert_int_equal(line->sum.sessions, 3);
		assert_int_equal(line->sum.session_ms, 21);
	}
	usage_board_free(board);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_who_has_most_comes_first),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
