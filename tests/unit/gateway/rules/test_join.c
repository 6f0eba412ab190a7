#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/reason.h"
#include "rules/join.h"

#define NOON INT64_C(1795348800000)

static const struct join good = {.license = "lic_0123456zz",
	.device = "dev_0011223344556677",
	.node = "n2",
	.from = "n1",
	.expires_ms = NOON + JOIN_MS,
	.resume_only = REASON_TOTP_NEEDED};

static int check(const char *license, const char *device, const char *node,
	int64_t now_ms)
{
	return join_check(&good, license, device, node, now_ms);
}

static void it_is_for_one_license_device_node_and_time(void **state)
{
	(void)state;
	const char *license = good.license, *device = good.device;
	assert_int_equal(check(license, device, "n2", NOON), 0);
	assert_int_equal(check(license, device, "n1", NOON), 0); /* the way was closed */
	assert_int_equal(check(license, device, "n2", NOON + JOIN_MS - 1), 0);
	assert_int_equal(check(license, device, "n2", NOON - 5000), 0); /* its clock */
	assert_int_equal(check("lic_0123456zy", device, "n2", NOON), -REASON_JOIN_SPENT);
	assert_int_equal(check(license, "dev_0011223344556678", "n2", NOON),
		-REASON_JOIN_SPENT);
	assert_int_equal(check(license, device, "n3", NOON), -REASON_JOIN_SPENT);
	assert_int_equal(check(license, device, "", NOON), -REASON_JOIN_SPENT);
	assert_int_equal(check(license, device, "n2", NOON + JOIN_MS),
		-REASON_JOIN_SPENT);
	assert_int_equal(check(license, device, "n2", NOON - 3600000),
		-REASON_JOIN_SPENT);
}

static void what_is_written_is_read_again(void **state)
{
	(void)state;
	char *body;
	struct join read;
	assert_int_equal(join_write(&good, &body), 0);
	assert_int_equal(join_read(body, &read), 0);
	free(body);
	assert_string_equal(read.license, good.license);
	assert_string_equal(read.device, good.device);
	assert_string_equal(read.node, "n2");
	assert_string_equal(read.from, "n1");
	assert_int_equal(read.expires_ms, good.expires_ms);
	assert_int_equal(read.resume_only, REASON_TOTP_NEEDED);
	assert_int_equal(join_read("{}", &read), -REASON_STATE_DAMAGED);
	assert_int_equal(join_read("[", &read), -REASON_STATE_DAMAGED);
}

static void no_two_tokens_are_the_same(void **state)
{
	(void)state;
	char token[2][JOIN_TOKEN], id[2][JOIN_ID], again[JOIN_ID];
	for (int i = 0; i < 2; i++) {
		assert_int_equal(join_generate(token[i], id[i]), 0);
		assert_int_equal(join_id(token[i], again), 0);
		assert_string_equal(again, id[i]);
		assert_null(strstr(id[i], token[i])); /* the store has no token */
	}
	assert_string_not_equal(token[0], token[1]);
	assert_string_not_equal(id[0], id[1]);
	static const char *const wrong[] = {"", "x", "AAAAAAAAAAAAAAAAAAAAA",
		"AAAAAAAAAAAAAAAAAAAAAAA", "AAAAAAAAAAAAAAAAAAAAA!"};
	for (size_t i = 0; i < ARRAY_LEN(wrong); i++)
		assert_int_equal(join_id(wrong[i], again), -REASON_JOIN_SPENT);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(it_is_for_one_license_device_node_and_time),
		cmocka_unit_test(what_is_written_is_read_again),
		cmocka_unit_test(no_two_tokens_are_the_same),
	};
	cmocka_set_test_filter(getenv("ENGAWA_TEST_ONLY"));
	return cmocka_run_group_tests(tests, NULL, NULL);
}
