#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/reason.h"
#include "config/gateway_config.h"
#include "relay/relay.h"

static char path[] = "/tmp/engawa-config-XXXXXX";

static void write_file(const char *text)
{
	FILE *out = fopen(path, "w");
	assert_non_null(out);
	assert_true(fputs(text, out) >= 0);
	assert_int_equal(fclose(out), 0);
}

static int make_file(void **state)
{
	(void)state;
	int fd = mkstemp(path);
	return fd < 0 || close(fd);
}

static int remove_file(void **state)
{
	(void)state;
	return unlink(path);
}

static void the_sample_says_what_counts_without_it(void **state)
{
	(void)state;
	struct gateway_config plain, sample;
	struct conf_error error;
	FILE *out = fopen(path, "w");
	assert_non_null(out);
	conf_sample(gateway_config_table(), out);
	assert_int_equal(fclose(out), 0);
	assert_int_equal(gateway_config_load(&plain, NULL, &error), 0);
	assert_int_equal(gateway_config_load(&sample, path, &error), 0);
	assert_int_equal(gateway_config_adopt(&sample, &plain), 0);
	for (size_t i = 0; i < gateway_config_table()->count; i++) {
		const struct conf_entry *entry = &gateway_config_table()->entries[i];
		char a[GATEWAY_CONFIG_TEXT], b[GATEWAY_CONFIG_TEXT];
		gateway_config_text(&plain, entry, a);
		gateway_config_text(&sample, entry, b);
		assert_string_equal(a, b);
		/* What is printed can be read again. */
		assert_int_equal(conf_set(gateway_config_table(), &sample, entry->name, a,
					 &error) &&
					 strcmp(entry->name, "address"),
			0);
	}
	gateway_config_done(&plain);
	gateway_config_done(&sample);
}

/* The relay's own defaults and ours are two lists; they must not drift apart. */
static void the_relay_gets_its_own_defaults(void **state)
{
	(void)state;
	struct relay_settings settings;
	struct gateway_config config;
	struct conf_error error;
	relay_settings_default(&settings);
	assert_int_equal(gateway_config_load(&config, NULL, &error), 0);
#define SAME(name, fallback, least, most, help)                                          \
	assert_int_equal(config.name, settings.name);
	RELAY_SETTINGS(SAME)
#undef SAME
	gateway_config_done(&config);
}

static void mistakes_are_placed(void **state)
{
	(void)state;
	struct gateway_config config;
	struct conf_error error;
	write_file("[log]\nlevel = info\n\n[relay]\n  workers = many\n");
	assert_int_equal(gateway_config_load(&config, path, &error), -REASON_CONFIG);
	assert_int_equal(error.line, 5);
	assert_int_equal(error.column, 13);
	static const char *const wrong[] = {"[log]\nlevel = loud\n",
		"[log]\nformat = xml\n", "[relay]\nclaim_renew = 14s\n",
		"[relay]\npresence_ttl = 20s\n", "[listen]\npublic = nowhere:port\n",
		"[web]\norigins = https://a.example/page\n",
		"[web]\norigins = https://a.example, http://b.example\n",
		"[web]\norigins = null\n", "[web]\nnodes = a.example;x\n",
		"[web]\nnodes = *:443\n", "[web]\nnodes = https://a.example\n",
		"[journal]\nretention = 10d\n", "[none]\na = b\n"};
	for (size_t i = 0; i < ARRAY_LEN(wrong); i++) {
		write_file(wrong[i]);
		assert_int_equal(gateway_config_load(&config, path, &error),
			-REASON_CONFIG);
		assert_true(*error.message);
	}
}

static void sites_are_taken(void **state)
{
	(void)state;
	struct gateway_config config;
	struct conf_error error;
	write_file("[web]\norigins = https://a.example, https://[2001:db8::1]:8443\n"
		   "nodes = gw1.example.jp:443, gw2.example.jp, *.gw.example.jp:7443\n");
	assert_int_equal(gateway_config_load(&config, path, &error), 0);
	gateway_config_done(&config);
}

static void only_live_entries_change_while_it_runs(void **state)
{
	(void)state;
	struct gateway_config running, fresh;
	struct conf_error error;
	assert_int_equal(gateway_config_load(&running, NULL, &error), 0);
	write_file("[relay]\nworkers = 3\ngrace = 90s\n[log]\nlevel = debug\nformat = "
		   "json\n");
	assert_int_equal(gateway_config_load(&fresh, path, &error), 0);
	assert_int_equal(gateway_config_adopt(&running, &fresh),
		2); /* workers and format wait */
	assert_int_equal(running.grace_ms, 90000);
	assert_string_equal(running.log_level, "debug");
	assert_int_equal(gateway_config_log_level(&running), LOG_DEBUG);
	assert_int_equal(running.workers, 0);
	assert_string_equal(running.log_format, "text");
	gateway_config_done(&running);
	gateway_config_done(&fresh);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_sample_says_what_counts_without_it),
		cmocka_unit_test(the_relay_gets_its_own_defaults),
		cmocka_unit_test(mistakes_are_placed),
		cmocka_unit_test(sites_are_taken),
		cmocka_unit_test(only_live_entries_change_while_it_runs),
	};
	return cmocka_run_group_tests(tests, make_file, remove_file);
}
