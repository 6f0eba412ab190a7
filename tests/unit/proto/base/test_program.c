/* The command line that all programs share: verbs, flags, and how a reason is told. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/program.h"
#include "base/reason.h"

struct options {
	const char *state, *name;
	int json;
};

static const struct args_option globals[] = {
	{"--state", "DIR", ARGS_TEXT, offsetof(struct options, state), "state"},
	{"--json", NULL, ARGS_FLAG, offsetof(struct options, json), "json"},
	{NULL},
};
static const struct args_option options_of_show[] = {
	{"--name", "NAME", ARGS_TEXT, offsetof(struct options, name), "name"},
	{NULL},
};

static int show(void *ctx, int count, char **words)
{
	const struct options *options = ctx;
	printf("state=%s name=%s words=%d %s\n", options->state ? options->state : "-",
		options->name ? options->name : "-", count, count ? words[0] : "-");
	return 0;
}

static int refuse(void *ctx, int count, char **words)
{
	(void)ctx;
	(void)count;
	(void)words;
	return program_fail(-REASON_HOST_OFFLINE, "(\"%s\")", "a\nb");
}

static int refuse_silently(void *ctx, int count, char **words)
{
	(void)ctx;
	(void)count;
	(void)words;
	return -REASON_LICENSE_IN_USE;
}

static const struct program_verb verbs[] = {
	{"show", "", "shows", options_of_show, 1, show},
	{"peers list", "", "lists", options_of_show, 0, show},
	{"refuse", "", "refuses", globals, 0, refuse},
	{"busy", "", "is busy", NULL, 0, refuse_silently},
	{NULL},
};

/* Runs the program in a child; returns its exit code and what it printed on both. */
static int run(char *output, size_t size, const char **argv)
{
	int pipes[2], argc = 0, status;
	assert_int_equal(pipe(pipes), 0);
	while (argv[argc])
		argc++;
	pid_t child = fork();
	if (child == 0) {
		static struct options options;
		const struct program program = {
			"prog", "does things", verbs, globals, &options, &options.json};
		setenv("LC_ALL", "C", 1);
		dup2(pipes[1], 1);
		dup2(pipes[1], 2);
		int code = program_main(&program, argc, (char **)argv);
		fflush(stdout);
		_exit(code);
	}
	close(pipes[1]);
	size_t len = 0;
	ssize_t got;
	while (len < size - 1 && (got = read(pipes[0], output + len, size - 1 - len)) > 0)
		len += (size_t)got;
	output[len] = 0;
	close(pipes[0]);
	waitpid(child, &status, 0);
	assert_true(WIFEXITED(status));
	return WEXITSTATUS(status);
}

#define RUN(...) run(output, sizeof(output), (const char *[]){"prog", __VA_ARGS__, NULL})

static void verbs_and_options(void **state)
{
	(void)state;
	char output[4096];
	assert_int_equal(RUN("show", "--name", "x", "word"), 0);
	assert_string_equal(output, "state=- name=x words=1 word\n");
	assert_int_equal(RUN("--state", "/tmp/s", "peers", "list", "--name=y"), 0);
	assert_string_equal(output, "state=/tmp/s name=y words=0 -\n");
	assert_int_equal(RUN("show", "--state", "/tmp/s"), 0);
	assert_string_equal(output, "state=/tmp/s name=- words=0 -\n");
}

static void what_is_not_understood(void **state)
{
	(void)state;
	char output[4096];
	assert_int_equal(RUN("no-such-verb"), 64);
	assert_non_null(strstr(output, "no-such-verb"));
	assert_int_equal(RUN("--no-such-flag"), 64);
	assert_int_equal(RUN("show", "--no-such-flag"), 64);
	assert_non_null(strstr(output, "--no-such-flag"));
	assert_int_equal(RUN("show", "one", "two"), 64);
	assert_int_equal(RUN("show", "--name"), 64);
	assert_int_equal(RUN("peers"), 64);
	assert_non_null(strstr(output, "peers has: list."));
	assert_int_equal(RUN("peers", "forget"), 64);
	assert_non_null(strstr(output, "There is no verb \"peers forget\""));
}

static void help_and_version(void **state)
{
	(void)state;
	char output[4096];
	assert_int_equal(RUN("--help"), 0);
	assert_non_null(strstr(output, "peers list"));
	assert_int_equal(RUN("show", "--help"), 0);
	assert_non_null(strstr(output, "--name NAME"));
	/* Of the verbs of one noun, with or without options before it. */
	assert_int_equal(RUN("--state", "x", "peers", "--help"), 0);
	assert_non_null(strstr(output, "peers list"));
	assert_null(strstr(output, "refuses"));
	assert_int_equal(RUN("--version"), 0);
	assert_memory_equal(output, "prog ", 5);
}

static void reasons_are_told_once_with_a_hint(void **state)
{
	(void)state;
	char output[4096];
	assert_int_equal(RUN("refuse"), 69);
	assert_non_null(strstr(output, "prog: HOST_OFFLINE: "));
	assert_non_null(strstr(output, reason_hint(REASON_HOST_OFFLINE, REASON_EN)));
	assert_null(strstr(strstr(output, "HOST_OFFLINE") + 1, "HOST_OFFLINE"));
	/* A detail cannot add a line of its own. */
	assert_null(strstr(output, "a\nb"));
	assert_int_equal(RUN("busy"), 75);
	assert_non_null(strstr(output, "LICENSE_IN_USE"));
	assert_int_equal(RUN("refuse", "--json"), 69);
	assert_memory_equal(output,
		"{\"error\":{\"code\":\"HOST_OFFLINE\",\"message\":\"", 43);
	assert_non_null(strstr(output, "\\\"a"));
}

/* A script that asked for JSON gets it for every mistake, also when the line was not understood. */
static void mistakes_in_json(void **state)
{
	(void)state;
	static const char *const lines[][4] = {{"no-such-verb", "--json"},
		{"--json", "peers"}, {"--json", "--no-such-flag"},
		{"show", "--no-such-flag", "--json"}, {"show", "--json", "a", "b"},
		{"show", "--json", "--name"}};
	char output[4096];
	for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++) {
		assert_int_equal(RUN(lines[i][0], lines[i][1], lines[i][2], lines[i][3]),
			64);
		assert_ptr_equal(strstr(output, "{\"error\":{\"code\":\"USAGE\","),
			output);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(verbs_and_options),
		cmocka_unit_test(what_is_not_understood),
		cmocka_unit_test(help_and_version),
		cmocka_unit_test(reasons_are_told_once_with_a_hint),
		cmocka_unit_test(mistakes_in_json),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
