#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "base/reason.h"
#include "rules/password.h"

static void test_a_record_fits_its_password(void **state)
{
	(void)state;
	char record[PASSWORD_RECORD], again[PASSWORD_RECORD];
	assert_int_equal(password_hash("縁側", record), 0);
	assert_int_equal(password_hash("縁側", again), 0);
	assert_string_not_equal(record, again);
	assert_int_equal(strncmp(record, "scrypt$15$8$3$", 14), 0);
	assert_int_equal(password_check(record, "縁側"), 0);
	assert_int_equal(password_check(record, "縁"), -REASON_PASSWORD_WRONG);
	assert_int_equal(password_check(record, ""), -REASON_PASSWORD_WRONG);
	password_spend("x");
}

static void test_a_public_vector(void **state)
{
	(void)state;
	/* RFC 7914 section 12, "pleaseletmein" has N = 16384, r = 8, p = 1 and the salt
	 * "SodiumChloride", which is shorter than ours; so this record was made by another
	 * implementation (Python's hashlib.scrypt) with our sizes. */
	const char *record = "scrypt$14$8$1$AAECAwQFBgcICQoLDA0ODw$"
			     "UxYE_nON8zrmLNK5lL_j9XPtKMDZ5VR_h1tkExic5Zo";
	assert_int_equal(password_check(record, "pleaseletmein"), 0);
	assert_int_equal(password_check(record, "pleaseletmeout"),
		-REASON_PASSWORD_WRONG);
}

static void test_generated_ones_have_a_record_of_their_own(void **state)
{
	(void)state;
	char made[PASSWORD_GENERATED], record[PASSWORD_RECORD], again[PASSWORD_RECORD];
	assert_int_equal(password_generate(made), 0);
	assert_int_equal(password_hash_generated(made, record), 0);
	assert_int_equal(password_hash_generated(made, again), 0);
	assert_string_not_equal(record, again);
	assert_int_equal(strncmp(record, "gen$", 4), 0);
	assert_int_equal(password_record_check(record), 0);
	assert_int_equal(password_check(record, made), 0);
	made[0] = made[0] == '0' ? '1' : '0';
	assert_int_equal(password_check(record, made), -REASON_PASSWORD_WRONG);
	assert_int_equal(password_check(record, ""), -REASON_PASSWORD_WRONG);
	/* Made by another implementation (Python's hashlib.sha256). */
	assert_int_equal(password_check("gen$AAECAwQFBgcICQoLDA0ODw$"
					"PfMucSPLtXLjZeiOobkH3DwPayBuXs3EtG5OxbHbBSc",
				 "k7qm-2xw9-4hdt-c0vr"),
		0);
	char longest[PASSWORD_MAX + 2] = "";
	memset(longest, 'x', sizeof(longest) - 1);
	assert_int_equal(password_check(record, longest), -REASON_PASSWORD_WRONG);
}

static void test_other_records_are_refused(void **state)
{
	(void)state;
	static const char *const wrong[] = {"", "secret", "scrypt$", "gen$",
		"gen$AAECAwQFBgcICQoLDA0ODw$AAAA",
		"gen$AAAA$AAECAwQFBgcICQoLDA0ODwABAgMEBQYHCAkKCwwNDg8",
		"scrypt$15$8$3$AAAA$AAAA",
		"scrypt$30$8$3$AAECAwQFBgcICQoLDA0ODw$"
		"AAECAwQFBgcICQoLDA0ODwABAgMEBQYHCAkKCwwNDg8",
		"scrypt$15$8$99$AAECAwQFBgcICQoLDA0ODw$"
		"AAECAwQFBgcICQoLDA0ODwABAgMEBQYHCAkKCwwNDg8",
		"scrypt$15$-8$3$AAECAwQFBgcICQoLDA0ODw$"
		"AAECAwQFBgcICQoLDA0ODwABAgMEBQYHCAkKCwwNDg8",
		"scrypt$15$8$3$AAECAwQFBgcICQoLDA0ODw$"
		"AAECAwQFBgcICQoLDA0ODwABAgMEBQYHCAkKCwwNDg8!",
		"bcrypt$15$8$3$AAECAwQFBgcICQoLDA0ODw$"
		"AAECAwQFBgcICQoLDA0ODwABAgMEBQYHCAkKCwwNDg8"};
	for (size_t i = 0; i < ARRAY_LEN(wrong); i++) {
		assert_int_equal(password_record_check(wrong[i]), -REASON_STATE_DAMAGED);
		assert_int_equal(password_check(wrong[i], "x"), -REASON_STATE_DAMAGED);
	}
}

static void test_made_ones_are_readable_and_differ(void **state)
{
	(void)state;
	char last[PASSWORD_GENERATED] = "", text[PASSWORD_GENERATED];
	for (int i = 0; i < 200; i++) {
		assert_int_equal(password_generate(text), 0);
		assert_int_equal(strlen(text), 19);
		assert_int_equal(strspn(text, "0123456789abcdefghjkmnpqrstvwxyz-"), 19);
		assert_true(text[4] == '-' && text[9] == '-' && text[14] == '-');
		assert_string_not_equal(text, last);
		memcpy(last, text, sizeof(text));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_a_record_fits_its_password),
		cmocka_unit_test(test_a_public_vector),
		cmocka_unit_test(test_generated_ones_have_a_record_of_their_own),
		cmocka_unit_test(test_other_records_are_refused),
		cmocka_unit_test(test_made_ones_are_readable_and_differ),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
