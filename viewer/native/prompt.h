/* prompt: what the command line asks a person for: the access password and a one-time code, from a file, standard
 * input or the terminal.
 *
 * Thread: main; blocks while the person thinks. Errors are told (program_fail).
 */
#ifndef VIEWER_PROMPT_H
#define VIEWER_PROMPT_H

#include <stddef.h>

#include "base/check.h"

struct viewer;

#define PROMPT_SECRET 260

/* The first line of the file ("-": standard input); NULL: typed, and not shown. */
MUST_CHECK int prompt_password(const char *file, char ret[static PROMPT_SECRET]);
/* `code` or the first line of `file`; "" when neither is given. */
MUST_CHECK int prompt_code(const char *code, const char *file,
	char ret[static PROMPT_SECRET]);
/* Whether there is a terminal to ask on. */
int prompt_can_ask(void);
/* For viewer_config.ask_code: asks on the terminal, and gives up when nothing is typed. */
void prompt_ask_code(struct viewer *viewer, int reason);

#endif
