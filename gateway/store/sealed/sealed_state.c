#include <stdlib.h>
#include <string.h>

#include "base/reason.h"
#include "store/reply.h"
#include "store/sealed/sealed_core.h"
#include "store/sealed/sealed_docs.h"

#define SEALED_STATE_MAGIC 0x53655374

struct sealed_state {
	struct state state; /* first: state * is sealed_state * */
	uint32_t magic;
	struct sealed_core *core;
	struct state *below;
};

static struct sealed_state *mine(struct state *state)
{
	struct sealed_state *sealed = (struct sealed_state *)state;
	CHECK_OBJ(sealed, SEALED_STATE_MAGIC);
	return sealed;
}

/* A question under way. That of a put remembers what was put, for its answer. */
struct question {
	struct sealed_core *core; /* held */
	enum sealed_docs_mercy mercy;
	struct post_box *box;
	state_done done;
	void *ctx;
	const char *id, *body; /* of a put: behind the struct */
};

static struct question *question_new(struct sealed_state *sealed,
	enum sealed_docs_mercy mercy, struct post_box *box, state_done done, void *ctx,
	const struct state_doc *put)
{
	size_t id = put ? strlen(put->id) + 1 : 0, body = put ? strlen(put->body) + 1 : 0;
	struct question *question = calloc(1, sizeof(*question) + id + body);
	if (!question) {
		reply_send(reply_new_state(box, done, ctx), -REASON_NO_MEMORY);
		return NULL;
	}
	*question = (struct question){
		sealed_core_hold(sealed->core), mercy, box, done, ctx, NULL, NULL};
	if (put) {
		char *at = (char *)(question + 1);
		question->id = memcpy(at, put->id, id);
		question->body = memcpy(at + id, put->body, body);
	}
	return question;
}

static void question_free(struct question *question)
{
	sealed_core_drop(question->core);
	free(question);
}

static void answer(struct question *question, const struct state_answer *from,
	const struct state_doc *docs, int status)
{
	struct state_answer opened = *from;
	opened.status = status;
	opened.docs = docs;
	if (status)
		opened.count = 0;
	if (question->done)
		question->done(question->ctx, &opened);
	question_free(question);
}

/* Answers to the box from another thread. */
static void answer_later(struct question *question, const struct state_doc *docs,
	size_t count, int status)
{
	struct reply *reply =
		reply_new_state(question->box, question->done, question->ctx);
	for (size_t i = 0; i < count && status == 0; i++)
		status = reply_doc(reply, &docs[i]);
	reply_send(reply, status);
	question_free(question);
}

/* On the thread that may wait, with copies of the documents: their keys are fetched. */
static void open_late(void *ctx, const struct state_answer *stored)
{
	struct question *question = ctx;
	struct sealed_keys *keys = sealed_core_keys(question->core);
	struct sealed_page page = {0};
	size_t missing = 0;
	int r = stored->status ? stored->status : 1;
	for (size_t tries = 0; r == 1 && tries <= stored->count; tries++) {
		r = sealed_docs_open(keys, stored->docs, stored->count, question->mercy,
			&page, &missing);
		if (r != 1)
			break;
		const struct state_doc *doc = &stored->docs[missing];
		int load = sealed_keys_load(keys, doc->tenant,
			sealed_box_generation(doc->body));
		uint32_t generation;
		if (load == 0 &&
			sealed_keys_look(keys, doc->tenant,
				sealed_box_generation(doc->body), &generation) == 1)
			load = -REASON_STATE_DAMAGED;
		r = load ? load : 1;
	}
	answer_later(question, page.docs, stored->count,
		r == 1 ? -REASON_STATE_DAMAGED : r);
	sealed_docs_wipe(&page);
}

static void go_late(struct question *question, const struct state_answer *stored)
{
	struct post_box *box = sealed_core_box(question->core);
	if (!box) {
		answer(question, stored, NULL, -REASON_STORE_UNAVAILABLE);
		return;
	}
	struct reply *reply = reply_new_state(box, open_late, question);
	int r = 0;
	for (size_t i = 0; i < stored->count && r == 0; i++)
		r = reply_doc(reply, &stored->docs[i]);
	reply_send(reply, r);
}

