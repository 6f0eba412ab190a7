/* program: what the command lines of all programs have in common: verbs from one table, --help,
 * --version, and how a reason is told to a person or, with --json, to a script.
 *
 * Thread: main, before anything starts. The exit code is reason_exit().
 */
#ifndef BASE_PROGRAM_H
#define BASE_PROGRAM_H

#include <stddef.h>
#include <stdio.h>

#include "base/args.h"
#include "base/check.h"

struct program_verb {
	const char *name;  /* "pair", "peers remove"; NULL ends the table */
	const char *words; /* of its command line: "NAME"; "" for none */
	const char *summary;
	const struct args_option *options;
	int words_max;
	/* Gets the words that are left and the filled options. Returns 0 or -REASON_*; what it has said about
	 * that already (program_fail) is not said twice. */
	int (*run)(void *options, int count, char **words);
};

struct program {
	const char *name, *summary;
	const struct program_verb *verbs;
	const struct args_option
		*globals; /* before or after the verb, filled into `options` too */
	void *options;    /* one zeroed struct for all options of all verbs */
	const int *json;  /* points at the --json flag in it, or NULL */
	const char *const
		*log_format; /* at --log-format: opens the log on stderr; or NULL */
};

/* Parses, runs the verb and returns the exit code of the program. */
int program_main(const struct program *program, int argc, char **argv);

/* For programs that hold keys, before anything else: files private, no core file, no ptrace by other
 * processes of the user. */
void program_harden(void);

/* Says on stderr (or, with --json, on stdout) what happened, the detail if any, and what to do.
 * Returns `reason` so that a verb ends with: return program_fail(-REASON_X, "…"). */
int program_fail(int reason, const char *detail, ...) PRINTF_LIKE(2, 3);
/* The same with another word on what to do than the table's. */
int program_fail_hint(int reason, const char *hint, const char *detail, ...)
	PRINTF_LIKE(3, 4);
/* The verb has told it in a form of its own. Returns `reason`. */
int program_told(int reason);

#endif
