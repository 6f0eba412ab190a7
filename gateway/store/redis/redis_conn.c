#include "store/redis/redis_conn.h"

#include <event2/event.h>
#include <hiredis/adapters/libevent.h>
#include <hiredis/async.h>
#include <hiredis/hiredis.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/reason.h"
#include "base/text.h"
#include "metrics/metrics.h"
#include "store/redis/redis_hello.h"
#include "store/redis/redis_script.h"

#define CONN_MAGIC 0x52436f6e
#define HELLO_MS 1000
#define STUCK_MS 3000
#define BACKOFF_FIRST_MS 50
#define BACKOFF_MAX_MS 1000

enum phase { DOWN, HELLO, UP, STUCK };

/* A command on its way; `ask` is NULL once it has failed at its deadline. */
struct slot {
	struct slot *next;
	struct redis_conn *conn;
	struct redis_ask *ask;
	int64_t due_ms;
};

struct redis_conn {
	uint32_t magic;
	struct event_base *base;
	struct redis_address *address;
	const char *name;
	redis_conn_changed changed;
	void *ctx;
	redisAsyncContext *redis; /* NULL: none, or it is going away */
	struct text_endpoint at;  /* where it goes to */
	enum phase phase;
	struct slot *first, **end;
	struct event *deadline, *retry;
	int backoff_ms;
	int fault;
	char text[STORE_ERROR], notes[STORE_ERROR], said[STORE_ERROR];
};

static void set_timer(struct event *timer, int64_t ms)
{
	struct timeval wait = {ms / 1000, (ms % 1000) * 1000};
	CHECK(event_add(timer, &wait) == 0);
}

static void set_fault(struct redis_conn *conn, int fault, const char *text)
{
	/* Said once, not with every attempt. */
	if (fault && (fault != conn->fault || strcmp(text, conn->text)))
		log_line(LOG_WARN, "store away", LOG_S("for", conn->name),
			LOG_S("detail", text));
	if (!fault && conn->fault)
		log_line(LOG_INFO, "store reached again", LOG_S("for", conn->name));
	conn->fault = fault;
	text_clip(conn->text, sizeof(conn->text), text);
}

static void change(struct redis_conn *conn, enum phase phase)
{
	conn->phase = phase;
	conn->changed(conn->ctx, phase == UP);
}

/* The connection is no use any more; whoever calls frees it, or hiredis does. */
static void lose(struct redis_conn *conn, int fault, const char *text)
{
	int64_t wait = conn->backoff_ms / 2 + rand() % (conn->backoff_ms / 2 + 1);
	conn->redis = NULL;
	set_fault(conn, fault, text);
	event_del(conn->deadline);
	set_timer(conn->retry, wait);
	conn->backoff_ms *= 2;
	if (conn->backoff_ms > BACKOFF_MAX_MS)
		conn->backoff_ms = BACKOFF_MAX_MS;
	change(conn, DOWN);
}

static void drop(struct redis_conn *conn, int fault, const char *text)
{
	redisAsyncContext *redis = conn->redis;
	if (!redis)
		return;
	lose(conn, fault, text);
	redisAsyncFree(redis);
}

static void on_connect(const redisAsyncContext *redis, int status)
{
	struct redis_conn *conn = redis->data;
	CHECK_OBJ(conn, CONN_MAGIC);
	if (status != REDIS_OK && conn->redis == redis)
		lose(conn, -REASON_STORE_UNAVAILABLE, redis->errstr);
}

static void on_disconnect(const redisAsyncContext *redis, int status)
{
	struct redis_conn *conn = redis->data;
	CHECK_OBJ(conn, CONN_MAGIC);
	if (conn->redis == redis)
		lose(conn, -REASON_STORE_UNAVAILABLE,
			status == REDIS_OK ? "Redis closed the connection"
					   : redis->errstr);
}

static void arm_deadline(struct redis_conn *conn)
{
	int64_t now = clock_mono_ms(), due = 0;
	const struct slot *slot = conn->first;
	if (!conn->redis || conn->phase == HELLO)
		return;
	if (!slot) {
		event_del(conn->deadline);
		return;
	}
	due = slot->due_ms;
	if (!slot->ask) {
		due += STUCK_MS;
		while (slot && !slot->ask)
			slot = slot->next;
		if (slot && slot->due_ms < due)
			due = slot->due_ms;
	}
	set_timer(conn->deadline, due > now ? due - now : 1);
}