static void opened(void *ctx, const struct state_answer *stored)
{
	struct question *question = ctx;
	struct sealed_page page = {0};
	size_t missing;
	int r = stored->status;
	if (r == 0)
		r = sealed_docs_open(sealed_core_keys(question->core), stored->docs,
			stored->count, question->mercy, &page, &missing);
	if (r == 1) {
		go_late(question, stored);
		return;
	}
	answer(question, stored, page.docs, r);
	sealed_docs_wipe(&page);
}

static void get(struct state *state, enum state_kind kind, const char *id,
	struct post_box *box, state_done done, void *ctx)
{
	struct sealed_state *sealed = mine(state);
	char stored[STATE_ID_MAX + 1];
	if (!sealed_docs_is_sealed(kind) || !box) {
		state_get(sealed->below, kind, id, box, done, ctx);
		return;
	}
	int r = sealed_docs_id(sealed_core_keys(sealed->core), kind, id, stored);
	if (r) {
		/* Longer ones stand nowhere. */
		reply_send(reply_new_state(box, done, ctx),
			r == -REASON_LIMIT ? -REASON_NOT_FOUND : r);
		return;
	}
	struct question *question =
		question_new(sealed, SEALED_DOCS_STRICT, box, done, ctx, NULL);
	if (question)
		state_get(sealed->below, kind, stored, box, opened, question);
}

static void list_docs(struct state *state, enum state_kind kind, const char *tenant,
	const char *after, size_t limit, struct post_box *box, state_done done, void *ctx)
{
	struct sealed_state *sealed = mine(state);
	char stored[STATE_ID_MAX + 1];
	if (!sealed_docs_is_sealed(kind) || !box) {
		state_list(sealed->below, kind, tenant, after, limit, box, done, ctx);
		return;
	}
	/* One that could not be opened was shown under the store's own id. */
	int r = 0;
	if (after && *after && *after != '~')
		r = sealed_docs_id(sealed_core_keys(sealed->core), kind, after, stored);
	else if (after)
		r = strlen(after) <= STATE_ID_MAX ? 0 : -REASON_LIMIT;
	if (r) {
		reply_send(reply_new_state(box, done, ctx), r);
		return;
	}
	const char *from = after && *after && *after != '~' ? stored : after;
	struct question *question =
		question_new(sealed, SEALED_DOCS_MARK, box, done, ctx, NULL);
	if (question)
		state_list(sealed->below, kind, tenant, from, limit, box, opened,
			question);
}

static void put_answered(void *ctx, const struct state_answer *stored)
{
	struct question *question = ctx;
	struct state_doc doc = {0};
	if (stored->count) {
		doc = stored->docs[0];
		doc.id = question->id;
		doc.body = question->body;
	}
	answer(question, stored, stored->count ? &doc : NULL, stored->status);
}

/* A put that waits for its tenant's first key. */
struct late_put {
	struct post_item item; /* first */
	struct sealed_state *sealed;
	struct question *question;
	struct state_doc doc; /* id and body are the question's */
	char tenant[STATE_TENANT_MAX + 1];
};

/* 0: on its way; 1: the key is not here. */
static int put_now(struct sealed_state *sealed, const struct state_doc *doc,
	struct question *question)
{
	struct sealed_doc stored;
	/* Also a put whose answer nobody waits for has its question, which the answer frees. */
	struct post_box *box =
		question->box ? question->box : sealed_core_box(sealed->core);
	if (!box)
		return -REASON_STORE_UNAVAILABLE;
	int r = sealed_docs_close(sealed_core_keys(sealed->core), doc, &stored);
	if (r == 0)
		state_put(sealed->below, &stored.doc, box, put_answered, question);
	sealed_docs_done(&stored);
	return r;
}

static void run_late_put(struct post_item *item)
{
	struct late_put *late = (struct late_put *)item;
	int r = sealed_keys_load(sealed_core_keys(late->sealed->core), late->tenant, 0);
	if (r == 0)
		r = put_now(late->sealed, &late->doc, late->question);
	if (r)
		answer_later(late->question, NULL, 0, r == 1 ? -REASON_STATE_DAMAGED : r);
	free(late);
}

