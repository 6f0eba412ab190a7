#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/reason.h"
#include "rules/usage.h"

static void test_a_page_comes_back_as_it_was(void **state)
{
	(void)state;
	struct usage_page page, again;
	char key[USAGE_KEY], *body = NULL, *second = NULL;
	assert_int_equal(usage_page_read(NULL, &page), 0);
	for (int i = 0; i < 2000; i++) {
		const struct usage_sum one = {(uint64_t)i, 1, 1, UINT64_C(1) << 40};
		snprintf(key, sizeof(key), "lic_%d", i * 7919 % 500);
		assert_int_equal(usage_page_add(&page, key, &one), 0);
	}
	assert_int_equal(page.count, 500);
	page.marks[USAGE_BANDWIDTH] = UINT64_C(9007199254740993);
	page.marks[USAGE_SESSION] = 3;
	assert_int_equal(usage_page_write(&page, &body), 0);
	assert_int_equal(usage_page_read(body, &again), 0);
	assert_int_equal(again.marks[USAGE_BANDWIDTH], UINT64_C(9007199254740993));
	assert_int_equal(again.count, 500);
	for (size_t i = 0; i < again.count; i++) {
		assert_int_equal(again.lines[i].sum.to_host, 4);
		assert_int_equal(again.lines[i].sum.session_ms, UINT64_C(4) << 40);
		assert_true(!i || strcmp(again.lines[i - 1].key, again.lines[i].key) < 0);
	}
	assert_int_equal(usage_page_write(&again, &second), 0);
	assert_string_equal(body, second);
	free(body);
	free(second);
	usage_page_done(&page);
	usage_page_done(&again);
}

static void test_what_is_no_page_is_refused(void **state)
{
	(void)state;
	static const char *const bodies[] = {"", "{}", "{\"bandwidth\":1}",
		"{\"bandwidth\":,\"session\":1,\"sums\":\"\"}",
		"{\"bandwidth\":1,\"session\":1,\"sums\":\"a 1 2 3 4;",
		"{\"bandwidth\":1,\"session\":1,\"sums\":\"a 1 2 3;\"}",
		"{\"bandwidth\":1,\"session\":1,\"sums\":\"a 1 2 3 4\"}",
		"{\"bandwidth\":1,\"session\":1,\"sums\":\" 1 2 3 4;\"}",
		"{\"bandwidth\":1,\"session\":1,\"sums\":\"a 1 2 -3 4;\"}"};
	struct usage_page page;
	const struct usage_sum one = {1, 1, 1, 1};
	for (size_t i = 0; i < sizeof(bodies) / sizeof(bodies[0]); i++)
		assert_int_equal(usage_page_read(bodies[i], &page),
			-REASON_STATE_DAMAGED);
	assert_int_equal(usage_page_read(NULL, &page), 0);
	assert_int_equal(usage_page_add(&page, "", &one), -REASON_BAD_VALUE);
	assert_int_equal(usage_page_add(&page, "a;b", &one), -REASON_BAD_VALUE);
	assert_int_equal(usage_page_add(&page, "a\"b", &one), -REASON_BAD_VALUE);
	usage_page_done(&page);
}

static void test_rows_say_what_counts(void **state)
{
	(void)state;
	struct usage_row row = {.at_ms = 0};
	assert_int_equal(
		usage_row_read(USAGE_BANDWIDTH,
			"{\"session\":\"s\",\"hour\":\"2026-11-22T06:00:00.000Z\","
			"\"bytes_to_viewer\":7,\"bytes_to_host\":0}",
			1, &row),
		0);
	assert_int_equal(row.at_ms, INT64_C(1795327200000));
	assert_int_equal(row.sum.to_viewer, 7);
	assert_int_equal(row.sum.sessions, 0);
	assert_int_equal(usage_row_read(USAGE_SESSION,
				 "{\"event\":\"close\",\"duration_ms\":61000,"
				 "\"bytes_to_viewer\":7}",
				 5, &row),
		0);
	assert_int_equal(row.at_ms, 5);
	assert_int_equal(row.sum.to_viewer, 0);
	assert_int_equal(row.sum.sessions, 1);
	assert_int_equal(row.sum.session_ms, 61000);
	assert_int_equal(usage_row_read(USAGE_SESSION, "{\"event\":\"open\"}", 5, &row),
		-REASON_BAD_VALUE);
	assert_int_equal(usage_row_read(USAGE_BANDWIDTH, "erased", 5, &row),
		-REASON_BAD_VALUE);
	assert_int_equal(usage_row_read(USAGE_SESSION, "[1]", 5, &row),
		-REASON_BAD_VALUE);
}

static void test_pages_have_names(void **state)
{
	(void)state;
	const int64_t at = INT64_C(1795327200000); /* 2026-11-22 06:00 */
	const int64_t month = INT64_C(1793491200000), day = INT64_C(1795305600000);
	char id[USAGE_ID], key[USAGE_KEY];
	usage_id_license("lic_7k3", at, id);
	assert_string_equal(id, "l/lic_7k3/2026-11");
	assert_int_equal(usage_id_start_ms(id), month);
	usage_id_tenant("", at, id);
	assert_string_equal(id, "t//2026-11");
	assert_int_equal(usage_id_start_ms(id), month);
	usage_id_day("acme", at, "lic_7k3", id);
	assert_int_equal(strncmp(id, "d/acme/2026-11-22/", 18), 0);
	assert_true(id[18] >= 'a' && id[18] <= 'p' && !id[19]);
	assert_int_equal(usage_id_start_ms(id), day);
	usage_id_month("acme", at, "lic_7k3", id);
	assert_int_equal(usage_id_start_ms(id), month);
	assert_int_equal(usage_id_start_ms("cursor"), -1);
	assert_int_equal(usage_month_start_ms(at), month);
	usage_hour_key(at, key);
	assert_string_equal(key, "510");
	usage_hour_key(month, key);
	assert_string_equal(key, "000");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_a_page_comes_back_as_it_was),
		cmocka_unit_test(test_what_is_no_page_is_refused),
		cmocka_unit_test(test_rows_say_what_counts),
		cmocka_unit_test(test_pages_have_names),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
