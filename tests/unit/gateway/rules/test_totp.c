#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "base/reason.h"
#include "rules/totp.h"

static const uint8_t *known = (const uint8_t *)"12345678901234567890";

/* RFC 6238 appendix B, the SHA-1 column; six digits are the last six of its eight. */
static void codes_are_those_of_the_standard(void **state)
{
	(void)state;
	static const struct {
		int64_t at_s;
		const char *code;
	} rows[] = {{59, "287082"}, {1111111109, "081804"}, {1111111111, "050471"},
		{1234567890, "005924"}, {2000000000, "279037"}, {20000000000, "353130"}};
	char code[TOTP_CODE];
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		assert_int_equal(totp_code(known, rows[i].at_s * 1000, code), 0);
		assert_string_equal(code, rows[i].code);
	}
}

static void a_code_is_good_for_three_steps_and_once(void **state)
{
	(void)state;
	const int64_t now = 1234567890000;
	char code[TOTP_CODE];
	for (int off = -3; off <= 3; off++) {
		int64_t used = 0;
		assert_int_equal(totp_code(known, now + off * TOTP_STEP_MS, code), 0);
		int status = totp_check(known, code, now, &used);
		assert_int_equal(status, off < -1 || off > 1 ? -REASON_TOTP_WRONG : 0);
		assert_int_equal(used, status ? 0 : now / TOTP_STEP_MS + off);
		if (status)
			continue;
		/* Replayed, at once and a step later. */
		assert_int_equal(totp_check(known, code, now, &used), -REASON_TOTP_WRONG);
		assert_int_equal(totp_check(known, code, now + TOTP_STEP_MS, &used),
			-REASON_TOTP_WRONG);
	}
	/* What is older than the one that was used is worth nothing, though it is in the window. */
	int64_t used = now / TOTP_STEP_MS;
	assert_int_equal(totp_code(known, now - TOTP_STEP_MS, code), 0);
	assert_int_equal(totp_check(known, code, now, &used), -REASON_TOTP_WRONG);
	assert_int_equal(totp_code(known, now + TOTP_STEP_MS, code), 0);
	assert_int_equal(totp_check(known, code, now, &used), 0);
}

static void what_is_no_code_is_wrong(void **state)
{
	(void)state;
	static const char *const wrong[] = {
		"", "00592", "0059240", " 005924", "５９２４", "abcdef", "-05924"};
	for (size_t i = 0; i < ARRAY_LEN(wrong); i++) {
		int64_t used = 0;
		assert_int_equal(totp_check(known, wrong[i], 1234567890000, &used),
			-REASON_TOTP_WRONG);
		assert_int_equal(used, 0);
	}
}

static void secrets_are_base32(void **state)
{
	(void)state;
	uint8_t secret[TOTP_SECRET], back[TOTP_SECRET];
	char text[TOTP_SECRET_TEXT], uri[TOTP_URI], name[TOTP_URI];
	totp_print(known, text);
	assert_string_equal(text, "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ");
	for (int i = 0; i < 50; i++) {
		assert_int_equal(totp_generate(secret), 0);
		totp_print(secret, text);
		assert_int_equal(totp_parse(text, back), 0);
		assert_memory_equal(secret, back, sizeof(secret));
	}
	assert_int_equal(totp_parse("gezdgnbvgy3tqojqgezdgnbvgy3tqojq", back), 0);
	assert_memory_equal(known, back, sizeof(back));
	assert_int_equal(totp_parse("GEZDGNBVGY3TQOJQ", back), -REASON_BAD_VALUE);
	assert_int_equal(totp_parse("1EZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ", back),
		-REASON_BAD_VALUE);
	assert_int_equal(totp_uri("hanako@example.jp", known, uri), 0);
	assert_string_equal(uri,
		"otpauth://totp/Engawa:hanako%40example.jp?secret="
		"GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ&issuer=Engawa&algorithm=SHA1&digits=6"
		"&period=30");
	memset(name, '@', sizeof(name) - 1);
	name[sizeof(name) - 1] = '\0';
	assert_int_equal(totp_uri(name, known, uri), -REASON_LIMIT);
}

static void a_recovery_code_opens_once(void **state)
{
	(void)state;
	struct totp_recovery recovery, other;
	char codes[TOTP_RECOVERY][PASSWORD_GENERATED],
		later[TOTP_RECOVERY][PASSWORD_GENERATED];
	assert_int_equal(totp_recovery_make(&recovery, codes), 0);
	assert_int_equal(totp_recovery_make(&other, later), 0);
	assert_int_equal(recovery.count, TOTP_RECOVERY);
	assert_int_equal(totp_recovery_use(&recovery, later[0]), -REASON_TOTP_WRONG);
	/* As people type it. */
	char typed[PASSWORD_GENERATED] = "";
	for (const char *at = codes[3]; *at; at++)
		if (*at != '-')
			strncat(typed, (char[]){*at == '0' ? 'O' : *at, 0}, 1);
	assert_int_equal(totp_recovery_use(&recovery, typed), 0);
	assert_int_equal(recovery.count, TOTP_RECOVERY - 1);
	assert_int_equal(totp_recovery_use(&recovery, codes[3]), -REASON_TOTP_WRONG);
	for (size_t i = 0; i < TOTP_RECOVERY; i++)
		assert_int_equal(totp_recovery_use(&recovery, codes[i]),
			i == 3 ? -REASON_TOTP_WRONG : 0);
	assert_int_equal(recovery.count, 0);
	assert_int_equal(totp_recovery_use(&recovery, ""), -REASON_TOTP_WRONG);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(codes_are_those_of_the_standard),
		cmocka_unit_test(a_code_is_good_for_three_steps_and_once),
		cmocka_unit_test(what_is_no_code_is_wrong),
		cmocka_unit_test(secrets_are_base32),
		cmocka_unit_test(a_recovery_code_opens_once),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
