#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/check.h"
#include "rfb/rfb_message.h"

static const struct {
	const char *what;
	uint8_t head[RFB_MESSAGE_HEAD];
	size_t len;
	int64_t size;
} rows[] = {
	{"nothing", {0}, 0, RFB_MESSAGE_TOO_LITTLE},
	{"SetPixelFormat", {0}, 1, 20},
	{"FixColourMapEntries", {1}, 8, RFB_MESSAGE_ODD},
	{"SetEncodings", {2, 0, 1, 2}, 8, 4 + 4 * 258},
	{"start of SetEncodings", {2, 0, 1}, 3, RFB_MESSAGE_TOO_LITTLE},
	{"FramebufferUpdateRequest", {3}, 1, 10},
	{"KeyEvent", {4}, 1, 8},
	{"PointerEvent", {5}, 1, 6},
	{"cut text", {6, 0, 0, 0, 0, 0, 1, 0}, 8, 8 + 256},
	{"start of cut text", {6, 0, 0, 0, 0, 0, 1}, 7, RFB_MESSAGE_TOO_LITTLE},
	{"longest cut text", {6, 0, 0, 0, 0, 0x10, 0, 0}, 8, 8 + (1 << 20)},
	{"too long", {6, 0, 0, 0, 0, 0x10, 0, 1}, 8, RFB_MESSAGE_ODD},
	{"extended clipboard", {6, 0, 0, 0, 0xff, 0xff, 0xff, 0xf0}, 8, 8 + 16},
	{"most negative", {6, 0, 0, 0, 0x80, 0, 0, 0}, 8, RFB_MESSAGE_ODD},
	{"file transfer", {7}, 8, RFB_MESSAGE_ODD},
	{"SetScale", {8}, 8, RFB_MESSAGE_ODD},
	{"text chat", {11}, 8, RFB_MESSAGE_ODD},
	{"SetDesktopSize", {251, 0, 0, 0, 0, 0, 2, 0}, 8, 8 + 32},
	{"xvp", {250}, 8, RFB_MESSAGE_ODD},
};

static void test_table(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		int64_t size = rfb_message_size(rows[i].head, rows[i].len);
		if (size != rows[i].size)
			print_error("%s\n", rows[i].what);
		assert_int_equal(size, rows[i].size);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(test_table)};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