static void on_deadline(evutil_socket_t fd UNUSED, short what UNUSED, void *arg)
{
	struct redis_conn *conn = arg;
	CHECK_OBJ(conn, CONN_MAGIC);
	int64_t now = clock_mono_ms();
	if (conn->phase == HELLO || (conn->first && !conn->first->ask &&
					    conn->first->due_ms + STUCK_MS <= now)) {
		drop(conn, -REASON_STORE_UNAVAILABLE, "Redis does not answer");
		return;
	}
	if (conn->first && conn->first->due_ms <= now && conn->phase == UP) {
		set_fault(conn, -REASON_STORE_UNAVAILABLE, "Redis does not answer");
		metrics_add(METRIC_STORE_STALLS, 1);
		change(conn, STUCK);
	}
	for (struct slot *slot = conn->first; slot && slot->due_ms <= now;
		slot = slot->next) {
		struct redis_ask *ask = slot->ask;
		slot->ask = NULL;
		if (ask)
			ask->done(ask, NULL);
	}
	arm_deadline(conn);
}

static int submit(struct redis_conn *conn, struct slot *slot);

/* A script that Redis has forgotten goes out once more, spelled out. */
static int resend(struct redis_conn *conn, struct slot *slot, const redisReply *reply)
{
	struct redis_ask *ask = slot->ask;
	if (!ask || !ask->script || !conn->redis || !reply ||
		reply->type != REDIS_REPLY_ERROR || strncmp(reply->str, "NOSCRIPT", 8) ||
		redis_ask_spell_out(ask))
		return 0;
	return submit(conn, slot) == 0;
}

/* 0, or why such an answer does not get better on this connection. */
static int hopeless(const redisReply *reply)
{
	static const struct {
		const char *begin;
		int fault;
	} answers[] = {{"READONLY", -REASON_STORE_UNAVAILABLE},
		{"LOADING", -REASON_STORE_UNAVAILABLE},
		{"UNBLOCKED", -REASON_STORE_UNAVAILABLE}, {"NOAUTH", -REASON_CONFIG},
		{"NOPERM", -REASON_CONFIG}, {"ERR ACL failure", -REASON_CONFIG},
		{"ERR The user executing the script", -REASON_CONFIG}};
	for (size_t i = 0;
		reply && reply->type == REDIS_REPLY_ERROR && i < ARRAY_LEN(answers); i++)
		if (!strncmp(reply->str, answers[i].begin, strlen(answers[i].begin)))
			return answers[i].fault;
	return 0;
}

static void recover(struct redis_conn *conn)
{
	int late = 0;
	for (struct slot *slot = conn->first; slot; slot = slot->next)
		late |= !slot->ask;
	if (conn->phase != STUCK || late)
		return;
	set_fault(conn, 0, "");
	change(conn, UP);
}

static void on_reply(redisAsyncContext *redis, void *answer, void *arg)
{
	struct slot *slot = arg;
	struct redis_conn *conn = slot->conn;
	const redisReply *reply = answer;
	CHECK_OBJ(conn, CONN_MAGIC);
	CHECK(conn->first == slot);
	conn->first = slot->next;
	if (!conn->first)
		conn->end = &conn->first;
	if (resend(conn, slot, reply))
		return;
	struct redis_ask *ask = slot->ask;
	free(slot);
	int fault = hopeless(reply);
	if (conn->redis == redis && fault)
		drop(conn, fault, reply->str);
	if (ask)
		ask->done(ask, reply);
	if (conn->redis == redis) {
		recover(conn);
		arm_deadline(conn);
	}
}

static int submit(struct redis_conn *conn, struct slot *slot)
{
	if (redisAsyncFormattedCommand(conn->redis, on_reply, slot, slot->ask->command,
		    slot->ask->len) != REDIS_OK)
		return -REASON_STORE_UNAVAILABLE;
	slot->next = NULL;
	*conn->end = slot;
	conn->end = &slot->next;
	return 0;
}

