#include "base/args.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/reason.h"
#include "base/text.h"

/* Parsing only collects these; the caller's struct is touched when all words were understood. */
struct step {
	const struct args_option *option; /* NULL: a word that is left */
	char *text;
};

static int complain(char error[static ARGS_ERROR], const char *format, const char *what,
	const char *which)
{
	char clean[96];
	text_escape(clean, sizeof(clean), what);
	if (which)
		snprintf(error, ARGS_ERROR, "%s: %s %s", clean, format, which);
	else
		snprintf(error, ARGS_ERROR, "%s: %s", clean, format);
	return -REASON_USAGE;
}

static const struct args_option *find(const struct args_option *options, const char *word)
{
	size_t len = strcspn(word, "=");
	for (; options->flag; options++)
		if (strlen(options->flag) == len && !strncmp(options->flag, word, len))
			return options;
	return NULL;
}

static int parse_long(const char *text, long *ret)
{
	char *end;
	if (!*text || strspn(text, "-0123456789") != strlen(text))
		return -REASON_USAGE;
	errno = 0;
	long value = strtol(text, &end, 10);
	if (errno || *end)
		return -REASON_USAGE;
	*ret = value;
	return 0;
}

static size_t count(const struct step *steps, size_t len,
	const struct args_option *option)
{
	size_t n = 0;
	for (size_t i = 0; i < len; i++)
		n += steps[i].option == option;
	return n;
}

static const char *value_name(const struct args_option *option)
{
	return option->value ? option->value : "VALUE";
}

/* One option at argv[*at]; *at moves over the words it takes. */
static int take_option(const struct args_option *options, char **argv, int *at,
	struct step *ret, char error[static ARGS_ERROR])
{
	char *word = argv[*at], *equals = strchr(word, '=');
	const struct args_option *option = find(options, word);
	if (!option)
		return complain(error, "there is no such option", word, NULL);
	*ret = (struct step){option, NULL};
	++*at;
	if (option->kind == ARGS_FLAG)
		return equals ? complain(error, "takes no value", option->flag, NULL) : 0;
	/* "--data --json" is a forgotten value; a real one that starts so is given with "=". */
	ret->text = equals ? equals + 1 : argv[*at];
	if (!equals && (!ret->text || !strncmp(ret->text, "--", 2)))
		return complain(error, "needs a value:", option->flag,
			value_name(option));
	if (!equals)
		++*at;
	long ignored;
	if (option->kind == ARGS_LONG && parse_long(ret->text, &ignored))
		return complain(error, "needs a whole number:", option->flag,
			value_name(option));
	return 0;
}

static int collect(const struct args_option *options, int argc, char **argv, int most,
	struct step *steps, size_t *ret_count, char error[static ARGS_ERROR])
{
	size_t len = 0;
	int at = 1, words = 0, only_words = 0;
	while (at < argc) {
		char *word = argv[at];
		struct step *step = &steps[len];
		if (!only_words && !strcmp(word, "--")) {
			only_words = 1;
			at++;
			continue;
		}
		if (only_words || word[0] != '-' || !word[1]) {
			if (words++ >= most)
				return complain(error, "is one word too many", word,
					NULL);
			*step = (struct step){NULL, word};
			at++;
		} else {
			int r = take_option(options, argv, &at, step, error);
			if (r)
				return r;
		}
		len++;
	}
	*ret_count = len;
	return 0;
}

static int check_many(const struct step *steps, size_t len, const char *object,
	char error[static ARGS_ERROR])
{
	for (size_t i = 0; i < len; i++) {
		const struct args_option *option = steps[i].option;
		if (!option || option->kind != ARGS_MANY)
			continue;
		const struct args_many *many = (const void *)(object + option->offset);
		if (count(steps, len, option) + many->count > ARGS_MANY_MAX)
			return complain(error, "is given too often", option->flag, NULL);
	}
	return 0;
}

static void apply(const struct step *step, char *object)
{
	void *field = object + step->option->offset;
	switch (step->option->kind) {
	case ARGS_FLAG:
		++*(int *)field;
		break;
	case ARGS_TEXT:
		*(const char **)field = step->text;
		break;
	case ARGS_MANY: {
		struct args_many *many = field;
		many->items[many->count++] = step->text;
		break;
	}
	case ARGS_LONG:
		CHECK(parse_long(step->text, field) == 0);
		break;
	}
}

int args_parse(const struct args_option *options, void *object, int argc, char **argv,
	int most, int *ret_left, char error[static ARGS_ERROR])
{
	size_t len = 0;
	struct step *steps = calloc((size_t)argc + 1, sizeof(*steps));
	if (!steps)
		return complain(error, reason_text(REASON_NO_MEMORY, REASON_EN), "args",
			NULL);
	int r = collect(options, argc, argv, most, steps, &len, error);
	if (!r)
		r = check_many(steps, len, object, error);
	if (r)
		goto out;
	int left = 0;
	for (size_t i = 0; i < len; i++)
		if (steps[i].option)
			apply(&steps[i], object);
		else
			argv[left++] = steps[i].text;
	*ret_left = left;
out:
	free(steps);
	return r;
}

static int width(const struct args_option *option)
{
	return (int)(strlen(option->flag) +
		     (option->value ? 1 + strlen(option->value) : 0));
}

void args_help(const struct args_option *options, FILE *out)
{
	int widest = 0;
	for (const struct args_option *option = options; option->flag; option++)
		if (width(option) > widest)
			widest = width(option);
	for (; options->flag; options++)
		fprintf(out, "  %s%s%s%*s  %s\n", options->flag,
			options->value ? " " : "", options->value ? options->value : "",
			widest - width(options), "", options->help);
}
