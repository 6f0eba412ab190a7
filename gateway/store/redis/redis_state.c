#include "store/redis/redis_state.h"

#include <inttypes.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "base/reason.h"
#include "store/redis/redis_link.h"
#include "store/redis/redis_reply.h"
#include "store/redis/redis_words.h"
#include "store/reply.h"

#define REDIS_STATE_MAGIC 0x52645374
#define LIST_MAX 1000

struct redis_state {
	struct state state; /* first: state * is redis_state * */
	uint32_t magic;
	struct redis_link *link;
	const char *prefix;
	atomic_uint_least64_t fence; /* the highest that was seen */
};

/* One question. */
struct question {
	struct redis_ask ask; /* first */
	struct redis_state *redis;
	struct reply *reply;
	enum state_kind kind;
	char id[STATE_ID_MAX + 1]; /* of a get */
	int (*read)(struct question *question, const struct redisReply *reply);
};

static struct redis_state *mine(struct state *state)
{
	struct redis_state *redis = (struct redis_state *)state;
	CHECK_OBJ(redis, REDIS_STATE_MAGIC);
	return redis;
}

static void answer(struct question *question, int status)
{
	redis_ask_done(&question->ask);
	reply_send(question->reply, status);
	free(question);
}

static void done(struct redis_ask *ask, const struct redisReply *reply)
{
	struct question *question = (struct question *)ask;
	int r = redis_reply_status(reply);
	answer(question, r ? r : question->read(question, reply));
}

/* Takes the reply: answers by itself and returns NULL when there is no memory. */
static struct question *question_new(struct state *state, struct reply *reply,
	int (*read)(struct question *, const struct redisReply *))
{
	struct question *question = calloc(1, sizeof(*question));
	if (!question) {
		reply_send(reply, -REASON_NO_MEMORY);
		return NULL;
	}
	question->redis = mine(state);
	question->reply = reply;
	question->read = read;
	question->ask.done = done;
	return question;
}

static void send(struct question *question, int r)
{
	if (r)
		answer(question, r);
	else
		redis_link_ask(question->redis->link, &question->ask);
}

/* What the first word of a script's answer means. */
static int verdict(const struct redisReply *reply)
{
	const struct redisReply *word = redis_reply_at(reply, 0);
	if (redis_reply_is(word, "ok") || redis_reply_is(word, "ours"))
		return 0;
	if (redis_reply_is(word, "none") || redis_reply_is(word, "gone"))
		return -REASON_NOT_FOUND;
	if (redis_reply_is(word, "conflict"))
		return -REASON_CONFLICT;
	if (redis_reply_is(word, "held"))
		return -REASON_LICENSE_IN_USE;
	return -REASON_STATE_DAMAGED;
}

static int read_verdict(struct question *question UNUSED, const struct redisReply *reply)
{
	return verdict(reply);
}

/* A stored document into the answer. -REASON_STATE_DAMAGED when it cannot be ours. */
static int add_doc(struct question *question, const char *id, const char *text,
	size_t len)
{
	char tenant[STATE_TENANT_MAX + 1], *end;
	struct state_doc doc = {.kind = question->kind, .id = id, .tenant = tenant};
	if (!text || strlen(text) != len)
		return -REASON_STATE_DAMAGED;
	doc.version = strtoull(text, &end, 10);
	if (*end != ' ')
		return -REASON_STATE_DAMAGED;
	size_t tenant_len = strtoul(end + 1, &end, 10);
	if (*end != '\n' || tenant_len > STATE_TENANT_MAX || strlen(end + 1) < tenant_len)
		return -REASON_STATE_DAMAGED;
	memcpy(tenant, end + 1, tenant_len);
	tenant[tenant_len] = 0;
	doc.body = end + 1 + tenant_len;
	return reply_doc(question->reply, &doc);
}

static int read_doc(struct question *question, const struct redisReply *reply)
{
	size_t len;
	const char *text = redis_reply_text(reply, &len);
	return text ? add_doc(question, question->id, text, len) : -REASON_NOT_FOUND;
}