void redis_conn_send(struct redis_conn *conn, struct redis_ask *ask)
{
	CHECK_OBJ(conn, CONN_MAGIC);
	struct slot *slot = conn->phase == UP ? malloc(sizeof(*slot)) : NULL;
	if (!slot) {
		ask->done(ask, NULL);
		return;
	}
	*slot = (struct slot){NULL, conn, ask,
		clock_mono_ms() + (ask->deadline_ms ? ask->deadline_ms
						    : conn->address->deadline_ms)};
	int first = !conn->first;
	if (submit(conn, slot)) {
		free(slot);
		ask->done(ask, NULL);
		return;
	}
	if (first)
		arm_deadline(conn);
}

static void on_info(redisAsyncContext *redis, void *answer, void *arg)
{
	struct redis_conn *conn = arg;
	char error[STORE_ERROR];
	if (conn->redis != redis || !answer)
		return;
	*conn->notes = 0;
	int r = redis_hello_info(answer, conn->address->accept, conn->notes, error);
	if (r)
		drop(conn, r, error);
}

static void on_fsync(redisAsyncContext *redis, void *answer, void *arg)
{
	struct redis_conn *conn = arg;
	if (conn->redis == redis && answer)
		redis_hello_fsync(answer, conn->notes);
}

/* The last answer of the greeting. */
static void on_rights(redisAsyncContext *redis, void *answer, void *arg)
{
	struct redis_conn *conn = arg;
	char error[STORE_ERROR];
	if (conn->redis != redis || !answer)
		return;
	int r = redis_hello_rights(answer, error);
	if (r) {
		drop(conn, r, error);
		return;
	}
	if (*conn->notes && strcmp(conn->notes, conn->said))
		log_line(LOG_WARN, "this Redis is used as it is",
			LOG_S("detail", conn->notes));
	memcpy(conn->said, conn->notes, sizeof(conn->said));
	event_del(conn->deadline);
	conn->backoff_ms = BACKOFF_FIRST_MS;
	set_fault(conn, 0, "");
	change(conn, UP);
}

/* AUTH and SELECT: anything but OK is the operator's to mend. */
static void on_entry(redisAsyncContext *redis, void *answer, void *arg)
{
	struct redis_conn *conn = arg;
	const redisReply *reply = answer;
	if (conn->redis != redis || !reply || reply->type != REDIS_REPLY_ERROR)
		return;
	int loading = strncmp(reply->str, "LOADING", 7) == 0;
	drop(conn, loading ? -REASON_STORE_UNAVAILABLE : -REASON_CONFIG, reply->str);
	/* It may have been changed there and in the file; the next attempt takes the new one. */
	if (!loading)
		redis_address_reread(conn->address);
}

static int greet(struct redis_conn *conn)
{
	const struct redis_address *address = conn->address;
	const struct redis_script *rights = redis_script_of(REDIS_RIGHTS);
	int bad = 0;
	if (*address->user)
		bad |= redisAsyncCommand(conn->redis, on_entry, conn, "AUTH %s %s",
			address->user, address->password);
	else if (*address->password)
		bad |= redisAsyncCommand(conn->redis, on_entry, conn, "AUTH %s",
			address->password);
	if (address->db)
		bad |= redisAsyncCommand(conn->redis, on_entry, conn, "SELECT %d",
			address->db);
	bad |= redisAsyncCommand(conn->redis, on_info, conn, "INFO");
	bad |= redisAsyncCommand(conn->redis, on_fsync, conn, "CONFIG GET appendfsync");
	bad |= redisAsyncCommand(conn->redis, on_rights, conn, "EVAL %b 1 %s:rights",
		rights->text, rights->len, address->prefix);
	return bad;
}

