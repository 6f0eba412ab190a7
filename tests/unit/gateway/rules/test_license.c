#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/reason.h"
#include "rules/license.h"

#define HASH                                                                             \
	"\"secret_hash\":"                                                               \
	"\"0101010101010101010101010101010101010101010101010101010101010101\""
#define ID "\"id\":\"lic_7k3qx09fa\""

static void test_wrong_fields_are_named(void **state)
{
	(void)state;
	static const char *const rows[][2] = {
		{"{" HASH "}", "id"},
		{"{\"id\":\"lic_7k3qx09f\"," HASH "}", "id"},
		{"{\"id\":5," HASH "}", "id"},
		{"{" ID "}", "secret_hash"},
		{"{" ID ",\"secret_hash\":\"01\"}", "secret_hash"},
		{"{" ID "," HASH ",\"state\":\"on\"}", "state"},
		{"{" ID "," HASH ",\"state\":1}", "state"},
		{"{" ID "," HASH ",\"expires_ms\":-1}", "expires_ms"},
		{"{" ID "," HASH ",\"expires_ms\":\"tomorrow\"}", "expires_ms"},
		{"{" ID "," HASH ",\"holder\":7}", "holder"},
		{"{" ID "," HASH ",\"holder\":\"a\\u0007b\"}", "holder"},
		{"{" ID "," HASH ",\"holder\":\"a\\u202eb\"}", "holder"},
		{"{" ID "," HASH ",\"password\":\"secret\"}", "password"},
		{"{" ID "," HASH ",\"labels\":[]}", "labels"},
		{"{" ID "," HASH ",\"labels\":{\"a b\":\"c\"}}", "labels"},
		{"{" ID "," HASH ",\"labels\":{\"a\":1}}", "a"},
		{"{" ID "," HASH ",\"devices\":[\"dev_1\"]}", "devices"},
		{"{" ID "," HASH ",\"devices\":{}}", "devices"},
		{"{" ID "," HASH ",\"policy\":{\"x\":1}}", "x"},
		{"{" ID "," HASH ",\"policy\":[]}", "policy"},
		{"[]", ""},
		{"{", ""},
	};
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct license license = {.created_ms = 77};
		struct field_error error = {0};
		assert_int_equal(license_read(rows[i][0], &license, &error),
			-REASON_BAD_VALUE);
		assert_string_equal(error.field, rows[i][1]);
		assert_true(*error.message);
		assert_int_equal(license.created_ms, 77);
	}
}

static void test_documents_come_back(void **state)
{
	(void)state;
	struct license license, again;
	struct field_error error;
	char *body, *shown, *third;
	const char *first =
		"{" ID "," HASH
		",\"tenant\":\"acme\",\"holder\":\"縁側\",\"labels\":{\"floor\":\"3\"},"
		"\"devices\":[\"dev_0123456789abcdef\"],\"policy\":{\"idle_ms\":5},"
		"\"note\":\"n\","
		"\"expires_ms\":\"2026-12-31T00:00:00+09:00\",\"later\":{\"sealed\":"
		"\"x\"}"
		"}";
	assert_int_equal(license_read(first, &license, &error), 0);
	assert_int_equal(license.expires_ms, INT64_C(1798642800000));
	assert_int_equal(license.label_count, 1);
	assert_string_equal(license.labels[0].value, "3");
	/* What another version wrote stays. */
	assert_int_equal(license_write(&license, first, &body), 0);
	assert_non_null(strstr(body, "\"later\":{\"sealed\":\"x\"}"));
	assert_int_equal(license_read(body, &again, &error), 0);
	assert_memory_equal(&license, &again, sizeof(license));
	assert_int_equal(license_write(&license, NULL, &third), 0);
	assert_null(strstr(third, "later"));
	assert_int_equal(license_show(&license, &shown), 0);
	assert_null(strstr(shown, "secret_hash"));
	assert_null(strstr(shown, "password"));
	assert_non_null(strstr(shown, "縁側"));
	assert_non_null(strstr(shown, "\"totp\":false"));
	/* Whether codes are asked for may be shown; of what, never. */
	free(shown);
	memset(license.totp.secret, 1, sizeof(license.totp.secret));
	license.totp.confirmed_ms = 5;
	assert_int_equal(license_show(&license, &shown), 0);
	assert_non_null(strstr(shown, "\"totp\":true"));
	assert_null(strstr(shown, "AEAQCAIB"));
	free(body);
	free(shown);
	free(third);
}

