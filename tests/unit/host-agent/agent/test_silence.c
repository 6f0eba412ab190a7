#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/check.h"
#include "silence.h"

static void every_record_counts(void **state UNUSED)
{
	struct silence silence = {0};
	for (uint64_t records = 1; records < 1000; records++)
		assert_int_equal(silence_turn(&silence, records), 0);
}

static void one_word_in_time_is_enough(void **state UNUSED)
{
	struct silence silence = {0};
	for (uint64_t word = 1; word < 50; word++)
		for (int turn = 0; turn < SILENCE_TURNS; turn++)
			assert_int_equal(silence_turn(&silence, word), 0);
}

static void silence_is_told_once_and_begins_anew(void **state UNUSED)
{
	struct silence silence = {0};
	assert_int_equal(silence_turn(&silence, 7), 0);
	for (int round = 0; round < 3; round++) {
		for (int turn = 1; turn < SILENCE_TURNS; turn++)
			assert_int_equal(silence_turn(&silence, 7), 0);
		assert_int_equal(silence_turn(&silence, 7), 1);
	}
}

/* A resumed leg counts from zero again. */
static void another_leg_is_another_count(void **state UNUSED)
{
	struct silence silence = {0};
	silence_turn(&silence, 900);
	for (int turn = 1; turn < SILENCE_TURNS; turn++)
		silence_turn(&silence, 900);
	assert_int_equal(silence_turn(&silence, 2), 0);
	assert_int_equal(silence_turn(&silence, 2), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_record_counts),
		cmocka_unit_test(one_word_in_time_is_enough),
		cmocka_unit_test(silence_is_told_once_and_begins_anew),
		cmocka_unit_test(another_leg_is_another_count),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
