#include "store/redis/redis_bus.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/reason.h"
#include "base/text.h"
#include "metrics/metrics.h"
#include "store/memory/memory_bus.h"
#include "store/redis/redis_conn.h"
#include "store/redis/redis_link.h"
#include "store/redis/redis_reply.h"
#include "store/redis/redis_words.h"

#define REDIS_BUS_MAGIC 0x52427573
#define READ_BLOCK_MS 1000
#define READ_COUNT 200
#define SEND_COUNT 200
#define WAIT_S 5
#define TIMED 256 /* messages under way whose time is kept: for the metric only */

/* A message on its way to the other nodes. */
struct message {
	struct redis_item item; /* first */
	struct message *next;
	struct redis_bus *bus;
	uint64_t number;
	int64_t published_us;
	const char *topic, *json;
};

/* Orders lie apart from news, which are many and would push them out. */
enum { NEWS, ORDERS, STREAMS };
static const char *const names[STREAMS] = {"bus", "orders"};

struct stream {
	char last[48]; /* the id of the last message heard, "": none */
};

struct redis_bus {
	struct bus bus; /* first: bus * is redis_bus * */
	uint32_t magic;
	struct redis_link *link;
	struct redis_address *address;
	const char *run;
	struct bus *local;
	struct redis_guest guest;
	/* on the link's thread: */
	struct redis_conn *reader;
	struct redis_ask read, send;
	int started, sending;
	size_t sent; /* messages in the command on its way */
	struct message *first, **end;
	uint64_t numbers;
	struct {
		uint64_t number;
		int64_t us;
	} timed[TIMED];
	struct stream streams[STREAMS];
	/* under the mutex: */
	pthread_mutex_t mutex;
	pthread_cond_t known;
	size_t waiting;
	int heard; /* `last` is set */
};

static struct redis_bus *mine(struct bus *base)
{
	struct redis_bus *bus = (struct redis_bus *)base;
	CHECK_OBJ(bus, REDIS_BUS_MAGIC);
	return bus;
}

static struct redis_bus *of_guest(struct redis_guest *guest)
{
	return (struct redis_bus *)((char *)guest - offsetof(struct redis_bus, guest));
}

static void add_streams(const struct redis_bus *bus, struct redis_words *words)
{
	for (size_t i = 0; i < STREAMS; i++)
		redis_words_key(words, bus->address->prefix, "%s", names[i]);
}

static void forget_sent(struct redis_bus *bus)
{
	for (; bus->sent; bus->sent--) {
		struct message *message = bus->first;
		bus->first = message->next;
		free(message);
		pthread_mutex_lock(&bus->mutex);
		bus->waiting--;
		pthread_mutex_unlock(&bus->mutex);
	}
	if (!bus->first)
		bus->end = &bus->first;
}

static void send_waiting(struct redis_bus *bus);

static void on_sent(struct redis_ask *ask, const struct redisReply *reply)
{
	struct redis_bus *bus =
		(struct redis_bus *)((char *)ask - offsetof(struct redis_bus, send));
	CHECK_OBJ(bus, REDIS_BUS_MAGIC);
	redis_ask_done(ask);
	bus->sending = 0;
	int r = redis_reply_status(reply);
	if (r) {
		/* They are offered again; numbers keep them from being heard twice. */
		bus->sent = 0;
		return;
	}
	forget_sent(bus);
	send_waiting(bus);
}

