#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "base/reason.h"
#include "base/text.h"
#include "rules/digest.h"

static void test_known_answers(void **state)
{
	(void)state;
	uint8_t hash[DIGEST_SIZE], key[32], signature[64], message = 0x72;
	char hex[65], id[DIGEST_DEVICE_SIZE];
	assert_int_equal(digest_sha256("abc", 3, hash), 0);
	text_hex(hex, hash, sizeof(hash));
	assert_string_equal(hex,
		"ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
	/* RFC 8032 section 7.1, TEST 2. */
	assert_int_equal(text_unhex(key, 32,
				 "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f"
				 "12af4660c"),
		0);
	assert_int_equal(
		text_unhex(signature, 64,
			"92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da"
			"085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c0"
			"0"),
		0);
	assert_int_equal(digest_verify(key, &message, 1, signature), 0);
	for (size_t i = 0; i < 64; i++) {
		signature[i] ^= 4;
		assert_int_equal(digest_verify(key, &message, 1, signature),
			-REASON_PROOF_WRONG);
		signature[i] ^= 4;
	}
	message ^= 1;
	assert_int_equal(digest_verify(key, &message, 1, signature), -REASON_PROOF_WRONG);
	assert_int_equal(digest_device(key, id), 0);
	assert_int_equal(digest_sha256(key, 32, hash), 0);
	text_hex(hex, hash, 8);
	assert_int_equal(strncmp(id, "dev_", 4), 0);
	assert_string_equal(id + 4, hex);
}

static void test_keys_that_prove_nothing(void **state)
{
	(void)state;
	/* The neutral point: R = neutral, S = 0 verifies for every message. */
	uint8_t key[32] = {1}, signature[64] = {1};
	assert_int_equal(digest_verify(key, "any", 3, signature), -REASON_PROOF_WRONG);
	key[31] = 0x80;
	assert_int_equal(digest_verify(key, "any", 3, signature), -REASON_PROOF_WRONG);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_known_answers),
		cmocka_unit_test(test_keys_that_prove_nothing),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
