#include "base/conf.h"

#include <errno.h>
#include <ini.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "base/reason.h"
#include "base/text.h"

#define FILE_MAX (1 << 20)
#define LINE_MAX_CHARS 4096

/* A value that was understood and is not yet in the caller's struct. */
struct parsed {
	int64_t number;
	char *text;
};

struct unit {
	const char *name;
	int64_t factor;
};

/* Largest first: the printer takes the first that divides. */
static const struct unit sizes[] = {
	{"G", 1 << 30}, {"M", 1 << 20}, {"K", 1 << 10}, {"", 1}, {0}};
static const struct unit times[] = {
	{"d", 86400000}, {"h", 3600000}, {"m", 60000}, {"s", 1000}, {"ms", 1}, {0}};
static const struct unit whole[] = {{"", 1}, {0}};

static const struct unit *units_of(enum conf_type type)
{
	return type == CONF_SIZE ? sizes : type == CONF_MS ? times : whole;
}

PRINTF_LIKE(2, 3) static int complain(struct conf_error *error, const char *format, ...)
{
	if (error) {
		va_list args;
		va_start(args, format);
		vsnprintf(error->message, sizeof(error->message), format, args);
		va_end(args);
	}
	return -REASON_CONFIG;
}

static int parse_bool(const char *text, int64_t *ret)
{
	static const char *const words[] = {"no", "yes", "false", "true", "off", "on"};
	for (size_t i = 0; i < ARRAY_LEN(words); i++)
		if (!strcmp(text, words[i])) {
			*ret = i % 2;
			return 0;
		}
	return -REASON_CONFIG;
}

static int parse_number(const char *text, const struct unit *units, int64_t *ret)
{
	char *end;
	if (!*text || !strchr("-0123456789", *text))
		return -REASON_CONFIG;
	errno = 0;
	long long value = strtoll(text, &end, 10);
	if (errno || end == text)
		return -REASON_CONFIG;
	if (value == 0 && !*end) { /* nothing is nothing in every unit */
		*ret = 0;
		return 0;
	}
	for (; units->name; units++)
		if (!strcmp(end, units->name))
			return __builtin_mul_overflow(value, units->factor, ret)
				       ? -REASON_CONFIG
				       : 0;
	return -REASON_CONFIG;
}

static void number_text(char ret[static 32], enum conf_type type, int64_t value)
{
	const struct unit *unit = units_of(type);
	while (unit[1].name && (value == 0 || value % unit->factor))
		unit++;
	snprintf(ret, 32, "%lld%s", (long long)(value / unit->factor), unit->name);
}

static int wrong_number(const struct conf_entry *entry, const char *value,
	struct conf_error *error)
{
	static const char *const kinds[] = {[CONF_INT] = "a whole number",
		[CONF_SIZE] = "a size like 64K, 1M, 2G",
		[CONF_MS] = "a time like 250ms, 15s, 5m, 12h, 60d"};
	char min[32], max[32], clean[64];
	number_text(min, entry->type, entry->min);
	number_text(max, entry->type, entry->max);
	text_escape(clean, sizeof(clean), value);
	return complain(error, "%s.%s: expected %s from %s to %s, not \"%s\"",
		entry->section, entry->name, kinds[entry->type], min, max, clean);
}

void conf_error_text(const struct conf_error *error, char ret[static CONF_ERROR_TEXT])
{
	if (!error->file[0])
		snprintf(ret, CONF_ERROR_TEXT, "%s", error->message);
	else if (!error->line)
		snprintf(ret, CONF_ERROR_TEXT, "%s: %s", error->file, error->message);
	else
		snprintf(ret, CONF_ERROR_TEXT, "%s:%d:%d: %s", error->file, error->line,
			error->column, error->message);
}

static int check_text(const struct conf_table *table, const struct conf_entry *entry,
	const char *value, struct conf_error *error)
{
	char clean[64];
	const char *expected =
		table->expected && value ? table->expected(entry, value) : NULL;
	if (!expected)
		return 0;
	text_escape(clean, sizeof(clean), value);
	return complain(error, "%s.%s: expected %s, not \"%s\"", entry->section,
		entry->name, expected, clean);
}