static void put_late(struct sealed_state *sealed, const struct state_doc *doc,
	struct question *question)
{
	struct post_box *box = sealed_core_box(sealed->core);
	struct late_put *late = box ? calloc(1, sizeof(*late)) : NULL;
	if (!late) {
		answer_later(question, NULL, 0,
			box ? -REASON_NO_MEMORY : -REASON_STORE_UNAVAILABLE);
		return;
	}
	*late = (struct late_put){{NULL, run_late_put}, sealed, question, *doc, ""};
	memcpy(late->tenant, doc->tenant, strlen(doc->tenant) + 1);
	late->doc.id = question->id;
	late->doc.body = question->body;
	late->doc.tenant = late->tenant;
	post_put(box, &late->item);
}

static void put(struct state *state, const struct state_doc *doc, struct post_box *box,
	state_done done, void *ctx)
{
	struct sealed_state *sealed = mine(state);
	int r = state_doc_check(doc);
	if (!sealed_docs_is_sealed(doc->kind)) {
		state_put(sealed->below, doc, box, done, ctx);
		return;
	}
	if (r) {
		reply_send(reply_new_state(box, done, ctx), r);
		return;
	}
	struct question *question = question_new(sealed, SEALED_DOCS_STRICT, box,
		box ? done : NULL, ctx, doc);
	if (!question)
		return;
	r = put_now(sealed, doc, question);
	if (r == 1)
		put_late(sealed, doc, question);
	else if (r)
		answer_later(question, NULL, 0, r);
}

static void remove_doc(struct state *state, enum state_kind kind, const char *id,
	uint64_t version, struct post_box *box, state_done done, void *ctx)
{
	struct sealed_state *sealed = mine(state);
	char stored[STATE_ID_MAX + 1];
	int r = sealed_docs_id(sealed_core_keys(sealed->core), kind, id, stored);
	if (r)
		reply_send(reply_new_state(box, done, ctx),
			r == -REASON_LIMIT ? -REASON_NOT_FOUND : r);
	else
		state_remove(sealed->below, kind, stored, version, box, done, ctx);
}

static void claim(struct state *state, const char *license, const char *session,
	const char *holder, int64_t ttl_ms, struct post_box *box, state_done done,
	void *ctx)
{
	state_claim(mine(state)->below, license, session, holder, ttl_ms, box, done, ctx);
}

static void raise_fences(struct state *state, uint64_t least, struct post_box *box,
	state_done done, void *ctx)
{
	state_raise(mine(state)->below, least, box, done, ctx);
}

static void renew(struct state *state, const char *license, const char *session,
	int64_t ttl_ms, struct post_box *box, state_done done, void *ctx)
{
	state_renew(mine(state)->below, license, session, ttl_ms, box, done, ctx);
}

static void release(struct state *state, const char *license, const char *session,
	uint64_t fence, struct post_box *box, state_done done, void *ctx)
{
	state_release(mine(state)->below, license, session, fence, box, done, ctx);
}

static void announce(struct state *state, const char *license, const char *node,
	const char *value, int64_t ttl_ms, struct post_box *box, state_done done,
	void *ctx)
{
	state_announce(mine(state)->below, license, node, value, ttl_ms, box, done, ctx);
}

static void stay(struct state *state, const char *license, const char *node,
	const char *value, int64_t ttl_ms, struct post_box *box, state_done done,
	void *ctx)
{
	state_stay(mine(state)->below, license, node, value, ttl_ms, box, done, ctx);
}

static void locate(struct state *state, const char *license, struct post_box *box,
	state_done done, void *ctx)
{
	state_locate(mine(state)->below, license, box, done, ctx);
}

static void withdraw(struct state *state, const char *license, const char *node,
	struct post_box *box, state_done done, void *ctx)
{
	state_withdraw(mine(state)->below, license, node, box, done, ctx);
}

int sealed_state_new(struct sealed_core *core, struct state **ret)
{
	static const struct state_vtable vtable = {get, put, remove_doc, list_docs, claim,
		renew, release, announce, stay, locate, withdraw, raise_fences};
	struct sealed_state *sealed = calloc(1, sizeof(*sealed));
	if (!sealed)
		return -REASON_NO_MEMORY;
	sealed->state.vtable = &vtable;
	sealed->magic = SEALED_STATE_MAGIC;
	sealed->core = sealed_core_hold(core);
	sealed->below = sealed_core_below(core)->state;
	*ret = &sealed->state;
	return 0;
}

struct state *sealed_state_free(struct state *state)
{
	if (!state)
		return NULL;
	struct sealed_state *sealed = mine(state);
	sealed_core_drop(sealed->core);
	sealed->magic = 0;
	free(sealed);
	return NULL;
}
