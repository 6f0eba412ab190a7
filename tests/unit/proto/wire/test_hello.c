#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "base/reason.h"
#include "wire/frame.h"
#include "wire/hello.h"

enum side { NODES = 0, TO_NODE = 1, TO_END = 2, BOTH = 3 };

static const struct {
	uint8_t type;
	enum side direction;
} messages[] = {
#define MESSAGE(number, SYMBOL, name, direction, help) {number, direction},
#define FIELD(name, kind, field, size, need, help)
#define END(name)
#include "wire/messages.def"
};

/* The conversation of a whole life, and who speaks. */
static void a_session_from_start_to_end(void **state)
{
	(void)state;
	for (enum hello_side side = HELLO_HOST; side <= HELLO_VIEWER; side++) {
		assert_true(hello_end_may(side, HELLO_FRESH, FRAME_HELLO));
		assert_true(hello_node_may(side, HELLO_ASKED, FRAME_CHALLENGE));
		assert_true(hello_end_may(side, HELLO_ASKED, FRAME_PROVE));
		assert_true(hello_node_may(side, HELLO_PROVING, FRAME_WELCOME));
		assert_true(hello_node_may(side, HELLO_PROVING, FRAME_REFUSED));
		assert_true(hello_end_may(side, HELLO_JOINED, FRAME_DATA));
		assert_true(hello_node_may(side, HELLO_JOINED, FRAME_DATA));
		assert_true(hello_end_may(side, HELLO_JOINED, FRAME_CLOSE));
		assert_true(hello_node_may(side, HELLO_JOINED, FRAME_CLOSE));
		assert_true(hello_end_may(side, HELLO_IDLE, FRAME_RECEIPT));
		assert_true(hello_end_may(side, HELLO_IDLE, FRAME_PING));
		assert_true(hello_node_may(side, HELLO_IDLE, FRAME_NOTICE));
	}
	assert_true(hello_end_may(HELLO_VIEWER, HELLO_IDLE, FRAME_CONNECT));
	assert_true(hello_node_may(HELLO_VIEWER, HELLO_WAITING, FRAME_OPEN));
	assert_true(hello_node_may(HELLO_VIEWER, HELLO_WAITING, FRAME_CLOSE));
	assert_true(hello_node_may(HELLO_HOST, HELLO_IDLE, FRAME_OPEN));
	assert_true(hello_end_may(HELLO_HOST, HELLO_IDLE, FRAME_REPORT));
}

static void out_of_turn_is_refused(void **state)
{
	(void)state;
	assert_false(hello_end_may(HELLO_HOST, HELLO_IDLE, FRAME_CONNECT));
	assert_false(hello_end_may(HELLO_VIEWER, HELLO_WAITING, FRAME_CONNECT));
	assert_false(hello_end_may(HELLO_VIEWER, HELLO_JOINED, FRAME_CONNECT));
	assert_false(hello_end_may(HELLO_VIEWER, HELLO_IDLE, FRAME_REPORT));
	assert_false(hello_end_may(HELLO_VIEWER, HELLO_IDLE, FRAME_HELLO));
	assert_false(hello_end_may(HELLO_VIEWER, HELLO_PROVING, FRAME_PROVE));
	assert_false(hello_node_may(HELLO_VIEWER, HELLO_IDLE, FRAME_OPEN));
	assert_false(hello_node_may(HELLO_HOST, HELLO_JOINED, FRAME_OPEN));
	assert_false(hello_node_may(HELLO_HOST, HELLO_IDLE, FRAME_REFUSED));
	assert_false(hello_node_may(HELLO_HOST, HELLO_IDLE, FRAME_WELCOME));
}

