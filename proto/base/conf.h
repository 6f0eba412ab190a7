/* conf: one table per program says what can be configured; file, flags, sample and man page all
 * come from it.
 *
 * Thread: any; the filled struct belongs to the caller and is handed down, never a global.
 * Errors: -REASON_CONFIG with file, line, column and what was expected in `error`.
 */
#ifndef BASE_CONF_H
#define BASE_CONF_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "base/check.h"

enum conf_type {
	CONF_BOOL,   /* int: yes/no, true/false, on/off */
	CONF_INT,    /* int64_t within min..max */
	CONF_SIZE,   /* int64_t bytes: 64K, 1M, 2G */
	CONF_MS,     /* int64_t milliseconds: 250ms, 15s, 5m, 12h, 60d */
	CONF_STRING, /* char *, owned by the struct */
};

struct conf_entry {
	const char *section, *name;
	enum conf_type type;
	size_t offset; /* in the program's struct */
	const char *fallback;
	int64_t min, max; /* CONF_INT, CONF_SIZE, CONF_MS */
	bool live;        /* SIGHUP may change it */
	const char *help;
};

struct conf_table {
	const struct conf_entry *entries;
	size_t count;
	/* What a CONF_STRING has to be ("text or json") when `value` is not that; NULL: it is good. May be
	 * NULL itself. Asked while the value's line and column are known. */
	const char *(*expected)(const struct conf_entry *entry, const char *value);
};

/* For people: "FILE:LINE:COLUMN: what", as far as they are known. */
#define CONF_ERROR_TEXT 640
#define CONF_MESSAGE 320
struct conf_error {
	char file[256];
	int line, column; /* 0: not from a file */
	char message[CONF_MESSAGE];
};

void conf_error_text(const struct conf_error *error, char ret[static CONF_ERROR_TEXT]);

/* All entries at their fallback. The struct is zeroed memory. */
MUST_CHECK int conf_defaults(const struct conf_table *table, void *object);
/* "section.name" or "name" when that is unique. On error the old value stands. */
MUST_CHECK int conf_set(const struct conf_table *table, void *object, const char *name,
	const char *value, struct conf_error *error);
/* Reads the whole file, or changes nothing. Unknown sections and names are errors. */
MUST_CHECK int conf_read(const struct conf_table *table, void *object, const char *path,
	struct conf_error *error);
void conf_done(const struct conf_table *table, void *object);
/* A commented sample file with every entry at its fallback. */
void conf_sample(const struct conf_table *table, FILE *out);

#endif