static int parse_value(const struct conf_table *table, const struct conf_entry *entry,
	const char *value, struct parsed *ret, struct conf_error *error)
{
	struct parsed parsed = {0};
	char clean[64];
	switch (entry->type) {
	case CONF_STRING:
		if (check_text(table, entry, value, error))
			return -REASON_CONFIG;
		parsed.text = value ? strdup(value) : NULL;
		if (value && !parsed.text)
			return -REASON_NO_MEMORY;
		break;
	case CONF_BOOL:
		text_escape(clean, sizeof(clean), value);
		if (parse_bool(value, &parsed.number))
			return complain(error, "%s.%s: expected yes or no, not \"%s\"",
				entry->section, entry->name, clean);
		break;
	case CONF_INT:
	case CONF_SIZE:
	case CONF_MS:
		if (parse_number(value, units_of(entry->type), &parsed.number) ||
			parsed.number < entry->min || parsed.number > entry->max)
			return wrong_number(entry, value, error);
		break;
	}
	*ret = parsed;
	return 0;
}

/* Cannot fail, so that a file is taken over as a whole. */
static void store(const struct conf_entry *entry, char *object,
	const struct parsed *parsed)
{
	void *field = object + entry->offset;
	if (entry->type == CONF_STRING) {
		free(*(char **)field);
		*(char **)field = parsed->text;
	} else if (entry->type == CONF_BOOL) {
		*(int *)field = (int)parsed->number;
	} else {
		*(int64_t *)field = parsed->number;
	}
}

int conf_defaults(const struct conf_table *table, void *object)
{
	for (size_t i = 0; i < table->count; i++) {
		const struct conf_entry *entry = &table->entries[i];
		struct parsed parsed;
		CHECK(entry->fallback || entry->type == CONF_STRING);
		int r = parse_value(table, entry, entry->fallback, &parsed, NULL);
		if (r)
			return r;
		store(entry, object, &parsed);
	}
	return 0;
}

void conf_done(const struct conf_table *table, void *object)
{
	static const struct parsed nothing;
	for (size_t i = 0; i < table->count; i++)
		store(&table->entries[i], object, &nothing);
}

static const struct conf_entry *find(const struct conf_table *table, const char *section,
	const char *name)
{
	for (size_t i = 0; i < table->count; i++) {
		const struct conf_entry *entry = &table->entries[i];
		if (!strcmp(entry->section, section) && !strcmp(entry->name, name))
			return entry;
	}
	return NULL;
}

static int find_dotted(const struct conf_table *table, const char *dotted,
	const struct conf_entry **ret, struct conf_error *error)
{
	const struct conf_entry *found = NULL;
	char clean[64];
	text_escape(clean, sizeof(clean), dotted);
	for (size_t i = 0; i < table->count; i++) {
		const struct conf_entry *entry = &table->entries[i];
		size_t len = strlen(entry->section);
		if (!strncmp(dotted, entry->section, len) && dotted[len] == '.' &&
			!strcmp(dotted + len + 1, entry->name)) {
			*ret = entry;
			return 0;
		}
		if (strcmp(dotted, entry->name))
			continue;
		if (found)
			return complain(error,
				"\"%s\" is ambiguous: write %s.%s or %s.%s", clean,
				found->section, found->name, entry->section, entry->name);
		found = entry;
	}
	if (!found)
		return complain(error, "there is no setting \"%s\"", clean);
	*ret = found;
	return 0;
}

int conf_set(const struct conf_table *table, void *object, const char *name,
	const char *value, struct conf_error *error)
{
	const struct conf_entry *entry;
	struct parsed parsed;
	if (error)
		*error = (struct conf_error){0};
	int r = find_dotted(table, name, &entry, error);
	if (!r)
		r = parse_value(table, entry, value, &parsed, error);
	if (!r)
		store(entry, object, &parsed);
	return r;
}

/* One reading of one file. inih splits the lines into section, name and value; it knows neither
 * columns nor sections without entries, so the lines pass through next_line() first. */
struct reading {
	const struct conf_table *table;
	const char *at, *end; /* the next line, and where the text ends */
	const char *line;     /* the present one */
	size_t line_len;
	int number;            /* of the present line */
	struct parsed *values; /* one per entry */
	int *lines;            /* where each was set, 0: not yet */
	struct conf_error *error;
	int result;
};

