#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/license_key.h"
#include "base/reason.h"

static void a_known_key_is_read(void **state)
{
	(void)state;
	struct license_key key;
	char text[LICENSE_KEY_TEXT_SIZE];
	/* 16 characters are 80 bits: 0 1 2 … 15 in five bits each */
	static const uint8_t secret[] = {
		0x00, 0x44, 0x32, 0x14, 0xc7, 0x42, 0x54, 0xb6, 0x35, 0xcf};
	assert_int_equal(license_key_parse("7K3QX-09FA0-12345-6789A-BCDEF", &key), 0);
	assert_string_equal(key.public_id, "7K3QX09FA");
	assert_memory_equal(key.secret, secret, sizeof(secret));
	license_key_print(&key, text);
	assert_string_equal(text, "7K3QX-09FA0-12345-6789A-BCDEF");
}

static void people_type_in_many_ways(void **state)
{
	(void)state;
	static const char *const ways[] = {
		"7k3qx-o9fao-l2345-6789a-bcdef",
		"7K3QX09FA0I23456789ABCDEF",
		" 7K3QX 09FA0 12345 6789A BCDEF\n",
	};
	struct license_key key;
	char text[LICENSE_KEY_TEXT_SIZE];
	for (size_t i = 0; i < ARRAY_LEN(ways); i++) {
		assert_int_equal(license_key_parse(ways[i], &key), 0);
		license_key_print(&key, text);
		assert_string_equal(text, "7K3QX-09FA0-12345-6789A-BCDEF");
	}
	(void)state;
}

static void other_things_are_refused(void **state)
{
	(void)state;
	static const char *const texts[] = {
		"",
		"7K3QX-09FA0-12345-6789A-BCDE",
		"7K3QX-09FA0-12345-6789A-BCDEFG",
		"7K3QX-09FA0-12345-6789A-BCDEU",
		"7K3QX-09FA0-12345-6789A-BCDE\xc3\xa9",
		"7K3QX_09FA0_12345_6789A_BCDEF",
	};
	struct license_key key;
	memset(&key, 'x', sizeof(key));
	for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
		assert_int_equal(license_key_parse(texts[i], &key),
			-REASON_LICENSE_KEY_MALFORMED);
		assert_int_equal(key.secret[0], 'x');
	}
}

static void generated_keys_survive_paper(void **state)
{
	(void)state;
	for (int i = 0; i < 1000; i++) {
		struct license_key key, again;
		char text[LICENSE_KEY_TEXT_SIZE];
		assert_int_equal(license_key_generate(&key), 0);
		license_key_print(&key, text);
		assert_int_equal(strlen(text), LICENSE_KEY_TEXT_SIZE - 1);
		assert_int_equal(license_key_parse(text, &again), 0);
		assert_string_equal(key.public_id, again.public_id);
		assert_memory_equal(key.secret, again.secret, sizeof(key.secret));
	}
}

static void ids_have_one_spelling(void **state)
{
	(void)state;
	char id[LICENSE_KEY_ID_SIZE], public_id[LICENSE_KEY_PUBLIC_SIZE] = "untouched";
	static const char *const refused[] = {"", "lic_", "lic_7k3qx09f",
		"lic_7k3qx09fa0", "lic_7k3qxo9fa", "lic_7k3q-09fa", "LIC_7k3qx09fa",
		"lic_lic_7k3qx09fa"};
	license_key_id("7K3QX09FA", id);
	assert_string_equal(id, "lic_7k3qx09fa");
	for (size_t i = 0; i < ARRAY_LEN(refused); i++)
		assert_int_equal(license_key_id_parse(refused[i], public_id),
			-REASON_LICENSE_KEY_MALFORMED);
	assert_string_equal(public_id, "untouched");
	assert_int_equal(license_key_id_parse(id, public_id), 0);
	assert_string_equal(public_id, "7K3QX09FA");
	assert_int_equal(license_key_id_parse("7K3QX09FA", public_id), 0);
	assert_int_equal(license_key_id_parse("lic_7K3QX09FA", public_id), 0);
	assert_string_equal(public_id, "7K3QX09FA");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_known_key_is_read),
		cmocka_unit_test(people_type_in_many_ways),
		cmocka_unit_test(other_things_are_refused),
		cmocka_unit_test(generated_keys_survive_paper),
		cmocka_unit_test(ids_have_one_spelling),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