static void get(struct state *state, enum state_kind kind, const char *id,
	struct post_box *box, state_done reader, void *ctx)
{
	struct redis_words words;
	struct question *question =
		question_new(state, reply_new_state(box, reader, ctx), read_doc);
	if (!question)
		return;
	/* No document has so long an id. */
	if (strlen(id) > STATE_ID_MAX) {
		answer(question, -REASON_NOT_FOUND);
		return;
	}
	question->kind = kind;
	memcpy(question->id, id, strlen(id) + 1);
	redis_words_init(&words);
	redis_words_text(&words, "HGET");
	redis_words_key(&words, question->redis->prefix, "doc:%s", state_kind_name(kind));
	redis_words_text(&words, id);
	send(question, redis_words_plain(&words, &question->ask));
}

static void put(struct state *state, const struct state_doc *doc, struct post_box *box,
	state_done reader, void *ctx)
{
	struct redis_words words;
	const char *kind = state_kind_name(doc->kind), *prefix = mine(state)->prefix;
	struct state_doc fresh = *doc;
	struct question *question =
		question_new(state, reply_new_state(box, reader, ctx), read_verdict);
	if (!question)
		return;
	fresh.version++;
	int r = state_doc_check(doc);
	if (r == 0)
		r = reply_doc(question->reply, &fresh);
	if (r) {
		answer(question, r);
		return;
	}
	redis_words_init(&words);
	redis_words_key(&words, prefix, "doc:%s", kind);
	redis_words_key(&words, prefix, "ids:%s", kind);
	redis_words_key(&words, prefix, "ids:%s:%s", kind, doc->tenant);
	redis_words_text(&words, doc->id);
	redis_words_number(&words, (int64_t)doc->version);
	redis_words_text(&words, doc->tenant);
	redis_words_text(&words, doc->body);
	redis_words_key(&words, prefix, "ids:%s:", kind);
	send(question, redis_words_script(&words, REDIS_PUT, 3, &question->ask));
}

static void remove_doc(struct state *state, enum state_kind kind, const char *id,
	uint64_t version, struct post_box *box, state_done reader, void *ctx)
{
	struct redis_words words;
	const char *name = state_kind_name(kind), *prefix = mine(state)->prefix;
	struct question *question =
		question_new(state, reply_new_state(box, reader, ctx), read_verdict);
	if (!question)
		return;
	redis_words_init(&words);
	redis_words_key(&words, prefix, "doc:%s", name);
	redis_words_key(&words, prefix, "ids:%s", name);
	redis_words_text(&words, id);
	redis_words_number(&words, (int64_t)version);
	redis_words_key(&words, prefix, "ids:%s:", name);
	send(question, redis_words_script(&words, REDIS_REMOVE, 2, &question->ask));
}

static int read_list(struct question *question, const struct redisReply *reply)
{
	const struct redisReply *ids = redis_reply_at(reply, 0),
				*docs = redis_reply_at(reply, 1);
	for (size_t i = 0; i < redis_reply_count(ids); i++) {
		size_t len;
		const char *id = redis_reply_text(redis_reply_at(ids, i), NULL);
		const char *text = redis_reply_text(redis_reply_at(docs, i), &len);
		int r = id ? add_doc(question, id, text, len) : -REASON_STATE_DAMAGED;
		if (r)
			return r;
	}
	return ids && docs ? 0 : -REASON_STATE_DAMAGED;
}

static void list_docs(struct state *state, enum state_kind kind, const char *tenant,
	const char *after, size_t limit, struct post_box *box, state_done reader,
	void *ctx)
{
	struct redis_words words;
	char from[STATE_ID_MAX + 2] = "-";
	const char *name = state_kind_name(kind), *prefix = mine(state)->prefix;
	struct question *question =
		question_new(state, reply_new_state(box, reader, ctx), read_list);
	if (!question)
		return;
	question->kind = kind;
	if (after && *after) {
		*from = '(';
		/* Cut at the length of the longest id: what sorts after it sorts after the cut. */
		strncat(from, after, STATE_ID_MAX);
	}
	redis_words_init(&words);
	redis_words_key(&words, prefix, "doc:%s", name);
	if (tenant)
		redis_words_key(&words, prefix, "ids:%s:%s", name, tenant);
	else
		redis_words_key(&words, prefix, "ids:%s", name);
	redis_words_text(&words, from);
	redis_words_number(&words, (int64_t)(limit < LIST_MAX ? limit : LIST_MAX));
	send(question, redis_words_script(&words, REDIS_LIST, 2, &question->ask));
}

