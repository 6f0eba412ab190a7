#include "store/reply.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/reason.h"
#include "metrics/metrics.h"

#define REPLY_MAGIC 0x52657079
#define REPLY_CHUNK 4096
#define REPLY_RESERVE 64

struct chunk {
	struct chunk *next;
	size_t used, size;
	char bytes[];
};

struct reply {
	struct post_item item; /* first: post_item * is reply * */
	uint32_t magic;
	struct post_box *box;
	int64_t asked_us;
	state_done state_done;
	journal_done journal_done;
	void *ctx;
	struct state_answer state;
	struct journal_answer journal;
	struct state_doc *docs;
	struct journal_row *rows;
	size_t cap;
	struct chunk *chunks;
};

/* When malloc fails the answer is "no memory", but it must arrive: the asker waits for it. */
static struct {
	pthread_mutex_t mutex;
	uint64_t taken; /* bit i: replies[i] is out */
	struct reply replies[REPLY_RESERVE];
} reserve = {.mutex = PTHREAD_MUTEX_INITIALIZER};

static struct reply *take_reserved(void)
{
	pthread_mutex_lock(&reserve.mutex);
	CHECK(~reserve.taken != 0);
	int i = __builtin_ctzll(~reserve.taken);
	reserve.taken |= UINT64_C(1) << i;
	pthread_mutex_unlock(&reserve.mutex);
	memset(&reserve.replies[i], 0, sizeof(reserve.replies[i]));
	return &reserve.replies[i];
}

static void give_back(struct reply *reply)
{
	if (reply < reserve.replies || reply >= reserve.replies + REPLY_RESERVE) {
		free(reply);
		return;
	}
	pthread_mutex_lock(&reserve.mutex);
	reserve.taken &= ~(UINT64_C(1) << (reply - reserve.replies));
	pthread_mutex_unlock(&reserve.mutex);
}

static struct reply *reply_new(struct post_box *box, void *ctx)
{
	struct reply *reply = calloc(1, sizeof(*reply));
	if (!reply)
		reply = take_reserved();
	reply->magic = REPLY_MAGIC;
	reply->box = box;
	reply->asked_us = clock_mono_us();
	reply->ctx = ctx;
	return reply;
}

struct reply *reply_new_state(struct post_box *box, state_done done, void *ctx)
{
	struct reply *reply = reply_new(box, ctx);
	reply->state_done = done;
	return reply;
}

struct reply *reply_new_journal(struct post_box *box, journal_done done, void *ctx)
{
	struct reply *reply = reply_new(box, ctx);
	reply->journal_done = done;
	return reply;
}

static void reply_free(struct reply *reply)
{
	CHECK_OBJ(reply, REPLY_MAGIC);
	for (struct chunk *chunk = reply->chunks, *next; chunk; chunk = next) {
		next = chunk->next;
		free(chunk);
	}
	free(reply->docs);
	free(reply->rows);
	reply->magic = 0;
	give_back(reply);
}

static const char *copy(struct reply *reply, const char *text)
{
	size_t size = strlen(text) + 1;
	struct chunk *chunk = reply->chunks;
	if (!chunk || chunk->size - chunk->used < size) {
		size_t room = size > REPLY_CHUNK ? size : REPLY_CHUNK;
		chunk = malloc(sizeof(*chunk) + room);
		if (!chunk)
			return NULL;
		*chunk = (struct chunk){.next = reply->chunks, .size = room};
		reply->chunks = chunk;
	}
	char *to = memcpy(chunk->bytes + chunk->used, text, size);
	chunk->used += size;
	return to;
}

/* Room for one more of `count` entries of `size` bytes; `cap` serves docs or rows, never both. */
static int grow(struct reply *reply, void **array, size_t count, size_t size)
{
	if (count < reply->cap)
		return 0;
	size_t cap = reply->cap ? reply->cap * 2 : 4;
	void *more = realloc(*array, cap * size);
	if (!more)
		return -REASON_NO_MEMORY;
	*array = more;
	reply->cap = cap;
	return 0;
}

int reply_doc(struct reply *reply, const struct state_doc *doc)
{
	CHECK_OBJ(reply, REPLY_MAGIC);
	struct state_answer *answer = &reply->state;
	int r = grow(reply, (void **)&reply->docs, answer->count, sizeof(*reply->docs));
	if (r)
		return r;
	struct state_doc mine = *doc;
	mine.id = copy(reply, doc->id);
	mine.tenant = copy(reply, doc->tenant);
	mine.body = copy(reply, doc->body);
	if (!mine.id || !mine.tenant || !mine.body)
		return -REASON_NO_MEMORY;
	reply->docs[answer->count++] = mine;
	return 0;
}

int reply_row(struct reply *reply, const struct journal_row *row)
{
	CHECK_OBJ(reply, REPLY_MAGIC);
	struct journal_answer *answer = &reply->journal;
	int r = grow(reply, (void **)&reply->rows, answer->count, sizeof(*reply->rows));
	if (r)
		return r;
	struct journal_row mine = *row;
	mine.tenant = copy(reply, row->tenant);
	mine.license = copy(reply, row->license);
	mine.body = copy(reply, row->body);
	mine.node = copy(reply, row->node);
	if (!mine.tenant || !mine.license || !mine.body || !mine.node)
		return -REASON_NO_MEMORY;
	reply->rows[answer->count++] = mine;
	return 0;
}

int reply_holder(struct reply *reply, const char *holder)
{
	CHECK_OBJ(reply, REPLY_MAGIC);
	reply->state.holder = copy(reply, holder);
	return reply->state.holder ? 0 : -REASON_NO_MEMORY;
}

struct state_answer *reply_state_answer(struct reply *reply)
{
	CHECK_OBJ(reply, REPLY_MAGIC);
	return &reply->state;
}

struct journal_answer *reply_journal_answer(struct reply *reply)
{
	CHECK_OBJ(reply, REPLY_MAGIC);
	return &reply->journal;
}

static void run(struct post_item *item)
{
	struct reply *reply = (struct reply *)item;
	CHECK_OBJ(reply, REPLY_MAGIC);
	if (reply->state_done)
		reply->state_done(reply->ctx, &reply->state);
	if (reply->journal_done)
		reply->journal_done(reply->ctx, &reply->journal);
	reply_free(reply);
}

/* That something is not there, or is another's, is an answer; only what the store could not do is a
 * fault of it. */
static void count(const struct reply *reply, int status)
{
	metrics_time(METRIC_STORE_SECONDS, clock_mono_us() - reply->asked_us);
	if (status && status != -REASON_NOT_FOUND && status != -REASON_CONFLICT &&
		status != -REASON_LICENSE_IN_USE)
		metrics_reason(METRIC_STORE_ERRORS, status);
}

void reply_send(struct reply *reply, int status)
{
	CHECK_OBJ(reply, REPLY_MAGIC);
	count(reply, status);
	if (!reply->box) {
		reply_free(reply);
		return;
	}
	reply->state.status = reply->journal.status = status;
	if (status)
		reply->state.count = reply->journal.count = 0;
	reply->state.docs = reply->docs;
	reply->journal.rows = reply->rows;
	reply->item.run = run;
	post_put(reply->box, &reply->item);
}
