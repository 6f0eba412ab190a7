#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/args.h"
#include "base/reason.h"

struct wanted {
	int json;
	const char *data;
	struct args_many names;
	long after;
};

static const struct args_option options[] = {
	{"--json", NULL, ARGS_FLAG, offsetof(struct wanted, json), "print JSON"},
	{"--data", "DIR", ARGS_TEXT, offsetof(struct wanted, data),
		"where state is kept"},
	{"--name", "NAME", ARGS_MANY, offsetof(struct wanted, names),
		"a name, may be repeated"},
	{"--after", "SECONDS", ARGS_LONG, offsetof(struct wanted, after),
		"how long to wait"},
	{NULL},
};

static struct wanted wanted;
static char error[ARGS_ERROR];
static char *words[20];
static int left;

/* Splits `line` at blanks into argv; "program" stands before it. */
static int parse(const char *line, int most)
{
	static char copy[300];
	char *save = NULL;
	int argc = 1;
	snprintf(copy, sizeof(copy), "%s", line);
	memset(words, 0, sizeof(words));
	words[0] = copy + sizeof(copy) - 1;
	for (char *word = strtok_r(copy, " ", &save); word;
		word = strtok_r(NULL, " ", &save))
		words[argc++] = word;
	memset(&wanted, 0, sizeof(wanted));
	memset(error, 0, sizeof(error));
	left = -1;
	return args_parse(options, &wanted, argc, words, most, &left, error);
}

static void both_spellings(void **state)
{
	(void)state;
	assert_int_equal(parse("--data /a --after=-5 --json --json --name x --name=y=z",
				 0),
		0);
	assert_int_equal(left, 0);
	assert_string_equal(wanted.data, "/a");
	assert_true(wanted.after == -5);
	assert_int_equal(wanted.json, 2);
	assert_int_equal(wanted.names.count, 2);
	assert_string_equal(wanted.names.items[0], "x");
	assert_string_equal(wanted.names.items[1], "y=z");
	assert_int_equal(parse("--data=", 0), 0);
	assert_string_equal(wanted.data, "");
	assert_int_equal(parse("--data --", 0), -REASON_USAGE);
	assert_int_equal(parse("--data - --data=--json", 0), 0);
	assert_string_equal(wanted.data, "--json");
	assert_int_equal(wanted.json, 0);
}

static void words_are_left_in_order(void **state)
{
	(void)state;
	assert_int_equal(parse("license --json create - -- --data -x", 5), 0);
	assert_int_equal(left, 5);
	assert_string_equal(words[0], "license");
	assert_string_equal(words[1], "create");
	assert_string_equal(words[2], "-");
	assert_string_equal(words[3], "--data");
	assert_string_equal(words[4], "-x");
	assert_int_equal(wanted.json, 1);
	assert_int_equal(parse("", 0), 0);
	assert_int_equal(left, 0);
	assert_int_equal(parse("-- --", 1), 0);
	assert_string_equal(words[0], "--");
}

static void errors_change_nothing(void **state)
{
	(void)state;
	static const struct {
		const char *line;
		int most;
		const char *says;
	} cases[] = {
		{"--json a b", 1, "b: is one word too many"},
		{"--json --dat x", 1, "--dat: there is no such option"},
		{"--json -x", 1, "-x: there is no such option"},
		{"--json --datadir x", 1, "--datadir: there is no such option"},
		{"--json --json=yes", 1, "--json: takes no value"},
		{"--json --data", 1, "--data: needs a value: DIR"},
		{"--json --data --after 5", 1, "--data: needs a value: DIR"},
		{"--json --after 5s", 1, "--after: needs a whole number: SECONDS"},
		{"--json --after=", 1, "--after: needs a whole number: SECONDS"},
		{"--json --after=+5", 1, "--after: needs a whole number: SECONDS"},
		{"--json --after=99999999999999999999", 1,
			"--after: needs a whole number: SECONDS"},
		{"--json --\x1B[2J", 1, "--\\u{1b}[2J: there is no such option"},
	};
	struct wanted untouched = {0};
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		assert_int_equal(parse(cases[i].line, cases[i].most), -REASON_USAGE);
		assert_string_equal(error, cases[i].says);
		assert_memory_equal(&wanted, &untouched, sizeof(wanted));
		assert_int_equal(left, -1);
		assert_string_equal(words[1], "--json");
	}
}

static void repetition_has_an_end(void **state)
{
	(void)state;
	char *argv[ARGS_MANY_MAX + 2];
	struct wanted many = {0};
	char program[] = "p", name[] = "--name=x";
	argv[0] = program;
	for (int i = 1; i < ARGS_MANY_MAX + 2; i++)
		argv[i] = name;
	assert_int_equal(args_parse(options, &many, ARGS_MANY_MAX + 2, argv, 0, &left,
				 error),
		-REASON_USAGE);
	assert_int_equal(many.names.count, 0);
	assert_int_equal(args_parse(options, &many, ARGS_MANY_MAX + 1, argv, 0, &left,
				 error),
		0);
	assert_int_equal(many.names.count, ARGS_MANY_MAX);
}

static void error_line_fits(void **state)
{
	(void)state;
	char line[280];
	memset(line, 'x', sizeof(line) - 1);
	line[sizeof(line) - 1] = 0;
	memcpy(line, "--", 2);
	assert_int_equal(parse(line, 0), -REASON_USAGE);
	assert_true(strlen(error) < ARGS_ERROR &&
		    strstr(error, "there is no such option"));
}

static void help_is_one_line_each(void **state)
{
	(void)state;
	char *text = NULL;
	size_t size;
	FILE *out = open_memstream(&text, &size);
	args_help(options, out);
	fclose(out);
	assert_string_equal(text, "  --json           print JSON\n"
				  "  --data DIR       where state is kept\n"
				  "  --name NAME      a name, may be repeated\n"
				  "  --after SECONDS  how long to wait\n");
	free(text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(both_spellings),
		cmocka_unit_test(words_are_left_in_order),
		cmocka_unit_test(errors_change_nothing),
		cmocka_unit_test(repetition_has_an_end),
		cmocka_unit_test(error_line_fits),
		cmocka_unit_test(help_is_one_line_each),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
