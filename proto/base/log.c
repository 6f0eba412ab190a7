#include "base/log.h"

#include <errno.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/reason.h"
#include "base/text.h"

#define VALUE_SIZE 257
/* PIPE_BUF: up to here a write to a pipe is not mixed with those of others. */
#define LINE_SIZE 4096

/* Atomics, since a reload may change them while other threads write. */
static struct {
	_Atomic(const char *) program;
	atomic_int fd, format, least;
	atomic_int torn; /* the last line went out in part */
} to = {"engawa", 2, LOG_TEXT, LOG_INFO, 0};

static const char *const level_names[] = {"debug", "info", "warn", "error"};

struct line {
	char text[LINE_SIZE];
	size_t len;
	int whole; /* every field found room */
};

void log_open(const char *program, int fd, enum log_format format, enum log_level least)
{
	to.program = program;
	to.fd = fd;
	to.format = format;
	to.least = least;
}

int log_format_parse(const char *text, enum log_format *ret)
{
	if (strcmp(text, "text") && strcmp(text, "json"))
		return -REASON_USAGE;
	*ret = *text == 't' ? LOG_TEXT : LOG_JSON;
	return 0;
}

static void quote(char *ret, const char *escaped)
{
	*ret++ = '"';
	for (; *escaped; escaped++) {
		if (*escaped == '"' || *escaped == '\\')
			*ret++ = '\\';
		*ret++ = *escaped;
	}
	*ret++ = '"';
	*ret = 0;
}

static void add(struct line *line, enum log_format format, const char *key,
	const char *value)
{
	char field[2 * VALUE_SIZE + 128];
	const char *quotes = format == LOG_JSON ? "\"" : "",
		   *sign = format == LOG_JSON ? ":" : "=";
	const char *between = !line->len ? "" : format == LOG_JSON ? "," : " ";
	int len = snprintf(field, sizeof(field), "%s%s%s%s%s%s", between, quotes, key,
		quotes, sign, value);
	/* Whole or not at all, and with room left for the closing mark and its bracket. */
	if (len < 0 || (size_t)len >= sizeof(field) ||
		line->len + (size_t)len + 32 > LINE_SIZE) {
		line->whole = 0;
		return;
	}
	memcpy(line->text + line->len, field, (size_t)len);
	line->len += (size_t)len;
}

static void add_text(struct line *line, enum log_format format, const char *key,
	const char *text)
{
	char escaped[VALUE_SIZE], quoted[2 * VALUE_SIZE + 2];
	text_escape(escaped, sizeof(escaped), text);
	quote(quoted, escaped);
	/* In text form a plain word needs no quotes; "\" and "=" would make it ambiguous. */
	int plain = format == LOG_TEXT && *escaped && !strpbrk(escaped, " =\"\\");
	add(line, format, key, plain ? escaped : quoted);
}

static void add_number(struct line *line, enum log_format format, const char *key,
	int64_t number)
{
	char text[24];
	snprintf(text, sizeof(text), "%lld", (long long)number);
	add(line, format, key, text);
}

static void put(const char *bytes, size_t len)
{
	ssize_t n;
	do
		n = write(to.fd, bytes, len);
	while (n < 0 && errno == EINTR);
	/* A full disk or pipe loses lines, and the next whole one must not stick to a torn one. */
	if (n > 0 && (size_t)n < len)
		to.torn = 1;
}

void log_fields(enum log_level level, const char *event, const struct log_field *fields)
{
	enum log_format format = (enum log_format)to.format;
	if ((int)level < to.least)
		return;
	int saved = errno;
	struct line line;
	char now[CLOCK_TEXT], out[LINE_SIZE + 4];
	line.len = 0;
	line.whole = 1;
	clock_text(clock_wall_ms(), now);
	add_text(&line, format, "time", now);
	add_text(&line, format, "level", level_names[level]);
	add_text(&line, format, "program", to.program);
	add_text(&line, format, "event", event);
	for (; fields->key; fields++)
		if (fields->text)
			add_text(&line, format, fields->key, fields->text);
		else
			add_number(&line, format, fields->key, fields->number);
	const char *torn = atomic_exchange(&to.torn, 0) ? "\n" : "";
	const char *cut = line.whole ? "" : format == LOG_JSON ? ",\"cut\":1" : " cut=1";
	const char *open = format == LOG_JSON ? "{" : "",
		   *close = format == LOG_JSON ? "}" : "";
	int len = snprintf(out, sizeof(out), "%s%s%.*s%s%s\n", torn, open, (int)line.len,
		line.text, cut, close);
	put(out, (size_t)len);
	errno = saved;
}
