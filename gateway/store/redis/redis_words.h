/* redis_words: a command for Redis, word by word.
 *
 * Thread: any, one at a time. Owner: the words until redis_words_plain() or _script() takes them.
 */
#ifndef REDIS_REDIS_WORDS_H
#define REDIS_REDIS_WORDS_H

#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/check.h"
#include "store/redis/redis_ask.h"
#include "store/redis/redis_script.h"

/* The words of a command. Adding cannot fail; redis_words_plain() and _script() tell. */
struct redis_words {
	struct buf buf;
	int count, failed;
};

void redis_words_init(struct redis_words *words);
void redis_words_bytes(struct redis_words *words, const void *bytes, size_t len);
void redis_words_text(struct redis_words *words, const char *text);
void redis_words_number(struct redis_words *words, int64_t number);
/* A key: "PREFIX:" and the rest. */
void redis_words_key(struct redis_words *words, const char *prefix, const char *format,
	...) PRINTF_LIKE(3, 4);

/* Both take the words. -REASON_NO_MEMORY, -REASON_LIMIT (a key or all of it is too long). */
MUST_CHECK int redis_words_plain(struct redis_words *words, struct redis_ask *ret);
/* The first `keys` words are the keys. */
MUST_CHECK int redis_words_script(struct redis_words *words, enum redis_script_name name,
	int keys, struct redis_ask *ret);

#endif
