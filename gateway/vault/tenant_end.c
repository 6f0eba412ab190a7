#include "vault/tenant_end.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/reason.h"
#include "base/text.h"
#include "rules/audit.h"
#include "rules/tenant.h"
#include "store/sealed/sealed_store.h"
#include "store/store_flow.h"
#include "store/store_open.h"
#include "store/store_wait.h"
#include "vault/vault_record.h"

#define PREFIX "purge/"
#define PAGE 500
#define CLAIM_MS 600000

struct purge {
	struct store *store, *below;
	const char *tenant;
	json_t *kinds;
	uint64_t documents;
	size_t keys;
};

static void mark_id(const char *tenant, char ret[static 64])
{
	snprintf(ret, 64, PREFIX "%.*s", STATE_TENANT_MAX, tenant);
}

/* From the start again and again: what was removed is not there any more. */
static int remove_kind(struct purge *purge, enum state_kind kind)
{
	struct store_flow *flow;
	uint64_t gone = 0;
	size_t count = PAGE;
	int r = store_flow_new(purge->below->state, &flow);
	if (r)
		return r;
	while (r == 0 && count == PAGE) {
		struct store_docs docs = {0};
		r = store_wait_list(purge->below->state, kind, purge->tenant, NULL, PAGE,
			&docs);
		count = docs.count;
		for (size_t i = 0; i < count && r == 0; i++)
			r = store_flow_remove(flow, kind, docs.docs[i].id);
		int flown = store_flow_wait(flow, NULL);
		gone += count;
		store_docs_free(&docs);
		r = r ? r : flown;
	}
	store_flow_free(flow);
	if (r == 0 && gone)
		json_object_set_new(purge->kinds, state_kind_name(kind),
			json_integer((json_int_t)gone));
	purge->documents += gone;
	return r;
}

static int remove_documents(struct purge *purge)
{
	int r = 0;
	for (int kind = 0; kind < STATE_KINDS && r == 0; kind++)
		if (kind != STATE_TENANT && kind != STATE_KEY)
			r = remove_kind(purge, (enum state_kind)kind);
	/* While its own document is there, it is known that this has to be gone on with. */
	return r ? r : remove_kind(purge, STATE_TENANT);
}

static int record(struct purge *purge, const char *by, uint64_t *ret_seq)
{
	char *body = NULL;
	struct store_rows rows = {0};
	int r = audit_body(AUDIT_TENANT_PURGED, by, "",
		json_pack("{s:s, s:I, s:I}", "tenant", purge->tenant, "documents",
			(json_int_t)purge->documents, "keys", (json_int_t)purge->keys),
		&body);
	/* The operator's own row: nobody could read the company's. */
	struct journal_row row = {.kind = JOURNAL_AUDIT,
		.tenant = "",
		.license = "",
		.at_ms = clock_wall_ms(),
		.body = body};
	if (r == 0)
		r = store_wait_append(purge->store->journal, &row, 1);
	free(body);
	if (r == 0 && store_wait_look(purge->store->journal, &rows) == 0)
		*ret_seq = rows.last_seq;
	store_rows_free(&rows);
	return r;
}

static int set_mark(struct purge *purge, const json_t *mark)
{
	char id[64];
	mark_id(purge->tenant, id);
	return vault_record_mark(purge->store, id, mark);
}

static int64_t number_of(const json_t *object, const char *member)
{
	return json_integer_value(json_object_get(object, member));
}

/* The mark of an interrupted purge is gone on with, and what it had counted. */
static json_t *begin(struct purge *purge, const char *by)
{
	json_t *mark = NULL;
	if (tenant_end_proof(purge->store, purge->tenant, &mark) == 0 &&
		strcmp(json_string_value(json_object_get(mark, "state"))
				? json_string_value(json_object_get(mark, "state"))
				: "",
			"running") == 0)
		return mark;
	json_decref(mark);
	return json_pack("{s:s, s:s, s:s, s:I}", "tenant", purge->tenant, "state",
		"running", "by", by, "began_ms", (json_int_t)clock_wall_ms());
}

static int finish(struct purge *purge, const char *by, json_t *mark)
{
	uint64_t seq = 0;
	int r = sealed_keys_destroy(sealed_store_keys(purge->store), purge->tenant,
		&purge->keys);
	if (r == 0)
		r = sealed_store_tell(purge->store, purge->tenant);
	/* What was deleted must not wait in a log of the database. */
	if (r == 0 && purge->below->scrub)
		r = purge->below->scrub(purge->below);
	if (r == 0)
		r = record(purge, by, &seq);
	if (r)
		return r;
	json_object_set_new(mark, "state", json_string("done"));
	json_object_set_new(mark, "purged_ms", json_integer(clock_wall_ms()));
	json_object_set_new(mark, "keys", json_integer((json_int_t)purge->keys));
	json_object_set_new(mark, "row", json_integer((json_int_t)seq));
	return set_mark(purge, mark);
}

