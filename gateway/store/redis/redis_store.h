/* redis_store: a whole store in one Redis, for many nodes ("redis://…", "redis+unix://…";
 * redis_address.h). docs/capacity.md has the keys and what they weigh.
 *
 * Thread, owner: store_open.h. Errors: -REASON_CONFIG (address, password, a Redis that is not fit),
 * -REASON_STORE_UNAVAILABLE, and those of journal_spool_open().
 */
#ifndef REDIS_REDIS_STORE_H
#define REDIS_REDIS_STORE_H

#include "base/check.h"
#include "store/redis/redis_address.h"
#include "store/store_open.h"

/* `dir` may be NULL. */
MUST_CHECK int redis_store_open(enum redis_scheme scheme, const char *rest,
	const char *dir, const char *node, struct store **ret,
	char error[static STORE_ERROR]);

#endif