/* In characters, as editors count; `offset` is in bytes. */
static int column_of(const char *line, size_t offset)
{
	int column = 1;
	for (size_t i = 0; i < offset; i++)
		column += (line[i] & 0xC0) != 0x80;
	return column;
}

static size_t blanks(const struct reading *reading, size_t from)
{
	while (from < reading->line_len && strchr(" \t", reading->line[from]))
		from++;
	return from;
}

/* The first error stays; later ones may only follow from it. */
static struct conf_error *at(struct reading *reading, size_t offset)
{
	reading->result = -REASON_CONFIG;
	reading->error->line = reading->number;
	reading->error->column = column_of(reading->line, offset);
	return reading->error;
}

static int has_section(const struct conf_table *table, const char *name, size_t len)
{
	for (size_t i = 0; i < table->count; i++) {
		const char *section = table->entries[i].section;
		if (strlen(section) == len && !strncmp(section, name, len))
			return 1;
	}
	return 0;
}

static int check_section(struct reading *reading, size_t start)
{
	const char *name = reading->line + start + 1;
	size_t len = 0, room = reading->line_len - start - 1;
	char text[64], clean[64];
	while (len < room && name[len] != ']')
		len++;
	if (len == room)
		return complain(at(reading, reading->line_len),
			"expected \"]\" after the section's name");
	if (has_section(reading->table, name, len))
		return 0;
	snprintf(text, sizeof(text), "%.*s", (int)len, name);
	text_escape(clean, sizeof(clean), text);
	return complain(at(reading, start + 1), "there is no section \"%s\"", clean);
}

/* Behind a blank, as inih sees it. */
static int begins_comment(const char *line, size_t i)
{
	return line[i] == ';' && i > 0 && strchr(" \t", line[i - 1]);
}

static int check_line(struct reading *reading)
{
	size_t start = blanks(reading, 0), len = reading->line_len;
	const char *line = reading->line;
	if (len > LINE_MAX_CHARS)
		return complain(at(reading, LINE_MAX_CHARS),
			"a line may have at most %d bytes", LINE_MAX_CHARS);
	const char *zero = memchr(line, 0, len);
	if (zero)
		return complain(at(reading, (size_t)(zero - line)),
			"a NUL byte: this is not a text file");
	size_t valid = text_utf8_span(line, len);
	if (valid < len)
		return complain(at(reading, valid), "this is not UTF-8");
	if (start == len || strchr(";#\r", line[start]))
		return 0;
	if (line[start] == '[')
		return check_section(reading, start);
	size_t name = start;
	while (name < len && !strchr("=:", line[name]) && !begins_comment(line, name))
		name++;
	if (name == len || name == start || line[name] == ';')
		return complain(at(reading, start), "expected: name = value");
	return 0;
}

/* inih's reader: one line with its end, as fgets() gives it. Leading blanks are taken away, since
 * inih would take an indented line for the continuation of the one before. */
static char *next_line(char *ret, int size, void *object)
{
	struct reading *reading = object;
	if (reading->result || reading->at == reading->end)
		return NULL;
	const char *line = reading->at, *feed;
	feed = memchr(line, '\n', (size_t)(reading->end - line));
	size_t len = (size_t)((feed ? feed : reading->end) - line);
	reading->at = feed ? feed + 1 : reading->end;
	reading->line = line;
	reading->line_len = len;
	reading->number++;
	if (check_line(reading))
		return NULL;
	size_t start = blanks(reading, 0);
	CHECK(len - start + 2 <= (size_t)size);
	memcpy(ret, line + start, len - start);
	memcpy(ret + len - start, "\n", 2);
	return ret;
}

static size_t value_offset(const struct reading *reading)
{
	size_t i = 0;
	while (i < reading->line_len && !strchr("=:", reading->line[i]))
		i++;
	return blanks(reading, i + 1);
}