/* One command at a time, so that order is kept whatever fails. */
static void send_waiting(struct redis_bus *bus)
{
	struct redis_words words;
	if (bus->sending || !bus->first || !redis_link_up(bus->link))
		return;
	redis_words_init(&words);
	add_streams(bus, &words);
	redis_words_key(&words, bus->address->prefix, "bus:%s", bus->run);
	redis_words_text(&words, bus->run);
	redis_words_number(&words, REDIS_BUS_KEPT);
	bus->sent = 0;
	for (struct message *message = bus->first; message && bus->sent < SEND_COUNT;
		message = message->next) {
		redis_words_number(&words, (int64_t)message->number);
		redis_words_text(&words, message->topic);
		redis_words_text(&words, message->json);
		bus->sent++;
	}
	bus->send = (struct redis_ask){.done = on_sent};
	if (redis_words_script(&words, REDIS_PUBLISH, STREAMS + 1, &bus->send)) {
		bus->sent = 0;
		return;
	}
	bus->sending = 1;
	redis_link_send(bus->link, &bus->send);
}

static void take(struct redis_item *item)
{
	struct message *message = (struct message *)item;
	struct redis_bus *bus = message->bus;
	CHECK_OBJ(bus, REDIS_BUS_MAGIC);
	message->number = ++bus->numbers;
	bus->timed[message->number % TIMED].number = message->number;
	bus->timed[message->number % TIMED].us = message->published_us;
	message->next = NULL;
	*bus->end = message;
	bus->end = &message->next;
}

static int publish(struct bus *base, const char *topic, const char *json)
{
	struct redis_bus *bus = mine(base);
	size_t topic_size = strlen(topic) + 1, json_size = strlen(json) + 1;
	struct message *message = calloc(1, sizeof(*message) + topic_size + json_size);
	if (!message)
		return -REASON_NO_MEMORY;
	message->item.run = take;
	message->bus = bus;
	message->published_us = clock_mono_us();
	char *text = (char *)(message + 1);
	message->topic = memcpy(text, topic, topic_size);
	message->json = memcpy(text + topic_size, json, json_size);
	pthread_mutex_lock(&bus->mutex);
	int r = bus->waiting < REDIS_BUS_WAITING ? bus_publish(bus->local, topic, json)
						 : -REASON_STORE_UNAVAILABLE;
	/* Both within the lock: one order for everybody. */
	if (r == 0) {
		bus->waiting++;
		redis_link_post(bus->link, &message->item);
	}
	pthread_mutex_unlock(&bus->mutex);
	if (r)
		free(message);
	return r;
}

static int subscribe(struct bus *base, const char *topic, struct post_box *box,
	bus_handler handler, void *ctx, struct bus_subscription **ret)
{
	return bus_subscribe(mine(base)->local, topic, box, handler, ctx, ret);
}

static void unsubscribe(struct bus *base, struct bus_subscription *subscription)
{
	bus_unsubscribe(mine(base)->local, subscription);
}

static void read_on(struct redis_bus *bus);

/* Back from the store comes what this node itself has sent: as late as the others hear it. */
static void hear_own(const struct redis_bus *bus, uint64_t number)
{
	if (number && bus->timed[number % TIMED].number == number)
		metrics_time(METRIC_BUS_SECONDS,
			clock_mono_us() - bus->timed[number % TIMED].us);
}

/* One entry: its id, then run, topic, text and number by name. */
static void hear(struct redis_bus *bus, struct stream *stream,
	const struct redisReply *entry)
{
	const struct redisReply *fields = redis_reply_at(entry, 1);
	const char *id = redis_reply_text(redis_reply_at(entry, 0), NULL);
	const char *run = redis_reply_text(redis_reply_at(fields, 1), NULL);
	const char *topic = redis_reply_text(redis_reply_at(fields, 3), NULL);
	const char *json = redis_reply_text(redis_reply_at(fields, 5), NULL);
	if (!id || text_copy(stream->last, sizeof(stream->last), id))
		return;
	if (!run || !topic || !json)
		return;
	if (strcmp(run, bus->run) == 0) {
		hear_own(bus, redis_reply_number(redis_reply_at(fields, 7)));
		return;
	}
	if (bus_publish(bus->local, topic, json))
		log_line(LOG_ERROR, "a message of the bus was lost for want of memory",
			LOG_S("topic", topic));
}