static void saw(struct redis_state *redis, uint64_t fence)
{
	atomic_uint_least64_t *seen = &redis->fence;
	for (uint64_t old = atomic_load(seen);
		old < fence && !atomic_compare_exchange_weak(seen, &old, fence);)
		continue;
}

void redis_state_saw(struct state *state, uint64_t fence)
{
	saw(mine(state), fence);
}

/* The next number, not the next by the clock: what the store draws from its clock when it is back is greater. */
uint64_t redis_state_draw(struct state *state)
{
	struct redis_state *redis = mine(state);
	return atomic_load(&redis->fence) ? atomic_fetch_add(&redis->fence, 1) + 1 : 0;
}

static int read_claim(struct question *question, const struct redisReply *reply)
{
	int r = verdict(reply);
	struct state_answer *to = reply_state_answer(question->reply);
	const char *holder = redis_reply_text(redis_reply_at(reply, 2), NULL);
	if (r && r != -REASON_LICENSE_IN_USE)
		return r;
	to->fence = redis_reply_number(redis_reply_at(reply, 1));
	if (!to->fence || !holder)
		return -REASON_STATE_DAMAGED;
	saw(question->redis, to->fence);
	return reply_holder(question->reply, holder) ? -REASON_NO_MEMORY : r;
}

static void claim(struct state *state, const char *license, const char *session,
	const char *holder, int64_t ttl_ms, struct post_box *box, state_done reader,
	void *ctx)
{
	struct redis_words words;
	struct redis_state *redis = mine(state);
	struct question *question =
		question_new(state, reply_new_state(box, reader, ctx), read_claim);
	if (!question)
		return;
	redis_words_init(&words);
	redis_words_key(&words, redis->prefix, "claim:%s", license);
	redis_words_key(&words, redis->prefix, "fence");
	redis_words_text(&words, session);
	redis_words_text(&words, holder);
	redis_words_number(&words, ttl_ms);
	redis_words_number(&words, (int64_t)atomic_load(&redis->fence));
	send(question, redis_words_script(&words, REDIS_CLAIM, 2, &question->ask));
}

static void raise_fences(struct state *state, uint64_t least, struct post_box *box,
	state_done reader, void *ctx)
{
	struct redis_words words;
	struct redis_state *redis = mine(state);
	struct question *question =
		question_new(state, reply_new_state(box, reader, ctx), read_claim);
	if (!question)
		return;
	redis_words_init(&words);
	redis_words_key(&words, redis->prefix, "fence");
	redis_words_number(&words, (int64_t)least);
	redis_words_number(&words, (int64_t)atomic_load(&redis->fence));
	send(question, redis_words_script(&words, REDIS_RAISE, 1, &question->ask));
}

static void renew(struct state *state, const char *license, const char *session,
	int64_t ttl_ms, struct post_box *box, state_done reader, void *ctx)
{
	struct redis_words words;
	struct question *question =
		question_new(state, reply_new_state(box, reader, ctx), read_claim);
	if (!question)
		return;
	redis_words_init(&words);
	redis_words_key(&words, question->redis->prefix, "claim:%s", license);
	redis_words_text(&words, session);
	redis_words_number(&words, ttl_ms);
	send(question, redis_words_script(&words, REDIS_RENEW, 1, &question->ask));
}

