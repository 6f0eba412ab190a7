#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/reason.h"
#include "wire/session_id.h"

static void known_texts(void **state)
{
	(void)state;
	char text[SESSION_ID_TEXT];
	uint8_t id[SESSION_ID] = {0};
	session_id_text(id, text);
	assert_string_equal(text, "ses_00000000000000000000000000");
	memset(id, 0xff, sizeof(id));
	session_id_text(id, text);
	assert_string_equal(text, "ses_zzzzzzzzzzzzzzzzzzzzzzzzzw");
}

static void there_and_back(void **state)
{
	(void)state;
	for (int round = 0; round < 1000; round++) {
		uint8_t id[SESSION_ID], back[SESSION_ID];
		char text[SESSION_ID_TEXT];
		for (size_t i = 0; i < sizeof(id); i++)
			id[i] = (uint8_t)rand();
		session_id_text(id, text);
		assert_int_equal(session_id_parse(text, back), 0);
		assert_memory_equal(id, back, sizeof(id));
	}
}

static void refuses(void **state)
{
	(void)state;
	static const char *const bad[] = {"", "ses_", "lic_00000000000000000000000000",
		"ses_0000000000000000000000000", "ses_000000000000000000000000000",
		"ses_0000000000000000000000000u", "ses_00000000000000000000000001"};
	uint8_t id[SESSION_ID] = {7};
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_int_equal(session_id_parse(bad[i], id), -REASON_BAD_VALUE);
	assert_int_equal(id[0], 7);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(known_texts),
		cmocka_unit_test(there_and_back),
		cmocka_unit_test(refuses),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
