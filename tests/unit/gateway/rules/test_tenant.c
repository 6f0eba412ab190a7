#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "base/reason.h"
#include "rules/retention.h"
#include "rules/tenant.h"

static void test_documents(void **state)
{
	(void)state;
	struct tenant tenant, again;
	struct field_error error;
	char *body;
	const char *first = "{\"id\":\"acme\",\"name\":\"Acme "
			    "KK\",\"key\":\"wrapped\",\"retention_days\":800}";
	assert_int_equal(tenant_read(first, &tenant, &error), 0);
	assert_int_equal(tenant_write(&tenant, first, &body), 0);
	assert_non_null(strstr(body, "\"key\":\"wrapped\""));
	assert_int_equal(tenant_read(body, &again, &error), 0);
	assert_memory_equal(&tenant, &again, sizeof(tenant));
	free(body);
	static const char *const wrong[][2] = {{"{}", "id"}, {"{\"id\":\"Acme\"}", "id"},
		{"{\"id\":\"a/b\"}", "id"},
		{"{\"id\":\"acme\",\"state\":\"gone\"}", "state"},
		{"{\"id\":\"acme\",\"retention_days\":30}", "retention_days"},
		{"{\"id\":\"acme\",\"licenses_max\":-1}", "licenses_max"},
		{"{\"id\":\"acme\",\"sessions_max\":\"9\"}", "sessions_max"},
		{"{\"id\":\"acme\",\"rate_max_bytes\":100}", "rate_max_bytes"},
		{"{\"id\":\"acme\",\"name\":\"a\\nb\"}", "name"}};
	for (size_t i = 0; i < ARRAY_LEN(wrong); i++) {
		assert_int_equal(tenant_read(wrong[i][0], &again, &error),
			-REASON_BAD_VALUE);
		assert_string_equal(error.field, wrong[i][1]);
	}
	json_t *changes = json_loads("{\"id\":\"other\"}", 0, NULL);
	assert_int_equal(tenant_change(&tenant, changes, &error), -REASON_BAD_VALUE);
	json_decref(changes);
	changes = json_loads("{\"rate_max_bytes\":1250000}", 0, NULL);
	assert_int_equal(tenant_change(&tenant, changes, &error), 0);
	assert_int_equal(tenant.rate_max_bytes, 1250000);
	json_decref(changes);
	changes = json_loads("{\"state\":\"disabled\"}", 0, NULL);
	assert_int_equal(tenant_change(&tenant, changes, &error), 0);
	assert_int_equal(tenant.state, TENANT_DISABLED);
	json_decref(changes);
}

static void test_how_long_rows_are_kept(void **state)
{
	(void)state;
	const int64_t day = 86400000, noon = INT64_C(1795348800000),
		      midnight = noon - day / 2;
	assert_int_equal(retention_before_ms(0, noon), midnight - 400 * day);
	assert_int_equal(retention_before_ms(365, noon), midnight - 365 * day);
	assert_int_equal(retention_before_ms(1, noon), midnight - 365 * day);
	assert_int_equal(retention_before_ms(99999, noon), midnight - 3653 * day);
	assert_int_equal(retention_before_ms(400, 5), 0);
}

static int change(struct tenant *tenant, const char *text)
{
	struct field_error error;
	json_t *changes = json_loads(text, 0, NULL);
	int r = tenant_change(tenant, changes, &error);
	json_decref(changes);
	return r;
}

static void test_the_end_of_a_contract(void **state)
{
	(void)state;
	const int64_t day = 86400000, now = INT64_C(1795348800000);
	struct tenant tenant, again;
	struct field_error error;
	char *body;
	assert_int_equal(tenant_read("{\"id\":\"acme\"}", &tenant, &error), 0);
	/* It is ended by an act of its own, not by a change. */
	assert_int_equal(change(&tenant, "{\"state\":\"ended\"}"), -REASON_BAD_VALUE);
	tenant_end(&tenant, now, 60 * day);
	assert_int_equal(tenant.state, TENANT_ENDED);
	assert_int_equal(tenant.ended_ms, now);
	assert_int_equal(tenant.purge_after_ms, now + 60 * day);
	/* Once more does not put it off. */
	tenant_end(&tenant, now + day, 60 * day);
	assert_int_equal(tenant.purge_after_ms, now + 60 * day);
	assert_int_equal(tenant_write(&tenant, NULL, &body), 0);
	assert_int_equal(tenant_read(body, &again, &error), 0);
	assert_memory_equal(&tenant, &again, sizeof(tenant));
	assert_int_equal(change(&again, "{\"note\":\"x\"}"), 0);
	assert_int_equal(again.purge_after_ms, now + 60 * day);
	/* Taken back: nothing of it is left. */
	assert_int_equal(change(&again, "{\"state\":\"enabled\"}"), 0);
	char *after;
	assert_int_equal(tenant_write(&again, body, &after), 0);
	assert_null(strstr(after, "ended_ms"));
	assert_null(strstr(after, "purge_after_ms"));
	free(after);
	free(body);
	/* Its own time, also none; null is the operator's again. */
	assert_int_equal(change(&again, "{\"purge_days\":366}"), -REASON_BAD_VALUE);
	assert_int_equal(change(&again, "{\"purge_days\":-1}"), -REASON_BAD_VALUE);
	assert_int_equal(change(&again, "{\"purge_days\":0}"), 0);
	struct tenant at_once = again;
	tenant_end(&at_once, now, 60 * day);
	assert_int_equal(at_once.purge_after_ms, now);
	assert_int_equal(change(&again, "{\"purge_days\":null}"), 0);
	tenant_end(&again, now, 60 * day);
	assert_int_equal(again.purge_after_ms, now + 60 * day);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_documents),
		cmocka_unit_test(test_the_end_of_a_contract),
		cmocka_unit_test(test_how_long_rows_are_kept),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
