/* redis_hello: is this Redis fit to be the store? Reads its INFO.
 *
 * Needed: 6.2 (XTRIM MINID), a primary, no loading, appendonly (a stock Redis loses what it acknowledged
 * when it is killed), maxmemory-policy noeviction (another one throws away licenses when memory is
 * short).
 * Thread: any.
 */
#ifndef REDIS_REDIS_HELLO_H
#define REDIS_REDIS_HELLO_H

#include "base/check.h"
#include "store/store_open.h"

/* -REASON_CONFIG (waiting does not help), -REASON_STORE_UNAVAILABLE (it may). */
MUST_CHECK int redis_hello_check(const char *info, char error[static STORE_ERROR]);

#endif
