#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "base/reason.h"
#include "base/text.h"

static void utf8_is_strict(void **state)
{
	(void)state;
	static const char *const good[] = {"", "abc", "縁側", "é", "\xF0\x9F\x98\x80",
		"\xF4\x8F\xBF\xBF", "\xED\x9F\xBF", "\xEF\xBF\xBF"};
	static const char *const bad[] = {"\x80", "\xC0\x80", "\xC1\xBF", "\xE0\x80\x80",
		"\xE0\x9F\xBF", "\xED\xA0\x80", "\xF0\x80\x80\x80", "\xF0\x8F\xBF\xBF",
		"\xF4\x90\x80\x80", "\xF5\x80\x80\x80", "\xFF", "a\xE3\x81", "\xE3\x81z",
		"\xC3"};
	for (size_t i = 0; i < ARRAY_LEN(good); i++)
		assert_true(text_utf8_valid(good[i], strlen(good[i])));
	for (size_t i = 0; i < ARRAY_LEN(bad); i++)
		assert_false(text_utf8_valid(bad[i], strlen(bad[i])));
	assert_int_equal(text_utf8_span("ab縁\xFFzz", 8), 5);
	assert_int_equal(text_utf8_span("\xE3\x81\x82", 2), 0);
	assert_int_equal(text_utf8_span(NULL, 0), 0);
}

static void copy_never_truncates(void **state)
{
	(void)state;
	char room[4] = "old";
	assert_int_equal(text_copy(room, sizeof(room), "four"), -REASON_LIMIT);
	assert_string_equal(room, "old");
	assert_int_equal(text_copy(room, sizeof(room), "new"), 0);
	assert_string_equal(room, "new");
	assert_int_equal(text_copy(room, 0, ""), -REASON_LIMIT);
}

static void clip_keeps_characters_whole(void **state)
{
	(void)state;
	char room[8];
	text_clip(room, sizeof(room), "縁側");
	assert_string_equal(room, "縁側");
	text_clip(room, 6, "縁側");
	assert_string_equal(room, "縁");
	text_clip(room, 3, "縁側");
	assert_string_equal(room, "");
	text_clip(room, 4, "abcdef");
	assert_string_equal(room, "abc");
	text_clip(room, 1, "x");
	assert_string_equal(room, "");
	text_clip(room, sizeof(room), "\x80\x80\x80\x80\x80\x80\x80\x80\x80");
	assert_int_equal(strlen(room), 4);
}

static void escape_disarms(void **state)
{
	(void)state;
	static const struct {
		const char *in, *out;
	} cases[] = {
		{"plain 縁側", "plain 縁側"},
		{"a\r\nlevel=error", "a\\u{d}\\u{a}level=error"},
		{"\x1B[31m", "\\u{1b}[31m"},
		{"\x7F", "\\u{7f}"},
		{"\xC2\x9B"
		 "31m",
			"\\u{9b}31m"},
		{"\xE2\x80\xA8\xE2\x80\xA9", "\\u{2028}\\u{2029}"},
		{"\xE2\x80\xAE"
		 "txt.exe",
			"\\u{202e}txt.exe"},
		{"\xE2\x81\xA6\xD8\x9C\xE2\x80\x8F", "\\u{2066}\\u{61c}\\u{200f}"},
		{"a\xFF"
		 "b\xC0\x80",
			"a\\xffb\\xc0\\x80"},
		{"\xED\xA0\x80", "\\xed\\xa0\\x80"},
	};
	char room[100];
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		text_escape(room, sizeof(room), cases[i].in);
		assert_string_equal(room, cases[i].out);
	}
	text_escape(room, 6, "ab縁側");
	assert_string_equal(room, "ab縁");
	text_escape(room, 5, "ab縁側");
	assert_string_equal(room, "ab");
	text_escape(room, 6, "a\n"); /* an escape is written whole or not at all */
	assert_string_equal(room, "a");
	text_escape(room, 1, "abc");
	assert_string_equal(room, "");
}

static void hex_and_back(void **state)
{
	(void)state;
	static const uint8_t bytes[] = {0x00, 0x7F, 0xAB, 0xFF};
	uint8_t back[4] = {1, 1, 1, 1};
	char text[TEXT_HEX_SIZE(sizeof(bytes))];
	text_hex(text, bytes, sizeof(bytes));
	assert_string_equal(text, "007fabff");
	assert_int_equal(text_unhex(back, 4, "007FabFF"), 0);
	assert_memory_equal(back, bytes, 4);
	static const char *const bad[] = {"", "007fabf", "007fabff0", "007fabff00",
		"007fabfg", "0x7fabff", " 07fabff", "007fabf\xC3"};
	for (size_t i = 0; i < ARRAY_LEN(bad); i++)
		assert_int_equal(text_unhex(back, 4, bad[i]), -REASON_BAD_VALUE);
	assert_memory_equal(back, bytes, 4);
	assert_int_equal(text_unhex(back, 0, ""), 0);
}

static void base64url_of_rfc4648(void **state)
{
	(void)state;
	static const char *const pairs[][2] = {{"", ""}, {"f", "Zg"}, {"fo", "Zm8"},
		{"foo", "Zm9v"}, {"foob", "Zm9vYg"}, {"fooba", "Zm9vYmE"},
		{"foobar", "Zm9vYmFy"}, {"\xFB\xFF\xFE", "-__-"}};
	for (size_t i = 0; i < ARRAY_LEN(pairs); i++) {
		char text[16];
		uint8_t back[8];
		size_t len = 99, in = strlen(pairs[i][0]);
		assert_true(TEXT_B64_SIZE(in) == strlen(pairs[i][1]) + 1);
		text_b64(text, pairs[i][0], in);
		assert_string_equal(text, pairs[i][1]);
		assert_int_equal(text_unb64(back, in, &len, text), 0);
		assert_int_equal(len, in);
		assert_memory_equal(back, pairs[i][0], in);
	}
}

