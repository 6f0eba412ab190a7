#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "base/reason.h"
#include "rules/qr.h"

#define URI                                                                              \
	"otpauth://totp/"                                                                \
	"Engawa:yamada?secret=GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ&issuer=Engawa"

/* The three corners by which a reader finds the code: 7x7, dark ring, light ring, dark 3x3. */
static void assert_finder(const json_t *rows, size_t top, size_t left)
{
	static const char *const finder[] = {"1111111", "1000001", "1011101", "1011101",
		"1011101", "1000001", "1111111"};
	for (size_t y = 0; y < 7; y++)
		assert_memory_equal(json_string_value(json_array_get(rows, top + y)) +
					    left,
			finder[y], 7);
}

static void test_rows_are_a_code(void **state)
{
	(void)state;
	json_t *object = NULL;
	assert_int_equal(qr_make(URI, &object), 0);
	size_t size = (size_t)json_integer_value(json_object_get(object, "size"));
	const json_t *rows = json_object_get(object, "rows");
	/* 21 modules and four more per version. */
	assert_true(size > 21 && (size - 21) % 4 == 0);
	assert_int_equal(json_array_size(rows), size);
	for (size_t y = 0; y < size; y++) {
		const char *row = json_string_value(json_array_get(rows, y));
		assert_int_equal(strspn(row, "01"), size);
		assert_int_equal(strlen(row), size);
	}
	assert_finder(rows, 0, 0);
	assert_finder(rows, 0, size - 7);
	assert_finder(rows, size - 7, 0);
	json_decref(object);
}

static void test_what_is_no_text(void **state)
{
	(void)state;
	char text[QR_TEXT_MAX + 2];
	json_t *object = NULL;
	memset(text, 'x', sizeof(text) - 1);
	text[sizeof(text) - 1] = 0;
	assert_int_equal(qr_make(text, &object), -REASON_LIMIT);
	assert_int_equal(qr_make("", &object), -REASON_BAD_VALUE);
	assert_null(object);
	text[QR_TEXT_MAX] = 0;
	assert_int_equal(qr_make(text, &object), 0);
	json_decref(object);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_rows_are_a_code),
		cmocka_unit_test(test_what_is_no_text),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