static void release(struct state *state, const char *license, const char *session,
	uint64_t fence, struct post_box *box, state_done reader, void *ctx)
{
	struct redis_words words;
	struct question *question =
		question_new(state, reply_new_state(box, reader, ctx), read_verdict);
	if (!question)
		return;
	redis_words_init(&words);
	redis_words_key(&words, question->redis->prefix, "claim:%s", license);
	redis_words_text(&words, "session");
	redis_words_text(&words, session);
	if (fence) {
		redis_words_text(&words, "fence");
		redis_words_number(&words, (int64_t)fence);
	}
	send(question, redis_words_script(&words, REDIS_RELEASE, 1, &question->ask));
}

/* Both scripts take the same words: where the host of this license is, and for how long. */
static void send_place(struct question *question, enum redis_script_name script,
	const char *license, const char *node, const char *value, int64_t ttl_ms)
{
	struct redis_words words;
	redis_words_init(&words);
	redis_words_key(&words, question->redis->prefix, "at:%s", license);
	redis_words_text(&words, node);
	redis_words_text(&words, value);
	redis_words_number(&words, ttl_ms);
	send(question, redis_words_script(&words, script, 1, &question->ask));
}

static void announce(struct state *state, const char *license, const char *node,
	const char *value, int64_t ttl_ms, struct post_box *box, state_done reader,
	void *ctx)
{
	struct question *question =
		question_new(state, reply_new_state(box, reader, ctx), read_verdict);
	if (question)
		send_place(question, REDIS_ANNOUNCE, license, node, value, ttl_ms);
}

static int read_stay(struct question *question, const struct redisReply *reply)
{
	int status = verdict(reply);
	const char *value = redis_reply_text(redis_reply_at(reply, 1), NULL);
	int r = status && value ? reply_holder(question->reply, value) : 0;
	return r ? r : status;
}

static void stay(struct state *state, const char *license, const char *node,
	const char *value, int64_t ttl_ms, struct post_box *box, state_done reader,
	void *ctx)
{
	struct question *question =
		question_new(state, reply_new_state(box, reader, ctx), read_stay);
	if (question)
		send_place(question, REDIS_STAY, license, node, value, ttl_ms);
}

static int read_place(struct question *question, const struct redisReply *reply)
{
	const char *value = redis_reply_text(reply, NULL);
	if (!value)
		return -REASON_NOT_FOUND;
	return reply_holder(question->reply, value);
}

static void locate(struct state *state, const char *license, struct post_box *box,
	state_done reader, void *ctx)
{
	struct redis_words words;
	struct question *question =
		question_new(state, reply_new_state(box, reader, ctx), read_place);
	if (!question)
		return;
	redis_words_init(&words);
	redis_words_text(&words, "HGET");
	redis_words_key(&words, question->redis->prefix, "at:%s", license);
	redis_words_text(&words, "value");
	send(question, redis_words_plain(&words, &question->ask));
}

static void withdraw(struct state *state, const char *license, const char *node,
	struct post_box *box, state_done reader, void *ctx)
{
	struct redis_words words;
	struct question *question =
		question_new(state, reply_new_state(box, reader, ctx), read_verdict);
	if (!question)
		return;
	redis_words_init(&words);
	redis_words_key(&words, question->redis->prefix, "at:%s", license);
	redis_words_text(&words, "node");
	redis_words_text(&words, node);
	send(question, redis_words_script(&words, REDIS_RELEASE, 1, &question->ask));
}

int redis_state_new(struct redis_link *link, const char *prefix, struct state **ret)
{
	static const struct state_vtable vtable = {get, put, remove_doc, list_docs, claim,
		renew, release, announce, stay, locate, withdraw, raise_fences};
	struct redis_state *redis = calloc(1, sizeof(*redis));
	if (!redis)
		return -REASON_NO_MEMORY;
	redis->state.vtable = &vtable;
	redis->magic = REDIS_STATE_MAGIC;
	redis->link = link;
	redis->prefix = prefix;
	atomic_init(&redis->fence, 0);
	*ret = &redis->state;
	return 0;
}

struct state *redis_state_free(struct state *state)
{
	if (!state)
		return NULL;
	struct redis_state *redis = mine(state);
	redis->magic = 0;
	free(redis);
	return NULL;
}
