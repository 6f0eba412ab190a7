#include <string.h>

#include "base/text.h"
#include "cmocka_all.h"
#include "e2e/license_id.h"

/* printf 'ENGAWA license7K3QX09FA' | sha256sum */
static void it_is_half_a_hash(void **state)
{
	(void)state;
	uint8_t id[LICENSE_ID_SIZE], expected[LICENSE_ID_SIZE];
	assert_int_equal(license_id_hash("7K3QX09FA", id), 0);
	assert_int_equal(text_unhex(expected, sizeof(expected),
				 "852e4d755b1a4d186a530b4c742174be"),
		0);
	assert_memory_equal(id, expected, sizeof(id));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(it_is_half_a_hash),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