static int change(struct license *license, const char *text, struct field_error *error)
{
	json_t *changes = json_loads(text, 0, NULL);
	int r = license_change(license, changes, error);
	json_decref(changes);
	return r;
}

static void test_people_change_some_fields(void **state)
{
	(void)state;
	struct license license = {
		.id = "lic_7k3qx09fa", .holder = "a", .policy = "{\"idle_ms\":1}"};
	struct field_error error;
	assert_int_equal(change(&license,
				 "{\"holder\":\"b\",\"state\":\"disabled\",\"expires\":"
				 "\"2026-12-31\","
				 "\"policy\":null,\"labels\":{}}",
				 &error),
		0);
	assert_string_equal(license.holder, "b");
	assert_int_equal(license.state, LICENSE_DISABLED);
	assert_int_equal(license.expires_ms, INT64_C(1798675200000));
	assert_string_equal(license.policy, "");
	static const char *const refused[][2] = {{"{\"id\":\"lic_000000000\"}", "id"},
		{"{\"secret_hash\":\"\"}", "secret_hash"},
		{"{\"password\":\"x\"}", "password"},
		{"{\"tenant\":\"other\"}", "tenant"}, {"{\"holder\":\"\"}", "holder"},
		{"[]", ""}};
	for (size_t i = 0; i < ARRAY_LEN(refused); i++) {
		struct license before = license;
		assert_int_equal(change(&license, refused[i][0], &error),
			-REASON_BAD_VALUE);
		assert_string_equal(error.field, refused[i][1]);
		assert_memory_equal(&before, &license, sizeof(license));
	}
}

static void test_keys(void **state)
{
	(void)state;
	struct license license = {0};
	struct license_key first, second;
	assert_int_equal(license_issue(&license, &first), 0);
	assert_int_equal(strncmp(license.id, "lic_", 4), 0);
	assert_true(license_has_secret(&license, first.secret));
	char id[LICENSE_KEY_ID_SIZE];
	license_key_id(first.public_id, id);
	assert_string_equal(id, license.id);
	assert_int_equal(license_rotate(&license, &second), 0);
	assert_string_equal(first.public_id, second.public_id);
	assert_string_equal(id, license.id);
	assert_false(license_has_secret(&license, first.secret));
	assert_true(license_has_secret(&license, second.secret));
	for (size_t i = 0; i < LICENSE_KEY_SECRET; i++) {
		second.secret[i] ^= 0x80;
		assert_false(license_has_secret(&license, second.secret));
		second.secret[i] ^= 0x80;
	}
}

static void test_admission(void **state)
{
	(void)state;
	static const struct {
		int state;
		int64_t expires_ms, now_ms;
		int reason;
	} rows[] = {
		{LICENSE_ENABLED, 0, 5, 0},
		{LICENSE_ENABLED, 6, 5, 0},
		{LICENSE_ENABLED, 5, 5, -REASON_LICENSE_EXPIRED},
		{LICENSE_DISABLED, 0, 5, -REASON_LICENSE_DISABLED},
		{LICENSE_DISABLED, 4, 5, -REASON_LICENSE_DISABLED},
	};
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct license license = {
			.state = rows[i].state, .expires_ms = rows[i].expires_ms};
		assert_int_equal(license_admit(&license, rows[i].now_ms), rows[i].reason);
	}
	struct license license = {0};
	assert_true(license_permits_device(&license, "dev_0123456789abcdef"));
	license.device_count = 1;
	strcpy(license.devices[0], "dev_0123456789abcdef");
	assert_true(license_permits_device(&license, "dev_0123456789abcdef"));
	assert_false(license_permits_device(&license, "dev_0123456789abcdee"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_wrong_fields_are_named),
		cmocka_unit_test(test_documents_come_back),
		cmocka_unit_test(test_people_change_some_fields),
		cmocka_unit_test(test_keys),
		cmocka_unit_test(test_admission),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
