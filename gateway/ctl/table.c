#include "ctl/table.h"

#include <stdint.h>
#include <string.h>
#include <wchar.h>

#include "base/check.h"
#include "base/clock.h"
#include "base/text.h"
#include "ctl/dates.h"
#include "ctl/span.h"

#define CELL 160
/* A value that stands alone on its line is never cut: a link for an authenticator app, a note. */
#define CARD_CELL 4096

/* Ranges that terminals draw two cells wide (Unicode East Asian Width W and F). */
static int is_wide(uint32_t c)
{
	static const uint32_t ranges[][2] = {{0x1100, 0x115f}, {0x2e80, 0x303e},
		{0x3041, 0x33ff}, {0x3400, 0x4dbf}, {0x4e00, 0x9fff}, {0xa000, 0xa4cf},
		{0xac00, 0xd7a3}, {0xf900, 0xfaff}, {0xfe30, 0xfe4f}, {0xff00, 0xff60},
		{0xffe0, 0xffe6}, {0x1f300, 0x1f64f}, {0x1f900, 0x1f9ff},
		{0x20000, 0x3fffd}};
	for (size_t i = 0; i < ARRAY_LEN(ranges); i++)
		if (c >= ranges[i][0] && c <= ranges[i][1])
			return 1;
	return 0;
}

static int is_combining(uint32_t c)
{
	return (c >= 0x300 && c <= 0x36f) || (c >= 0x200b && c <= 0x200f) ||
	       c == 0x3099 || c == 0x309a || (c >= 0xfe00 && c <= 0xfe0f);
}

/* The text is valid UTF-8: it came out of text_escape. */
static uint32_t next_char(const char **at)
{
	const unsigned char *s = (const unsigned char *)*at;
	int more = *s >= 0xf0 ? 3 : *s >= 0xe0 ? 2 : *s >= 0xc0 ? 1 : 0;
	uint32_t c = more ? *s & (0x3f >> more) : *s;

	(*at)++;
	while (more-- && **at)
		c = c << 6 | ((unsigned char)*(*at)++ & 0x3f);
	return c;
}

int table_width(const char *text)
{
	int width = 0;
	while (*text) {
		uint32_t c = next_char(&text);
		width += is_combining(c) ? 0 : is_wide(c) ? 2 : 1;
	}
	return width;
}

static int is_there(const json_t *value)
{
	return value && !(json_is_string(value) && !json_string_length(value));
}

/* "session|token": the first that is there. */
static const json_t *find(const json_t *object, const char *key)
{
	const json_t *value = NULL;

	while (!is_there(value) && *key) {
		size_t len = strcspn(key, "|");
		value = json_object_getn(object, key, len);
		key += len + (key[len] == '|');
	}
	return value;
}

static void bytes_text(json_int_t bytes, char ret[static CELL])
{
	static const char *const units[] = {"B", "KiB", "MiB", "GiB", "TiB"};
	double value = (double)bytes;
	size_t unit = 0;

	while (value >= 1024 && unit + 1 < ARRAY_LEN(units)) {
		value /= 1024;
		unit++;
	}
	snprintf(ret, CELL, unit ? "%.1f %s" : "%.0f %s", value, units[unit]);
}

/* A value within a value; `room` holds numbers. */
static const char *inner_text(const json_t *value, char room[static 24])
{
	if (json_is_string(value))
		return json_string_value(value);
	if (json_is_boolean(value))
		return json_is_true(value) ? "yes" : "no";
	if (!json_is_integer(value))
		return "…";
	snprintf(room, 24, "%lld", (long long)json_integer_value(value));
	return room;
}

static void map_text(const json_t *map, char *ret, size_t size)
{
	char all[CARD_CELL] = "", room[24];
	const char *key;
	json_t *value;

	json_object_foreach((json_t *)map, key, value)
	{
		size_t len = strlen(all);
		snprintf(all + len, sizeof(all) - len, "%s%s=%s", len ? " " : "", key,
			inner_text(value, room));
	}
	text_escape(ret, size, all);
}

