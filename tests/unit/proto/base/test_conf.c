#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/conf.h"
#include "base/reason.h"

struct program {
	char *listen, *store;
	int proxy;
	int64_t workers, queue, grace_ms, admin_grace_ms;
};

#define AT(field) offsetof(struct program, field)

static const struct conf_entry entries[] = {
	{"net", "listen", CONF_STRING, AT(listen), ":7443", 0, 0, false,
		"where ends connect"},
	{"net", "proxy", CONF_BOOL, AT(proxy), "no", 0, 0, false, "PROXY v2 before TLS"},
	{"net", "workers", CONF_INT, AT(workers), "4", 1, 64, false, "threads"},
	{"relay", "queue", CONF_SIZE, AT(queue), "256K", 4096, 1 << 24, true,
		"bytes per leg"},
	{"relay", "grace", CONF_MS, AT(grace_ms), "60s", 0, 3600000, true,
		"for lost ends"},
	{"admin", "grace", CONF_MS, AT(admin_grace_ms), "0", 0, 1000, true,
		"for requests"},
	{"store", "url", CONF_STRING, AT(store), NULL, 0, 0, false,
		"where state is kept"},
};
static const struct conf_table table = {entries, ARRAY_LEN(entries)};

static struct program program;
static struct conf_error error;

static int start(void **state)
{
	(void)state;
	memset(&program, 0, sizeof(program));
	return conf_defaults(&table, &program);
}

static int end(void **state)
{
	(void)state;
	conf_done(&table, &program);
	assert_null(program.listen);
	return 0;
}

static int read_bytes(const void *bytes, size_t len)
{
	char path[] = "/tmp/engawa-test-conf-XXXXXX";
	int fd = mkstemp(path);
	assert_true(fd >= 0);
	assert_int_equal(write(fd, bytes, len), len);
	close(fd);
	int r = conf_read(&table, &program, path, &error);
	assert_string_equal(error.file, path);
	unlink(path);
	return r;
}

static int read_text(const char *text)
{
	return read_bytes(text, strlen(text));
}

static void assert_defaults(void)
{
	assert_string_equal(program.listen, ":7443");
	assert_null(program.store);
	assert_int_equal(program.proxy, 0);
	assert_true(program.workers == 4 && program.queue == 262144);
	assert_true(program.grace_ms == 60000 && program.admin_grace_ms == 0);
}

static void defaults_come_from_the_table(void **state)
{
	(void)state;
	assert_defaults();
}

static void whole_file_is_read(void **state)
{
	(void)state;
	assert_int_equal(read_text("\xEF\xBB\xBF; comment\n# comment\n\n[net]\r\n"
				   "listen = 0.0.0.0:443 ; behind a blank\r\n"
				   "  proxy:yes\n\tworkers=64\n"
				   "[relay]\nqueue = 1M\ngrace = 5m\n"
				   "[store]\nurl = redis://h/?a=b;c#縁側"),
		0);
	assert_string_equal(program.listen, "0.0.0.0:443");
	assert_int_equal(program.proxy, 1);
	assert_true(program.workers == 64 && program.queue == 1 << 20);
	assert_true(program.grace_ms == 300000);
	assert_string_equal(program.store, "redis://h/?a=b;c#縁側");
	assert_int_equal(read_text(""), 0);
	assert_int_equal(read_text("[net]\nlisten =\n"), 0);
	assert_string_equal(program.listen, "");
	assert_true(program.workers == 64);
}

