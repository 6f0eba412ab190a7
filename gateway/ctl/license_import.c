/* license import: a license per line of a CSV file (RFC 4180). The first line names the columns:
 * holder is needed; tenant, group, expires, note, state, labels (a JSON object) and label:NAME are
 * known; id and created, which an export has too, are passed over. The answer is CSV (with --json an
 * array) with id, key and password in the order of the lines, so that the two files can be put side
 * by side. A line that fails stops the import: what was made until then has been printed. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/reason.h"
#include "base/secret.h"
#include "ctl/ctl_verbs.h"

#define FILE_MAX (16 * 1024 * 1024)
#define CELLS 32

struct reader {
	char *text, *at;
	long line;
};

struct columns {
	const char *names[CELLS];
	size_t count;
};

static int read_file(const char *path, struct reader *reader)
{
	FILE *in = strcmp(path, "-") ? fopen(path, "re") : stdin;
	char *text = in ? malloc(FILE_MAX + 1) : NULL;
	size_t len = text ? fread(text, 1, FILE_MAX, in) : 0;

	if (in && in != stdin)
		fclose(in);
	if (!text)
		return program_fail(-REASON_FILE_UNREADABLE, "%s: %s", path,
			strerror(errno));
	text[len] = '\0';
	if (len == FILE_MAX || strlen(text) != len) {
		free(text);
		return program_fail(-REASON_BAD_VALUE,
			"%s: not a CSV file of less than 16 MiB.", path);
	}
	/* A byte order mark is what spreadsheets put in front of UTF-8. */
	*reader = (struct reader){
		text, text + (strncmp(text, "\xef\xbb\xbf", 3) ? 0 : 3), 0};
	return 0;
}

/* Unquotes in place; leaves *at behind the separator. -1: a quote that does not end. */
static int read_cell(char **at, char **ret, char *ret_end)
{
	char *from = *at, *to = *at;

	*ret = to;
	if (*from == '"') {
		for (from++; *from && (from[0] != '"' || from[1] == '"'); from++) {
			from += *from == '"';
			*to++ = *from;
		}
		if (*from++ != '"')
			return -1;
	} else {
		while (*from && !strchr(",\r\n", *from))
			*to++ = *from++;
	}
	from += *from == '\r';
	*ret_end = *from;
	if (*from && *from != ',' && *from != '\n')
		return -1;
	*at = from + (*from != '\0');
	*to = '\0';
	return 0;
}

/* 1: a line; 0: the end. */
static int read_line(struct reader *reader, char **cells, size_t *ret_count)
{
	char end = ',';

	if (!*reader->at)
		return 0;
	reader->line++;
	for (*ret_count = 0; end == ','; ++*ret_count)
		if (*ret_count == CELLS ||
			read_cell(&reader->at, &cells[*ret_count], &end))
			return program_fail(-REASON_BAD_VALUE, "Line %ld is not CSV.",
				reader->line);
	return 1;
}

static int known(const char *name)
{
	static const char *const names[] = {"holder", "tenant", "group", "expires",
		"note", "state", "labels", "id", "created"};
	for (size_t i = 0; i < ARRAY_LEN(names); i++)
		if (!strcmp(names[i], name))
			return 1;
	return !strncmp(name, "label:", 6) && name[6];
}

static int read_columns(struct reader *reader, struct columns *columns)
{
	char *cells[CELLS];
	int status = read_line(reader, cells, &columns->count), holder = 0;

	if (status < 0)
		return status;
	for (size_t i = 0; status > 0 && i < columns->count; i++) {
		if (!known(cells[i]))
			return program_fail(-REASON_BAD_VALUE,
				"Line 1: column %s is not known.", cells[i]);
		columns->names[i] = cells[i];
		holder |= !strcmp(cells[i], "holder");
	}
	return holder ? 0
		      : program_fail(-REASON_BAD_VALUE,
				"Line 1: a column holder is needed.");
}