static int take_entry(void *object, const char *section, const char *name,
	const char *value)
{
	struct reading *reading = object;
	size_t start = blanks(reading, 0);
	char clean[64];
	text_escape(clean, sizeof(clean), name);
	if (reading->result)
		return 0;
	if (!*section)
		return !complain(at(reading, start),
			"\"%s\" stands before the first [section]", clean);
	const struct conf_entry *entry = find(reading->table, section, name);
	if (!entry)
		return !complain(at(reading, start), "there is no setting \"%s\" in [%s]",
			clean, section);
	size_t index = (size_t)(entry - reading->table->entries);
	if (reading->lines[index])
		return !complain(at(reading, start), "\"%s\" is already set in line %d",
			clean, reading->lines[index]);
	int r = parse_value(reading->table, entry, value, &reading->values[index],
		reading->error);
	if (r) {
		at(reading, value_offset(reading));
		reading->result = r;
		return 0;
	}
	reading->lines[index] = reading->number;
	return 1;
}

/* The whole file, or NULL and what is wrong with it. */
static char *load(const char *path, size_t *ret_len, struct conf_error *error)
{
	FILE *file = fopen(path, "re");
	char *text = file ? malloc(FILE_MAX + 1) : NULL;
	size_t len = text ? fread(text, 1, FILE_MAX + 1, file) : 0;
	if (!file || (text && ferror(file)))
		complain(error, "cannot be read: %s", strerror(errno));
	else if (!text)
		complain(error, "%s", reason_text(REASON_NO_MEMORY, REASON_EN));
	else if (len > FILE_MAX)
		complain(error, "is larger than %d bytes", FILE_MAX);
	if (file)
		fclose(file);
	*ret_len = len;
	if (!*error->message)
		return text;
	free(text);
	return NULL;
}

static int parse_text(const char *text, size_t len, struct reading *reading)
{
	/* A byte order mark is what some editors begin a file with. */
	reading->at = len >= 3 && !memcmp(text, "\xEF\xBB\xBF", 3) ? text + 3 : text;
	reading->end = text + len;
	ini_max_line = LINE_MAX_CHARS + 3;
	int line = ini_parse_stream(next_line, reading, take_entry, reading);
	if (!reading->result && line > 0) {
		/* check_line() is meant to be the stricter of the two. */
		reading->error->line = line;
		reading->error->column = 1;
		reading->result = complain(reading->error, "expected: name = value");
	}
	if (!reading->result && line < 0)
		reading->result = -REASON_NO_MEMORY;
	return reading->result;
}

int conf_read(const struct conf_table *table, void *object, const char *path,
	struct conf_error *error)
{
	struct conf_error ignored;
	struct reading reading = {.table = table, .error = error ? error : &ignored};
	*reading.error = (struct conf_error){0};
	text_clip(reading.error->file, sizeof(reading.error->file), path);
	int r = -REASON_CONFIG;
	size_t len;
	char *text = load(path, &len, reading.error);
	if (!text)
		return r;
	reading.values = calloc(table->count + 1, sizeof(*reading.values));
	reading.lines = calloc(table->count + 1, sizeof(*reading.lines));
	r = reading.values && reading.lines ? parse_text(text, len, &reading)
					    : -REASON_NO_MEMORY;
	for (size_t i = 0; reading.values && reading.lines && i < table->count; i++)
		if (r)
			free(reading.values[i].text);
		else if (reading.lines[i])
			store(&table->entries[i], object, &reading.values[i]);
	free(reading.values);
	free(reading.lines);
	free(text);
	return r;
}

static void sample_range(const struct conf_entry *entry, FILE *out)
{
	char min[32], max[32];
	if (entry->type == CONF_STRING)
		return;
	if (entry->type == CONF_BOOL) {
		fputs("; yes or no", out);
	} else {
		number_text(min, entry->type, entry->min);
		number_text(max, entry->type, entry->max);
		fprintf(out, "; %s to %s", min, max);
	}
	fputs(entry->live ? "; a reload changes it\n" : "\n", out);
}

void conf_sample(const struct conf_table *table, FILE *out)
{
	const char *section = "";
	for (size_t i = 0; i < table->count; i++) {
		const struct conf_entry *entry = &table->entries[i];
		if (strcmp(section, entry->section))
			fprintf(out, "%s[%s]\n", i ? "\n" : "", entry->section);
		section = entry->section;
		fprintf(out, "\n; %s\n", entry->help);
		sample_range(entry, out);
		fprintf(out, "%s%s = %s\n", entry->fallback ? "" : ";", entry->name,
			entry->fallback ? entry->fallback : "");
	}
}