static void base64url_has_one_spelling(void **state)
{
	(void)state;
	static const char *const bad[] = {"Z", "Zh", "Zm9", "Zm9vY",
		"Zg==", "Zm8=", "Zm9+", "Zm9/", "Zm 9v", "Zm9v\n", "Zm\xC3\xA9"};
	uint8_t back[8] = {7};
	size_t len = 99;
	for (size_t i = 0; i < ARRAY_LEN(bad); i++)
		assert_int_equal(text_unb64(back, sizeof(back), &len, bad[i]),
			-REASON_BAD_VALUE);
	assert_int_equal(text_unb64(back, 2, &len, "Zm9v"), -REASON_LIMIT);
	assert_int_equal(len, 99);
	assert_int_equal(back[0], 7);
}

static void crockford_forgives_people(void **state)
{
	(void)state;
	uint8_t digits[32], back[32];
	char text[33];
	for (uint8_t i = 0; i < 32; i++)
		digits[i] = i;
	text_crockford(text, digits, 32);
	assert_string_equal(text, "0123456789ABCDEFGHJKMNPQRSTVWXYZ");
	assert_int_equal(text_uncrockford(back, 32, text), 0);
	assert_memory_equal(back, digits, 32);
	assert_int_equal(text_uncrockford(back, 6, " o-Il\t1- L0\n"), 0);
	assert_memory_equal(back, ((uint8_t[]){0, 1, 1, 1, 1, 0}), 6);
	assert_int_equal(text_uncrockford(back, 2, "zz"), 0);
	assert_memory_equal(back, ((uint8_t[]){31, 31}), 2);
	static const char *const bad[] = {
		"", "0", "000", "0u", "U0", "0_", "0\xC3\xA9", "0="};
	for (size_t i = 0; i < ARRAY_LEN(bad); i++)
		assert_int_equal(text_uncrockford(back, 2, bad[i]), -REASON_BAD_VALUE);
	assert_memory_equal(back, ((uint8_t[]){31, 31}), 2);
}

static void endpoints_as_people_type_them(void **state)
{
	(void)state;
	static const struct {
		const char *text, *host;
		uint16_t fallback, port;
		const char *back;
	} cases[] = {
		{"gw.example.jp:7443", "gw.example.jp", 1, 7443, "gw.example.jp:7443"},
		{"gw.example.jp", "gw.example.jp", 7443, 7443, "gw.example.jp:7443"},
		{"[2001:db8::1]:443", "2001:db8::1", 0, 443, "[2001:db8::1]:443"},
		{"[::]", "::", 7443, 7443, "[::]:7443"},
		{"[fe80::1%eth0]:1", "fe80::1%eth0", 0, 1, "[fe80::1%eth0]:1"},
		{":7443", "", 0, 7443, ":7443"},
		{"7443", "", 0, 7443, ":7443"},
		{"0", "", 7, 0, ":0"},
		{"127.0.0.1:0", "127.0.0.1", 7443, 0, "127.0.0.1:0"},
		{"a_b-c:65535", "a_b-c", 0, 65535, "a_b-c:65535"},
	};
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct text_endpoint endpoint;
		char back[300];
		assert_int_equal(text_endpoint(&endpoint, cases[i].text,
					 cases[i].fallback),
			0);
		assert_string_equal(endpoint.host, cases[i].host);
		assert_int_equal(endpoint.port, cases[i].port);
		text_endpoint_text(back, sizeof(back), &endpoint);
		assert_string_equal(back, cases[i].back);
	}
}

static void wrong_endpoints_are_refused(void **state)
{
	(void)state;
	static const char *const bad[] = {"", ":", "host:", "host:x", "host:65536",
		"host:-1", "host:+1", "host: 1", "host:1 ", "65536", "host:1:2",
		"2001:db8::1", "::1", "[::1", "[::1]x", "[::1]:", "[]:1", "[host]:1",
		"[127.0.0.1]:1", "[fe80::1%]:1", "[fe80::1%a b]:1", "a b:1", "a/b:1",
		"ho\xC3\xB6:1", "-host:1", ".host:1", "300.1.1.1:1", "127.1:1",
		"host\n:1", "host:000001", "http://h:1"};
	struct text_endpoint endpoint = {"old", 5};
	for (size_t i = 0; i < ARRAY_LEN(bad); i++)
		assert_int_equal(text_endpoint(&endpoint, bad[i], 7443),
			-REASON_BAD_VALUE);
	assert_int_equal(text_endpoint(&endpoint, "host", 0), -REASON_BAD_VALUE);
	assert_int_equal(text_endpoint(&endpoint, "[::1]", 0), -REASON_BAD_VALUE);
	char longer[300];
	memset(longer, 'a', sizeof(longer));
	memcpy(longer + 290, ":1", 3);
	assert_int_equal(text_endpoint(&endpoint, longer, 0), -REASON_LIMIT);
	assert_string_equal(endpoint.host, "old");
	assert_int_equal(endpoint.port, 5);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(utf8_is_strict),
		cmocka_unit_test(copy_never_truncates),
		cmocka_unit_test(clip_keeps_characters_whole),
		cmocka_unit_test(escape_disarms),
		cmocka_unit_test(hex_and_back),
		cmocka_unit_test(base64url_of_rfc4648),
		cmocka_unit_test(base64url_has_one_spelling),
		cmocka_unit_test(crockford_forgives_people),
		cmocka_unit_test(endpoints_as_people_type_them),
		cmocka_unit_test(wrong_endpoints_are_refused),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
