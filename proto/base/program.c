#include "base/program.h"

#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/log.h"
#include "base/reason.h"
#include "base/text.h"

#define OPTIONS_MAX 48
#define DETAIL 1024

/* One per process: which program speaks, in which form, and whether it has spoken. */
static struct {
	const char *name;
	bool json;
	bool told;
} speaker = {"engawa", false, false};

static void print_json_string(FILE *out, const char *text)
{
	fputc('"', out);
	for (; *text; text++) {
		unsigned char c = (unsigned char)*text;
		if (c == '"' || c == '\\')
			fprintf(out, "\\%c", c);
		else if (c < 0x20)
			fprintf(out, "\\u%04x", c);
		else
			fputc(c, out);
	}
	fputc('"', out);
}

static void tell_json(int reason, const char *message, const char *hint)
{
	fputs("{\"error\":{\"code\":", stdout);
	print_json_string(stdout, reason_symbol(reason));
	fputs(",\"message\":", stdout);
	print_json_string(stdout, message);
	fputs(",\"hint\":", stdout);
	print_json_string(stdout, hint);
	fputs("}}\n", stdout);
}

PRINTF_LIKE(3, 0)
static void fail(int reason, const char *hint, const char *detail, va_list args)
{
	char more[DETAIL] = "", clean[DETAIL], message[2 * DETAIL];
	if (detail)
		vsnprintf(more, sizeof(more), detail, args);
	text_escape(clean, sizeof(clean), more);
	enum reason_lang lang = reason_lang_env();
	snprintf(message, sizeof(message), "%s%s%s", reason_text(reason, lang),
		*clean ? " " : "", clean);
	if (!hint)
		hint = reason_hint(reason, lang);
	if (speaker.json)
		tell_json(reason, message, hint);
	else
		fprintf(stderr, "%s: %s: %s\n  %s\n", speaker.name, reason_symbol(reason),
			message, hint);
	speaker.told = true;
}

int program_fail(int reason, const char *detail, ...)
{
	va_list args;
	va_start(args, detail);
	fail(reason, NULL, detail, args);
	va_end(args);
	return reason;
}

int program_fail_hint(int reason, const char *hint, const char *detail, ...)
{
	va_list args;
	va_start(args, detail);
	fail(reason, hint, detail, args);
	va_end(args);
	return reason;
}

int program_told(int reason)
{
	speaker.told = true;
	return reason;
}

static void help_verb(const struct program *program, const struct program_verb *verb,
	FILE *out)
{
	fprintf(out, "usage: %s %s%s%s [OPTION]...\n\n%s\n", program->name, verb->name,
		*verb->words ? " " : "", verb->words, verb->summary);
	if (verb->options && verb->options->flag) {
		fputs("\nOptions:\n", out);
		args_help(verb->options, out);
	}
	fputs("\nOptions of all verbs:\n", out);
	args_help(program->globals, out);
}

/* "license" of "license list", "log" of "log audit". */
static bool is_of_noun(const struct program_verb *verb, const char *noun)
{
	size_t len = strlen(noun);
	return !strncmp(verb->name, noun, len) && verb->name[len] == ' ';
}

/* `noun`: only its verbs; NULL: all. */
static void help_all(const struct program *program, const char *noun, FILE *out)
{
	fprintf(out,
		"usage: %s %s%sVERB [OPTION]...\n\n%s\n\nVerbs (VERB --help tells "
		"more):\n",
		program->name, noun ? noun : "", noun ? " " : "", program->summary);
	for (const struct program_verb *verb = program->verbs; verb->name; verb++) {
		char head[64];
		if (noun && !is_of_noun(verb, noun))
			continue;
		snprintf(head, sizeof(head), "%s%s%s", verb->name,
			*verb->words ? " " : "", verb->words);
		fprintf(out, "  %-22s %s\n", head, verb->summary);
	}
	fputs("\nOptions of all verbs:\n", out);
	args_help(program->globals, out);
	fputs("  --help                 this text\n  --version              the "
	      "version\n",
		out);
}

/* How many words of argv, from `at`, are the name of this verb; 0: they are not. */
static int matches(const struct program_verb *verb, int argc, char **argv, int at)
{
	char name[64];
	snprintf(name, sizeof(name), "%s", verb->name);
	char *save = NULL;
	int words = 0;
	for (char *word = strtok_r(name, " ", &save); word;
		word = strtok_r(NULL, " ", &save), words++)
		if (at + words >= argc || strcmp(argv[at + words], word))
			return 0;
	return words;
}

static bool takes_value(const struct args_option *options, const char *word)
{
	for (; options && options->flag; options++)
		if (options->value && !strcmp(options->flag, word))
			return true;
	return false;
}

/* Where the verb stands: the first word that is no global option. */
static int find_verb_at(const struct program *program, int argc, char **argv)
{
	int at = 1;
	while (at < argc && argv[at][0] == '-')
		at += takes_value(program->globals, argv[at]) ? 2 : 1;
	return at;
}

