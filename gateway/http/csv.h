/* csv: lines of RFC 4180 that no spreadsheet takes for formulas: text that begins with = + - @ TAB
 * CR or LF, or with a full-width = + - @, gets an apostrophe in front.
 *
 * Thread: that of the owner. A csv gathers one line; csv_end() makes it whole, and the next field
 * begins a new one. Errors: -REASON_NO_MEMORY or -REASON_LIMIT, told by csv_end() once.
 */
#ifndef HTTP_CSV_H
#define HTTP_CSV_H

#include <stdint.h>

#include "base/buf.h"

struct csv {
	struct buf line;
	int fields, status, ended;
};

void csv_init(struct csv *csv);
void csv_done(struct csv *csv);
void csv_text(struct csv *csv, const char *text);
void csv_number(struct csv *csv, int64_t number);
/* The line is in buf_head(&csv->line), with its CR LF. */
MUST_CHECK int csv_end(struct csv *csv);

#endif
