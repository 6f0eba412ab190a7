#include "rules/csv_reader.h"

#include <stdint.h>
#include <string.h>

#include "base/reason.h"
#include "base/text.h"

void csv_reader_init(struct csv_reader *reader, const char *text, size_t len)
{
	*reader = (struct csv_reader){.text = text, .len = len, .line = 1};
	if (len >= 3 && !memcmp(text, "\xef\xbb\xbf", 3))
		reader->at = 3;
}

/* -1 at the end. */
static int peek(const struct csv_reader *reader)
{
	return reader->at < reader->len ? (unsigned char)reader->text[reader->at] : -1;
}

/* Steps over one line end, if there is one. */
static int take_line_end(struct csv_reader *reader)
{
	if (peek(reader) == '\r' && reader->at + 1 < reader->len &&
		reader->text[reader->at + 1] == '\n')
		reader->at++;
	if (peek(reader) != '\n')
		return 0;
	reader->at++;
	reader->line++;
	return 1;
}

struct cell {
	struct csv_record *record;
	size_t used;
};

static int put(struct cell *cell, int c)
{
	if (cell->used + 1 >= CSV_READER_LINE)
		return -1;
	cell->record->text[cell->used++] = (char)c;
	return 0;
}

static int take_quoted(struct csv_reader *reader, struct cell *cell,
	struct field_error *error)
{
	for (reader->at++;; reader->at++) {
		int c = peek(reader);
		if (c < 0)
			return field_fail(error, "", "a quote does not end");
		if (c == '"') {
			reader->at++;
			if (peek(reader) != '"')
				return 0;
		}
		reader->line += c == '\n';
		if (put(cell, c))
			return field_fail(error, "", "longer than %d bytes",
				CSV_READER_LINE - 1);
	}
}

static int take_plain(struct csv_reader *reader, struct cell *cell,
	struct field_error *error)
{
	for (int c; (c = peek(reader)) >= 0 && c != ',' && c != '\n'; reader->at++) {
		if (c == '\r' && reader->at + 1 < reader->len &&
			reader->text[reader->at + 1] == '\n')
			break;
		if (c == '"')
			return field_fail(error, "", "a quote inside a cell");
		if (put(cell, c))
			return field_fail(error, "", "longer than %d bytes",
				CSV_READER_LINE - 1);
	}
	return 0;
}

static int take_cell(struct csv_reader *reader, struct cell *cell,
	struct field_error *error)
{
	size_t start = cell->used;
	struct csv_record *record = cell->record;
	int quoted = peek(reader) == '"';

	if (record->count == CSV_READER_CELLS)
		return field_fail(error, "", "more than %d cells", CSV_READER_CELLS);
	int r = quoted ? take_quoted(reader, cell, error)
		       : take_plain(reader, cell, error);
	if (r)
		return r;
	int c = peek(reader);
	if (quoted && c >= 0 && c != ',' && c != '\n' && c != '\r')
		return field_fail(error, "", "text behind a quoted cell");
	if (memchr(record->text + start, '\0', cell->used - start))
		return field_fail(error, "", "holds a NUL byte");
	record->cells[record->count++] = record->text + start;
	return put(cell, '\0') ? field_fail(error, "", "longer than %d bytes",
					 CSV_READER_LINE - 1)
			       : 0;
}

static int take_record(struct csv_reader *reader, struct csv_record *record,
	struct field_error *error)
{
	struct cell cell = {.record = record};

	record->count = 0;
	for (;;) {
		int r = take_cell(reader, &cell, error);
		if (r)
			return r;
		if (peek(reader) != ',')
			break;
		reader->at++;
	}
	if (peek(reader) >= 0 && !take_line_end(reader))
		return field_fail(error, "", "a line ends with CR alone");
	return 1;
}

/* To the line after the one that is wrong: where a quote was forgotten, nobody knows which of the
 * following lines it swallowed, so none of them is skipped. */
static void resume(struct csv_reader *reader, size_t at, long line)
{
	const char *end = memchr(reader->text + at, '\n', reader->len - at);

	reader->at = end ? (size_t)(end - reader->text) + 1 : reader->len;
	reader->line = line + 1;
}

int csv_reader_next(struct csv_reader *reader, struct csv_record *ret,
	struct field_error *error)
{
	while (take_line_end(reader)) {
		/* an empty line */
	}
	if (peek(reader) < 0)
		return 0;
	size_t at = reader->at;
	ret->line = reader->line;
	int r = take_record(reader, ret, error);
	if (r < 0)
		resume(reader, at, ret->line);
	return r;
}

static int is_shift_jis(const unsigned char *text, size_t len)
{
	size_t wide = 0;

	for (size_t i = 0; i < len; i++) {
		unsigned char c = text[i];
		if (c < 0x80 || (c >= 0xa1 && c <= 0xdf))
			continue;
		if (c == 0x80 || c == 0xa0 || c > 0xfc || i + 1 == len)
			return 0;
		unsigned char next = text[++i];
		if (next < 0x40 || next == 0x7f || next > 0xfc)
			return 0;
		wide++;
	}
	return wide > 0;
}

const char *csv_reader_foreign(const char *text, size_t len)
{
	if (len >= 2 && (!memcmp(text, "\xff\xfe", 2) || !memcmp(text, "\xfe\xff", 2)))
		return "UTF-16";
	if (text_utf8_valid(text, len))
		return NULL;
	return is_shift_jis((const unsigned char *)text, len) ? "Shift_JIS" : NULL;
}