static void errors_have_a_place_and_change_nothing(void **state)
{
	(void)state;
	static const struct {
		const char *text;
		int line, column;
		const char *says;
	} cases[] = {
		{"[net]\nlisten = a\nport = 1\n", 3, 1,
			"there is no setting \"port\" in [net]"},
		{"[net]\nlisten = a\n\n  port = 1\n", 4, 3, "\"port\""},
		{"[net]\nlisten = a\n[nat]\n", 3, 2, "there is no section \"nat\""},
		{"[net]\nlisten = a\n [縁 側]\n", 3, 3, "\"縁 側\""},
		{"[net]\nlisten = a\n[relay\nqueue = 1M\n", 3, 7, "expected \"]\""},
		{"listen = a\n", 1, 1, "before the first [section]"},
		{"[net]\nlisten = a\nworkers = 0\n", 3, 11,
			"a whole number from 1 to 64, not \"0\""},
		{"[net]\nlisten = a\nworkers =\t 65\n", 3, 12, "net.workers"},
		{"[net]\nlisten = a\nworkers = 4K\n", 3, 11, "not \"4K\""},
		{"[net]\nlisten = a\nworkers =\n", 3, 10, "not \"\""},
		{"[net]\nlisten = a\nproxy = maybe\n", 3, 9, "yes or no, not \"maybe\""},
		{"[relay]\nqueue = 1\n", 2, 9, "from 4K to 16M, not \"1\""},
		{"[relay]\nqueue = 64k\n", 2, 9, "a size like"},
		{"[relay]\ngrace = 60\n", 2, 9, "a time like"},
		{"[relay]\ngrace = 2h\n", 2, 9, "from 0ms to 1h, not \"2h\""},
		{"[relay]\ngrace = 99999999999999d\n", 2, 9, "a time like"},
		{"[relay]\ngrace = 9999999999999999999999s\n", 2, 9, "a time like"},
		{"[net]\nlisten = a\nworkers\n", 3, 1, "name = value"},
		{"[net]\nlisten = a\nworkers ; = 3\n", 3, 1, "name = value"},
		{"[net]\nlisten = a\n = 3\n", 3, 2, "name = value"},
		{"[net]\nlisten = a\nlisten = b\n", 3, 1, "already set in line 2"},
		{"[net]\nlisten = a\nproxy = \xFF\n", 3, 9, "not UTF-8"},
		{"[net]\nlisten = 縁\xE5\n", 2, 11, "not UTF-8"},
		{"\xEF\xBB\xBFx", 1, 1, "name = value"},
	};
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		assert_int_equal(read_text(cases[i].text), -REASON_CONFIG);
		assert_int_equal(error.line, cases[i].line);
		assert_int_equal(error.column, cases[i].column);
		if (!strstr(error.message, cases[i].says))
			assert_string_equal(error.message, cases[i].says);
		assert_defaults();
	}
}

static void nul_bytes_are_found(void **state)
{
	(void)state;
	static const char text[] = "[net]\nlisten = a\0b\nworkers = 9\n";
	assert_int_equal(read_bytes(text, sizeof(text) - 1), -REASON_CONFIG);
	assert_int_equal(error.line, 2);
	assert_int_equal(error.column, 11);
	assert_defaults();
}

static void line_length_has_an_end(void **state)
{
	(void)state;
	char text[5000];
	int len = snprintf(text, sizeof(text), "[net]\nlisten = ");
	memset(text + len, 'x', 4096 - 9);
	strcpy(text + len + 4096 - 9, "\n");
	assert_int_equal(read_text(text), 0);
	assert_int_equal(strlen(program.listen), 4096 - 9);
	strcpy(text + len + 4096 - 9, "x\n");
	assert_int_equal(read_text(text), -REASON_CONFIG);
	assert_int_equal(error.line, 2);
	assert_int_equal(error.column, 4097);
	assert_non_null(strstr(error.message, "4096"));
}

static void missing_files_are_named(void **state)
{
	(void)state;
	assert_int_equal(conf_read(&table, &program, "/nonexistent/x.conf", &error),
		-REASON_CONFIG);
	assert_string_equal(error.file, "/nonexistent/x.conf");
	assert_int_equal(error.line, 0);
	assert_non_null(strstr(error.message, "No such file"));
	assert_int_equal(conf_read(&table, &program, "/tmp", &error), -REASON_CONFIG);
	assert_non_null(strstr(error.message, "cannot be read"));
	assert_int_equal(conf_read(&table, &program, "/dev/zero", &error),
		-REASON_CONFIG);
	assert_non_null(strstr(error.message, "larger"));
	assert_defaults();
}

