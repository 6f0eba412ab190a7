#include "store/store_open.h"

#include <stdio.h>
#include <string.h>

#include "base/reason.h"
#include "base/secret.h"
#include "metrics/metrics.h"
#include "store/memory/memory_store.h"
#include "store/redis/redis_store.h"
#include "store/sqlite/sqlite_store.h"

static const char *after(const char *address, const char *scheme)
{
	size_t len = strlen(scheme);
	return strncmp(address, scheme, len) ? NULL : address + len;
}

static int refuse(const char *address, char error[static STORE_ERROR])
{
	/* Up to the first "?" or "@" only: what follows may hold a password. */
	int shown = (int)strcspn(address, "?@");
	if (after(address, "redis"))
		shown = (int)strcspn(address, ":/?@");
	snprintf(error, STORE_ERROR,
		"\"%.*s\" is no store address: expected sqlite:PATH, redis://…, "
		"redis+unix://… or redis-sentinel://…",
		shown > 100 ? 100 : shown, address);
	return -REASON_CONFIG;
}

static const struct {
	const char *name;
	enum redis_scheme scheme;
} schemes[] = {{"redis:", REDIS_TCP}, {"redis+unix:", REDIS_UNIX},
	{"redis-sentinel:", REDIS_SENTINEL}};

/* What follows the scheme; NULL: no address of a Redis. */
static const char *after_redis(const char *address, enum redis_scheme *ret)
{
	for (size_t i = 0; i < ARRAY_LEN(schemes); i++) {
		const char *rest = after(address, schemes[i].name);
		*ret = schemes[i].scheme;
		if (rest)
			return rest;
	}
	return NULL;
}

static int refuse_tls(char error[static STORE_ERROR])
{
	snprintf(error, STORE_ERROR,
		"rediss:// is not supported, for the hiredis of Debian speaks no TLS: "
		"use a "
		"Unix socket, or redis:// to a stunnel on this machine");
	return -REASON_CONFIG;
}

static int open_memory(const char *node, struct store **ret,
	char error[static STORE_ERROR])
{
	int r = memory_store_open(node, ret);
	if (r)
		snprintf(error, STORE_ERROR, "%s", reason_text(r, REASON_EN));
	return r;
}

static int open_sqlite(const char *path, const char *node, struct store **ret,
	char error[static STORE_ERROR])
{
	int r = sqlite_store_open(path, node, ret, error);
	/* A file is there as long as the process is; a disk that fails shows in the errors. */
	metrics_set(METRIC_STORE_UP, !r);
	return r;
}

int store_open_in(const char *dir, const char *address, const char *node,
	struct store **ret, char error[static STORE_ERROR])
{
	const char *path = after(address, "sqlite:");
	if (path && *path)
		return open_sqlite(path, node, ret, error);
	enum redis_scheme scheme;
	const char *rest = after_redis(address, &scheme);
	if (rest)
		return redis_store_open(scheme, rest, dir, node, ret, error);
	if (after(address, "rediss:"))
		return refuse_tls(error);
	if (strcmp(address, "memory:") == 0)
		return open_memory(node, ret, error);
	return refuse(address, error);
}

int store_open_check(const char *address, char error[static STORE_ERROR])
{
	struct redis_address parsed;
	enum redis_scheme scheme;
	const char *path = after(address, "sqlite:");
	const char *rest = after_redis(address, &scheme);
	if ((path && *path) || strcmp(address, "memory:") == 0)
		return 0;
	if (after(address, "rediss:"))
		return refuse_tls(error);
	if (!rest)
		return refuse(address, error);
	/* Where the data directory is, is not known here: its name only stands for the spool's place. */
	int r = redis_address_parse(scheme, rest, "/", &parsed, error);
	secret_wipe(&parsed, sizeof(parsed));
	return r;
}

int store_open(const char *address, const char *node, struct store **ret,
	char error[static STORE_ERROR])
{
	return store_open_in(NULL, address, node, ret, error);
}

/* For those who look without a node. */
static int refuse_shared(const char *address, char error[static STORE_ERROR])
{
	enum redis_scheme scheme;

	if (!after_redis(address, &scheme))
		return refuse(address, error);
	snprintf(error, STORE_ERROR,
		"a journal in Redis is verified by a running node: engawactl audit "
		"verify; "
		"without one, restore a backup into an empty directory and look there");
	return -REASON_CONFIG;
}

int store_open_reader(const char *address, struct store **ret,
	char error[static STORE_ERROR])
{
	const char *path = after(address, "sqlite:");
	if (path && *path)
		return sqlite_store_open_reader(path, ret, error);
	return refuse_shared(address, error);
}

int store_open_snapshot(const char *address, struct store **ret,
	char error[static STORE_ERROR])
{
	const char *path = after(address, "sqlite:");
	if (path && *path)
		return sqlite_store_open_snapshot(path, ret, error);
	return refuse(address, error);
}
