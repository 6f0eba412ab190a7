#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <pthread.h>
#include <string.h>

#include "admin/common_password.h"
#include "base/reason.h"
#include "rules/password.h"

static const struct {
	const char *password;
	int good;
} rows[] = {
	{"Verandah-4-Tanuki", 1},
	{"correct horse battery 1", 1},
	{"k7qm-2xw9-4hdt-c0vr", 1},
	{"縁側で猫がねむる7", 1},
	{"縁側でお茶を飲む Veranda 2026", 1},
	{"password", 0},
	{"drowssap", 0},
	{"Password1234", 0},
	{"P@ssw0rd2026!", 0},
	{"(Welcome12345)", 0},
	{"Summer2026!!", 0},
	{"1l0vey0u2026", 0},
	{"Qwertyuiop123!", 0},
	{"aaaaaaaaaaaa", 0},
	{"123456789012", 0},
	{"Tokyo1234567!", 0},
	{"", 0},
};

static void what_everybody_tries_is_refused(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct field_error error = {0};
		int status = common_password_check("sato", rows[i].password, &error);
		if (status != (rows[i].good ? 0 : -REASON_BAD_VALUE))
			fail_msg("%s: %s", rows[i].password, reason_symbol(status));
		assert_int_equal(*error.message != 0, !rows[i].good);
	}
}

static void the_longest_does_no_harm(void **state)
{
	(void)state;
	struct field_error error;
	char password[PASSWORD_MAX + 1];
	memset(password, 'a', PASSWORD_MAX);
	password[PASSWORD_MAX] = '\0';
	assert_int_equal(common_password_check("sato", password, &error),
		-REASON_BAD_VALUE);
}

static void *check_all(void *arg)
{
	int *wrong = arg;
	for (int round = 0; round < 20; round++)
		for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
			struct field_error error;
			*wrong += (common_password_check("sato", rows[i].password,
					   &error) == 0) != rows[i].good;
		}
	return NULL;
}

/* The library is not made for it. */
static void many_threads_ask_at_once(void **state)
{
	(void)state;
	pthread_t threads[4];
	int wrong[4] = {0};
	for (size_t i = 0; i < ARRAY_LEN(threads); i++)
		assert_int_equal(pthread_create(&threads[i], NULL, check_all, &wrong[i]),
			0);
	for (size_t i = 0; i < ARRAY_LEN(threads); i++) {
		pthread_join(threads[i], NULL);
		assert_int_equal(wrong[i], 0);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_everybody_tries_is_refused),
		cmocka_unit_test(the_longest_does_no_harm),
		cmocka_unit_test(many_threads_ask_at_once),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
