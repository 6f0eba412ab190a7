#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#include "base/reason.h"
#include "rules/device_book.h"

static void test_new_devices_are_told_from_old(void **state)
{
	(void)state;
	char *body = NULL, *next, id[32];
	int is_new;
	for (int i = 0; i < 100; i++) {
		snprintf(id, sizeof(id), "dev_%d", i);
		struct device_sighting sighting = {
			id, "laptop", "native", "v 1", "192.0.2.7", i};
		assert_int_equal(device_book_see(body, &sighting, &next, &is_new), 0);
		assert_int_equal(is_new, 1);
		free(body);
		body = next;
	}
	/* The 64 newest are in it; an old friend keeps its first time. */
	struct device_sighting again = {
		"dev_36", "laptop 2", "native", "v 2", "192.0.2.8", 500};
	assert_int_equal(device_book_see(body, &again, &next, &is_new), 0);
	assert_int_equal(is_new, 0);
	free(body);
	body = next;
	json_t *book = json_loads(body, 0, NULL),
	       *devices = json_object_get(book, "devices");
	assert_int_equal(json_array_size(devices), DEVICE_BOOK_MAX);
	json_t *last = json_array_get(devices, DEVICE_BOOK_MAX - 1);
	assert_string_equal(json_string_value(json_object_get(last, "name")), "laptop 2");
	assert_int_equal(json_integer_value(json_object_get(last, "first_ms")), 36);
	assert_int_equal(json_integer_value(json_object_get(last, "last_ms")), 500);
	json_decref(book);
	struct device_sighting gone = {"dev_3", "", "", "", "", 501};
	assert_int_equal(device_book_see(body, &gone, &next, &is_new), 0);
	assert_int_equal(is_new, 1);
	free(body);
	free(next);
}

static void test_no_more_devices_than_permitted(void **state)
{
	(void)state;
	char *body, *next;
	int is_new = 0;
	struct device_sighting one = {"dev_1", "", "", "", "", 1, 0, 2};
	assert_int_equal(device_book_see(NULL, &one, &body, &is_new), 0);
	one.device_id = "dev_2";
	one.proved_ms = 77;
	assert_int_equal(device_book_see(body, &one, &next, &is_new), 0);
	free(body);
	body = next;
	one.device_id = "dev_3";
	assert_int_equal(device_book_see(body, &one, &next, &is_new),
		-REASON_DEVICES_FULL);
	/* Who is in it stays, also where fewer are permitted by now. */
	one.device_id = "dev_1";
	one.most = 1;
	one.proved_ms = 0;
	assert_int_equal(device_book_see(body, &one, &next, &is_new), 0);
	free(body);
	body = next;
	one.device_id = "dev_2";
	assert_int_equal(device_book_see(body, &one, &next, &is_new), 0);
	assert_int_equal(is_new, 0);
	/* When it showed a code is not forgotten by coming without one. */
	assert_int_equal(device_book_proved_ms(next, "dev_2"), 77);
	assert_int_equal(device_book_proved_ms(next, "dev_1"), 0);
	assert_int_equal(device_book_proved_ms(next, "dev_9"), 0);
	assert_int_equal(device_book_proved_ms("nonsense", "dev_2"), 0);
	free(body);
	free(next);
}

static void test_a_damaged_book_is_begun_anew(void **state)
{
	(void)state;
	static const char *const damaged[] = {
		"", "[]", "{\"devices\":7}", "{\"devices\":[7,{}]}"};
	struct device_sighting sighting = {"dev_1", "", "", "", "", 1};
	for (size_t i = 0; i < ARRAY_LEN(damaged); i++) {
		char *body;
		int is_new = 0;
		assert_int_equal(device_book_see(damaged[i], &sighting, &body, &is_new),
			0);
		assert_int_equal(is_new, 1);
		assert_non_null(strstr(body, "dev_1"));
		free(body);
	}
}

static void test_one_is_forgotten(void **state)
{
	(void)state;
	const char *book = "{\"devices\":[{\"device_id\":\"dev_1\",\"last_ms\":5},"
			   "{\"device_id\":\"dev_2\",\"last_ms\":9}]}";
	char *body;
	assert_int_equal(device_book_last_ms(book), 9);
	assert_int_equal(device_book_forget(book, "dev_3", &body), -REASON_NOT_FOUND);
	assert_int_equal(device_book_forget("no book", "dev_1", &body),
		-REASON_STATE_DAMAGED);
	assert_int_equal(device_book_forget(book, "dev_2", &body), 0);
	assert_null(strstr(body, "dev_2"));
	assert_non_null(strstr(body, "dev_1"));
	assert_int_equal(device_book_last_ms(body), 5);
	free(body);
	assert_int_equal(device_book_last_ms("[]"), 0);
	assert_int_equal(device_book_last_ms("{\"devices\":7}"), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_new_devices_are_told_from_old),
		cmocka_unit_test(test_one_is_forgotten),
		cmocka_unit_test(test_no_more_devices_than_permitted),
		cmocka_unit_test(test_a_damaged_book_is_begun_anew),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
