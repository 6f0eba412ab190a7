#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#include "base/check.h"
#include "base/text.h"
#include "meter_overlay.h"

static const struct meter_model good = {.link = METER_CONNECTED,
	.rtt_us = 23400,
	.in_bytes_s = 350000,
	.out_bytes_s = 900,
	.updates_s = 24,
	.drops = 2,
	.protected_since_ms = 1700000000000,
	.node = "gw-1"};

static void test_lines(void **state)
{
	char lines[METER_LINES][METER_LINE_SIZE];

	(void)state;
	setenv("TZ", "Asia/Tokyo", 1);
	tzset();
	assert_int_equal(meter_overlay_lines(&good, REASON_EN, lines), METER_LINES);
	assert_string_equal(lines[0], "connected  round trip 23 ms");
	assert_string_equal(lines[1], "in 2.8 Mbit/s  out 7.2 kbit/s");
	assert_string_equal(lines[2], "24 updates/s  link lost 2 times");
	assert_string_equal(lines[3], "End-to-end protected since 07:13:20");
	assert_string_equal(lines[4], "node gw-1");
	assert_int_equal(meter_overlay_lines(&good, REASON_JA, lines), METER_LINES);
	assert_string_equal(lines[0], "接続中  応答 23 ms");
	assert_string_equal(lines[3], "端末間で暗号化: 07:13:20 から");
}

/* What nobody knows yet is not shown as a number, and what is unprotected is not called protected. */
static void test_nothing_is_made_up(void **state)
{
	struct meter_model model = {.link = METER_CONNECTING, .rtt_us = -1};
	char lines[METER_LINES][METER_LINE_SIZE];

	(void)state;
	meter_overlay_lines(&model, REASON_EN, lines);
	assert_string_equal(lines[0], "connecting  round trip –");
	assert_string_equal(lines[1], "in 0.0 kbit/s  out 0.0 kbit/s");
	assert_string_equal(lines[3], "End-to-end protection: not yet");
	assert_string_equal(lines[4], "node -");
	/* A node's name is a stranger's text, and the longest one still fits. */
	memset(model.node, '\n', sizeof model.node - 1);
	model.in_bytes_s = model.out_bytes_s = UINT64_MAX;
	model.updates_s = model.drops = UINT32_MAX;
	model.rtt_us = INT64_MAX;
	for (int lang = 0; lang < 2; lang++) {
		meter_overlay_lines(&model, lang, lines);
		assert_null(strchr(lines[4], '\n'));
		for (int i = 0; i < METER_LINES; i++)
			assert_true(text_utf8_valid(lines[i], strlen(lines[i])));
	}
}

static void test_quality(void **state)
{
	struct meter_model model = good;

	(void)state;
	assert_int_equal(meter_overlay_quality(&model), METER_GOOD);
	model.rtt_us = 80000;
	assert_int_equal(meter_overlay_quality(&model), METER_FAIR);
	model.rtt_us = -1;
	assert_int_equal(meter_overlay_quality(&model), METER_FAIR);
	model.rtt_us = 200000;
	assert_int_equal(meter_overlay_quality(&model), METER_BAD);
	model = good;
	model.link = METER_RECONNECTING;
	assert_int_equal(meter_overlay_quality(&model), METER_BAD);
	model = good;
	model.protected_since_ms = 0;
	assert_int_equal(meter_overlay_quality(&model), METER_BAD);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_lines),
		cmocka_unit_test(test_nothing_is_made_up),
		cmocka_unit_test(test_quality),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