static void open_conn(struct redis_conn *conn)
{
	const struct redis_address *address = conn->address;
	/* The sentinels have not said yet where: redis_conn_follow() comes then. */
	if (!*address->socket && !address->host.port)
		return;
	event_del(conn->retry);
	conn->at = address->host;
	redisAsyncContext *redis =
		*address->socket ? redisAsyncConnectUnix(address->socket)
				 : redisAsyncConnect(conn->at.host, conn->at.port);
	if (!redis || redis->err) {
		lose(conn, -REASON_STORE_UNAVAILABLE,
			redis ? redis->errstr : "out of memory");
		if (redis)
			redisAsyncFree(redis);
		return;
	}
	redis->data = conn;
	conn->redis = redis;
	conn->phase = HELLO;
	set_timer(conn->deadline, HELLO_MS);
	if (redisLibeventAttach(redis, conn->base) != REDIS_OK ||
		redisAsyncSetConnectCallback(redis, on_connect) != REDIS_OK ||
		redisAsyncSetDisconnectCallback(redis, on_disconnect) != REDIS_OK ||
		greet(conn))
		drop(conn, -REASON_STORE_UNAVAILABLE, "out of memory");
}

static void on_retry(evutil_socket_t fd UNUSED, short what UNUSED, void *arg)
{
	struct redis_conn *conn = arg;
	CHECK_OBJ(conn, CONN_MAGIC);
	open_conn(conn);
}

int redis_conn_new(struct event_base *base, struct redis_address *address,
	const char *name, redis_conn_changed changed, void *ctx, struct redis_conn **ret)
{
	struct redis_conn *conn = calloc(1, sizeof(*conn));
	if (!conn)
		return -REASON_NO_MEMORY;
	*conn = (struct redis_conn){.magic = CONN_MAGIC,
		.base = base,
		.address = address,
		.name = name,
		.changed = changed,
		.ctx = ctx,
		.backoff_ms = BACKOFF_FIRST_MS};
	conn->end = &conn->first;
	conn->deadline = evtimer_new(base, on_deadline, conn);
	conn->retry = evtimer_new(base, on_retry, conn);
	if (!conn->deadline || !conn->retry) {
		redis_conn_free(conn);
		return -REASON_NO_MEMORY;
	}
	*ret = conn;
	return 0;
}

void redis_conn_start(struct redis_conn *conn)
{
	CHECK_OBJ(conn, CONN_MAGIC);
	open_conn(conn);
}

void redis_conn_follow(struct redis_conn *conn)
{
	CHECK_OBJ(conn, CONN_MAGIC);
	const struct text_endpoint *now = &conn->address->host;
	if (conn->redis && !strcmp(conn->at.host, now->host) &&
		conn->at.port == now->port)
		return;
	drop(conn, -REASON_STORE_UNAVAILABLE, "the primary is another one now");
	open_conn(conn);
}

void redis_conn_fail(struct redis_conn *conn, int fault, const char *text)
{
	CHECK_OBJ(conn, CONN_MAGIC);
	if (conn->redis)
		return;
	set_fault(conn, fault, text);
	change(conn, DOWN);
}

const char *redis_conn_notes(const struct redis_conn *conn)
{
	CHECK_OBJ(conn, CONN_MAGIC);
	return conn->notes;
}

int redis_conn_up(const struct redis_conn *conn)
{
	CHECK_OBJ(conn, CONN_MAGIC);
	return conn->phase == UP;
}

int redis_conn_busy(const struct redis_conn *conn)
{
	CHECK_OBJ(conn, CONN_MAGIC);
	for (const struct slot *slot = conn->first; slot; slot = slot->next)
		if (slot->ask)
			return 1;
	return 0;
}

int redis_conn_fault(const struct redis_conn *conn, const char **ret_text)
{
	CHECK_OBJ(conn, CONN_MAGIC);
	*ret_text = conn->text;
	return conn->fault;
}

struct redis_conn *redis_conn_free(struct redis_conn *conn)
{
	if (!conn)
		return NULL;
	CHECK_OBJ(conn, CONN_MAGIC);
	redisAsyncContext *redis = conn->redis;
	conn->redis = NULL;
	conn->phase = DOWN;
	if (redis)
		redisAsyncFree(redis);
	CHECK(!conn->first);
	if (conn->deadline)
		event_free(conn->deadline);
	if (conn->retry)
		event_free(conn->retry);
	conn->magic = 0;
	free(conn);
	return NULL;
}
