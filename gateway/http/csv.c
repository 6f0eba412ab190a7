#include "http/csv.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#define LINE_MAX_BYTES (256 * 1024)

void csv_init(struct csv *csv)
{
	*csv = (struct csv){0};
	buf_init(&csv->line, LINE_MAX_BYTES);
}

void csv_done(struct csv *csv)
{
	buf_done(&csv->line);
}

static void add(struct csv *csv, const char *bytes, size_t len)
{
	if (!csv->status && len)
		csv->status = buf_append(&csv->line, bytes, len);
}

static void begin_field(struct csv *csv)
{
	if (csv->ended) {
		buf_drain(&csv->line, buf_len(&csv->line));
		csv->ended = csv->fields = csv->status = 0;
	}
	if (csv->fields++)
		add(csv, ",", 1);
}

/* Also the full-width forms, which a spreadsheet may take for the same, and behind blanks that it drops. */
static int is_formula(const char *text)
{
	static const char *const wide[] = {"＝", "＋", "－", "＠"};
	text += strspn(text, " ");
	for (size_t i = 0; i < sizeof(wide) / sizeof(wide[0]); i++)
		if (!strncmp(text, wide[i], strlen(wide[i])))
			return 1;
	return *text && strchr("=+-@\t\r\n", *text);
}

static int needs_quotes(const char *text)
{
	size_t len = strlen(text);
	return strpbrk(text, ",\"\r\n") ||
	       (len && (text[0] == ' ' || text[len - 1] == ' '));
}

void csv_text(struct csv *csv, const char *text)
{
	begin_field(csv);
	if (!needs_quotes(text)) {
		add(csv, "'", is_formula(text) ? 1 : 0);
		add(csv, text, strlen(text));
		return;
	}
	add(csv, "\"", 1);
	add(csv, "'", is_formula(text) ? 1 : 0);
	while (*text) {
		size_t len = strcspn(text, "\"");
		add(csv, text, len);
		text += len;
		if (*text) {
			add(csv, "\"\"", 2);
			text++;
		}
	}
	add(csv, "\"", 1);
}

void csv_number(struct csv *csv, int64_t number)
{
	char text[24];

	begin_field(csv);
	snprintf(text, sizeof(text), "%" PRId64, number);
	add(csv, text, strlen(text));
}

int csv_end(struct csv *csv)
{
	add(csv, "\r\n", 2);
	csv->ended = 1;
	return csv->status;
}
