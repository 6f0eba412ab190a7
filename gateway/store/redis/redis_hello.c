#include "store/redis/redis_hello.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/reason.h"

/* The value of "name:value\r\n" in an INFO; "" where there is none. */
static void field(const char *info, const char *name, char *ret, size_t size)
{
	size_t len = strlen(name);
	*ret = 0;
	for (const char *line = info; line; line = strchr(line, '\n')) {
		line += *line == '\n';
		if (strncmp(line, name, len) || line[len] != ':')
			continue;
		int value = (int)strcspn(line + len + 1, "\r\n");
		snprintf(ret, size, "%.*s", value, line + len + 1);
		return;
	}
}

static int say(int r, char error[static STORE_ERROR], const char *what)
{
	snprintf(error, STORE_ERROR, "Redis %s", what);
	return r;
}

int redis_hello_check(const char *info, char error[static STORE_ERROR])
{
	char version[32], value[32];
	unsigned major = 0, minor = 0;
	field(info, "redis_version", version, sizeof(version));
	if (sscanf(version, "%u.%u", &major, &minor) != 2)
		return say(-REASON_CONFIG, error, "does not tell its version");
	if (major < 6 || (major == 6 && minor < 2))
		return say(-REASON_CONFIG, error, "is too old: 6.2 or later is needed");
	field(info, "loading", value, sizeof(value));
	if (strcmp(value, "0") && *value)
		return say(-REASON_STORE_UNAVAILABLE, error, "is still loading its data");
	field(info, "role", value, sizeof(value));
	if (strcmp(value, "master"))
		return say(-REASON_STORE_UNAVAILABLE, error,
			"is a replica: give the address of the primary");
	field(info, "aof_enabled", value, sizeof(value));
	if (strcmp(value, "1"))
		return say(-REASON_CONFIG, error,
			"runs without appendonly and would lose what it acknowledged: "
			"set "
			"\"appendonly yes\" and \"appendfsync always\" in redis.conf");
	field(info, "maxmemory_policy", value, sizeof(value));
	if (strcmp(value, "noeviction"))
		return say(-REASON_CONFIG, error,
			"throws data away when memory is short: set \"maxmemory-policy "
			"noeviction\" in redis.conf");
	return 0;
}
