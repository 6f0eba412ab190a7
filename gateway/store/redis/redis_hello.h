/* redis_hello: is this Redis fit to be the store? Reads what it says of itself.
 *
 * Needed: 6.2 (XTRIM MINID), a primary, no loading, appendonly (a stock Redis loses what it acknowledged
 * when it is killed), maxmemory-policy noeviction (another one throws away licenses when memory is
 * short), and the right to call what the store calls. What `accept` names is taken knowingly; `notes`
 * then says so, and says what could not be seen.
 * Thread: any.
 */
#ifndef REDIS_REDIS_HELLO_H
#define REDIS_REDIS_HELLO_H

#include "base/check.h"
#include "store/redis/redis_address.h"
#include "store/store_open.h"

struct redisReply;

/* Answers to INFO, to CONFIG GET appendfsync, and of rights.lua. `notes` grows.
 * -REASON_CONFIG (waiting does not help), -REASON_STORE_UNAVAILABLE (it may). */
MUST_CHECK int redis_hello_info(const struct redisReply *reply, unsigned accept,
	char notes[static STORE_ERROR], char error[static STORE_ERROR]);
void redis_hello_fsync(const struct redisReply *reply, char notes[static STORE_ERROR]);
MUST_CHECK int redis_hello_rights(const struct redisReply *reply,
	char error[static STORE_ERROR]);

#endif
