/* redis_script: the Lua scripts, compiled in from the .lua files beside this one, and their names for
 * EVALSHA. What they take and answer stands in their first lines.
 *
 * Thread: any, after redis_script_start().
 */
#ifndef REDIS_REDIS_SCRIPT_H
#define REDIS_REDIS_SCRIPT_H

#include <stddef.h>

#include "base/check.h"

struct redis_script {
	const char *text;
	size_t len;
	char sha[41];
};

enum redis_script_name {
	REDIS_ANNOUNCE,
	REDIS_APPEND,
	REDIS_BOUNDS,
	REDIS_CARRY,
	REDIS_CLAIM,
	REDIS_LIST,
	REDIS_LOOK,
	REDIS_OPEN,
	REDIS_PAGE,
	REDIS_PULSE,
	REDIS_PUBLISH,
	REDIS_PURGE,
	REDIS_PUT,
	REDIS_RAISE,
	REDIS_RELEASE,
	REDIS_REMOVE,
	REDIS_RENEW,
	REDIS_RIGHTS,
	REDIS_STAY,
	REDIS_TAIL,
	REDIS_TRIM,
	REDIS_WALK,
	REDIS_SCRIPTS
};

/* Once, before any other thread; again does nothing. -REASON_NO_MEMORY. */
MUST_CHECK int redis_script_start(void);
const struct redis_script *redis_script_of(enum redis_script_name name);

#endif
