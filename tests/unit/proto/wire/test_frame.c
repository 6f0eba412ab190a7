#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "base/reason.h"
#include "wire/frame.h"

static void golden_bytes(void **state)
{
	(void)state;
	static const uint8_t ping[] = {0x09, 0, 0, 8, 1, 2, 3, 4, 5, 6, 7, 8, 0x09};
	uint8_t header[FRAME_HEADER];
	struct frame frame;
	assert_int_equal(frame_parse(ping, sizeof(ping), &frame), 1);
	assert_int_equal(frame.type, FRAME_PING);
	assert_int_equal(frame.len, 8);
	assert_ptr_equal(frame.payload, ping + 4);
	assert_int_equal(frame_size(&frame), 12);
	frame_header(header, FRAME_DATA, 0xABCD);
	assert_memory_equal(header, ((uint8_t[]){0x10, 0x00, 0xAB, 0xCD}), 4);
	frame_header(header, FRAME_HELLO, 2);
	assert_memory_equal(header, ((uint8_t[]){0x01, 0, 0, 2}), 4);
	static const uint8_t hello[] = {0x01, 0, 0, 2, '{', '}'};
	assert_int_equal(frame_parse(hello, sizeof(hello), &frame), 1);
	assert_int_equal(frame.type, FRAME_HELLO);
	assert_memory_equal(frame.payload, "{}", 2);
}

/* The numbers are the protocol; a renumbered enum would still compile. */
static void types_stand(void **state)
{
	(void)state;
	static const struct {
		uint8_t type;
		const char *name;
	} types[] = {{0x01, "HELLO"}, {0x02, "CHALLENGE"}, {0x03, "PROVE"},
		{0x04, "WELCOME"}, {0x05, "REFUSED"}, {0x06, "CONNECT"}, {0x07, "OPEN"},
		{0x08, "CLOSE"}, {0x09, "PING"}, {0x0A, "PONG"}, {0x0B, "NOTICE"},
		{0x0C, "REPORT"}, {0x0E, "RECEIPT"}, {0x10, "DATA"}, {0x00, "UNKNOWN"},
		{0x80, "POLICY"}, {0x81, "NOTICES"}, {0x82, "UNKNOWN"}};
	for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++)
		assert_string_equal(frame_type_name(types[i].type), types[i].name);
}

static int verdict(uint8_t type, uint32_t len, size_t have)
{
	static uint8_t bytes[FRAME_MAX + 10];
	struct frame frame = {.type = 77};
	bytes[0] = type;
	bytes[1] = (uint8_t)(len >> 16);
	bytes[2] = (uint8_t)(len >> 8);
	bytes[3] = (uint8_t)len;
	int r = frame_parse(bytes, have, &frame);
	if (r != 1)
		assert_true(frame.type == 77 && frame.len == 0);
	return r;
}

static void lengths_by_type(void **state)
{
	(void)state;
	static const struct {
		uint8_t type;
		uint32_t least, most;
	} rules[] = {{FRAME_PING, 8, 8}, {FRAME_PONG, 8, 8}, {FRAME_DATA, 16, 65535},
		{FRAME_HELLO, 0, 16384}, {FRAME_RECEIPT, 0, 16384}, {0x80, 0, 16384},
		{0xFF, 0, 16384}};
	for (size_t i = 0; i < sizeof(rules) / sizeof(rules[0]); i++) {
		uint8_t type = rules[i].type;
		uint32_t least = rules[i].least, most = rules[i].most;
		assert_int_equal(verdict(type, least, FRAME_HEADER + least), 1);
		assert_int_equal(verdict(type, most, FRAME_HEADER + most), 1);
		/* with the header alone, before a single byte of payload */
		assert_int_equal(verdict(type, most + 1, FRAME_HEADER), -REASON_PROTOCOL);
		assert_int_equal(verdict(type, 0xFFFFFF, FRAME_HEADER), -REASON_PROTOCOL);
		if (least)
			assert_int_equal(verdict(type, least - 1, FRAME_HEADER),
				-REASON_PROTOCOL);
	}
}

static void unknown_types_below_the_line_end_it(void **state)
{
	(void)state;
	for (int type = 0; type < 256; type++) {
		int known = strcmp(frame_type_name((uint8_t)type), "UNKNOWN") != 0;
		uint32_t len = 16;
		if (type == FRAME_PING || type == FRAME_PONG)
			len = 8;
		assert_int_equal(verdict((uint8_t)type, len, 4 + len),
			known || type >= FRAME_SKIP_FROM ? 1 : -REASON_PROTOCOL);
		if (!known && type < FRAME_SKIP_FROM)
			assert_int_equal(verdict((uint8_t)type, 0, FRAME_HEADER),
				-REASON_PROTOCOL);
	}
}

static void every_cut_waits(void **state)
{
	(void)state;
	for (size_t have = 0; have < FRAME_HEADER + 20; have++)
		assert_int_equal(verdict(FRAME_DATA, 20, have), 0);
	assert_int_equal(verdict(FRAME_DATA, 20, FRAME_HEADER + 20), 1);
	assert_int_equal(verdict(FRAME_DATA, 20, FRAME_HEADER + 25), 1);
	struct frame frame;
	assert_int_equal(frame_parse(NULL, 0, &frame), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(golden_bytes),
		cmocka_unit_test(types_stand),
		cmocka_unit_test(lengths_by_type),
		cmocka_unit_test(unknown_types_below_the_line_end_it),
		cmocka_unit_test(every_cut_waits),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