/* Whoever has not proved itself says exactly what is due; nothing is relayed for it. */
static void before_welcome_nothing_else(void **state)
{
	(void)state;
	for (enum hello_side side = HELLO_HOST; side <= HELLO_VIEWER; side++)
		for (int type = 0; type < 256; type++) {
			uint8_t t = (uint8_t)type;
			assert_int_equal(hello_end_may(side, HELLO_FRESH, t),
				t == FRAME_HELLO);
			assert_int_equal(hello_end_may(side, HELLO_ASKED, t),
				t == FRAME_PROVE);
			assert_false(hello_end_may(side, HELLO_PROVING, t));
			assert_false(hello_end_may(side, HELLO_ENDED, t));
			assert_false(hello_node_may(side, HELLO_ENDED, t));
			int refused = t == FRAME_REFUSED;
			assert_int_equal(hello_node_may(side, HELLO_FRESH, t), refused);
			assert_int_equal(hello_node_may(side, HELLO_ASKED, t),
				refused || t == FRAME_CHALLENGE);
			assert_int_equal(hello_node_may(side, HELLO_PROVING, t),
				refused || t == FRAME_WELCOME);
		}
}

static void new_types_are_skipped_when_welcome(void **state)
{
	(void)state;
	for (enum hello_state s = HELLO_FRESH; s <= HELLO_ENDED; s++) {
		bool welcome = s == HELLO_IDLE || s == HELLO_WAITING || s == HELLO_JOINED;
		assert_int_equal(hello_end_may(HELLO_HOST, s, 0x80), welcome);
		assert_int_equal(hello_node_may(HELLO_VIEWER, s, 0xFF), welcome);
		assert_false(hello_end_may(HELLO_HOST, s, 0x7F));
		assert_false(hello_node_may(HELLO_HOST, s, 0x00));
	}
}

static int ever(bool (*may)(enum hello_side, enum hello_state, uint8_t), uint8_t type)
{
	for (enum hello_state s = HELLO_FRESH; s <= HELLO_ENDED; s++)
		if (may(HELLO_HOST, s, type) || may(HELLO_VIEWER, s, type))
			return 1;
	return 0;
}

/* messages.def and the order of the conversation tell the same story. */
static void directions_agree(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(messages); i++) {
		int direction = messages[i].direction;
		/* Those are skipped by whoever does not know them, whatever their direction. */
		if (messages[i].type >= FRAME_SKIP_FROM)
			direction = TO_END | TO_NODE;
		assert_int_equal(ever(hello_end_may, messages[i].type),
			(direction & TO_NODE) != 0);
		assert_int_equal(ever(hello_node_may, messages[i].type),
			(direction & TO_END) != 0);
	}
}

static void generations_meet(void **state)
{
	(void)state;
	assert_int_equal(hello_generation(1, 1), 1);
	assert_int_equal(hello_generation(0, 200), HELLO_GEN);
	assert_int_equal(hello_generation(HELLO_GEN, 255), HELLO_GEN);
	assert_int_equal(hello_generation(HELLO_GEN + 1, 255), -REASON_VERSION);
	assert_int_equal(hello_generation(0, HELLO_GEN_MIN - 1), -REASON_VERSION);
	assert_int_equal(hello_generation(2, 1), -REASON_VERSION);
	assert_int_equal(hello_generation(UINT64_MAX, UINT64_MAX), -REASON_VERSION);
}

static void names(void **state)
{
	(void)state;
	enum hello_side side = HELLO_HOST;
	assert_int_equal(hello_side_parse("viewer", &side), 0);
	assert_int_equal(side, HELLO_VIEWER);
	assert_int_equal(hello_side_parse("Host", &side), -REASON_BAD_MESSAGE);
	assert_int_equal(hello_side_parse("", &side), -REASON_BAD_MESSAGE);
	assert_int_equal(side, HELLO_VIEWER);
	assert_int_equal(hello_side_parse(hello_side_name(HELLO_HOST), &side), 0);
	assert_int_equal(side, HELLO_HOST);
	assert_string_equal(hello_state_name(HELLO_FRESH), "fresh");
	assert_string_equal(hello_state_name(HELLO_JOINED), "joined");
	assert_string_equal(hello_state_name(HELLO_ENDED), "ended");
	assert_string_equal(hello_state_name((enum hello_state)99), "unknown");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_session_from_start_to_end),
		cmocka_unit_test(out_of_turn_is_refused),
		cmocka_unit_test(before_welcome_nothing_else),
		cmocka_unit_test(new_types_are_skipped_when_welcome),
		cmocka_unit_test(directions_agree),
		cmocka_unit_test(generations_meet),
		cmocka_unit_test(names),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