static int read_labels(json_t *labels, const char *text, long line)
{
	json_error_t error;
	json_t *given = json_loads(text, 0, &error);
	int good = json_is_object(given) && !json_object_update(labels, given);

	json_decref(given);
	return good ? 0
		    : program_fail(-REASON_BAD_VALUE,
			      "Line %ld: labels: a JSON object expected.", line);
}

/* Exports put ' before what a spreadsheet would take for a formula. */
static const char *without_guard(const char *cell)
{
	return *cell == '\'' && cell[1] && strchr("=+-@\t\r", cell[1]) ? cell + 1 : cell;
}

static int passed_over(const char *name)
{
	return !strcmp(name, "id") || !strcmp(name, "created");
}

static int license_of(const struct columns *columns, char **cells, long line,
	json_t *body)
{
	json_t *labels = json_object();
	char expires[CTL_VERBS_TIME];

	for (size_t i = 0; i < columns->count; i++) {
		const char *name = columns->names[i], *cell = without_guard(cells[i]);
		if (!*cell || passed_over(name))
			continue;
		if (!strcmp(name, "labels")) {
			if (read_labels(labels, cell, line)) {
				json_decref(labels);
				return -REASON_BAD_VALUE;
			}
		} else if (!strncmp(name, "label:", 6)) {
			json_object_set_new(labels, name + 6, json_string(cell));
		} else if (!strcmp(name, "expires")) {
			if (ctl_verbs_time("expires", cell, 1, expires)) {
				json_decref(labels);
				return -REASON_BAD_VALUE;
			}
			json_object_set_new(body, name, json_string(expires));
		} else if (json_object_set_new(body, name, json_string(cell))) {
			json_decref(labels);
			return program_fail(-REASON_BAD_VALUE, "Line %ld: not UTF-8.",
				line);
		}
	}
	json_object_set_new(body, "labels", labels);
	return 0;
}

static void print_made(const json_t *answer)
{
	static const char *const members[] = {"id", "key", "password"};

	for (size_t i = 0; i < ARRAY_LEN(members); i++)
		printf("%s%s", i ? "," : "",
			json_string_value(json_object_get(answer, members[i])));
	printf("\r\n");
	fflush(stdout);
}

struct import {
	struct rest *rest;
	struct columns columns;
	json_t *made; /* with --json */
};

static int import_line(struct import *import, char **cells, long line)
{
	json_t *body = json_object(), *answer = NULL;
	int status = license_of(&import->columns, cells, line, body);

	if (!status)
		status = rest_call(import->rest, "POST", "/api/v1/licenses", body,
			&answer);
	if (status)
		fprintf(stderr, "engawactl: stopped at line %ld\n", line);
	else if (import->made)
		json_array_append(import->made, answer);
	else
		print_made(answer);
	json_decref(body);
	json_decref(answer);
	return status;
}

static int import_all(struct import *import, struct reader *reader)
{
	const struct columns *columns = &import->columns;
	char *cells[CELLS];
	size_t count;
	int status;

	if (!import->made)
		printf("id,key,password\r\n");
	while ((status = read_line(reader, cells, &count)) > 0) {
		if (count == 1 && !*cells[0])
			continue;
		if (count == columns->count)
			status = import_line(import, cells, reader->line);
		else
			status = program_fail(-REASON_BAD_VALUE,
				"Line %ld has %zu cells instead of %zu.", reader->line,
				count, columns->count);
		if (status)
			break;
	}
	/* What was made before a line failed is shown this once too, behind the error. */
	if (import->made && (!status || json_array_size(import->made)))
		ctl_verbs_print_json(import->made);
	return status;
}

int license_import_file(void *arg, int count, char **words)
{
	struct reader reader = {0};
	struct ctl_options *options = arg;
	struct import import = {.made = options->json ? json_array() : NULL};
	int status;

	if (count < 1)
		return program_fail(-REASON_USAGE,
			"FILE is missing (- reads standard input).");
	status = read_file(words[0], &reader);
	if (!status)
		status = read_columns(&reader, &import.columns);
	if (!status)
		status = rest_open(options, &import.rest);
	if (!status)
		status = import_all(&import, &reader);
	json_decref(import.made);
	rest_close(import.rest);
	free(reader.text);
	return status;
}
