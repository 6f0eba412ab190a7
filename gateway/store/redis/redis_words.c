#include "store/redis/redis_words.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/reason.h"

/* The largest append is 1000 rows of 32 KiB. */
#define COMMAND_MAX (64u << 20)
#define KEY_MAX 512

void redis_words_init(struct redis_words *words)
{
	*words = (struct redis_words){0};
	buf_init(&words->buf, COMMAND_MAX);
}

void redis_words_bytes(struct redis_words *words, const void *bytes, size_t len)
{
	char head[32];
	int digits = snprintf(head, sizeof(head), "$%zu\r\n", len);
	words->count++;
	if (words->failed)
		return;
	words->failed = buf_append(&words->buf, head, (size_t)digits);
	if (!words->failed)
		words->failed = buf_append(&words->buf, bytes, len);
	if (!words->failed)
		words->failed = buf_append(&words->buf, "\r\n", 2);
}

void redis_words_text(struct redis_words *words, const char *text)
{
	redis_words_bytes(words, text, strlen(text));
}

void redis_words_number(struct redis_words *words, int64_t number)
{
	char text[24];
	snprintf(text, sizeof(text), "%" PRId64, number);
	redis_words_text(words, text);
}

void redis_words_key(struct redis_words *words, const char *prefix, const char *format,
	...)
{
	char key[KEY_MAX];
	va_list args;
	int len = snprintf(key, sizeof(key), "%s:", prefix);
	va_start(args, format);
	int more = vsnprintf(key + len, sizeof(key) - (size_t)len, format, args);
	va_end(args);
	if (more < 0 || (size_t)(len + more) >= sizeof(key))
		words->failed = -REASON_LIMIT;
	else
		redis_words_bytes(words, key, (size_t)(len + more));
}

/* The command is `head` and then the words. */
static int finish(struct redis_words *words, const char *head, size_t head_len, int count,
	struct redis_ask *ret)
{
	int r = words->failed;
	size_t body = buf_len(&words->buf);
	char *command = r ? NULL : malloc(head_len + body);
	if (!r && !command)
		r = -REASON_NO_MEMORY;
	if (r == 0) {
		memcpy(command, head, head_len);
		memcpy(command + head_len, buf_head(&words->buf), body);
		ret->command = command;
		ret->len = head_len + body;
		ret->rest = head_len;
		ret->words = count;
	}
	buf_done(&words->buf);
	return r;
}

int redis_words_plain(struct redis_words *words, struct redis_ask *ret)
{
	char head[32];
	int len = snprintf(head, sizeof(head), "*%d\r\n", words->count);
	return finish(words, head, (size_t)len, words->count, ret);
}

int redis_words_script(struct redis_words *words, enum redis_script_name name, int keys,
	struct redis_ask *ret)
{
	char head[160], number[16];
	const struct redis_script *script = redis_script_of(name);
	int digits = snprintf(number, sizeof(number), "%d", keys);
	int len = snprintf(head, sizeof(head),
		"*%d\r\n$7\r\nEVALSHA\r\n$40\r\n%s\r\n$%d\r\n%s\r\n", words->count + 3,
		script->sha, digits, number);
	int r = finish(words, head, (size_t)len, words->count + 3, ret);
	if (r == 0) {
		ret->script = script;
		/* From the number of keys on. */
		ret->rest -= (size_t)snprintf(NULL, 0, "$%d\r\n%s\r\n", digits, number);
	}
	return r;
}
