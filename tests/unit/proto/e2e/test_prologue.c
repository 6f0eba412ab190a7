#include <string.h>

#include "base/reason.h"
#include "cmocka_all.h"
#include "e2e/prologue.h"

static struct prologue session(void)
{
	struct prologue prologue = {
		PROLOGUE_SESSION, PROLOGUE_PSK_PAIR, 1, 2, 3, 4, {0}, {0}, 0};
	memset(prologue.license_id, 'L', PROLOGUE_ID);
	memset(prologue.session_id, 'S', PROLOGUE_ID);
	return prologue;
}

static void every_byte_has_its_place(void **state)
{
	(void)state;
	struct prologue prologue = session();
	uint8_t bytes[PROLOGUE_SIZE];
	assert_int_equal(prologue_build(&prologue, bytes), 0);
	assert_memory_equal(bytes,
		"ENGAWA-1\1\1\2\0\1\2\3\4LLLLLLLLLLLLLLLLSSSSSSSSSSSSSSSS"
		"\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0",
		PROLOGUE_SIZE);
	prologue.purpose = PROLOGUE_PAIRING;
	prologue.psk = PROLOGUE_PSK_TICKET;
	prologue.ticket_id = 0xabcde;
	assert_int_equal(prologue_build(&prologue, bytes), 0);
	assert_memory_equal(bytes + 8, "\1\2\1\0", 4);
	assert_memory_equal(bytes + 48, "\0\x0a\xbc\xde", 4);
}

static void only_two_combinations_exist(void **state)
{
	(void)state;
	int built = 0;
	for (int purpose = 0; purpose < 4; purpose++) {
		for (int psk = 0; psk < 4; psk++) {
			for (uint32_t ticket = 0; ticket < 2; ticket++) {
				struct prologue prologue = session();
				uint8_t bytes[PROLOGUE_SIZE] = {99};
				prologue.purpose = (enum prologue_purpose)purpose;
				prologue.psk = (enum prologue_psk)psk;
				prologue.ticket_id = ticket;
				int result = prologue_build(&prologue, bytes);
				built += result == 0;
				if (result < 0)
					assert_int_equal(bytes[0], 99);
			}
		}
	}
	assert_int_equal(built, 2);
}

static void the_highest_common_version_is_taken(void **state)
{
	(void)state;
	static const struct {
		uint8_t viewer_min, viewer_max, host_min, host_max;
		int result, version;
	} rows[] = {
		{1, 1, 1, 1, 0, 1},
		{1, 3, 2, 5, 0, 3},
		{2, 5, 1, 3, 0, 3},
		{1, 1, 2, 3, -REASON_VERSION, 0},
		{4, 5, 1, 3, -REASON_VERSION, 0},
	};
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct prologue prologue = session();
		uint8_t version = 0, bytes[PROLOGUE_SIZE];
		prologue.viewer_min = rows[i].viewer_min;
		prologue.viewer_max = rows[i].viewer_max;
		prologue.host_min = rows[i].host_min;
		prologue.host_max = rows[i].host_max;
		assert_int_equal(prologue_version(&prologue, &version), rows[i].result);
		assert_int_equal(version, rows[i].version);
		assert_int_equal(prologue_build(&prologue, bytes), 0);
		prologue.host_min = (uint8_t)(prologue.host_max + 1);
		assert_int_equal(prologue_build(&prologue, bytes), -REASON_E2E_FAILED);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_byte_has_its_place),
		cmocka_unit_test(only_two_combinations_exist),
		cmocka_unit_test(the_highest_common_version_is_taken),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
