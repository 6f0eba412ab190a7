/* table: JSON objects as columns for people; widths count cells of the terminal, so Japanese names
 * stand in line too. Text of others is escaped (no control characters reach the terminal).
 *
 * Thread: main.
 */
#ifndef CTL_TABLE_H
#define CTL_TABLE_H

#include <jansson.h>
#include <stdio.h>

enum table_kind {
	TABLE_TEXT,  /* also numbers and booleans, as they are; ["a","b"] as a b */
	TABLE_TIME,  /* RFC 3339 text, shown in local time */
	TABLE_SPAN,  /* milliseconds as 1h 30m */
	TABLE_MOST,  /* a limit; 0: no limit */
	TABLE_STATE, /* "expired" where "expired" is true and it is not disabled anyway */
	TABLE_BYTES,
	TABLE_MAP, /* {"a":"b"} as a=b */
};

struct table_column {
	const char *head, *key; /* NULL ends the list; "a|b": the first that is there */
	enum table_kind kind;
};

#define TABLE_COLUMNS 24
struct table {
	const struct table_column *columns;
	int widths[TABLE_COLUMNS];
	size_t count;
};
/* The heads; `rows`, which are not printed, decide how wide the columns are. */
void table_begin(struct table *ret, const struct table_column *columns,
	const json_t *rows, FILE *out);
void table_rows(const struct table *table, const json_t *rows, FILE *out);
/* One object, a line per column. */
void table_card(const struct table_column *columns, const json_t *object, FILE *out);
/* Cells that a terminal needs for it. */
int table_width(const char *text);

#endif
