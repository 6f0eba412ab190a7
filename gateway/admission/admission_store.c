#include "admission/admission_store.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/reason.h"
#include "base/text.h"
#include "store/store_wait.h"

/* Who loses that often against others loses against a flood. */
#define ATTEMPTS 50
#define SWEEP_PAGE 200
#define ROOM_STEP 500

int admission_store_get(struct store *store, enum state_kind kind, const char *id,
	char **ret)
{
	struct store_docs docs = {0};
	int r = store_wait_get(store->state, kind, id, &docs);
	if (r)
		return r;
	*ret = strdup(docs.docs[0].body);
	store_docs_free(&docs);
	return *ret ? 0 : -REASON_NO_MEMORY;
}

static int update_once(struct store *store, struct state_doc *doc,
	admission_store_change change, void *ctx)
{
	struct store_docs docs = {0};
	char *body = NULL;
	int r = store_wait_get(store->state, doc->kind, doc->id, &docs);
	if (r && r != -REASON_NOT_FOUND)
		return r;
	doc->version = docs.count ? docs.docs[0].version : 0;
	r = change(ctx, docs.count ? docs.docs[0].body : NULL, &body);
	store_docs_free(&docs);
	if (r == 0) {
		doc->body = body;
		r = store_wait_put(store->state, doc, NULL);
	}
	free(body);
	return r > 0 ? 0 : r;
}

int admission_store_update(struct store *store, enum state_kind kind, const char *id,
	const char *tenant, admission_store_change change, void *ctx)
{
	struct state_doc doc = {.kind = kind, .id = id, .tenant = tenant};
	int r = -REASON_CONFLICT;
	/* Gone in between is the same as changed in between. */
	for (int i = 0; i < ATTEMPTS && (r == -REASON_CONFLICT || r == -REASON_NOT_FOUND);
		i++)
		r = update_once(store, &doc, change, ctx);
	return r == -REASON_CONFLICT || r == -REASON_NOT_FOUND ? -REASON_BUSY : r;
}

int admission_store_wait(struct store *store, const struct admission_tries *tries,
	int64_t *ret_wait_ms)
{
	char id[LOCKOUT_ID_SIZE], *body = NULL;
	struct lockout_book book;
	int r = lockout_id(id, tries->what, tries->name);
	if (r == 0)
		r = admission_store_get(store, STATE_ATTEMPTS, id, &body);
	if (r && r != -REASON_NOT_FOUND)
		return r;
	lockout_read(body, &book);
	free(body);
	*ret_wait_ms = lockout_wait(&book, &tries->limits, tries->prefix, tries->now_ms);
	return 0;
}

struct charge {
	const struct admission_tries *tries;
	int64_t wait_ms;
	int locks;
};

static int charge(void *ctx, const char *body, char **ret_body)
{
	struct charge *charge = ctx;
	const struct admission_tries *tries = charge->tries;
	struct lockout_book book;
	lockout_read(body, &book);
	charge->wait_ms = lockout_charge(&book, &tries->limits, tries->prefix,
		tries->now_ms, &charge->locks);
	return charge->wait_ms ? 1 : lockout_write(&book, ret_body);
}

int admission_store_charge(struct store *store, const struct admission_tries *tries,
	int64_t *ret_wait_ms, int *ret_locks)
{
	char id[LOCKOUT_ID_SIZE];
	struct charge one = {.tries = tries};
	int r = lockout_id(id, tries->what, tries->name);
	if (r == 0)
		r = admission_store_update(store, STATE_ATTEMPTS, id, tries->tenant,
			charge, &one);
	if (r)
		return r;
	*ret_wait_ms = one.wait_ms;
	*ret_locks = one.locks;
	return 0;
}

struct undo {
	const struct admission_tries *tries;
	enum admission_mercy mercy;
};

