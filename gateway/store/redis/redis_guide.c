#include "store/redis/redis_guide.h"

#include <event2/event.h>
#include <hiredis/adapters/libevent.h>
#include <hiredis/async.h>
#include <hiredis/hiredis.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/reason.h"
#include "base/text.h"
#include "store/redis/redis_reply.h"

#define GUIDE_MAGIC 0x52477569
#define ANSWER_MS 1000
#define ROUND_MS 300 /* between two rounds over all sentinels */

struct redis_guide {
	uint32_t magic;
	struct event_base *base;
	struct redis_address *address;
	redis_guide_told told;
	void *ctx;
	size_t at, failed; /* which sentinel; how many in a row told nothing */
	redisAsyncContext *ears, *mouth;
	int hears; /* the subscription is confirmed */
	struct event *deadline, *again;
};

static void set_timer(struct event *timer, int64_t ms)
{
	struct timeval wait = {ms / 1000, (ms % 1000) * 1000};
	CHECK(event_add(timer, &wait) == 0);
}

static void hang_up(redisAsyncContext **redis)
{
	redisAsyncContext *old = *redis;
	*redis = NULL;
	if (old)
		redisAsyncFree(old);
}

static void leave(struct redis_guide *guide)
{
	guide->hears = 0;
	event_del(guide->deadline);
	hang_up(&guide->mouth);
	hang_up(&guide->ears);
}

/* This sentinel is no help: on to the next one. */
static void go_on(struct redis_guide *guide, const char *why)
{
	char from[TEXT_HOST_SIZE + 16], fault[STORE_ERROR];
	text_endpoint_text(from, sizeof(from), &guide->address->sentinels[guide->at]);
	leave(guide);
	guide->at = (guide->at + 1) % guide->address->sentinel_count;
	int round = ++guide->failed >= guide->address->sentinel_count;
	set_timer(guide->again, round ? ROUND_MS : 1);
	if (!round)
		return;
	guide->failed = 0;
	snprintf(fault, sizeof(fault), "no sentinel knows the primary; %.80s: %.100s",
		from, why);
	guide->told(guide->ctx, fault);
}

static void on_connect(const redisAsyncContext *redis, int status)
{
	struct redis_guide *guide = redis->data;
	CHECK_OBJ(guide, GUIDE_MAGIC);
	if (status == REDIS_OK || (redis != guide->ears && redis != guide->mouth))
		return;
	/* hiredis frees this one. */
	char why[128];
	text_clip(why, sizeof(why), redis->errstr);
	if (redis == guide->ears)
		guide->ears = NULL;
	else
		guide->mouth = NULL;
	go_on(guide, why);
}

static void on_disconnect(const redisAsyncContext *redis, int status UNUSED)
{
	struct redis_guide *guide = redis->data;
	CHECK_OBJ(guide, GUIDE_MAGIC);
	if (redis == guide->mouth) {
		guide->mouth = NULL;
		go_on(guide, "it closed the connection");
	} else if (redis == guide->ears) {
		guide->ears = NULL;
		go_on(guide, "it closed the connection");
	}
}

static void on_entry(redisAsyncContext *redis, void *answer, void *arg)
{
	struct redis_guide *guide = arg;
	const redisReply *reply = answer;
	int ours = redis == guide->ears || redis == guide->mouth;
	if (ours && reply && reply->type == REDIS_REPLY_ERROR)
		go_on(guide, reply->str);
}

/* Connects, and says who we are where that is needed. NULL: this sentinel is left. */
static redisAsyncContext *dial(struct redis_guide *guide)
{
	const struct redis_address *address = guide->address;
	const struct text_endpoint *to = &address->sentinels[guide->at];
	redisAsyncContext *redis = redisAsyncConnect(to->host, to->port);
	int bad = !redis || redis->err;
	if (!bad) {
		redis->data = guide;
		bad = redisLibeventAttach(redis, guide->base) != REDIS_OK ||
		      redisAsyncSetConnectCallback(redis, on_connect) != REDIS_OK ||
		      redisAsyncSetDisconnectCallback(redis, on_disconnect) != REDIS_OK;
	}
	if (!bad && *address->sentinel_user)
		bad = redisAsyncCommand(redis, on_entry, guide, "AUTH %s %s",
			address->sentinel_user, address->sentinel_password);
	else if (!bad && *address->sentinel_password)
		bad = redisAsyncCommand(redis, on_entry, guide, "AUTH %s",
			address->sentinel_password);
	if (!bad)
		return redis;
	char why[128] = "out of memory";
	if (redis)
		text_clip(why, sizeof(why), redis->errstr);
	hang_up(&redis);
	go_on(guide, why);
	return NULL;
}

