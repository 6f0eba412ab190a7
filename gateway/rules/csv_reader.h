/* csv_reader: reads CSV as spreadsheets write it (RFC 4180), and says of each line that is none what is
 * wrong with it; the lines after it are read all the same.
 *
 * Lines end with CR LF or LF. A byte order mark in front is passed over. A quoted cell may hold commas,
 * quotes (doubled) and line ends; a quote that stands elsewhere or does not end is an error. Empty lines
 * are passed over.
 * Thread: any; pure. Owner: the caller, also of the text, which is not changed. Errors:
 * -REASON_BAD_VALUE and one sentence; the record's line is set then too.
 */
#ifndef RULES_CSV_READER_H
#define RULES_CSV_READER_H

#include <stddef.h>

#include "base/check.h"
#include "rules/field.h"

#define CSV_READER_CELLS 64
#define CSV_READER_LINE 16384

struct csv_reader {
	const char *text;
	size_t len, at;
	long line; /* of what is read next, from 1 on */
};

struct csv_record {
	long line;
	size_t count;
	const char *cells[CSV_READER_CELLS]; /* into `text` */
	char text[CSV_READER_LINE];
};

void csv_reader_init(struct csv_reader *reader, const char *text, size_t len);
/* 1: a record; 0: the end. */
MUST_CHECK int csv_reader_next(struct csv_reader *reader, struct csv_record *ret,
	struct field_error *error);

/* What a text that is not UTF-8 seems to be, "Shift_JIS" or "UTF-16"; NULL when it is UTF-8, or nothing
 * that is known. */
const char *csv_reader_foreign(const char *text, size_t len);

#endif
