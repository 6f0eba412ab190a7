#include "store/redis/redis_append.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/reason.h"
#include "store/redis/redis_reply.h"
#include "store/redis/redis_row.h"
#include "store/redis/redis_words.h"

static const char *put_text(char **at, const char *text)
{
	size_t size = strlen(text) + 1;
	const char *copy = memcpy(*at, text, size);
	*at += size;
	return copy;
}

struct redis_append *redis_append_new(const struct journal_row *rows, size_t count)
{
	size_t text = 0;
	for (size_t i = 0; i < count; i++)
		text += strlen(rows[i].tenant) + strlen(rows[i].license) +
			strlen(rows[i].body) +
			(rows[i].series ? strlen(rows[i].series) : 0) + 4;
	struct redis_append *append =
		calloc(1, sizeof(*append) + count * sizeof(*rows) + text);
	if (!append)
		return NULL;
	char *at = (char *)(append->rows + count);
	append->bytes = text;
	append->count = count;
	for (size_t i = 0; i < count; i++) {
		append->rows[i] = rows[i];
		append->rows[i].tenant = put_text(&at, rows[i].tenant);
		append->rows[i].license = put_text(&at, rows[i].license);
		append->rows[i].body = put_text(&at, rows[i].body);
		append->rows[i].series =
			put_text(&at, rows[i].series ? rows[i].series : "");
	}
	return append;
}

void redis_append_line_init(struct redis_line *line)
{
	line->first = NULL;
	line->end = &line->first;
}

void redis_append_line_add(struct redis_line *line, struct redis_append *append)
{
	append->next = NULL;
	*line->end = append;
	line->end = &append->next;
}

struct redis_append *redis_append_line_take(struct redis_line *line)
{
	struct redis_append *append = line->first;
	line->first = append->next;
	if (!line->first)
		line->end = &line->first;
	return append;
}

int redis_append_line_gather(const struct redis_line *line, size_t most, size_t bytes,
	struct journal_row **ret, size_t *ret_count, size_t *ret_appends)
{
	size_t count = 0, appends = 0, size = 0;
	for (const struct redis_append *at = line->first;
		at && (!appends || (count + at->count <= most && size < bytes));
		at = at->next) {
		count += at->count;
		size += at->bytes;
		appends++;
	}
	struct journal_row *rows = malloc((count + 1) * sizeof(*rows));
	if (!rows)
		return -REASON_NO_MEMORY;
	size_t at_row = 0, left = appends;
	for (const struct redis_append *at = line->first; left--; at = at->next) {
		memcpy(rows + at_row, at->rows, at->count * sizeof(*rows));
		at_row += at->count;
	}
	*ret = rows;
	*ret_count = count;
	*ret_appends = appends;
	return 0;
}

/* Both have the same strings. */
static void count_left_out(const struct redis_line *line, const struct journal_row *row)
{
	for (struct redis_append *at = line->first; at; at = at->next)
		for (size_t i = 0; i < at->count; i++)
			at->left_out += at->rows[i].body == row->body;
}

size_t redis_append_line_leave_out(const struct redis_line *line,
	struct journal_row *rows, size_t count, const struct redisReply *named)
{
	size_t kept = 0, at = 1, next = redis_reply_number(redis_reply_at(named, at));
	for (size_t i = 0; i < count; i++) {
		if (at < redis_reply_count(named) && i == next) {
			count_left_out(line, &rows[i]);
			next = redis_reply_number(redis_reply_at(named, ++at));
		} else {
			rows[kept++] = rows[i];
		}
	}
	return kept;
}

static int hash_rows(const struct redis_append_from *from, struct journal_row *rows,
	size_t count)
{
	const uint8_t *previous = from->head->hash;
	for (size_t i = 0; i < count; i++) {
		rows[i].seq = from->head->seq + 1 + i;
		rows[i].node = from->node;
		int r = journal_chain_hash(previous, &rows[i], rows[i].hash);
		if (r)
			return r;
		previous = rows[i].hash;
	}
	return 0;
}

/* "+" and the series of its last row, "-" and that of another, "": of none. */
static void add_series(struct redis_words *words, const struct journal_row *row)
{
	char text[JOURNAL_SERIES_MAX + 2] = "";
	if (row->series && *row->series)
		snprintf(text, sizeof(text), "%c%s",
			row->place == JOURNAL_LAST ? '+' : '-', row->series);
	redis_words_text(words, text);
}

int redis_append_command(const struct redis_append_from *from, struct journal_row *rows,
	size_t count, struct redis_ask *ret)
{
	struct redis_words words;
	int r = hash_rows(from, rows, count);
	if (r)
		return r;
	redis_words_init(&words);
	redis_words_key(&words, from->prefix, "journal");
	redis_words_key(&words, from->prefix, "journal:head");
	redis_words_key(&words, from->prefix, "journal:hours");
	redis_words_key(&words, from->prefix, "journal:nodes");
	redis_words_key(&words, from->prefix, "journal:ended");
	redis_words_key(&words, from->prefix, REDIS_ROW_INDEX);
	redis_words_text(&words, from->node);
	redis_words_text(&words, from->run);
	redis_words_number(&words, (int64_t)from->first);
	redis_words_number(&words, (int64_t)from->last);
	redis_words_number(&words, (int64_t)from->head->seq);
	redis_words_bytes(&words, from->head->hash, JOURNAL_HASH);
	for (size_t i = 0; i < count; i++)
		redis_row_words(&words, &rows[i]);
	for (size_t i = 0; i < count; i++)
		add_series(&words, &rows[i]);
	return redis_words_script(&words, REDIS_APPEND, 5, ret);
}
