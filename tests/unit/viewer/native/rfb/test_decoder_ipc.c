#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/reason.h"
#include "rfb/decoder_ipc.h"

static const struct picture now = {NULL, 100, 80, 400};

static int parse(uint8_t type, const void *bytes, size_t len, struct decoder_event *ret)
{
	return decoder_ipc_event(type, cursor_of(bytes, len), &now, ret);
}

#define B(text) text, sizeof(text) - 1
/* A child that has been taken over may send anything. */
static const struct {
	const char *name;
	uint8_t type;
	const char *bytes;
	size_t len;
} bad[] = {
	{"unknown", 0, B("")},
	{"unknown", 99, B("")},
	{"short size", DECODER_EVENT_SIZE, B("\1\0\1")},
	{"long size", DECODER_EVENT_SIZE, B("\1\0\1\0\0")},
	{"no width", DECODER_EVENT_SIZE, B("\0\0\1\0")},
	{"too wide", DECODER_EVENT_SIZE, B("\100\1\0\1")},
	{"too many pixels", DECODER_EVENT_SIZE, B("\100\0\100\0")},
	{"damage cut off", DECODER_EVENT_DAMAGE, B("\0\1\0\0\0\0\0\1\0")},
	{"damage with more", DECODER_EVENT_DAMAGE, B("\0\0x")},
	{"too many rectangles", DECODER_EVENT_DAMAGE, B("\0\201")},
	{"cursor without pixels", DECODER_EVENT_CURSOR, B("\0\1\0\1\0\0\0\0\1\2\3")},
	{"cursor too large", DECODER_EVENT_CURSOR, B("\1\1\0\1\0\0\0\0")},
	{"no cursor", DECODER_EVENT_CURSOR, B("\0\0\0\0\0\0\0\0")},
	{"hot spot outside", DECODER_EVENT_CURSOR, B("\0\1\0\1\0\1\0\0\1\2\3\4")},
	{"pong with more", DECODER_EVENT_PONG, B("\0\0\0\0\0\0\0\0\0\0\0\0x")},
	{"short pong", DECODER_EVENT_PONG, B("\0\0\0\0\0\0\0\0\0\0\0")},
	{"reason of others", DECODER_EVENT_ENDED, B("\6\3")},
	{"no reason", DECODER_EVENT_ENDED, B("\0\0")},
};

static void test_what_is_out_of_shape_is_refused(void **state)
{
	struct decoder_event event = {.type = 77};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		if (parse(bad[i].type, bad[i].bytes, bad[i].len, &event) !=
			-REASON_BAD_MESSAGE)
			fail_msg("%s passed", bad[i].name);
		assert_int_equal(event.type, 77);
	}
}

static void test_damage_is_cut_to_the_picture(void **state)
{
	struct decoder_event event;
	static const char bytes[] = "\0\5"
				    "\0\12\0\12\0\5\0\5"           /* inside */
				    "\0\132\0\106\377\377\377\377" /* over the edge */
				    "\0\144\0\0\0\1\0\1"           /* beside */
				    "\377\377\377\377\377\377\377\377"
				    "\0\0\0\0\0\0\0\1"; /* empty */

	(void)state;
	assert_int_equal(parse(DECODER_EVENT_DAMAGE, bytes, sizeof bytes - 1, &event), 0);
	assert_int_equal(event.rect_count, 2);
	assert_int_equal(event.rects[0].w, 5);
	assert_int_equal(event.rects[1].x + event.rects[1].w, 100);
	assert_int_equal(event.rects[1].y + event.rects[1].h, 80);
}

static void test_framing(void **state)
{
	struct buf in;
	struct cursor body;
	uint8_t type = 0;
	size_t len = 7;

	(void)state;
	buf_init(&in, DECODER_IPC_MAX);
	static const uint8_t bytes[] = {DECODER_EVENT_SIZE, 0, 0, 4, 1, 0, 0, 1};
	for (size_t i = 0; i < sizeof bytes; i++) {
		if (i) {
			assert_int_equal(decoder_ipc_next(&in, &type, &body, &len), 0);
			assert_int_equal(len, 0);
		}
		assert_int_equal(buf_append(&in, bytes + i, 1), 0);
	}
	assert_int_equal(decoder_ipc_next(&in, &type, &body, &len), 0);
	assert_int_equal(len, sizeof bytes);
	assert_int_equal(type, DECODER_EVENT_SIZE);
	assert_int_equal(cursor_left(&body), 4);
	buf_drain(&in, len);
	/* Longer than anything there is: refused before it is waited for. */
	assert_int_equal(buf_append(&in, "\4\20\0\1", 4), 0);
	assert_int_equal(decoder_ipc_next(&in, &type, &body, &len), -REASON_BAD_MESSAGE);
	buf_done(&in);
}

static void test_commands_round_trip(void **state)
{
	static const struct decoder_command commands[] = {
		{.type = DECODER_COMMAND_START, .quality = -1, .compression = 9},
		{.type = DECODER_COMMAND_KEY, .keysym = 0x01007E01, .down = 1},
		{.type = DECODER_COMMAND_POINTER, .x = 65535, .y = 1, .buttons = 255},
		{.type = DECODER_COMMAND_PING},
	};
	struct buf out;

	(void)state;
	buf_init(&out, DECODER_IPC_MAX);
	for (size_t i = 0; i < ARRAY_LEN(commands); i++) {
		struct decoder_command got;
		struct cursor body;
		uint8_t type;
		size_t len;
		assert_int_equal(decoder_ipc_put_command(&out, &commands[i]), 0);
		assert_int_equal(decoder_ipc_next(&out, &type, &body, &len), 0);
		assert_int_equal(len, buf_len(&out));
		assert_int_equal(decoder_ipc_command(type, body, &got), 0);
		assert_int_equal(got.type, commands[i].type);
		assert_int_equal(got.keysym, commands[i].keysym);
		assert_int_equal(got.down, commands[i].down);
		assert_int_equal(got.x, commands[i].x);
		assert_int_equal(got.y, commands[i].y);
		assert_int_equal(got.buttons, commands[i].buttons);
		assert_int_equal(got.quality, commands[i].quality);
		assert_int_equal(got.compression, commands[i].compression);
		buf_drain(&out, len);
	}
	buf_done(&out);
}

/* A message that does not fit leaves the buffer as it was. */
static void test_full_buffer_keeps_whole_messages(void **state)
{
	const struct decoder_command key = {.type = DECODER_COMMAND_KEY, .keysym = 'a'};
	struct buf out;

	(void)state;
	buf_init(&out, 20);
	assert_int_equal(decoder_ipc_put_command(&out, &key), 0);
	assert_int_equal(decoder_ipc_put_command(&out, &key), 0);
	assert_int_equal(decoder_ipc_put_command(&out, &key), -REASON_LIMIT);
	assert_int_equal(buf_len(&out), 18);
	buf_done(&out);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_what_is_out_of_shape_is_refused),
		cmocka_unit_test(test_damage_is_cut_to_the_picture),
		cmocka_unit_test(test_framing),
		cmocka_unit_test(test_commands_round_trip),
		cmocka_unit_test(test_full_buffer_keeps_whole_messages),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
