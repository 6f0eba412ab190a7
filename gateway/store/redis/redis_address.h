/* redis_address: what the address of a Redis store says.
 *
 *   redis://[[user]:password@]host[:port][/db][?option=value&…]
 *   redis+unix://[[user]:password@]/path/of/socket[?option=value&…]
 *
 *   password_file=PATH   the password, so that it stands in no argv (mode 0600, first line)
 *   user=NAME            whose password that is (default: Redis' default user)
 *   spool=DIR            where journal rows wait while Redis is away; default: DIR/spool
 *   spool_mib=N          at most so much of them (64)
 *   prefix=NAME          what all keys begin with (engawa)
 *   deadline_ms=N        after which a command has failed (250)
 *   db=N                 the database (0)
 *
 * User, password and values may be percent-encoded. Errors: -REASON_CONFIG, -REASON_FILE_UNREADABLE,
 * -REASON_FILE_EXPOSED; `error` names the part, never the password.
 */
#ifndef REDIS_REDIS_ADDRESS_H
#define REDIS_REDIS_ADDRESS_H

#include <stdint.h>

#include "base/check.h"
#include "base/text.h"
#include "store/store_open.h"

#define REDIS_WORD 256
#define REDIS_PATH 4096

struct redis_address {
	struct text_endpoint host; /* where socket is empty */
	char socket[108];
	char user[REDIS_WORD], password[REDIS_WORD];
	char prefix[32];
	char spool[REDIS_PATH];
	int db;
	int64_t deadline_ms;
	uint64_t spool_bytes;
};

/* `rest` is what follows "redis:" or "redis+unix:". `dir` may be NULL: then the address must name a
 * spool. `ret` is undefined on error. */
enum redis_scheme { REDIS_TCP, REDIS_UNIX };
MUST_CHECK int redis_address_parse(enum redis_scheme scheme, const char *rest,
	const char *dir, struct redis_address *ret, char error[static STORE_ERROR]);

#endif
