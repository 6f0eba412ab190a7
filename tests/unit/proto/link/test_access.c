/* Addresses as people type them, and what is stored of them. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/reason.h"
#include "link/access.h"

static void lists_of_gateways(void **state)
{
	(void)state;
	struct access access = {0};
	assert_int_equal(access_gateways(&access,
				 "gw.example.jp,[2001:db8::1]:443,192.0.2.1:9"),
		0);
	assert_int_equal(access.gateway_count, 3);
	assert_string_equal(access.gateways[0].host, "gw.example.jp");
	assert_int_equal(access.gateways[0].port, ACCESS_PORT);
	assert_string_equal(access.gateways[1].host, "2001:db8::1");
	assert_int_equal(access.gateways[1].port, 443);
	assert_int_equal(access.gateways[2].port, 9);
	static const char *const bad[] = {
		"", ",", "a:1,", ",a:1", "a:1,,b:2", "a:70000", "a:x", ":7443"};
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		if (access_gateways(&access, bad[i]) >= 0)
			fail_msg("«%s» was taken", bad[i]);
	assert_int_equal(access.gateway_count, 3);
	assert_int_equal(access_gateways(&access, "a:1,a:2,a:3,a:4,a:5,a:6,a:7,a:8,a:9"),
		-REASON_LIMIT);
}

static void json_there_and_back(void **state)
{
	(void)state;
	struct access access = {.own_ca = 1}, back = {0};
	assert_int_equal(license_key_generate(&access.key), 0);
	assert_int_equal(access_gateways(&access, "gw.example.jp,[2001:db8::1]:443"), 0);
	json_t *object = access_pack(&access);
	assert_int_equal(access_parse(object, &back), 0);
	assert_int_equal(back.gateway_count, 2);
	assert_string_equal(back.gateways[1].host, "2001:db8::1");
	assert_memory_equal(&back.key, &access.key, sizeof(back.key));
	assert_int_equal(back.own_ca, 1);
	static const char *const members[] = {"gateways", "license_key", "own_ca"};
	for (size_t i = 0; i < 3; i++) {
		json_t *lacking = json_copy(object);
		json_object_del(lacking, members[i]);
		assert_int_equal(access_parse(lacking, &back), -REASON_STATE_DAMAGED);
		json_decref(lacking);
	}
	json_decref(object);
}

static void write_text(const char *path, const char *text)
{
	FILE *file = fopen(path, "w");
	assert_non_null(file);
	fputs(text, file);
	fclose(file);
}

static void ca_is_copied_whole_or_not_at_all(void **state)
{
	(void)state;
	char dir[] = "/tmp/access-test-XXXXXX", from[64], to[64];
	struct stat info;
	assert_non_null(mkdtemp(dir));
	snprintf(from, sizeof(from), "%s/from.pem", dir);
	snprintf(to, sizeof(to), "%s/to.pem", dir);
	assert_int_equal(access_keep_ca(from, to), -REASON_FILE_UNREADABLE);
	write_text(from, "no certificate in here\n");
	assert_int_equal(access_keep_ca(from, to), -REASON_BAD_VALUE);
	assert_int_equal(stat(to, &info), -1);
	write_text(from,
		"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n");
	assert_int_equal(access_keep_ca(from, to), 0);
	assert_int_equal(stat(to, &info), 0);
	assert_int_equal(info.st_mode & 0777, 0600);
	write_text(from, "broken now\n");
	assert_int_equal(access_keep_ca(from, to), -REASON_BAD_VALUE);
	assert_int_equal(stat(to, &info), 0);
	assert_true(info.st_size > 40);
	unlink(from);
	unlink(to);
	rmdir(dir);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(lists_of_gateways),
		cmocka_unit_test(json_there_and_back),
		cmocka_unit_test(ca_is_copied_whole_or_not_at_all),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
