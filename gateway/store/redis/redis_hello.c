#include "store/redis/redis_hello.h"

#include <hiredis/hiredis.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/reason.h"
#include "store/redis/redis_reply.h"

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

static void note(char notes[static STORE_ERROR], const char *what)
{
	size_t len = strlen(notes);
	snprintf(notes + len, STORE_ERROR - len, "%s%s", len ? "; " : "", what);
}

static int is_error(const struct redisReply *reply, const char *begin)
{
	return reply->type == REDIS_REPLY_ERROR &&
	       strncmp(reply->str, begin, strlen(begin)) == 0;
}

static int check_version(const char *info, char error[static STORE_ERROR])
{
	char version[32];
	unsigned major = 0, minor = 0;
	field(info, "redis_version", version, sizeof(version));
	if (sscanf(version, "%u.%u", &major, &minor) != 2)
		return say(-REASON_CONFIG, error, "does not tell its version");
	if (major < 6 || (major == 6 && minor < 2))
		return say(-REASON_CONFIG, error, "is too old: 6.2 or later is needed");
	return 0;
}

static int check_durable(const char *info, unsigned accept,
	char notes[static STORE_ERROR], char error[static STORE_ERROR])
{
	char value[32];
	field(info, "aof_enabled", value, sizeof(value));
	if (strcmp(value, "1") && !(accept & REDIS_ACCEPT_NO_APPENDONLY))
		return say(-REASON_CONFIG, error,
			"runs without appendonly and would lose what it acknowledged: "
			"set \"appendonly yes\" and \"appendfsync always\" in "
			"redis.conf");
	if (strcmp(value, "1"))
		note(notes, "appendonly is off, as accepted: killed, it loses licenses "
			    "and journal rows");
	field(info, "maxmemory_policy", value, sizeof(value));
	if (strcmp(value, "noeviction") && !(accept & REDIS_ACCEPT_EVICTION))
		return say(-REASON_CONFIG, error,
			"throws data away when memory is short: set \"maxmemory-policy "
			"noeviction\" in redis.conf");
	if (strcmp(value, "noeviction"))
		note(notes, "maxmemory-policy is not noeviction, as accepted: it may "
			    "throw licenses away");
	return 0;
}

static int unseen(const struct redisReply *reply, unsigned accept,
	char notes[static STORE_ERROR], char error[static STORE_ERROR])
{
	if (is_error(reply, "LOADING"))
		return say(-REASON_STORE_UNAVAILABLE, error, "is still loading its data");
	if (is_error(reply, "NOPERM") && (accept & REDIS_ACCEPT_UNSEEN)) {
		note(notes, "version, role, appendonly and maxmemory-policy could not "
			    "be seen (no right to INFO), as accepted");
		return 0;
	}
	snprintf(error, STORE_ERROR, "Redis does not answer INFO%s: %.100s",
		is_error(reply, "NOPERM") ? ", so version, role, appendonly and "
					    "maxmemory-policy cannot be seen (+info)"
					  : "",
		reply->type == REDIS_REPLY_ERROR ? reply->str : "no text");
	return -REASON_CONFIG;
}

int redis_hello_info(const struct redisReply *reply, unsigned accept,
	char notes[static STORE_ERROR], char error[static STORE_ERROR])
{
	char value[32];
	const char *info = redis_reply_text(reply, NULL);
	if (!info)
		return unseen(reply, accept, notes, error);
	int r = check_version(info, error);
	if (r)
		return r;
	field(info, "loading", value, sizeof(value));
	if (strcmp(value, "0") && *value)
		return say(-REASON_STORE_UNAVAILABLE, error, "is still loading its data");
	field(info, "role", value, sizeof(value));
	if (strcmp(value, "master"))
		return say(-REASON_STORE_UNAVAILABLE, error,
			"is a replica: give the address of the primary");
	return check_durable(info, accept, notes, error);
}

void redis_hello_fsync(const struct redisReply *reply, char notes[static STORE_ERROR])
{
	const char *value = redis_reply_text(redis_reply_at(reply, 1), NULL);
	if (!value)
		note(notes, "appendfsync could not be seen (no right to CONFIG GET)");
	else if (strcmp(value, "always"))
		note(notes, "appendfsync is not always: killed, Redis may lose up to 2 s "
			    "of what it acknowledged");
}

int redis_hello_rights(const struct redisReply *reply, char error[static STORE_ERROR])
{
	size_t count = redis_reply_count(reply), len;
	if (reply->type == REDIS_REPLY_ERROR) {
		int r = redis_reply_status(reply);
		snprintf(error, STORE_ERROR, "Redis does not run scripts: %.150s",
			reply->str);
		return is_error(reply, "NOPERM") ? -REASON_CONFIG : r;
	}
	if (!count)
		return 0;
	len = (size_t)snprintf(error, STORE_ERROR, "Redis' user has no right to:");
	for (size_t i = 0; i < count && len < STORE_ERROR; i++) {
		const char *word = redis_reply_text(redis_reply_at(reply, i), NULL);
		len += (size_t)snprintf(error + len, STORE_ERROR - len, " %.20s",
			word ? word : "?");
	}
	return -REASON_CONFIG;
}
