#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "base/reason.h"
#include "rules/group.h"

static void test_documents(void **state)
{
	(void)state;
	struct group group, again;
	struct field_error error;
	char *body;
	const char *first =
		"{\"name\":\"営業/1\",\"tenant\":\"acme\",\"more\":7,\"created_ms\":5}";
	assert_int_equal(group_read(first, &group, &error), 0);
	assert_int_equal(group_write(&group, first, &body), 0);
	assert_non_null(strstr(body, "\"more\":7"));
	assert_int_equal(group_read(body, &again, &error), 0);
	assert_memory_equal(&group, &again, sizeof(group));
	free(body);
	static const char *const wrong[][2] = {{"{}", "name"},
		{"{\"name\":\"..\"}", "name"}, {"{\"name\":\"\"}", "name"},
		{"{\"name\":\"a\\nb\"}", "name"},
		{"{\"name\":\"a\",\"note\":7}", "note"}};
	for (size_t i = 0; i < ARRAY_LEN(wrong); i++) {
		assert_int_equal(group_read(wrong[i][0], &again, &error),
			-REASON_BAD_VALUE);
		assert_string_equal(error.field, wrong[i][1]);
	}
}

static void test_what_people_may_set(void **state)
{
	(void)state;
	struct group group = {.tenant = "acme"};
	struct field_error error;
	json_t *fields = json_loads("{\"name\":\"a\",\"note\":\"b\"}", 0, NULL);
	assert_int_equal(group_create(&group, fields, &error), 0);
	assert_string_equal(group.name, "a");
	/* Its name is its id: it stays. */
	assert_int_equal(group_change(&group, fields, &error), -REASON_BAD_VALUE);
	assert_string_equal(error.field, "name");
	json_object_set_new(fields, "tenant", json_string("other"));
	assert_int_equal(group_create(&group, fields, &error), -REASON_BAD_VALUE);
	assert_string_equal(group.tenant, "acme");
	json_decref(fields);
}

static void test_ids(void **state)
{
	(void)state;
	char id[GROUP_ID_SIZE], name[GROUP_NAME_SIZE + 1];
	assert_int_equal(group_id(id, "", "a/b"), 0);
	assert_string_equal(id, "/a/b");
	memset(name, 'n', sizeof(name));
	name[GROUP_NAME_SIZE] = 0;
	assert_int_equal(group_id(id, "acme", name), -REASON_LIMIT);
	name[GROUP_NAME_SIZE - 1] = 0;
	assert_int_equal(group_id(id, "acme", name), 0);
	assert_int_equal(group_id(id, "acme", ""), -REASON_LIMIT);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_documents),
		cmocka_unit_test(test_what_people_may_set),
		cmocka_unit_test(test_ids),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
