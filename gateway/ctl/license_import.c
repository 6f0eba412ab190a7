/* license import: sends a CSV file (gateway/rules/license_sheet.h says what may be in it) and keeps what
 * the answer has: keys and passwords as CSV, or with --json everything as an array. They are written
 * first, to a file with --out, and what was wrong with other lines is told afterwards: whatever is shown
 * only once must not be lost behind an error. */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/reason.h"
#include "base/secret.h"
#include "base/text.h"
#include "ctl/ctl_verbs.h"

#define FILE_MOST (16 * 1024 * 1024)

struct import {
	struct ctl_options *options;
	FILE *out;
	json_t *refused, *all; /* all: with --json */
	json_int_t done, count;
	int ended, lost;
};

static int read_file(const char *path, struct rest_file *ret)
{
	FILE *in = strcmp(path, "-") ? fopen(path, "re") : stdin;
	char *text = in ? malloc(FILE_MOST + 1) : NULL;
	size_t len = text ? fread(text, 1, FILE_MOST + 1, in) : 0;
	int failed = !text || ferror(in);

	if (failed)
		program_fail(-REASON_FILE_UNREADABLE, "%s: %s", path, strerror(errno));
	else if (len > FILE_MOST)
		program_fail(-REASON_LIMIT, "%s: more than 16 MiB.", path);
	if (in && in != stdin)
		fclose(in);
	if (failed || len > FILE_MOST) {
		free(text);
		return failed ? -REASON_FILE_UNREADABLE : -REASON_LIMIT;
	}
	*ret = (struct rest_file){.type = "text/csv", .bytes = text, .len = len};
	return 0;
}

/* A file of its own, that nobody else can read, and that did not exist: a second import must not write
 * over the keys of the first. */
static int open_out(struct import *import)
{
	const char *path = import->options->out;

	import->out = stdout;
	if (!path)
		return 0;
	int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	import->out = fd < 0 ? NULL : fdopen(fd, "w");
	if (import->out)
		return 0;
	return program_fail(-REASON_FILE_UNWRITABLE, "%s: %s", path, strerror(errno));
}

static int close_out(struct import *import)
{
	int bad = import->lost || fflush(import->out);

	if (import->options->out) {
		bad |= fsync(fileno(import->out));
		bad |= fclose(import->out);
		/* Nothing to keep must not stand in the way of the next try. */
		if (!bad && !import->done && !import->all)
			bad |= unlink(import->options->out);
	}
	return bad ? program_fail(-REASON_FILE_UNWRITABLE, "%s",
			     import->options->out ? import->options->out
						  : "(standard output)")
		   : 0;
}

static void print_made(struct import *import, const json_t *made)
{
	static const char *const members[] = {"id", "key", "password"};

	if (!import->done++)
		fputs("id,key,password,line\r\n", import->out);
	for (size_t i = 0; i < ARRAY_LEN(members); i++)
		fprintf(import->out, "%s,",
			json_string_value(json_object_get(made, members[i])));
	fprintf(import->out, "%" JSON_INTEGER_FORMAT "\r\n",
		json_integer_value(json_object_get(made, "line")));
	import->lost |= fflush(import->out) != 0;
}

static void take_line(void *ctx, const char *line, size_t len)
{
	struct import *import = ctx;
	json_t *object = json_loadb(line, len, 0, NULL);

	if (json_object_get(object, "applied")) {
		import->ended = 1;
		import->count = json_integer_value(json_object_get(object, "good"));
	} else if (json_object_get(object, "code")) {
		json_array_append(import->refused, object);
	} else if (!import->all && json_object_get(object, "key")) {
		print_made(import, object);
	}
	if (import->all && !import->ended)
		json_array_append(import->all, object);
	json_decref(object);
}

static void tell_refused(const struct import *import)
{
	char field[80], message[200];
	size_t i;
	json_t *one;

	json_array_foreach(import->refused, i, one)
	{
		const char *name = json_string_value(json_object_get(one, "field"));
		const char *text = json_string_value(json_object_get(one, "message"));
		text_escape(field, sizeof(field), name ? name : "");
		text_escape(message, sizeof(message), text ? text : "");
		fprintf(stderr, "engawactl: line %" JSON_INTEGER_FORMAT "%s%s: %s\n",
			json_integer_value(json_object_get(one, "line")),
			*field ? ", " : "", field, message);
	}
}

/* What is left to say when the keys are safe. */
static int conclude(struct import *import, int status)
{
	size_t refused = json_array_size(import->refused);

	if (import->all) {
		json_dumpf(import->all, import->out, JSON_INDENT(2));
		fputc('\n', import->out);
	}
	int closed = close_out(import);
	if (!import->all)
		tell_refused(import);
	if (closed || status)
		return closed ? closed : status;
	if (!import->ended)
		return program_fail(-REASON_PEER_LOST, "The answer is cut short.");
	if (import->options->dry_run && !import->all)
		fprintf(stderr,
			"engawactl: %" JSON_INTEGER_FORMAT
			" lines are good; nothing was made.\n",
			import->count);
	if (!refused || import->all)
		return refused ? -REASON_BAD_VALUE : 0;
	return program_fail(-REASON_BAD_VALUE, "%zu lines were refused; %s.", refused,
		import->done ? "the others were made" : "nothing was made");
}

static void zone_offset(char *ret, size_t size)
{
	time_t now = time(NULL);
	struct tm local;

	localtime_r(&now, &local);
	int minutes = (int)(local.tm_gmtoff / 60), size_of = abs(minutes) % (15 * 60);
	snprintf(ret, size, "%c%02d:%02d", minutes < 0 ? '-' : '+', size_of / 60,
		size_of % 60);
}

static void path_of(const struct ctl_options *options, struct rest_path *path)
{
	char offset[16];

	zone_offset(offset, sizeof(offset));
	rest_path(path, "/api/v1/licenses/import");
	rest_path_query(path, "offset", offset);
	rest_path_query(path, "take", options->take_good ? "good" : NULL);
	rest_path_query(path, "dry_run", options->dry_run ? "1" : NULL);
	rest_path_query(path, "tenant", options->tenant);
}

int license_import_file(void *arg, int count, char **words)
{
	struct ctl_options *options = arg;
	struct import import = {.options = options};
	struct rest_file file = {0};
	struct rest_path path;
	struct rest *rest = NULL;
	int status;

	if (count < 1)
		return program_fail(-REASON_USAGE,
			"FILE is missing (- reads standard input).");
	path_of(options, &path);
	status = read_file(words[0], &file);
	if (!status)
		status = rest_open(options, &rest);
	if (!status)
		status = open_out(&import);
	if (!status) {
		import.refused = json_array();
		import.all = options->json ? json_array() : NULL;
		status = rest_upload(rest, path.text, &file, take_line, &import);
		status = conclude(&import, status);
	}
	json_decref(import.all);
	json_decref(import.refused);
	rest_close(rest);
	free((char *)file.bytes);
	return status;
}