/* Which of the streams this key is; their names end the keys. */
static struct stream *stream_of(struct redis_bus *bus, const struct redisReply *key)
{
	const char *text = redis_reply_text(key, NULL);
	size_t prefix = strlen(bus->address->prefix);
	for (size_t i = 0; text && strlen(text) > prefix && i < STREAMS; i++)
		if (strcmp(text + prefix + 1, names[i]) == 0)
			return &bus->streams[i];
	return NULL;
}

static void on_read(struct redis_ask *ask, const struct redisReply *reply)
{
	struct redis_bus *bus =
		(struct redis_bus *)((char *)ask - offsetof(struct redis_bus, read));
	CHECK_OBJ(bus, REDIS_BUS_MAGIC);
	redis_ask_done(ask);
	for (size_t i = 0; i < redis_reply_count(reply); i++) {
		const struct redisReply *one = redis_reply_at(reply, i);
		const struct redisReply *entries = redis_reply_at(one, 1);
		struct stream *stream = stream_of(bus, redis_reply_at(one, 0));
		for (size_t k = 0; stream && k < redis_reply_count(entries); k++)
			hear(bus, stream, redis_reply_at(entries, k));
	}
	/* When it failed, the connection's next coming up starts the reading again. */
	if (redis_reply_status(reply) == 0)
		read_on(bus);
}

static void read_on(struct redis_bus *bus)
{
	struct redis_words words;
	redis_words_init(&words);
	redis_words_text(&words, "XREAD");
	redis_words_text(&words, "COUNT");
	redis_words_number(&words, READ_COUNT);
	redis_words_text(&words, "BLOCK");
	redis_words_number(&words, READ_BLOCK_MS);
	redis_words_text(&words, "STREAMS");
	add_streams(bus, &words);
	for (size_t i = 0; i < STREAMS; i++)
		redis_words_text(&words, bus->streams[i].last);
	bus->read = (struct redis_ask){.done = on_read,
		.deadline_ms = READ_BLOCK_MS + bus->address->deadline_ms};
	if (redis_words_plain(&words, &bus->read) == 0)
		redis_conn_send(bus->reader, &bus->read);
}

/* Is `id` after `other`? Both are "MS-N". */
static int is_after(const char *id, const char *other)
{
	unsigned long long a = 0, b = 0, c = 0, d = 0;
	if (sscanf(id, "%llu-%llu", &a, &b) != 2 ||
		sscanf(other, "%llu-%llu", &c, &d) != 2)
		return 0;
	return a > c || (a == c && b > d);
}

/* Orders came and went while this node was away. What they said is lost, but not what they changed: all
 * who are in are looked at again. */
static void make_good(struct redis_bus *bus)
{
	log_line(LOG_ERROR, "orders were lost while this node was away: viewers are "
			    "looked at again");
	if (bus_publish(bus->local, "orders", "{\"order\":\"policy\"}"))
		log_line(LOG_ERROR, "viewers are not looked at for want of memory");
}

/* At first: from now on. Later: from where we were, unless the stream ends before that, which is then another
 * one. */
static int place(struct stream *stream, const struct redisReply *reply, size_t at,
	int *ret_gap)
{
	const char *id = redis_reply_text(redis_reply_at(reply, at), NULL);
	if (!id || strlen(id) >= sizeof(stream->last))
		return -REASON_STATE_DAMAGED;
	*ret_gap = redis_reply_is(redis_reply_at(reply, at + 1), "1");
	if (!*stream->last || is_after(stream->last, id))
		text_clip(stream->last, sizeof(stream->last), id);
	return 0;
}