static int purge_claimed(struct purge *purge, const char *by, json_t **ret)
{
	json_t *mark = begin(purge, by);
	int r = mark ? set_mark(purge, mark) : -REASON_NO_MEMORY;
	if (r == 0)
		r = remove_documents(purge);
	if (r == 0) {
		json_object_set_new(mark, "documents",
			json_integer(number_of(mark, "documents") +
				     (json_int_t)purge->documents));
		json_object_set(mark, "kinds", purge->kinds);
		r = set_mark(purge, mark);
	}
	if (r == 0)
		r = finish(purge, by, mark);
	if (r == 0 && ret)
		*ret = mark;
	else
		json_decref(mark);
	return r;
}

int tenant_end_purge(struct store *store, const char *node, const char *tenant,
	const char *by, json_t **ret_proof)
{
	char claim[64];
	struct purge purge = {.store = store,
		.below = sealed_store_below(store),
		.tenant = tenant,
		.kinds = json_object()};
	if (!*tenant || !purge.kinds) {
		json_decref(purge.kinds);
		return *tenant ? -REASON_NO_MEMORY : -REASON_FORBIDDEN;
	}
	mark_id(tenant, claim);
	int r = store_wait_claim(store->state, claim, node, node, CLAIM_MS, NULL);
	if (r == 0) {
		r = purge_claimed(&purge, by, ret_proof);
		int freed = store_wait_release(store->state, claim, node, 0);
		if (r == 0 && freed)
			log_line(LOG_WARN, "a claim was not given back",
				LOG_S("reason", reason_symbol(freed)));
	}
	log_line(r ? LOG_ERROR : LOG_INFO, r ? "tenant not erased" : "tenant erased",
		LOG_S("tenant", tenant), LOG_U("documents", purge.documents),
		LOG_U("keys", purge.keys), LOG_S("reason", reason_symbol(r)));
	json_decref(purge.kinds);
	return r;
}

int tenant_end_proof(struct store *store, const char *tenant, json_t **ret)
{
	char id[64];
	struct store_docs docs = {0};
	mark_id(tenant, id);
	int r = store_wait_get(store->state, STATE_META, id, &docs);
	if (r)
		return r;
	json_t *object = json_loads(docs.docs[0].body, 0, NULL);
	store_docs_free(&docs);
	if (!object)
		return -REASON_STATE_DAMAGED;
	*ret = object;
	return 0;
}

static int is_due(const struct state_doc *doc, int64_t now_ms)
{
	struct tenant tenant;
	struct field_error error;
	return tenant_read(doc->body, &tenant, &error) == 0 &&
	       tenant.state == TENANT_ENDED && tenant.purge_after_ms <= now_ms;
}

static void purge_one(struct store *store, const char *node, const char *tenant)
{
	int r = tenant_end_purge(store, node, tenant, "gateway", NULL);
	/* It is logged; another node that is at it is no error. */
	if (r && r != -REASON_LICENSE_IN_USE)
		log_line(LOG_WARN, "the company is erased at the next try",
			LOG_S("tenant", tenant), LOG_S("reason", reason_symbol(r)));
}

static void purge_ended(struct store *store, const char *node, int64_t now_ms,
	int (*stop)(void *ctx), void *ctx)
{
	char after[STATE_ID_MAX + 1] = "";
	size_t count = PAGE;
	while (count == PAGE && !stop(ctx)) {
		struct store_docs docs = {0};
		int r = store_wait_list(store->state, STATE_TENANT, NULL, after, PAGE,
			&docs);
		count = r ? 0 : docs.count;
		for (size_t i = 0; i < count && !stop(ctx); i++)
			if (is_due(&docs.docs[i], now_ms))
				purge_one(store, node, docs.docs[i].id);
		if (count)
			text_clip(after, sizeof(after), docs.docs[count - 1].id);
		store_docs_free(&docs);
	}
}

/* Those whose document is gone already. */
static void purge_interrupted(struct store *store, const char *node,
	int (*stop)(void *ctx), void *ctx)
{
	struct store_docs docs = {0};
	int r = store_wait_list(store->state, STATE_META, NULL, PREFIX, 1000, &docs);
	for (size_t i = 0; r == 0 && i < docs.count && !stop(ctx); i++) {
		const char *id = docs.docs[i].id;
		if (strncmp(id, PREFIX, sizeof(PREFIX) - 1))
			break;
		if (strstr(docs.docs[i].body, "\"state\":\"running\""))
			purge_one(store, node, id + sizeof(PREFIX) - 1);
	}
	store_docs_free(&docs);
}

void tenant_end_purge_due(struct store *store, const char *node, int64_t now_ms,
	int (*stop)(void *ctx), void *ctx)
{
	purge_interrupted(store, node, stop, ctx);
	purge_ended(store, node, now_ms, stop, ctx);
}
