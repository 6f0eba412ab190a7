/* redis_ask: one command for Redis and who gets its answer.
 *
 * Thread: built by one thread, then that of redis_link. Owner: whoever embeds it; redis_conn has it from
 * sending until `done`, which runs exactly once and may free it.
 */
#ifndef REDIS_REDIS_ASK_H
#define REDIS_REDIS_ASK_H

#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/check.h"
#include "store/redis/redis_script.h"

struct redisReply;

struct redis_ask {
	struct redis_ask *next;
	/* `reply` is NULL when there was none in time: nobody knows then whether the command ran or
	 * will run yet. */
	void (*done)(struct redis_ask *ask, const struct redisReply *reply);
	int64_t deadline_ms;               /* 0: that of the address */
	const struct redis_script *script; /* NULL: a plain command */
	char *command;
	size_t len, rest; /* a script's keys and arguments begin at `rest` */
	int words;        /* of the whole command */
};

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

/* The same with the script's text, for a Redis that does not know it. -REASON_NO_MEMORY. */
MUST_CHECK int redis_ask_spell_out(struct redis_ask *ask);
void redis_ask_done(struct redis_ask *ask);

/* Reading answers, of whatever shape they come. NULL or 0 where there is no such element. */
const struct redisReply *redis_reply_at(const struct redisReply *reply, size_t index);
size_t redis_reply_count(const struct redisReply *reply);
/* The text of a string or status; NULL for anything else. `ret_len` may be NULL. */
const char *redis_reply_text(const struct redisReply *reply, size_t *ret_len);
int redis_reply_is(const struct redisReply *reply, const char *text);
uint64_t redis_reply_number(const struct redisReply *reply);
/* 0 for an answer; -REASON_STORE_UNAVAILABLE, -REASON_DISK_FULL (memory or disk of Redis),
 * -REASON_STATE_DAMAGED for an error that must not be. */
int redis_reply_status(const struct redisReply *reply);

#endif
