#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "base/reason.h"
#include "rules/host_binding.h"

static void test_documents(void **state)
{
	(void)state;
	struct host_binding binding = {.name = "desk",
				    .program = "engawa-host 1",
				    .address = "192.0.2.7",
				    .inventory = "{\"os\":\"Debian\"}",
				    .bound_ms = 5,
				    .seen_ms = 6,
				    .device = {1, 2, 3}},
			    again;
	struct field_error error;
	char *body;
	assert_int_equal(digest_device(binding.device, binding.device_id), 0);
	assert_int_equal(host_binding_write(&binding, &body), 0);
	assert_int_equal(host_binding_read(body, &again, &error), 0);
	assert_memory_equal(&binding, &again, sizeof(binding));
	free(body);
	static const char *const wrong[][2] = {
		{"{}", "device"}, {"{\"device\":\"00\"}", "device"}};
	for (size_t i = 0; i < ARRAY_LEN(wrong); i++) {
		assert_int_equal(host_binding_read(wrong[i][0], &again, &error),
			-REASON_BAD_VALUE);
		assert_string_equal(error.field, wrong[i][1]);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(test_documents)};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
