#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "base/reason.h"
#include "base/text.h"

static bool has_non_ascii(const char *text)
{
	for (; *text; text++)
		if (*text & 0x80)
			return true;
	return false;
}

static void no_number_and_no_symbol_twice(void **state)
{
	(void)state;
	int a, b;
	for (size_t i = 0; reason_at(i, &a); i++)
		for (size_t j = i + 1; reason_at(j, &b); j++) {
			assert_int_not_equal(a, b);
			assert_string_not_equal(reason_at(i, NULL), reason_at(j, NULL));
		}
}

static void every_row_is_complete(void **state)
{
	(void)state;
	int number;
	const char *symbol;
	for (size_t i = 0; (symbol = reason_at(i, &number)); i++) {
		assert_in_range(number >> 8, 0x01, 0x06);
		assert_in_range(number & 0xFF, 0x01, 0xFF);
		/* WIRE: message fields have room for 40 bytes of symbol */
		assert_in_range(strlen(symbol), 3, 40);
		for (int lang = REASON_EN; lang <= REASON_JA; lang++) {
			const char *text = reason_text(number, (enum reason_lang)lang);
			const char *hint = reason_hint(number, (enum reason_lang)lang);
			assert_in_range(strlen(text), 5, 300);
			assert_in_range(strlen(hint), 5, 300);
			assert_true(text_utf8_valid(text, strlen(text)));
			assert_true(text_utf8_valid(hint, strlen(hint)));
			if (lang == REASON_JA) {
				assert_true(has_non_ascii(text));
				assert_true(has_non_ascii(hint));
			}
		}
	}
}

static void exit_codes_are_of_sysexits(void **state)
{
	(void)state;
	static const int known[] = {0, 64, 65, 66, 69, 70, 71, 73, 74, 75, 76, 77, 78};
	int number;
	for (size_t i = 0; reason_at(i, &number); i++) {
		bool found = false;
		for (size_t k = 0; k < ARRAY_LEN(known); k++)
			found |= reason_exit(number) == known[k];
		assert_true(found);
	}
	assert_int_equal(reason_exit(REASON_LICENSE_IN_USE), 75);
	assert_int_equal(reason_exit(-REASON_HOST_KEY_CHANGED), 76);
	assert_int_equal(reason_exit(REASON_NONE), 0);
}

/* Numbers are on the wire of released versions; these must never move. */
static void numbers_stand(void **state)
{
	(void)state;
	assert_int_equal(REASON_USAGE, 0x0101);
	assert_int_equal(REASON_LICENSE_DISABLED, 0x0202);
	assert_int_equal(REASON_HOST_OFFLINE, 0x0301);
	assert_int_equal(REASON_E2E_FAILED, 0x0402);
	assert_int_equal(REASON_NO_MEMORY, 0x0501);
	assert_int_equal(REASON_ADMIN_DISCONNECT, 0x0603);
	assert_int_equal(REASON_DEVICE_REVOKED, 0x060F);
}

static void symbols_go_both_ways(void **state)
{
	(void)state;
	int number;
	const char *symbol;
	for (size_t i = 0; (symbol = reason_at(i, &number)); i++) {
		assert_int_equal(reason_parse(symbol), number);
		assert_string_equal(reason_symbol(number), symbol);
		assert_string_equal(reason_symbol(-number), symbol);
	}
	assert_int_equal(reason_parse("NO_SUCH_REASON"), REASON_NONE);
	assert_int_equal(reason_parse(""), REASON_NONE);
	assert_string_equal(reason_symbol(0x7F7F), "UNKNOWN");
	assert_string_equal(reason_symbol(0), "NONE");
	assert_true(*reason_hint(0x7F7F, REASON_JA) != 0);
}

static void language_of_the_environment(void **state)
{
	(void)state;
	unsetenv("LC_ALL");
	unsetenv("LC_MESSAGES");
	unsetenv("LANG");
	assert_int_equal(reason_lang_env(), REASON_EN);
	setenv("LANG", "ja_JP.UTF-8", 1);
	assert_int_equal(reason_lang_env(), REASON_JA);
	setenv("LC_MESSAGES", "C", 1);
	assert_int_equal(reason_lang_env(), REASON_EN);
	setenv("LC_ALL", "ja", 1);
	assert_int_equal(reason_lang_env(), REASON_JA);
	setenv("LC_ALL", "", 1);
	assert_int_equal(reason_lang_env(), REASON_EN);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(no_number_and_no_symbol_twice),
		cmocka_unit_test(every_row_is_complete),
		cmocka_unit_test(exit_codes_are_of_sysexits),
		cmocka_unit_test(numbers_stand),
		cmocka_unit_test(symbols_go_both_ways),
		cmocka_unit_test(language_of_the_environment),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