static void set_by_name(void **state)
{
	(void)state;
	assert_int_equal(conf_set(&table, &program, "workers", "7", &error), 0);
	assert_true(program.workers == 7);
	assert_int_equal(conf_set(&table, &program, "admin.grace", "250ms", &error), 0);
	assert_true(program.admin_grace_ms == 250 && program.grace_ms == 60000);
	assert_int_equal(conf_set(&table, &program, "grace", "1s", &error),
		-REASON_CONFIG);
	assert_non_null(strstr(error.message, "relay.grace or admin.grace"));
	assert_int_equal(conf_set(&table, &program, "nothing", "1", &error),
		-REASON_CONFIG);
	assert_int_equal(conf_set(&table, &program, "net.queue", "64K", &error),
		-REASON_CONFIG);
	assert_int_equal(conf_set(&table, &program, "workers", "65", &error),
		-REASON_CONFIG);
	assert_true(program.workers == 7);
	assert_int_equal(error.line, 0);
	assert_string_equal(error.file, "");
	assert_int_equal(conf_set(&table, &program, "url", "redis://a", &error), 0);
	assert_int_equal(conf_set(&table, &program, "store.url", "redis://b", &error), 0);
	assert_string_equal(program.store, "redis://b");
	assert_int_equal(conf_set(&table, &program, "workers", "0", NULL),
		-REASON_CONFIG);
}

static void every_unit(void **state)
{
	(void)state;
	static const struct {
		const char *name, *value;
		int64_t number;
	} cases[] = {{"queue", "4096", 4096}, {"queue", "64K", 65536},
		{"queue", "2M", 2 << 20}, {"relay.grace", "250ms", 250},
		{"relay.grace", "15s", 15000}, {"relay.grace", "5m", 300000},
		{"relay.grace", "1h", 3600000}, {"relay.grace", "0", 0}};
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		assert_int_equal(conf_set(&table, &program, cases[i].name, cases[i].value,
					 &error),
			0);
		int64_t now = cases[i].name[0] == 'q' ? program.queue : program.grace_ms;
		assert_true(now == cases[i].number);
	}
	static const char *const no[] = {"no", "false", "off"}, *const yes[] = {"yes",
									"true", "on"};
	for (size_t i = 0; i < 3; i++) {
		assert_int_equal(conf_set(&table, &program, "proxy", yes[i], &error), 0);
		assert_int_equal(program.proxy, 1);
		assert_int_equal(conf_set(&table, &program, "proxy", no[i], &error), 0);
		assert_int_equal(program.proxy, 0);
	}
}

static void sample_is_a_valid_file(void **state)
{
	(void)state;
	char *text = NULL;
	size_t size;
	FILE *out = open_memstream(&text, &size);
	conf_sample(&table, out);
	fclose(out);
	for (size_t i = 0; i < table.count; i++) {
		assert_non_null(strstr(text, entries[i].name));
		assert_non_null(strstr(text, entries[i].help));
	}
	assert_int_equal(conf_set(&table, &program, "workers", "9", &error), 0);
	assert_int_equal(read_text(text), 0);
	assert_defaults();
	free(text);
}

#define CASE(test) cmocka_unit_test_setup_teardown(test, start, end)

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(defaults_come_from_the_table),
		CASE(whole_file_is_read),
		CASE(errors_have_a_place_and_change_nothing),
		CASE(nul_bytes_are_found),
		CASE(line_length_has_an_end),
		CASE(missing_files_are_named),
		CASE(set_by_name),
		CASE(every_unit),
		CASE(sample_is_a_valid_file),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
