/* Known answers from the RFCs and from SECURITY section 3; every refusal that is promised. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/reason.h"
#include "base/text.h"
#include "e2e/primitives.h"

static void assert_hex(const void *bytes, size_t len, const char *hex)
{
	uint8_t expected[256];
	assert_int_equal(strlen(hex), 2 * len);
	assert_int_equal(text_unhex(expected, len, hex), 0);
	assert_memory_equal(bytes, expected, len);
}

static void key_of(uint8_t ret[32], const char *hex)
{
	assert_int_equal(text_unhex(ret, 32, hex), 0);
}

/* RFC 7748 section 5.2: k, u = X25519(k, u), k, a thousand times; u is coordinate 9 at first. */
static void x25519_agrees_with_the_rfc(void **state)
{
	(void)state;
	uint8_t k[32] = {9}, u[32] = {9}, next[32], public_key[32];
	for (int i = 1; i <= 1000; i++) {
		assert_int_equal(primitives_x25519_dh(next, k, u), 0);
		if (i == 1) {
			assert_hex(next, 32,
				"422c8e7a6227d7bca1350b3e2bb7279f7897b87bb6854b783c60e803"
				"11ae3079");
			assert_int_equal(primitives_x25519_public(public_key, k), 0);
			assert_memory_equal(public_key, next, 32);
		}
		memcpy(u, k, 32);
		memcpy(k, next, 32);
	}
	assert_hex(k, 32,
		"684cf59ba83309552800ef566f2f4d3c1c3887c49360e3875f2eb94d99532c51");
}

/* Points of order 1, 2, 4, 8 and their other encodings: the shared secret would be all zeros. */
static void x25519_refuses_points_of_small_order(void **state)
{
	static const char *const points[] = {
		"0000000000000000000000000000000000000000000000000000000000000000",
		"0100000000000000000000000000000000000000000000000000000000000000",
		"e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800",
		"5f9c95bca3508c24b1d0b1559c83ef5b04445cc4581c8e86d8224eddd09f1157",
		"ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
		"edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
		"eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
	};
	(void)state;
	uint8_t own[32], own_public[32], point[32], shared[32];
	assert_int_equal(primitives_x25519_generate(own, own_public), 0);
	for (size_t i = 0; i < sizeof(points) / sizeof(points[0]); i++) {
		memset(shared, 0xaa, sizeof(shared));
		key_of(point, points[i]);
		assert_int_equal(primitives_x25519_dh(shared, own, point),
			-REASON_E2E_FAILED);
		assert_int_equal(shared[0], 0xaa);
	}
}

/* RFC 8032 section 7.1, test 2 */
static void ed25519_agrees_with_the_rfc(void **state)
{
	(void)state;
	uint8_t private_key[32], public_key[32], signature[64];
	key_of(private_key,
		"4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb");
	assert_int_equal(primitives_ed25519_public(public_key, private_key), 0);
	assert_hex(public_key, 32,
		"3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c");
	assert_int_equal(primitives_ed25519_sign(signature, private_key, "\x72", 1), 0);
	assert_hex(signature, 64,
		"92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da"
		"085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00");
	assert_int_equal(primitives_ed25519_verify(signature, public_key, "\x72", 1), 0);
	for (size_t bit = 0; bit < sizeof(signature) * 8; bit++) {
		signature[bit / 8] ^= (uint8_t)(1 << bit % 8);
		assert_int_equal(primitives_ed25519_verify(signature, public_key, "\x72",
					 1),
			-REASON_E2E_FAILED);
		signature[bit / 8] ^= (uint8_t)(1 << bit % 8);
	}
	assert_int_equal(primitives_ed25519_verify(signature, public_key, "\x73", 1),
		-REASON_E2E_FAILED);
}