static void list_text(const json_t *list, char *ret, size_t size)
{
	char all[CARD_CELL] = "", room[24];
	size_t i;
	json_t *value;

	json_array_foreach((json_t *)list, i, value)
	{
		size_t len = strlen(all);
		snprintf(all + len, sizeof(all) - len, "%s%s", len ? " " : "",
			inner_text(value, room));
	}
	text_escape(ret, size, all);
}

static void number_text(enum table_kind kind, json_int_t number, char ret[static CELL])
{
	if (kind == TABLE_BYTES)
		bytes_text(number, ret);
	else if (kind == TABLE_SPAN)
		span_text(number, ret);
	else if (kind == TABLE_MOST && !number)
		text_clip(ret, CELL, "no limit");
	else
		snprintf(ret, CELL, "%lld", (long long)number);
}

static const char *state_text(const json_t *row, const char *state)
{
	int is_over = json_is_true(json_object_get(row, "expired"));

	return is_over && strcmp(state, "disabled") ? "expired" : state;
}

/* `size` is CELL at least. */
static void cell_text(const struct table_column *column, const json_t *row, char *ret,
	size_t size)
{
	const json_t *value = find(row, column->key);
	const char *text = json_string_value(value);
	int64_t ms;

	*ret = '\0';
	if (column->kind == TABLE_STATE && text)
		text = state_text(row, text);
	if (text && column->kind == TABLE_TIME && !clock_parse(text, &ms))
		dates_text(ms, ret);
	else if (text)
		text_escape(ret, size, text);
	else if (json_is_integer(value))
		number_text(column->kind, json_integer_value(value), ret);
	else if (json_is_boolean(value))
		snprintf(ret, size, "%s", json_is_true(value) ? "yes" : "no");
	else if (json_is_object(value))
		map_text(value, ret, size);
	else if (json_is_array(value))
		list_text(value, ret, size);
	if (!*ret)
		text_clip(ret, size, "-");
}

static void print_cell(const char *text, int width, int last, FILE *out)
{
	fputs(text, out);
	int used = table_width(text);
	for (int pad = (width > used ? width - used : 0) + 2; !last && pad > 0; pad--)
		fputc(' ', out);
}

void table_begin(struct table *ret, const struct table_column *columns,
	const json_t *rows, FILE *out)
{
	struct table table = {.columns = columns};
	char cell[CELL];
	size_t i;
	json_t *row;

	for (; columns[table.count].head; table.count++) {
		CHECK(table.count < TABLE_COLUMNS);
		int widest = table_width(columns[table.count].head);
		json_array_foreach((json_t *)rows, i, row)
		{
			cell_text(&columns[table.count], row, cell, sizeof(cell));
			int width = table_width(cell);
			widest = width > widest ? width : widest;
		}
		table.widths[table.count] = widest;
	}
	for (size_t c = 0; c < table.count; c++)
		print_cell(columns[c].head, table.widths[c], c + 1 == table.count, out);
	fputc('\n', out);
	*ret = table;
}

void table_rows(const struct table *table, const json_t *rows, FILE *out)
{
	char cell[CELL];
	size_t i;
	json_t *row;

	json_array_foreach((json_t *)rows, i, row)
	{
		for (size_t c = 0; c < table->count; c++) {
			cell_text(&table->columns[c], row, cell, sizeof(cell));
			print_cell(cell, table->widths[c], c + 1 == table->count, out);
		}
		fputc('\n', out);
	}
}

void table_card(const struct table_column *columns, const json_t *object, FILE *out)
{
	int widest = 0;
	char cell[CARD_CELL];

	for (size_t i = 0; columns[i].head; i++) {
		int width = table_width(columns[i].head);
		widest = width > widest ? width : widest;
	}
	for (size_t i = 0; columns[i].head; i++) {
		cell_text(&columns[i], object, cell, sizeof(cell));
		print_cell(columns[i].head, widest, 0, out);
		fprintf(out, "%s\n", cell);
	}
}
