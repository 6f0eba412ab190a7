#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "base/reason.h"
#include "rules/holder_totp.h"

#define NOON INT64_C(1795348800000)

static struct holder_totp again(const struct holder_totp *totp)
{
	struct holder_totp read;
	struct field_error error;
	json_t *object = json_object();
	assert_int_equal(holder_totp_write(totp, object), 0);
	assert_int_equal(holder_totp_read(object, &read, &error), 0);
	json_decref(object);
	return read;
}

/* A code of this secret at this time. */
static const char *code_of(const uint8_t secret[static TOTP_SECRET], int64_t at_ms)
{
	static char code[TOTP_CODE];
	assert_int_equal(totp_code(secret, at_ms, code), 0);
	return code;
}

static void test_a_secret_counts_when_it_was_shown(void **state)
{
	(void)state;
	struct holder_totp totp = {0};
	uint8_t first[TOTP_SECRET];
	assert_int_equal(holder_totp_confirm(&totp, "123456", NOON), -REASON_NOT_FOUND);
	assert_int_equal(holder_totp_check(&totp, "123456", NOON), -REASON_TOTP_WRONG);
	assert_int_equal(holder_totp_begin(&totp), 0);
	totp = again(&totp);
	assert_int_equal(totp.confirmed_ms, 0);
	memcpy(first, totp.pending, sizeof(first));
	assert_int_equal(holder_totp_check(&totp, code_of(first, NOON), NOON),
		-REASON_TOTP_WRONG);
	assert_int_equal(holder_totp_confirm(&totp, "12345", NOON), -REASON_TOTP_WRONG);
	assert_int_equal(holder_totp_confirm(&totp, code_of(first, NOON), NOON), 0);
	totp = again(&totp);
	assert_int_equal(totp.confirmed_ms, NOON);
	assert_int_equal(totp.is_pending, 0);
	/* The code that confirmed it opens nothing else; each one opens once. */
	assert_int_equal(holder_totp_check(&totp, code_of(first, NOON), NOON),
		-REASON_TOTP_WRONG);
	int64_t later = NOON + TOTP_STEP_MS;
	assert_int_equal(holder_totp_check(&totp, code_of(first, later), later), 0);
	totp = again(&totp);
	assert_int_equal(holder_totp_check(&totp, code_of(first, later), later),
		-REASON_TOTP_WRONG);
	/* A new secret leaves the old one in force until it is confirmed. */
	assert_int_equal(holder_totp_begin(&totp), 0);
	totp = again(&totp);
	later += TOTP_STEP_MS;
	assert_int_equal(holder_totp_check(&totp, code_of(first, later), later), 0);
	assert_int_equal(holder_totp_confirm(&totp, code_of(totp.pending, later), later),
		0);
	later += 5 * TOTP_STEP_MS;
	assert_int_equal(holder_totp_check(&totp, code_of(first, later), later),
		-REASON_TOTP_WRONG);
}

static void test_wrong_fields_are_named(void **state)
{
	(void)state;
	static const char *const bad[] = {"{\"totp\":7}", "{\"totp\":{\"secret\":\"x\"}}",
		"{\"totp\":{\"confirmed_ms\":5}}",
		"{\"totp\":{\"secret\":\"GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ\"}}",
		"{\"totp\":{\"last_step\":-1}}", "{\"totp\":{\"more\":1}}"};
	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		struct holder_totp totp = {.last_step = 99};
		struct field_error error = {0};
		json_t *object = json_loads(bad[i], 0, NULL);
		assert_non_null(object);
		assert_int_equal(holder_totp_read(object, &totp, &error),
			-REASON_BAD_VALUE);
		assert_true(*error.field);
		assert_int_equal(totp.last_step, 99);
		json_decref(object);
	}
	/* Removed is gone. */
	struct holder_totp none = {0};
	json_t *object = json_pack("{s:{}}", "totp");
	assert_int_equal(holder_totp_write(&none, object), 0);
	assert_null(json_object_get(object, "totp"));
	json_decref(object);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_a_secret_counts_when_it_was_shown),
		cmocka_unit_test(test_wrong_fields_are_named),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
