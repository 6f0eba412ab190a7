#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "base/reason.h"
#include "base/secret.h"

static void random_fills_everything(void **state)
{
	(void)state;
	static uint8_t a[100000], b[100000];
	assert_int_equal(secret_random(a, sizeof(a)), 0);
	assert_int_equal(secret_random(b, sizeof(b)), 0);
	assert_memory_not_equal(a, b, sizeof(a));
	/* 100000 bytes: each value about 390 times; a gap of zeros would stand out. */
	for (size_t i = 0; i + 16 <= sizeof(a); i += 16)
		assert_memory_not_equal(a + i, b + i, 16);
	size_t zeros = 0;
	for (size_t i = 0; i < sizeof(a); i++)
		zeros += a[i] == 0;
	assert_in_range(zeros, 200, 600);
	assert_int_equal(secret_random(a, 0), 0);
}

static void wipe_and_equal(void **state)
{
	(void)state;
	uint8_t a[33], b[33], zero[33] = {0};
	memset(a, 1, sizeof(a));
	memset(b, 1, sizeof(b));
	assert_true(secret_equal(a, b, sizeof(a)));
	for (size_t i = 0; i < sizeof(a); i++)
		for (int bit = 0; bit < 8; bit++) {
			b[i] ^= (uint8_t)(1 << bit);
			assert_false(secret_equal(a, b, sizeof(a)));
			b[i] ^= (uint8_t)(1 << bit);
		}
	assert_true(secret_equal(a, b, 0));
	secret_wipe(a, sizeof(a));
	assert_memory_equal(a, zero, sizeof(a));
	secret_wipe(NULL, 0);
}

/* "dd" among the VmFlags of the mapping: it is left out of core files. */
static int is_undumpable(const void *address)
{
	FILE *maps = fopen("/proc/self/smaps", "r");
	char line[512];
	unsigned long from, to;
	int inside = 0, found = 0;
	while (maps && fgets(line, sizeof(line), maps)) {
		if (sscanf(line, "%lx-%lx ", &from, &to) == 2)
			inside = from <= (uintptr_t)address && (uintptr_t)address < to;
		if (inside && !strncmp(line, "VmFlags:", 8))
			found = strstr(line, " dd") != NULL;
	}
	if (maps)
		fclose(maps);
	return found;
}

static void pages_stay_out_of_core_files(void **state)
{
	(void)state;
	uint8_t zero[5000] = {0}, *bytes = secret_alloc(sizeof(zero));
	assert_non_null(bytes);
	assert_memory_equal(bytes, zero, sizeof(zero));
	memset(bytes, 9, sizeof(zero));
	assert_true(is_undumpable(bytes));
	assert_false(is_undumpable(zero));
	assert_null(secret_free(bytes, sizeof(zero)));
	assert_null(secret_free(NULL, 0));
	assert_null(secret_alloc(0));
	assert_null(secret_alloc(SIZE_MAX));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(random_fills_everything),
		cmocka_unit_test(wipe_and_equal),
		cmocka_unit_test(pages_stay_out_of_core_files),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