static void generated_keys_differ(void **state)
{
	(void)state;
	uint8_t a[32], b[32], a_public[32], b_public[32];
	assert_int_equal(primitives_x25519_generate(a, a_public), 0);
	assert_int_equal(primitives_x25519_generate(b, b_public), 0);
	assert_memory_not_equal(a, b, 32);
	assert_memory_not_equal(a_public, b_public, 32);
	assert_int_equal(primitives_ed25519_generate(b, b_public), 0);
	assert_int_equal(primitives_ed25519_public(a_public, b), 0);
	assert_memory_equal(a_public, b_public, 32);
}

static void hashes_agree_with_known_answers(void **state)
{
	(void)state;
	uint8_t hash[32], key[32] = {0};
	assert_int_equal(primitives_sha256(hash, "abc", 3, NULL, 0), 0);
	assert_hex(hash, 32,
		"ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
	assert_int_equal(primitives_sha256(hash, "a", 1, "bc", 2), 0);
	assert_hex(hash, 32,
		"ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
	/* RFC 4231 test 2: a key shorter than the block is the same as one padded with zeros. */
	memcpy(key, "Jefe", 4);
	assert_int_equal(primitives_hmac(hash, key, "what do ya want for nothing?", 28),
		0);
	assert_hex(hash, 32,
		"5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
}

/* SECURITY section 3 */
static void pbkdf2_gives_the_agreed_answer(void **state)
{
	(void)state;
	uint8_t secret[12], key[32];
	for (uint8_t i = 0; i < sizeof(secret); i++)
		secret[i] = i;
	assert_int_equal(primitives_pbkdf2(key, secret, sizeof(secret), "ENGAWA-1 ticket",
				 16, 600000),
		0);
	assert_hex(key, 32,
		"ef1541e318c0c87499014da65dd2353a2dc004bfbc6fec1457664e1770b4e207");
}

/* The nonce form is judged by the Noise vectors; here is what must be refused. */
static void aead_refuses_every_changed_bit(void **state)
{
	(void)state;
	struct primitives_aead *aead;
	uint8_t key[32] = {7}, sealed[5 + 16], opened[5];
	assert_int_equal(primitives_aead_new(&aead), 0);
	assert_int_equal(primitives_aead_key(aead, key), 0);
	assert_int_equal(primitives_aead_seal(aead, 9, "ad", 2, (const uint8_t *)"hello",
				 5, sealed),
		0);
	assert_int_equal(primitives_aead_open(aead, 9, "ad", 2, sealed, sizeof(sealed),
				 opened),
		0);
	assert_memory_equal(opened, "hello", 5);
	for (size_t bit = 0; bit < sizeof(sealed) * 8; bit++) {
		sealed[bit / 8] ^= (uint8_t)(1 << bit % 8);
		memset(opened, 'x', sizeof(opened));
		assert_int_equal(primitives_aead_open(aead, 9, "ad", 2, sealed,
					 sizeof(sealed), opened),
			-REASON_E2E_FAILED);
		assert_memory_equal(opened, "\0\0\0\0\0", 5);
		sealed[bit / 8] ^= (uint8_t)(1 << bit % 8);
	}
	assert_int_not_equal(primitives_aead_open(aead, 10, "ad", 2, sealed,
				     sizeof(sealed), opened),
		0);
	assert_int_not_equal(primitives_aead_open(aead, 9, "ae", 2, sealed,
				     sizeof(sealed), opened),
		0);
	assert_int_not_equal(primitives_aead_open(aead, 9, "ad", 2, sealed, 15, opened),
		0);
	assert_int_equal(primitives_aead_open(aead, 9, "ad", 2, sealed, sizeof(sealed),
				 sealed),
		0);
	assert_memory_equal(sealed, "hello", 5);
	assert_null(primitives_aead_free(aead));
	assert_null(primitives_aead_free(NULL));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(x25519_agrees_with_the_rfc),
		cmocka_unit_test(x25519_refuses_points_of_small_order),
		cmocka_unit_test(ed25519_agrees_with_the_rfc),
		cmocka_unit_test(generated_keys_differ),
		cmocka_unit_test(hashes_agree_with_known_answers),
		cmocka_unit_test(pbkdf2_gives_the_agreed_answer),
		cmocka_unit_test(aead_refuses_every_changed_bit),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