static int undo(void *ctx, const char *body, char **ret_body)
{
	const struct undo *undo = ctx;
	const struct admission_tries *tries = undo->tries;
	struct lockout_book book;
	/* Somebody lifted the lock meanwhile. */
	if (!body)
		return 1;
	lockout_read(body, &book);
	if (undo->mercy == ADMISSION_FORGIVE)
		lockout_forgive(&book, &tries->limits, tries->prefix);
	else
		lockout_give_back(&book, &tries->limits, tries->prefix);
	return lockout_write(&book, ret_body);
}

int admission_store_undo(struct store *store, const struct admission_tries *tries,
	enum admission_mercy mercy)
{
	char id[LOCKOUT_ID_SIZE];
	struct undo one = {tries, mercy};
	int r = lockout_id(id, tries->what, tries->name);
	return r ? r
		 : admission_store_update(store, STATE_ATTEMPTS, id, tries->tenant, undo,
			   &one);
}

static int sweep_one(struct store *store, const struct state_doc *doc,
	const struct lockout_limits *limits, int64_t now_ms)
{
	struct lockout_book book;
	lockout_read(doc->body, &book);
	if (!lockout_is_over(&book, limits, now_ms))
		return 0;
	int r = store_wait_remove(store->state, STATE_ATTEMPTS, doc->id, doc->version);
	/* Somebody counts in it again. */
	return r == -REASON_CONFLICT || r == -REASON_NOT_FOUND ? 0 : r;
}

void admission_store_sweep(struct store *store, const struct lockout_limits *limits,
	int64_t now_ms)
{
	char after[STATE_ID_MAX + 1] = "";
	size_t count = SWEEP_PAGE;
	int r = 0;
	while (count == SWEEP_PAGE && r == 0) {
		struct store_docs docs = {0};
		r = store_wait_list(store->state, STATE_ATTEMPTS, NULL, after, SWEEP_PAGE,
			&docs);
		count = docs.count;
		for (size_t i = 0; i < count && r == 0; i++)
			r = sweep_one(store, &docs.docs[i], limits, now_ms);
		if (count && r == 0)
			r = text_copy(after, sizeof(after), docs.docs[count - 1].id);
		store_docs_free(&docs);
	}
}

int admission_store_audit(struct store *store, enum audit_event event, const char *tenant,
	const char *license, const char *by, const char *address, json_t *fields)
{
	char *body;
	int r = audit_body(event, by, address, fields, &body);
	if (r)
		return r;
	struct journal_row row = {.kind = JOURNAL_AUDIT,
		.tenant = tenant,
		.license = license,
		.at_ms = clock_wall_ms(),
		.body = body};
	r = store_wait_append(store->journal, &row, 1);
	free(body);
	return r;
}

static int is_of(const struct state_doc *doc, const char *license)
{
	json_t *body = json_loads(doc->body, 0, NULL);
	const char *whose = json_string_value(json_object_get(body, "license"));
	int same = whose && strcmp(whose, license) == 0;
	json_decref(body);
	return same;
}

/* Ended, and kept only until its row is written. */
static int is_over(const struct state_doc *doc)
{
	json_t *body = json_loads(doc->body, 0, NULL);
	const char *state = json_string_value(json_object_get(body, "state"));
	int over = state && (!strcmp(state, "closing") || !strcmp(state, "owed"));
	json_decref(body);
	return over;
}

int admission_store_room(struct store *store, const char *tenant, const char *license,
	int64_t most)
{
	char after[STATE_ID_MAX + 1] = "";
	size_t count = ROOM_STEP;
	int64_t used = 0;
	while (count == ROOM_STEP) {
		struct store_docs docs = {0};
		int r = store_wait_list(store->state, STATE_SESSION, tenant,
			*after ? after : NULL, ROOM_STEP, &docs);
		if (r)
			return r;
		count = docs.count;
		for (size_t i = 0; i < count; i++)
			used += !is_of(&docs.docs[i], license) && !is_over(&docs.docs[i]);
		if (count)
			snprintf(after, sizeof(after), "%s", docs.docs[count - 1].id);
		store_docs_free(&docs);
		if (used >= most)
			return -REASON_COMPANY_FULL;
	}
	return 0;
}
