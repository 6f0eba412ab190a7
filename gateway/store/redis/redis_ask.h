/* redis_ask: one command for Redis and who gets its answer.
 *
 * Thread: built by one thread, then that of redis_link. Owner: whoever embeds it; redis_conn has it from
 * sending until `done`, which runs exactly once and may free it.
 */
#ifndef REDIS_REDIS_ASK_H
#define REDIS_REDIS_ASK_H

#include <stddef.h>
#include <stdint.h>

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

/* The same command with the script's text, for a Redis that does not know it. -REASON_NO_MEMORY. */
MUST_CHECK int redis_ask_spell_out(struct redis_ask *ask);
void redis_ask_done(struct redis_ask *ask);

#endif
