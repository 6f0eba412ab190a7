/* links: store_redis gateway_store PkgConfig::HIREDIS */
/* What comes from Redis, if it is not our Redis: rows, marks, statuses, INFO. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <hiredis/hiredis.h>

#include "base/check.h"
#include "base/log.h"
#include "base/reason.h"
#include "store/redis/redis_hello.h"
#include "store/redis/redis_reply.h"
#include "store/redis/redis_row.h"

static void look(const struct redisReply *reply)
{
	struct journal_row row;
	struct journal_mark mark;
	char error[STORE_ERROR] = "", notes[STORE_ERROR] = "";
	int r = redis_row_read(reply, &row);
	if (r == 0)
		CHECK(row.tenant && row.license && row.node && row.body &&
			(unsigned)row.kind < JOURNAL_KINDS);
	r = redis_row_mark(redis_reply_at(reply, 0), redis_reply_at(reply, 1), &mark);
	CHECK(r == 0 || r == -REASON_STATE_DAMAGED);
	CHECK(redis_reply_status(reply) <= 0);
	if (redis_hello_info(reply, 7, notes, error))
		CHECK(*error);
	redis_hello_fsync(reply, notes);
	if (redis_hello_rights(reply, error))
		CHECK(*error);
	for (size_t i = 0; i < redis_reply_count(reply); i++)
		look(redis_reply_at(reply, i));
}

/* hiredis takes memory for as many elements as it is told of; that is not what is looked for here. */
static int is_vast(const uint8_t *bytes, size_t len)
{
	for (size_t i = 0, digits = 0, array = 0; i < len; i++) {
		digits = bytes[i] >= '0' && bytes[i] <= '9' ? digits + 1 : 0;
		array = bytes[i] == '*' || (array && bytes[i] != '\n');
		if (array && digits > 4)
			return 1;
	}
	return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
	void *reply = NULL;
	if (is_vast(bytes, len))
		return 0;
	redisReader *reader = redisReaderCreate();
	log_open("fuzz", -1, LOG_TEXT, LOG_ERROR);
	CHECK(reader);
	if (redisReaderFeed(reader, (const char *)bytes, len) == REDIS_OK)
		while (redisReaderGetReply(reader, &reply) == REDIS_OK && reply) {
			look(reply);
			freeReplyObject(reply);
			reply = NULL;
		}
	redisReaderFree(reader);
	return 0;
}
