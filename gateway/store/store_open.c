#include "store/store_open.h"

#include <stdio.h>
#include <string.h>

#include "base/reason.h"
#include "store/memory/memory_store.h"
#include "store/sqlite/sqlite_store.h"

static const char *after(const char *address, const char *scheme)
{
	size_t len = strlen(scheme);
	return strncmp(address, scheme, len) ? NULL : address + len;
}

static int refuse(const char *address, char error[static STORE_ERROR])
{
	snprintf(error, STORE_ERROR,
		"\"%.100s\" is no store address: expected sqlite:PATH", address);
	return -REASON_CONFIG;
}

int store_open(const char *address, const char *node, struct store **ret,
	char error[static STORE_ERROR])
{
	const char *path = after(address, "sqlite:");
	if (path && *path)
		return sqlite_store_open(path, node, ret, error);
	if (strcmp(address, "memory:"))
		return refuse(address, error);
	int r = memory_store_open(node, ret);
	if (r)
		snprintf(error, STORE_ERROR, "%s", reason_text(r, REASON_EN));
	return r;
}

int store_open_reader(const char *address, struct store **ret,
	char error[static STORE_ERROR])
{
	const char *path = after(address, "sqlite:");
	if (path && *path)
		return sqlite_store_open_reader(path, ret, error);
	return refuse(address, error);
}