static void on_tail(struct redis_ask *ask, const struct redisReply *reply)
{
	struct redis_bus *bus =
		(struct redis_bus *)((char *)ask - offsetof(struct redis_bus, read));
	int gaps[STREAMS] = {0};
	CHECK_OBJ(bus, REDIS_BUS_MAGIC);
	redis_ask_done(ask);
	if (redis_reply_status(reply))
		return;
	for (size_t i = 0; i < STREAMS; i++)
		if (place(&bus->streams[i], reply, 2 * i, &gaps[i]))
			return;
	if (gaps[ORDERS])
		make_good(bus);
	pthread_mutex_lock(&bus->mutex);
	bus->heard = 1;
	pthread_cond_signal(&bus->known);
	pthread_mutex_unlock(&bus->mutex);
	read_on(bus);
}

static void on_reader(void *ctx, int up)
{
	struct redis_bus *bus = ctx;
	struct redis_words words;
	CHECK_OBJ(bus, REDIS_BUS_MAGIC);
	/* Up again with a read on its way (it was only late): that one goes on. */
	if (!up || bus->read.command)
		return;
	redis_words_init(&words);
	add_streams(bus, &words);
	for (size_t i = 0; i < STREAMS; i++)
		redis_words_text(&words, bus->streams[i].last);
	bus->read = (struct redis_ask){.done = on_tail};
	if (redis_words_script(&words, REDIS_TAIL, STREAMS, &bus->read) == 0)
		redis_conn_send(bus->reader, &bus->read);
}

static void on_changed(struct redis_guest *guest, int up)
{
	struct redis_bus *bus = of_guest(guest);
	CHECK_OBJ(bus, REDIS_BUS_MAGIC);
	if (up)
		send_waiting(bus);
	/* The two connections begin together, and go together where a new primary is. */
	if (up && bus->started)
		redis_conn_follow(bus->reader);
	if (up && !bus->started) {
		bus->started = 1;
		redis_conn_start(bus->reader);
	}
}

static void on_turn(struct redis_guest *guest)
{
	send_waiting(of_guest(guest));
}

int redis_bus_new(struct redis_link *link, struct redis_address *address, const char *run,
	struct bus **ret)
{
	static const struct bus_vtable vtable = {publish, subscribe, unsubscribe};
	struct redis_bus *bus = calloc(1, sizeof(*bus));
	if (!bus)
		return -REASON_NO_MEMORY;
	bus->bus.vtable = &vtable;
	bus->magic = REDIS_BUS_MAGIC;
	bus->link = link;
	bus->address = address;
	bus->run = run;
	bus->end = &bus->first;
	bus->guest = (struct redis_guest){NULL, on_changed, on_turn};
	int r = memory_bus_new(&bus->local);
	if (r == 0)
		r = redis_conn_new(redis_link_base(link), address, "bus", on_reader, bus,
			&bus->reader);
	if (r) {
		memory_bus_free(bus->local);
		free(bus);
		return r;
	}
	CHECK(pthread_mutex_init(&bus->mutex, NULL) == 0);
	CHECK(pthread_cond_init(&bus->known, NULL) == 0);
	redis_link_join(link, &bus->guest);
	*ret = &bus->bus;
	return 0;
}

int redis_bus_wait(struct bus *base)
{
	struct redis_bus *bus = mine(base);
	struct timespec until;
	clock_gettime(CLOCK_REALTIME, &until);
	until.tv_sec += WAIT_S;
	pthread_mutex_lock(&bus->mutex);
	while (!bus->heard)
		if (pthread_cond_timedwait(&bus->known, &bus->mutex, &until))
			break;
	int heard = bus->heard;
	pthread_mutex_unlock(&bus->mutex);
	return heard ? 0 : -REASON_STORE_UNAVAILABLE;
}

struct bus *redis_bus_free(struct bus *base)
{
	if (!base)
		return NULL;
	struct redis_bus *bus = mine(base);
	redis_conn_free(bus->reader);
	for (struct message *message = bus->first, *next; message; message = next) {
		next = message->next;
		free(message);
	}
	memory_bus_free(bus->local);
	pthread_cond_destroy(&bus->known);
	pthread_mutex_destroy(&bus->mutex);
	bus->magic = 0;
	free(bus);
	return NULL;
}
