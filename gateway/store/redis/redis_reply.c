#include "store/redis/redis_reply.h"

#include <hiredis/hiredis.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/reason.h"

const struct redisReply *redis_reply_at(const struct redisReply *reply, size_t index)
{
	return index < redis_reply_count(reply) ? reply->element[index] : NULL;
}

size_t redis_reply_count(const struct redisReply *reply)
{
	return reply && reply->type == REDIS_REPLY_ARRAY ? reply->elements : 0;
}

const char *redis_reply_text(const struct redisReply *reply, size_t *ret_len)
{
	if (!reply ||
		(reply->type != REDIS_REPLY_STRING && reply->type != REDIS_REPLY_STATUS))
		return NULL;
	if (ret_len)
		*ret_len = (size_t)reply->len;
	return reply->str;
}

int redis_reply_is(const struct redisReply *reply, const char *text)
{
	const char *found = redis_reply_text(reply, NULL);
	return found && strcmp(found, text) == 0;
}

uint64_t redis_reply_number(const struct redisReply *reply)
{
	const char *text = redis_reply_text(reply, NULL);
	return text ? strtoull(text, NULL, 10) : 0;
}

static int begins(const char *text, const char *with)
{
	return strncmp(text, with, strlen(with)) == 0;
}

int redis_reply_status(const struct redisReply *reply)
{
	static const char *const full[] = {"OOM ", "MISCONF "};
	static const char *const away[] = {"LOADING ", "READONLY ", "MASTERDOWN ",
		"NOAUTH ", "WRONGPASS ", "NOPERM ", "BUSY ", "NOREPLICAS ",
		"CLUSTERDOWN ", "UNBLOCKED "};
	if (!reply)
		return -REASON_STORE_UNAVAILABLE;
	if (reply->type != REDIS_REPLY_ERROR)
		return 0;
	for (size_t i = 0; i < ARRAY_LEN(full); i++)
		/* A script that met full memory says so somewhere in its error. */
		if (begins(reply->str, full[i]) || strstr(reply->str, full[i]))
			return -REASON_DISK_FULL;
	for (size_t i = 0; i < ARRAY_LEN(away); i++)
		if (begins(reply->str, away[i]))
			return -REASON_STORE_UNAVAILABLE;
	if (strstr(reply->str, "ACL failure") ||
		strstr(reply->str, "user executing the script"))
		return -REASON_STORE_UNAVAILABLE;
	log_line(LOG_ERROR, "store answers an error", LOG_S("detail", reply->str));
	return -REASON_STATE_DAMAGED;
}
