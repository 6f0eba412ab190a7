#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "base/reason.h"
#include "http/cookie.h"

static int get(const char *first, const char *second, char *ret)
{
	struct request request = {0};
	if (first)
		request.headers[request.header_count++] =
			(struct request_pair){"Cookie", first};
	if (second)
		request.headers[request.header_count++] =
			(struct request_pair){"cookie", second};
	return cookie_get(&request, "__Host-x", ret, 8);
}

static void one_of_the_name_is_found(void **state)
{
	(void)state;
	static const struct {
		const char *first, *second;
		int status;
		const char *value;
	} rows[] = {
		{"__Host-x=abc", NULL, 0, "abc"},
		{"a=1; __Host-x=abc; b=2", NULL, 0, "abc"},
		{"a=1;__Host-x=abc ;b=2", NULL, 0, "abc"},
		{"a=1", "__Host-x=abc", 0, "abc"},
		{"__Host-x=", NULL, 0, ""},
		{"__Host-x=1234567", NULL, 0, "1234567"},
		{"__Host-x=12345678", NULL, -REASON_BAD_VALUE, NULL},
		{"__Host-x=abc; __Host-x=def", NULL, -REASON_BAD_VALUE, NULL},
		{"__Host-x=abc", "__Host-x=abc", -REASON_BAD_VALUE, NULL},
		{NULL, NULL, -REASON_NOT_FOUND, NULL},
		{"", NULL, -REASON_NOT_FOUND, NULL},
		{";;; ;", NULL, -REASON_NOT_FOUND, NULL},
		{"__Host-x", NULL, -REASON_NOT_FOUND, NULL},
		{"__host-x=abc", NULL, -REASON_NOT_FOUND, NULL},
		{"a__Host-x=abc", NULL, -REASON_NOT_FOUND, NULL},
		{"__Host-xy=abc", NULL, -REASON_NOT_FOUND, NULL},
	};
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		char value[8] = "none";
		assert_int_equal(get(rows[i].first, rows[i].second, value),
			rows[i].status);
		assert_string_equal(value, rows[i].status ? "none" : rows[i].value);
	}
}

static void it_is_set_for_this_host_only(void **state)
{
	(void)state;
	char text[128];
	assert_int_equal(cookie_set("__Host-x", "abc", COOKIE_STRICT, -1, text,
				 sizeof(text)),
		0);
	assert_string_equal(text,
		"__Host-x=abc; Path=/; Secure; HttpOnly; SameSite=Strict");
	assert_int_equal(cookie_set("__Host-x", "", COOKIE_LAX, 0, text, sizeof(text)),
		0);
	assert_string_equal(text,
		"__Host-x=; Path=/; Secure; HttpOnly; SameSite=Lax; Max-Age=0");
	assert_int_equal(cookie_set("__Host-x", "abc", COOKIE_STRICT, -1, text, 20),
		-REASON_LIMIT);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(one_of_the_name_is_found),
		cmocka_unit_test(it_is_set_for_this_host_only),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
