#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "base/reason.h"
#include "rules/audit.h"

static void test_numbers_and_names_are_single(void **state)
{
	(void)state;
	size_t count = 0;
	for (const struct audit_entry *entry; (entry = audit_at(count)); count++) {
		assert_true(*entry->fields && *entry->en && *entry->ja);
		for (size_t k = 0; k < count; k++) {
			assert_int_not_equal(audit_at(k)->number, entry->number);
			assert_string_not_equal(audit_at(k)->name, entry->name);
		}
	}
	assert_int_equal(count, AUDIT_EVENTS);
}

static void test_a_row_keeps_its_promise(void **state)
{
	(void)state;
	char *body = NULL;
	assert_int_equal(audit_body(AUDIT_HOST_BOUND, "host", "192.0.2.7",
				 json_pack("{s:s,s:s,s:s}", "license", "lic_a", "device",
					 "dev_b", "name", "desk"),
				 &body),
		0);
	assert_string_equal(body, "{\"event\":\"HOST_BOUND\",\"number\":112,\"severity\":"
				  "\"notice\",\"by\":\"host\","
				  "\"address\":\"192.0.2.7\",\"license\":\"lic_a\","
				  "\"device\":\"dev_b\",\"name\":\"desk\"}");
	free(body);
	body = NULL;
	/* Lacks one; has one too many; none at all; no memory for them. */
	assert_int_equal(audit_body(AUDIT_LICENSE_ENABLED, "a", "", json_object(), &body),
		-REASON_INTERNAL);
	assert_int_equal(audit_body(AUDIT_LICENSE_ENABLED, "a", "",
				 json_pack("{s:s,s:i}", "license", "x", "more", 1),
				 &body),
		-REASON_INTERNAL);
	assert_int_equal(audit_body(AUDIT_LICENSE_ENABLED, "a", "", NULL, &body),
		-REASON_NO_MEMORY);
	assert_null(body);
	/* What may be absent may be there. */
	assert_int_equal(audit_body(AUDIT_JOURNAL_PURGED, "a", "",
				 json_pack("{s:i}", "before_ms", 5), &body),
		0);
	free(body);
	assert_int_equal(audit_body(AUDIT_JOURNAL_PURGED, "a", "",
				 json_pack("{s:i,s:i}", "before_ms", 5, "rows", 5),
				 &body),
		0);
	free(body);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_numbers_and_names_are_single),
		cmocka_unit_test(test_a_row_keeps_its_promise),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
