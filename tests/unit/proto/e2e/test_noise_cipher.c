/* S8 (rekey) and S11 (a nonce is never used twice). */
#include <stdio.h>
#include <string.h>

#include "base/reason.h"
#include "base/text.h"
#include "cmocka_all.h"
#include "e2e/noise_cipher.h"

static struct noise_cipher *cipher_of(const uint8_t key[static 32], uint64_t rekey_every)
{
	struct noise_cipher *cipher;
	assert_int_equal(noise_cipher_new(&cipher, rekey_every), 0);
	assert_int_equal(noise_cipher_initialize_key(cipher, key), 0);
	return cipher;
}

static void counting_key(uint8_t ret[static 32])
{
	for (uint8_t i = 0; i < 32; i++)
		ret[i] = i;
}

static int seal(struct noise_cipher *cipher, const char *text, uint8_t *ret)
{
	return noise_cipher_encrypt_with_ad(cipher, NULL, 0, (const uint8_t *)text,
		strlen(text), ret);
}

/* SECURITY section 3. The keys after REKEY are not visible from outside: each is judged by what it
 * seals. */
static void s8_rekey_gives_the_agreed_answers(void **state)
{
	(void)state;
	uint8_t key[32], expected[21], sealed[21], same[21];
	static const char *const keys[] = {
		"0201675c87335949b909793da5bb4d92fcf6d44b92a6e0792b6ae48b1881259d",
		"e5f088ca0ae5900fa607b0f669fc802479ffc206d6322eb26943c4e45e408e25"};
	counting_key(key);
	struct noise_cipher *cipher = cipher_of(key, 0);
	for (int i = 0; i < 2; i++) {
		assert_int_equal(noise_cipher_rekey(cipher), 0);
		assert_int_equal(text_unhex(key, 32, keys[i]), 0);
		struct noise_cipher *direct = cipher_of(key, 0);
		assert_int_equal(noise_cipher_set_nonce(direct,
					 noise_cipher_nonce(cipher)),
			0);
		assert_int_equal(seal(cipher, "hello", sealed), 0);
		assert_int_equal(seal(direct, "hello", same), 0);
		assert_memory_equal(sealed, same, sizeof(sealed));
		noise_cipher_free(direct);
	}
	noise_cipher_free(cipher);
	/* The last of the agreed answers: the second of these keys at n = 65,536. */
	cipher = cipher_of(key, NOISE_CIPHER_REKEY_EVERY);
	assert_int_equal(noise_cipher_set_nonce(cipher, NOISE_CIPHER_REKEY_EVERY), 0);
	assert_int_equal(seal(cipher, "hello", sealed), 0);
	assert_int_equal(text_unhex(expected, 21,
				 "907bd17b73151d989d5b37508aec60ff459f478753"),
		0);
	assert_memory_equal(sealed, expected, sizeof(sealed));
	noise_cipher_free(cipher);
}

/* Record 65,535 is the last of the first key, 65,536 the first of REKEY(k); n goes on. The answer was
 * made with another implementation of AES-GCM. */
static void s8_the_border_is_65536(void **state)
{
	(void)state;
	uint8_t key[32], expected[21], sealed[21];
	counting_key(key);
	struct noise_cipher *cipher = cipher_of(key, NOISE_CIPHER_REKEY_EVERY);
	assert_int_equal(noise_cipher_set_nonce(cipher, 65535), 0);
	assert_int_equal(seal(cipher, "last", sealed), 0);
	assert_int_equal(noise_cipher_nonce(cipher), 65536);
	assert_int_equal(seal(cipher, "hello", sealed), 0);
	assert_int_equal(text_unhex(expected, 21,
				 "d257018ee5e89b7654957c881e65bad167517cd280"),
		0);
	assert_memory_equal(sealed, expected, sizeof(sealed));
	noise_cipher_free(cipher);
}

static void run_both(uint64_t rekey_every, uint64_t messages)
{
	uint8_t key[32] = {3}, sealed[8 + 16], opened[8], plain[8];
	struct noise_cipher *from = cipher_of(key, rekey_every),
			    *to = cipher_of(key, rekey_every);
	for (uint64_t n = 0; n < messages; n++) {
		assert_int_equal(noise_cipher_nonce(from), n);
		memcpy(plain, &n, sizeof(n));
		assert_int_equal(noise_cipher_encrypt_with_ad(from, NULL, 0, plain, 8,
					 sealed),
			0);
		assert_int_equal(noise_cipher_decrypt_with_ad(to, NULL, 0, sealed, 24,
					 opened),
			0);
		assert_memory_equal(plain, opened, 8);
	}
	noise_cipher_free(from);
	noise_cipher_free(to);
}

static void s8_both_ends_stay_together(void **state)
{
	(void)state;
	run_both(16, 1000);
	run_both(NOISE_CIPHER_REKEY_EVERY, 3 * NOISE_CIPHER_REKEY_EVERY + 3);
}

