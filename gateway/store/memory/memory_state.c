#include "store/memory/memory_state.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/reason.h"
#include "store/memory/lease.h"
#include "store/reply.h"

#define MEMORY_STATE_MAGIC 0x4d537461
#define LIST_MAX 1000

/* The docs of one kind, in order of id. */
struct shelf {
	struct state_doc **docs;
	size_t count, cap;
};

struct memory_state {
	struct state state; /* first: state * is memory_state * */
	uint32_t magic;
	pthread_mutex_t mutex;
	struct shelf shelves[STATE_KINDS];
	struct lease *lease;
};

static struct memory_state *mine(struct state *state)
{
	struct memory_state *memory = (struct memory_state *)state;
	CHECK_OBJ(memory, MEMORY_STATE_MAGIC);
	return memory;
}

/* The index of the first doc whose id is not below `id`. */
static size_t place_of(const struct shelf *shelf, const char *id)
{
	size_t low = 0, high = shelf->count;
	while (low < high) {
		size_t middle = low + (high - low) / 2;
		if (strcmp(shelf->docs[middle]->id, id) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

static struct state_doc *doc_at(const struct shelf *shelf, size_t place, const char *id)
{
	if (place < shelf->count && strcmp(shelf->docs[place]->id, id) == 0)
		return shelf->docs[place];
	return NULL;
}

static struct state_doc *doc_new(const struct state_doc *from, uint64_t version)
{
	size_t a = strlen(from->id) + 1, b = strlen(from->tenant) + 1,
	       c = strlen(from->body) + 1;
	struct state_doc *doc = malloc(sizeof(*doc) + a + b + c);
	if (!doc)
		return NULL;
	char *at = (char *)(doc + 1);
	doc->kind = from->kind;
	doc->version = version;
	doc->id = memcpy(at, from->id, a);
	doc->tenant = memcpy(at + a, from->tenant, b);
	doc->body = memcpy(at + a + b, from->body, c);
	return doc;
}

static void get(struct state *state, enum state_kind kind, const char *id,
	struct post_box *box, state_done done, void *ctx)
{
	struct memory_state *memory = mine(state);
	struct reply *reply = reply_new_state(box, done, ctx);
	struct shelf *shelf = &memory->shelves[kind];
	pthread_mutex_lock(&memory->mutex);
	struct state_doc *doc = doc_at(shelf, place_of(shelf, id), id);
	int r = doc ? reply_doc(reply, doc) : -REASON_NOT_FOUND;
	pthread_mutex_unlock(&memory->mutex);
	reply_send(reply, r);
}

static int shelf_room(struct shelf *shelf)
{
	if (shelf->count < shelf->cap)
		return 0;
	size_t cap = shelf->cap ? shelf->cap * 2 : 16;
	struct state_doc **more = realloc(shelf->docs, cap * sizeof(struct state_doc *));
	if (!more)
		return -REASON_NO_MEMORY;
	shelf->docs = more;
	shelf->cap = cap;
	return 0;
}

static int put_locked(struct shelf *shelf, const struct state_doc *doc,
	struct reply *reply)
{
	size_t place = place_of(shelf, doc->id);
	struct state_doc *old = doc_at(shelf, place, doc->id);
	if ((old ? old->version : 0) != doc->version)
		return old || doc->version == 0 ? -REASON_CONFLICT : -REASON_NOT_FOUND;
	struct state_doc *fresh = doc_new(doc, doc->version + 1);
	int r = fresh ? reply_doc(reply, fresh) : -REASON_NO_MEMORY;
	if (r == 0 && !old)
		r = shelf_room(shelf);
	if (r) {
		free(fresh);
		return r;
	}
	if (!old) {
		memmove(shelf->docs + place + 1, shelf->docs + place,
			(shelf->count - place) * sizeof(struct state_doc *));
		shelf->count++;
	}
	shelf->docs[place] = fresh;
	free(old);
	return 0;
}

static void put(struct state *state, const struct state_doc *doc, struct post_box *box,
	state_done done, void *ctx)
{
	struct memory_state *memory = mine(state);
	struct reply *reply = reply_new_state(box, done, ctx);
	int r = state_doc_check(doc);
	if (r == 0) {
		pthread_mutex_lock(&memory->mutex);
		r = put_locked(&memory->shelves[doc->kind], doc, reply);
		pthread_mutex_unlock(&memory->mutex);
	}
	reply_send(reply, r);
}

static int remove_locked(struct shelf *shelf, const char *id, uint64_t version)
{
	size_t place = place_of(shelf, id);
	struct state_doc *old = doc_at(shelf, place, id);
	if (!old)
		return -REASON_NOT_FOUND;
	if (version && version != old->version)
		return -REASON_CONFLICT;
	free(old);
	shelf->count--;
	memmove(shelf->docs + place, shelf->docs + place + 1,
		(shelf->count - place) * sizeof(struct state_doc *));
	return 0;
}

static void remove_doc(struct state *state, enum state_kind kind, const char *id,
	uint64_t version, struct post_box *box, state_done done, void *ctx)
{
	struct memory_state *memory = mine(state);
	struct reply *reply = reply_new_state(box, done, ctx);
	pthread_mutex_lock(&memory->mutex);
	int r = remove_locked(&memory->shelves[kind], id, version);
	pthread_mutex_unlock(&memory->mutex);
	reply_send(reply, r);
}

static int list_locked(struct shelf *shelf, const char *tenant, const char *after,
	size_t limit, struct reply *reply)
{
	size_t place = after ? place_of(shelf, after) : 0;
	if (after && doc_at(shelf, place, after))
		place++;
	for (; place < shelf->count && limit; place++) {
		struct state_doc *doc = shelf->docs[place];
		if (tenant && strcmp(doc->tenant, tenant))
			continue;
		int r = reply_doc(reply, doc);
		if (r)
			return r;
		limit--;
	}
	return 0;
}

static void list_docs(struct state *state, enum state_kind kind, const char *tenant,
	const char *after, size_t limit, struct post_box *box, state_done done, void *ctx)
{
	struct memory_state *memory = mine(state);
	struct reply *reply = reply_new_state(box, done, ctx);
	pthread_mutex_lock(&memory->mutex);
	int r = list_locked(&memory->shelves[kind], tenant, after,
		limit < LIST_MAX ? limit : LIST_MAX, reply);
	pthread_mutex_unlock(&memory->mutex);
	reply_send(reply, r);
}

static void claim(struct state *state, const char *license, const char *session,
	const char *holder, int64_t ttl_ms, struct post_box *box, state_done done,
	void *ctx)
{
	struct memory_state *memory = mine(state);
	uint64_t limit;
	/* Nothing has to be made durable here, so the next range is granted at once. */
	if (lease_low(memory->lease, &limit))
		lease_extend(memory->lease, limit);
	lease_answer_claim(memory->lease, license, session, holder, ttl_ms,
		reply_new_state(box, done, ctx));
}

static void raise_fences(struct state *state, uint64_t least, struct post_box *box,
	state_done done, void *ctx)
{
	struct reply *reply = reply_new_state(box, done, ctx);
	reply_state_answer(reply)->fence = lease_raise(mine(state)->lease, least);
	reply_send(reply, 0);
}

static void renew(struct state *state, const char *license, const char *session,
	int64_t ttl_ms, struct post_box *box, state_done done, void *ctx)
{
	lease_answer_renew(mine(state)->lease, license, session, ttl_ms,
		reply_new_state(box, done, ctx));
}

static void release(struct state *state, const char *license, const char *session,
	uint64_t fence, struct post_box *box, state_done done, void *ctx)
{
	lease_release(mine(state)->lease, license, session, fence);
	reply_send(reply_new_state(box, done, ctx), 0);
}

static void announce(struct state *state, const char *license, const char *node,
	const char *value, int64_t ttl_ms, struct post_box *box, state_done done,
	void *ctx)
{
	int r = lease_announce(mine(state)->lease, license, node, value, ttl_ms);
	reply_send(reply_new_state(box, done, ctx), r);
}

static void stay(struct state *state, const char *license, const char *node,
	const char *value, int64_t ttl_ms, struct post_box *box, state_done done,
	void *ctx)
{
	lease_answer_stay(mine(state)->lease, license, node, value, ttl_ms,
		reply_new_state(box, done, ctx));
}

static void locate(struct state *state, const char *license, struct post_box *box,
	state_done done, void *ctx)
{
	lease_answer_locate(mine(state)->lease, license, reply_new_state(box, done, ctx));
}

static void withdraw(struct state *state, const char *license, const char *node,
	struct post_box *box, state_done done, void *ctx)
{
	lease_withdraw(mine(state)->lease, license, node);
	reply_send(reply_new_state(box, done, ctx), 0);
}

int memory_state_new(struct state **ret)
{
	static const struct state_vtable vtable = {get, put, remove_doc, list_docs, claim,
		renew, release, announce, stay, locate, withdraw, raise_fences};
	struct memory_state *memory = calloc(1, sizeof(*memory));
	if (!memory)
		return -REASON_NO_MEMORY;
	int r = lease_new(lease_floor(0, clock_wall_ms()), &memory->lease);
	if (r) {
		free(memory);
		return r;
	}
	memory->state.vtable = &vtable;
	memory->magic = MEMORY_STATE_MAGIC;
	CHECK(pthread_mutex_init(&memory->mutex, NULL) == 0);
	*ret = &memory->state;
	return 0;
}

struct state *memory_state_free(struct state *state)
{
	if (!state)
		return NULL;
	struct memory_state *memory = mine(state);
	for (size_t kind = 0; kind < STATE_KINDS; kind++) {
		struct shelf *shelf = &memory->shelves[kind];
		for (size_t i = 0; i < shelf->count; i++)
			free(shelf->docs[i]);
		free(shelf->docs);
	}
	lease_free(memory->lease);
	pthread_mutex_destroy(&memory->mutex);
	memory->magic = 0;
	free(memory);
	return NULL;
}
