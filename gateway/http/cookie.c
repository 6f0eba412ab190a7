#include "http/cookie.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "base/reason.h"

/* One header line "a=b; c=d": 1 and the value when `name` is in it once, 2 when more often. */
static int find(const char *line, const char *name, const char **ret, size_t *ret_len)
{
	size_t len = strlen(name);
	int found = 0;

	while (*line) {
		line += strspn(line, " \t;");
		size_t pair = strcspn(line, ";");
		if (pair > len && !strncmp(line, name, len) && line[len] == '=') {
			*ret = line + len + 1;
			*ret_len = pair - len - 1;
			while (*ret_len && strchr(" \t", (*ret)[*ret_len - 1]))
				--*ret_len;
			found++;
		}
		line += pair;
	}
	return found;
}

int cookie_get(const struct request *request, const char *name, char *ret, size_t size)
{
	const char *value = NULL;
	size_t len = 0;
	int found = 0;

	for (size_t i = 0; i < request->header_count; i++)
		if (!strcasecmp(request->headers[i].name, "Cookie"))
			found += find(request->headers[i].value, name, &value, &len);
	if (!found)
		return -REASON_NOT_FOUND;
	if (found > 1 || len >= size)
		return -REASON_BAD_VALUE;
	memcpy(ret, value, len);
	ret[len] = '\0';
	return 0;
}

int cookie_set(const char *name, const char *value, enum cookie_site site,
	int64_t seconds, char *ret, size_t size)
{
	char age[40] = "";

	CHECK(!strncmp(name, "__Host-", 7));
	CHECK(!value[strspn(value, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
				   "0123456789-_.")]);
	if (seconds >= 0)
		snprintf(age, sizeof(age), "; Max-Age=%lld", (long long)seconds);
	int len = snprintf(ret, size, "%s=%s; Path=/; Secure; HttpOnly; SameSite=%s%s",
		name, value, site == COOKIE_LAX ? "Lax" : "Strict", age);
	return len > 0 && (size_t)len < size ? 0 : -REASON_LIMIT;
}
