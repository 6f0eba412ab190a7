/* args: the command lines of all programs, from one table per verb: parsing, --help and the lists
 * in the man pages.
 *
 * Thread: main, before anything starts. Strings point into argv. Errors: -REASON_USAGE with one
 * line in `error`; nothing has been done then.
 */
#ifndef BASE_ARGS_H
#define BASE_ARGS_H

#include <stddef.h>
#include <stdio.h>

#include "base/check.h"

enum args_kind {
	ARGS_FLAG, /* int, counts */
	ARGS_TEXT, /* const char * */
	ARGS_MANY, /* struct args_many, may be repeated */
	ARGS_LONG, /* long, decimal */
};

#define ARGS_MANY_MAX 64
struct args_many {
	const char *items[ARGS_MANY_MAX];
	size_t count;
};

struct args_option {
	const char *flag;  /* "--data"; NULL ends the table */
	const char *value; /* "DIR", NULL for ARGS_FLAG */
	enum args_kind kind;
	size_t offset; /* in the caller's struct */
	const char *help;
};

#define ARGS_ERROR 200
/* Takes the options out of argv[1..argc-1]; "--flag=value" and "--flag value"; "--" ends them.
 * What is left is moved to argv[0..] and counted in *ret_left; at most `most` words may be left. */
MUST_CHECK int args_parse(const struct args_option *options, void *object, int argc,
	char **argv, int most, int *ret_left, char error[static ARGS_ERROR]);
void args_help(const struct args_option *options, FILE *out);

#endif