/* Without a verb only the options of all verbs are known. */
static int no_verb(const struct program *program, int argc, char **argv)
{
	for (int i = 1; i < argc; i++) {
		const struct args_option *option = program->globals;
		size_t len = strcspn(argv[i], "=");
		while (option->flag && (strlen(option->flag) != len ||
					       strncmp(option->flag, argv[i], len)))
			option++;
		if (!option->flag)
			return program_fail(-REASON_USAGE, "%s: there is no such option.",
				argv[i]);
		i += option->value && !argv[i][len];
	}
	return program_fail(-REASON_USAGE, "A verb is missing.");
}

static bool begins_verb(const struct program *program, const char *word)
{
	for (const struct program_verb *verb = program->verbs; verb->name; verb++)
		if (is_of_noun(verb, word))
			return true;
	return false;
}

/* What was meant is not known; what there is instead is said. */
static int no_such_verb(const struct program *program, int argc, char **argv, int at)
{
	const char *first = argv[at], *second = at + 1 < argc ? argv[at + 1] : "";
	char known[256] = "";
	size_t len = strlen(first);

	if (*second == '-')
		second = "";
	if (!begins_verb(program, first))
		return program_fail(-REASON_USAGE, "There is no verb \"%s\".", first);
	for (const struct program_verb *verb = program->verbs; verb->name; verb++)
		if (is_of_noun(verb, first))
			snprintf(known + strlen(known), sizeof(known) - strlen(known),
				"%s%s", *known ? ", " : "", verb->name + len + 1);
	return program_fail(-REASON_USAGE, "There is no verb \"%s%s%s\"; %s has: %s.",
		first, *second ? " " : "", second, first, known);
}

static const struct program_verb *find_verb(const struct program *program, int argc,
	char **argv, int at, int *ret_words)
{
	for (const struct program_verb *verb = program->verbs; verb->name; verb++) {
		*ret_words = matches(verb, argc, argv, at);
		if (*ret_words)
			return verb;
	}
	return NULL;
}

static bool asks(int argc, char **argv, const char *flag)
{
	for (int i = 1; i < argc && strcmp(argv[i], "--"); i++)
		if (!strcmp(argv[i], flag))
			return true;
	return false;
}

static void join_options(const struct program *program, const struct program_verb *verb,
	struct args_option all[static OPTIONS_MAX])
{
	size_t count = 0;
	const struct args_option *tables[] = {verb->options, program->globals};
	for (size_t i = 0; i < ARRAY_LEN(tables); i++)
		for (const struct args_option *option = tables[i]; option && option->flag;
			option++) {
			CHECK(count < OPTIONS_MAX - 1);
			all[count++] = *option;
		}
	all[count].flag = NULL;
}

static int open_log(const struct program *program)
{
	enum log_format format = LOG_TEXT;
	if (!program->log_format)
		return 0;
	if (*program->log_format && log_format_parse(*program->log_format, &format) < 0)
		return program_fail(-REASON_USAGE, "--log-format takes text or json.");
	log_open(program->name, STDERR_FILENO, format, LOG_INFO);
	return 0;
}

static int run_verb(const struct program *program, const struct program_verb *verb,
	int argc, char **argv, int at, int words)
{
	struct args_option all[OPTIONS_MAX];
	join_options(program, verb, all);
	/* Without the verb's own words, which may stand behind global options. */
	for (int i = at; i + words < argc; i++)
		argv[i] = argv[i + words];
	argc -= words;
	char error[ARGS_ERROR];
	int left;
	int status = args_parse(all, program->options, argc, argv, verb->words_max, &left,
		error);
	if (status < 0)
		return program_fail(status, "%s", error);
	status = open_log(program);
	if (!status)
		status = verb->run(program->options, left, argv);
	if (status < 0 && !speaker.told)
		program_fail(status, NULL);
	return status;
}

void program_harden(void)
{
	umask(0077);
	prctl(PR_SET_DUMPABLE, 0);
	setrlimit(RLIMIT_CORE, &(struct rlimit){0, 0});
}

int program_main(const struct program *program, int argc, char **argv)
{
	speaker.name = program->name;
	/* Known before the options are: a script gets its JSON for a mistyped command line too. */
	speaker.json = program->json && asks(argc, argv, "--json");
	if (asks(argc, argv, "--version")) {
		printf("%s %s\n", program->name, ENGAWA_VERSION);
		return 0;
	}
	int words = 0, at = find_verb_at(program, argc, argv);
	const struct program_verb *verb = find_verb(program, argc, argv, at, &words);
	if (asks(argc, argv, "--help")) {
		if (verb)
			help_verb(program, verb, stdout);
		else if (at < argc && begins_verb(program, argv[at]))
			help_all(program, argv[at], stdout);
		else
			help_all(program, NULL, stdout);
		return 0;
	}
	int status;
	if (verb)
		status = run_verb(program, verb, argc, argv, at, words);
	else if (at < argc)
		status = no_such_verb(program, argc, argv, at);
	else if (argc > 1)
		status = no_verb(program, argc, argv);
	else {
		help_all(program, NULL, stderr);
		status = -REASON_USAGE;
	}
	if (fflush(stdout) != 0 && status == 0)
		status = program_fail(-REASON_FILE_UNWRITABLE, "(standard output)");
	return reason_exit(status);
}
