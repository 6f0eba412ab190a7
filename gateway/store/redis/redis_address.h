/* redis_address: what the address of a Redis store says.
 *
 *   redis://[[user]:password@]host[:port][/db][?option=value&…]
 *   redis+unix://[[user]:password@]/path/of/socket[?option=value&…]
 *   redis-sentinel://[[user]:password@]host[:port],host[:port]…/NAME[/db][?option=value&…]
 *
 *   password_file=PATH   the password, so that it stands in no argv (mode 0600, first line)
 *   user=NAME            whose password that is (default: Redis' default user)
 *   sentinel_password_file=PATH, sentinel_user=NAME    the same for the sentinels
 *   spool=DIR            where journal rows wait while Redis is away; default: DIR/spool
 *   spool_mib=N          at most so much of them (64)
 *   prefix=NAME          what all keys begin with (engawa)
 *   deadline_ms=N        after which a command has failed (250)
 *   db=N                 the database (0)
 *   accept=WORD,WORD     faults of this Redis that are taken knowingly: no-appendonly, eviction,
 *                        unseen (it does not let us look)
 *
 * User, password and values may be percent-encoded. An IPv6 address stands in brackets. Errors:
 * -REASON_CONFIG, -REASON_FILE_UNREADABLE, -REASON_FILE_EXPOSED; `error` names the part, never the
 * password.
 */
#ifndef REDIS_REDIS_ADDRESS_H
#define REDIS_REDIS_ADDRESS_H

#include <stddef.h>
#include <stdint.h>

#include "base/check.h"
#include "base/text.h"
#include "store/store_open.h"

#define REDIS_WORD 256
#define REDIS_PATH 4096
#define REDIS_SENTINELS 8

enum redis_accept {
	REDIS_ACCEPT_NO_APPENDONLY = 1,
	REDIS_ACCEPT_EVICTION = 2,
	REDIS_ACCEPT_UNSEEN = 4
};

struct redis_address {
	/* Where the primary is, where socket is empty. With sentinels it is they who say so: redis_guide
	 * writes it, on the link's thread; port 0: not known yet. */
	struct text_endpoint host;
	struct text_endpoint sentinels[REDIS_SENTINELS];
	size_t sentinel_count;
	char master[64]; /* its name there */
	char socket[108];
	char user[REDIS_WORD], password[REDIS_WORD];
	char password_file[REDIS_PATH]; /* "": the password is from the address */
	char sentinel_user[REDIS_WORD], sentinel_password[REDIS_WORD];
	char prefix[32];
	char spool[REDIS_PATH];
	int db;
	unsigned accept; /* of enum redis_accept */
	int64_t deadline_ms;
	uint64_t spool_bytes;
};

/* `rest` is what follows "redis:", "redis+unix:" or "redis-sentinel:". `dir` may be NULL: then the
 * address must name a spool. `ret` is undefined on error. */
enum redis_scheme { REDIS_TCP, REDIS_UNIX, REDIS_SENTINEL };
MUST_CHECK int redis_address_parse(enum redis_scheme scheme, const char *rest,
	const char *dir, struct redis_address *ret, char error[static STORE_ERROR]);
/* The password file once more, after the password was refused; what cannot be read changes nothing. */
void redis_address_reread(struct redis_address *address);

#endif
