/* redis_reply: reading answers of Redis, of whatever shape they come.
 *
 * Thread: any. Owner: hiredis, until `done` of the ask returns; so with all that points into it.
 */
#ifndef REDIS_REDIS_REPLY_H
#define REDIS_REDIS_REPLY_H

#include <stddef.h>
#include <stdint.h>

#include "base/check.h"

struct redisReply;

/* NULL or 0 where there is no such element. */
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