static void on_address(redisAsyncContext *redis, void *answer, void *arg)
{
	struct redis_guide *guide = arg;
	struct text_endpoint found = {0};
	char port[8] = "";
	if (guide->mouth != redis || !answer)
		return;
	const char *host = redis_reply_text(redis_reply_at(answer, 0), NULL);
	const char *text = redis_reply_text(redis_reply_at(answer, 1), NULL);
	unsigned number = 0;
	if (!host || !text || text_copy(found.host, sizeof(found.host), host) ||
		text_copy(port, sizeof(port), text) || sscanf(port, "%u", &number) != 1 ||
		!number || number > 65535) {
		const redisReply *reply = answer;
		go_on(guide, reply->type == REDIS_REPLY_ERROR
				     ? reply->str
				     : "it does not know this name");
		return;
	}
	found.port = (uint16_t)number;
	event_del(guide->deadline);
	hang_up(&guide->mouth);
	guide->failed = 0;
	struct text_endpoint *host_now = &guide->address->host;
	if (strcmp(host_now->host, found.host) || host_now->port != found.port) {
		char to[TEXT_HOST_SIZE + 16];
		text_endpoint_text(to, sizeof(to), &found);
		log_line(LOG_INFO, "primary of the store found", LOG_S("at", to));
	}
	*host_now = found;
	guide->told(guide->ctx, NULL);
}

void redis_guide_ask(struct redis_guide *guide)
{
	CHECK_OBJ(guide, GUIDE_MAGIC);
	/* Without ears it is on its way to asking. */
	if (!guide->hears || guide->mouth)
		return;
	set_timer(guide->deadline, ANSWER_MS);
	guide->mouth = dial(guide);
	if (guide->mouth &&
		redisAsyncCommand(guide->mouth, on_address, guide,
			"SENTINEL get-master-addr-by-name %s", guide->address->master))
		go_on(guide, "out of memory");
}

/* "message", the channel, and "NAME OLD-HOST OLD-PORT NEW-HOST NEW-PORT". */
static int concerns_us(const struct redis_guide *guide, const redisReply *reply)
{
	const char *text = redis_reply_text(redis_reply_at(reply, 2), NULL);
	size_t len = strlen(guide->address->master);
	return text && !strncmp(text, guide->address->master, len) && text[len] == ' ';
}

static void on_heard(redisAsyncContext *redis, void *answer, void *arg)
{
	struct redis_guide *guide = arg;
	const redisReply *reply = answer;
	if (guide->ears != redis || !reply)
		return;
	if (reply->type == REDIS_REPLY_ERROR) {
		go_on(guide, reply->str);
		return;
	}
	int first = !guide->hears;
	guide->hears = 1;
	if (first || concerns_us(guide, reply))
		redis_guide_ask(guide);
}

static void listen_there(struct redis_guide *guide)
{
	leave(guide);
	set_timer(guide->deadline, ANSWER_MS);
	guide->ears = dial(guide);
	if (guide->ears && redisAsyncCommand(guide->ears, on_heard, guide,
				   "SUBSCRIBE +switch-master"))
		go_on(guide, "out of memory");
}

static void on_deadline(evutil_socket_t fd UNUSED, short what UNUSED, void *arg)
{
	struct redis_guide *guide = arg;
	CHECK_OBJ(guide, GUIDE_MAGIC);
	go_on(guide, "it does not answer");
}

static void on_again(evutil_socket_t fd UNUSED, short what UNUSED, void *arg)
{
	struct redis_guide *guide = arg;
	CHECK_OBJ(guide, GUIDE_MAGIC);
	listen_there(guide);
}

int redis_guide_new(struct event_base *base, struct redis_address *address,
	redis_guide_told told, void *ctx, struct redis_guide **ret)
{
	struct redis_guide *guide = calloc(1, sizeof(*guide));
	if (!guide)
		return -REASON_NO_MEMORY;
	CHECK(address->sentinel_count);
	*guide = (struct redis_guide){.magic = GUIDE_MAGIC,
		.base = base,
		.address = address,
		.told = told,
		.ctx = ctx};
	guide->deadline = evtimer_new(base, on_deadline, guide);
	guide->again = evtimer_new(base, on_again, guide);
	if (!guide->deadline || !guide->again) {
		redis_guide_free(guide);
		return -REASON_NO_MEMORY;
	}
	*ret = guide;
	return 0;
}

void redis_guide_start(struct redis_guide *guide)
{
	CHECK_OBJ(guide, GUIDE_MAGIC);
	listen_there(guide);
}

struct redis_guide *redis_guide_free(struct redis_guide *guide)
{
	if (!guide)
		return NULL;
	CHECK_OBJ(guide, GUIDE_MAGIC);
	if (guide->deadline)
		leave(guide);
	if (guide->deadline)
		event_free(guide->deadline);
	if (guide->again)
		event_free(guide->again);
	guide->magic = 0;
	free(guide);
	return NULL;
}
