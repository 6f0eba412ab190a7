#include "store/sealed/sealed_renew.h"

#include <string.h>

#include "base/reason.h"
#include "base/text.h"
#include "store/sealed/sealed_docs.h"
#include "store/store_flow.h"
#include "store/store_wait.h"

#define PAGE 500

struct renewal {
	struct state *below;
	struct sealed_keys *keys;
	enum sealed_renew_what what;
	struct store_flow *flow;
	struct sealed_renew count;
};

/* Loads what is missing until the documents close or open. */
static int with_key(struct sealed_keys *keys, const char *tenant, uint32_t generation)
{
	uint32_t found;
	int r = sealed_keys_look(keys, tenant, generation, &found);
	if (r != 1)
		return r;
	r = sealed_keys_load(keys, tenant, generation);
	if (r == 0)
		r = sealed_keys_look(keys, tenant, generation, &found);
	return r == 1 ? -REASON_STATE_DAMAGED : r;
}

static int is_old(struct renewal *renewal, const struct state_doc *doc)
{
	uint32_t newest, generation = sealed_box_generation(doc->body);
	if (!generation)
		return renewal->what == SEALED_RENEW_CLEAR;
	return sealed_keys_look(renewal->keys, doc->tenant, 0, &newest) == 0 &&
	       generation < newest;
}

/* A clear document of a kind whose names are hashed has another id afterwards. */
static int put_sealed(struct renewal *renewal, const struct state_doc *stored,
	const struct state_doc *clear)
{
	struct sealed_doc sealed;
	int r = sealed_docs_close(renewal->keys, clear, &sealed);
	if (r)
		return r == 1 ? -REASON_STATE_DAMAGED : r;
	int moves = strcmp(sealed.doc.id, stored->id) != 0;
	if (moves)
		sealed.doc.version = 0;
	r = store_flow_put(renewal->flow, &sealed.doc);
	sealed_docs_done(&sealed);
	/* The old one goes only when the new one is there. */
	if (r == 0 && moves)
		r = store_flow_wait(renewal->flow, NULL);
	if (r == 0 && moves)
		r = store_flow_remove(renewal->flow, stored->kind, stored->id);
	renewal->count.sealed += r == 0;
	return r;
}

static int renew_one(struct renewal *renewal, const struct state_doc *stored)
{
	struct sealed_page page = {0};
	size_t missing;
	uint32_t generation = sealed_box_generation(stored->body);
	renewal->count.seen++;
	int r = with_key(renewal->keys, stored->tenant, 0);
	if (r || !is_old(renewal, stored))
		return r;
	if (!generation)
		return put_sealed(renewal, stored, stored);
	r = with_key(renewal->keys, stored->tenant, generation);
	if (r == 0)
		r = sealed_docs_open(renewal->keys, stored, 1, SEALED_DOCS_STRICT, &page,
			&missing);
	if (r == -REASON_STATE_DAMAGED || r == -REASON_NOT_FOUND) {
		renewal->count.damaged++;
		return 0;
	}
	if (r == 0)
		r = put_sealed(renewal, stored, &page.docs[0]);
	sealed_docs_wipe(&page);
	return r;
}

static int renew_kind(struct renewal *renewal, enum state_kind kind, const char *tenant,
	int (*stop)(void *ctx), void *ctx)
{
	char after[STATE_ID_MAX + 1] = "";
	size_t count = PAGE;
	int r = 0;
	while (r == 0 && count == PAGE) {
		struct store_docs docs = {0};
		if (stop && stop(ctx))
			return -REASON_DRAINING;
		r = store_wait_list(renewal->below, kind, tenant, after, PAGE, &docs);
		count = docs.count;
		for (size_t i = 0; i < count && r == 0; i++)
			r = renew_one(renewal, &docs.docs[i]);
		if (count && r == 0)
			r = text_copy(after, sizeof(after), docs.docs[count - 1].id);
		store_docs_free(&docs);
	}
	return r;
}

int sealed_renew_run(struct state *below, struct sealed_keys *keys, const char *tenant,
	enum sealed_renew_what what, int (*stop)(void *ctx), void *ctx,
	struct sealed_renew *ret)
{
	struct renewal renewal = {.below = below, .keys = keys, .what = what};
	uint64_t missed = 0;
	int r = store_flow_new(below, &renewal.flow);
	if (r)
		return r;
	for (int kind = 0; kind < STATE_KINDS && r == 0; kind++)
		if (sealed_docs_is_sealed((enum state_kind)kind))
			r = renew_kind(&renewal, (enum state_kind)kind, tenant, stop,
				ctx);
	int end = store_flow_wait(renewal.flow, &missed);
	store_flow_free(renewal.flow);
	if (r == 0)
		r = end;
	if (r == 0)
		*ret = renewal.count;
	return r;
}