static void s8_ends_that_rekey_differently_part_at_the_border(void **state)
{
	(void)state;
	uint8_t key[32] = {3}, sealed[17], opened[1];
	struct noise_cipher *from = cipher_of(key, 16), *to = cipher_of(key, 0);
	for (int n = 0; n <= 16; n++) {
		assert_int_equal(seal(from, "x", sealed), 0);
		assert_int_equal(noise_cipher_decrypt_with_ad(to, NULL, 0, sealed, 17,
					 opened),
			n < 16 ? 0 : -REASON_E2E_FAILED);
	}
	noise_cipher_free(from);
	noise_cipher_free(to);
}

/* Under one key and one plaintext, two equal ciphertexts mean one nonce used twice. */
static void s11_no_nonce_comes_twice(void **state)
{
	(void)state;
	enum { MESSAGES = 200000, SLOTS = 1 << 19 };
	static uint64_t slots[SLOTS];
	uint8_t key[32] = {4}, sealed[16];
	struct noise_cipher *cipher = cipher_of(key, 0);
	memset(slots, 0, sizeof(slots));
	for (int i = 0; i < MESSAGES; i++) {
		uint64_t tag;
		assert_int_equal(seal(cipher, "", sealed), 0);
		memcpy(&tag, sealed, sizeof(tag));
		size_t slot = tag % SLOTS;
		while (slots[slot]) {
			assert_true(slots[slot] != tag);
			slot = (slot + 1) % SLOTS;
		}
		slots[slot] = tag ? tag : 1;
	}
	noise_cipher_free(cipher);
}

static void s11_it_stops_before_the_counter_ends(void **state)
{
	(void)state;
	uint8_t key[32] = {5}, sealed[17], opened[1];
	struct noise_cipher *from = cipher_of(key, 0), *to = cipher_of(key, 0);
	assert_int_equal(noise_cipher_set_nonce(from, UINT64_MAX - 1), 0);
	assert_int_equal(noise_cipher_set_nonce(to, UINT64_MAX - 1), 0);
	assert_int_equal(seal(from, "x", sealed), 0);
	assert_int_equal(noise_cipher_decrypt_with_ad(to, NULL, 0, sealed, 17, opened),
		0);
	/* 2^64-1 is REKEY's. */
	assert_int_equal(seal(from, "x", sealed), -REASON_E2E_FAILED);
	assert_int_equal(noise_cipher_decrypt_with_ad(to, NULL, 0, sealed, 17, opened),
		-REASON_E2E_FAILED);
	assert_int_equal(noise_cipher_set_nonce(from, UINT64_MAX), -REASON_E2E_FAILED);
	assert_int_equal(noise_cipher_initialize_key(from, key), -REASON_E2E_FAILED);
	noise_cipher_free(from);
	noise_cipher_free(to);
	from = cipher_of(key, 0);
	assert_int_equal(noise_cipher_set_nonce(from, 5), 0);
	assert_int_equal(noise_cipher_set_nonce(from, 4), -REASON_E2E_FAILED);
	assert_int_equal(seal(from, "x", sealed), -REASON_E2E_FAILED);
	noise_cipher_free(from);
}

static void first_failure_is_the_last(void **state)
{
	(void)state;
	uint8_t key[32] = {6}, good[17], bad[17], opened[1];
	struct noise_cipher *from = cipher_of(key, 0), *to = cipher_of(key, 0);
	assert_int_equal(seal(from, "x", good), 0);
	memcpy(bad, good, sizeof(bad));
	bad[3] ^= 1;
	assert_int_equal(noise_cipher_decrypt_with_ad(to, NULL, 0, bad, 17, opened),
		-REASON_E2E_FAILED);
	assert_int_equal(noise_cipher_decrypt_with_ad(to, NULL, 0, good, 17, opened),
		-REASON_E2E_FAILED);
	assert_int_equal(noise_cipher_rekey(to), -REASON_E2E_FAILED);
	assert_false(noise_cipher_has_key(to));
	noise_cipher_free(from);
	noise_cipher_free(to);
	assert_null(noise_cipher_free(NULL));
}

static void without_a_key_bytes_pass(void **state)
{
	(void)state;
	struct noise_cipher *cipher;
	uint8_t bytes[3];
	assert_int_equal(noise_cipher_new(&cipher, 0), 0);
	assert_int_equal(noise_cipher_encrypt_with_ad(cipher, NULL, 0,
				 (const uint8_t *)"abc", 3, bytes),
		0);
	assert_memory_equal(bytes, "abc", 3);
	assert_int_equal(noise_cipher_decrypt_with_ad(cipher, NULL, 0, bytes, 3, bytes),
		0);
	assert_int_equal(noise_cipher_nonce(cipher), 0);
	assert_int_equal(noise_cipher_rekey(cipher), -REASON_E2E_FAILED);
	noise_cipher_free(cipher);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(s8_rekey_gives_the_agreed_answers),
		cmocka_unit_test(s8_the_border_is_65536),
		cmocka_unit_test(s8_both_ends_stay_together),
		cmocka_unit_test(s8_ends_that_rekey_differently_part_at_the_border),
		cmocka_unit_test(s11_no_nonce_comes_twice),
		cmocka_unit_test(s11_it_stops_before_the_counter_ends),
		cmocka_unit_test(first_failure_is_the_last),
		cmocka_unit_test(without_a_key_bytes_pass),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
