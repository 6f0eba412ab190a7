#include "store/sqlite/sqlite_state.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/reason.h"
#include "store/memory/lease.h"
#include "store/reply.h"

#define SQLITE_STATE_MAGIC 0x53715374
#define LIST_MAX 1000
#define FENCE_LIMIT "fence_limit"

struct sqlite_state {
	struct state state; /* first: state * is sqlite_state * */
	uint32_t magic;
	struct sqlite_thread *writer, *reader;
	struct lease *lease; /* NULL: for reading only */
};

/* One question about docs. Its strings follow it in the same allocation. */
struct doc_job {
	struct sqlite_job job; /* first */
	struct reply *reply;
	struct state_doc doc;
	const char *after, *tenant;
	size_t limit;
};

static struct sqlite_state *mine(struct state *state)
{
	struct sqlite_state *sqlite = (struct sqlite_state *)state;
	CHECK_OBJ(sqlite, SQLITE_STATE_MAGIC);
	return sqlite;
}

static const char *put_text(char **at, const char *text)
{
	size_t size = strlen(text) + 1;
	const char *copy = memcpy(*at, text, size);
	*at += size;
	return copy;
}

/* Answers by itself and returns NULL when there is no memory. */
static struct doc_job *doc_job_new(const struct state_doc *doc, struct reply *reply)
{
	struct doc_job *job =
		calloc(1, sizeof(*job) + strlen(doc->id) + strlen(doc->tenant) +
				  strlen(doc->body) + 3);
	if (!job) {
		reply_send(reply, -REASON_NO_MEMORY);
		return NULL;
	}
	char *at = (char *)(job + 1);
	job->reply = reply;
	job->doc = *doc;
	job->doc.id = put_text(&at, doc->id);
	job->doc.tenant = put_text(&at, doc->tenant);
	job->doc.body = put_text(&at, doc->body);
	return job;
}

static void doc_answer(struct sqlite_job *base, int status)
{
	struct doc_job *job = (struct doc_job *)base;
	reply_send(job->reply, status);
	free(job);
}

static int reply_found(struct doc_job *job, sqlite3_stmt *row)
{
	return reply_doc(job->reply,
		&(struct state_doc){.kind = job->doc.kind,
			.id = (const char *)sqlite3_column_text(row, 0),
			.tenant = (const char *)sqlite3_column_text(row, 1),
			.version = (uint64_t)sqlite3_column_int64(row, 2),
			.body = (const char *)sqlite3_column_text(row, 3)});
}

static int reply_rows(struct doc_job *job, struct sqlite_db *db, sqlite3_stmt *row)
{
	int r;
	while ((r = sqlite_db_step(db, row)) > 0) {
		r = reply_found(job, row);
		if (r)
			break;
	}
	sqlite_db_done(row);
	return r;
}

static int get_work(struct sqlite_job *base, struct sqlite_db *db)
{
	struct doc_job *job = (struct doc_job *)base;
	sqlite3_stmt *row;
	int r = sqlite_db_bind(db, SQL_DOC_GET, &row, "it", (int64_t)job->doc.kind,
		job->doc.id);
	if (r == 0)
		r = reply_rows(job, db, row);
	if (r == 0 && reply_state_answer(job->reply)->count == 0)
		job->job.status = -REASON_NOT_FOUND;
	return r;
}

static void get(struct state *state, enum state_kind kind, const char *id,
	struct post_box *box, state_done done, void *ctx)
{
	struct doc_job *job = doc_job_new(&(struct state_doc){kind, id, "", 0, ""},
		reply_new_state(box, done, ctx));
	if (!job)
		return;
	job->job.work = get_work;
	job->job.answer = doc_answer;
	sqlite_thread_put(mine(state)->reader, &job->job);
}

static int list_work(struct sqlite_job *base, struct sqlite_db *db)
{
	struct doc_job *job = (struct doc_job *)base;
	sqlite3_stmt *row;
	/* The empty string is below every id: "from the start". */
	int r = job->tenant ? sqlite_db_bind(db, SQL_DOC_LIST_TENANT, &row, "itut",
				      (int64_t)job->doc.kind, job->doc.id,
				      (uint64_t)job->limit, job->tenant)
			    : sqlite_db_bind(db, SQL_DOC_LIST, &row, "itu",
				      (int64_t)job->doc.kind, job->doc.id,
				      (uint64_t)job->limit);
	return r ? r : reply_rows(job, db, row);
}

static void list_docs(struct state *state, enum state_kind kind, const char *tenant,
	const char *after, size_t limit, struct post_box *box, state_done done, void *ctx)
{
	struct doc_job *job = doc_job_new(&(struct state_doc){kind, after ? after : "",
						  tenant ? tenant : "", 0, ""},
		reply_new_state(box, done, ctx));
	if (!job)
		return;
	job->tenant = tenant ? job->doc.tenant : NULL;
	job->limit = limit < LIST_MAX ? limit : LIST_MAX;
	job->job.work = list_work;
	job->job.answer = doc_answer;
	sqlite_thread_put(mine(state)->reader, &job->job);
}

/* The version that is stored, 0: none. */
static int stored_version(struct sqlite_db *db, const struct state_doc *doc,
	uint64_t *ret)
{
	sqlite3_stmt *row;
	int r = sqlite_db_bind(db, SQL_DOC_VERSION, &row, "it", (int64_t)doc->kind,
		doc->id);
	if (r)
		return r;
	r = sqlite_db_step(db, row);
	*ret = r > 0 ? (uint64_t)sqlite3_column_int64(row, 0) : 0;
	sqlite_db_done(row);
	return r < 0 ? r : 0;
}

static int put_work(struct sqlite_job *base, struct sqlite_db *db)
{
	struct doc_job *job = (struct doc_job *)base;
	const struct state_doc *doc = &job->doc;
	uint64_t version;
	int r = stored_version(db, doc, &version);
	if (r)
		return r;
	if (version != doc->version) {
		job->job.status =
			version || !doc->version ? -REASON_CONFLICT : -REASON_NOT_FOUND;
		return 0;
	}
	if (version)
		return sqlite_db_run(db, SQL_DOC_UPDATE, "ittut", (int64_t)doc->kind,
			doc->id, doc->tenant, version + 1, doc->body);
	return sqlite_db_run(db, SQL_DOC_INSERT, "ittut", (int64_t)doc->kind, doc->id,
		doc->tenant, (uint64_t)1, doc->body);
}

static void put_answer(struct sqlite_job *base, int status)
{
	struct doc_job *job = (struct doc_job *)base;
	job->doc.version++;
	/* The change stands and cannot be taken back; who is short of memory learns it as that. */
	if (status == 0)
		status = reply_doc(job->reply, &job->doc);
	doc_answer(base, status);
}

static void put(struct state *state, const struct state_doc *doc, struct post_box *box,
	state_done done, void *ctx)
{
	struct reply *reply = reply_new_state(box, done, ctx);
	int r = state_doc_check(doc);
	if (r) {
		reply_send(reply, r);
		return;
	}
	struct doc_job *job = doc_job_new(doc, reply);
	if (!job)
		return;
	job->job.work = put_work;
	job->job.answer = put_answer;
	sqlite_thread_put(mine(state)->writer, &job->job);
}

static int remove_work(struct sqlite_job *base, struct sqlite_db *db)
{
	struct doc_job *job = (struct doc_job *)base;
	uint64_t version;
	int r = stored_version(db, &job->doc, &version);
	if (r)
		return r;
	if (!version)
		job->job.status = -REASON_NOT_FOUND;
	else if (job->doc.version && job->doc.version != version)
		job->job.status = -REASON_CONFLICT;
	else
		r = sqlite_db_run(db, SQL_DOC_DELETE, "it", (int64_t)job->doc.kind,
			job->doc.id);
	return r;
}

static void remove_doc(struct state *state, enum state_kind kind, const char *id,
	uint64_t version, struct post_box *box, state_done done, void *ctx)
{
	struct doc_job *job = doc_job_new(&(struct state_doc){kind, id, "", version, ""},
		reply_new_state(box, done, ctx));
	if (!job)
		return;
	job->job.work = remove_work;
	job->job.answer = doc_answer;
	sqlite_thread_put(mine(state)->writer, &job->job);
}

struct range_job {
	struct sqlite_job job; /* first */
	struct lease *lease;
	uint64_t limit;
};

static int range_work(struct sqlite_job *base, struct sqlite_db *db)
{
	struct range_job *job = (struct range_job *)base;
	return sqlite_db_run(db, SQL_NUMBER_SET, "tu", FENCE_LIMIT, job->limit);
}

static void range_answer(struct sqlite_job *base, int status)
{
	struct range_job *job = (struct range_job *)base;
	/* 0 extends nothing, but lets the next claim ask again. */
	lease_extend(job->lease, status == 0 ? job->limit : 0);
	free(job);
}

static void order_range(struct sqlite_state *sqlite)
{
	uint64_t limit;
	if (!lease_low(sqlite->lease, &limit))
		return;
	struct range_job *job = calloc(1, sizeof(*job));
	if (!job) {
		lease_extend(sqlite->lease, 0);
		return;
	}
	*job = (struct range_job){
		{NULL, range_work, range_answer, 0}, sqlite->lease, limit};
	sqlite_thread_put(sqlite->writer, &job->job);
}

struct raise_job {
	struct sqlite_job job; /* first */
	struct lease *lease;
	struct reply *reply;
	uint64_t least, limit;
};

static int raise_work(struct sqlite_job *base, struct sqlite_db *db)
{
	struct raise_job *job = (struct raise_job *)base;
	sqlite3_stmt *row;
	int r = sqlite_db_bind(db, SQL_NUMBER_GET, &row, "t", FENCE_LIMIT);
	if (r)
		return r;
	r = sqlite_db_step(db, row);
	uint64_t durable = r > 0 ? (uint64_t)sqlite3_column_int64(row, 0) : 0;
	sqlite_db_done(row);
	if (r < 0)
		return r;
	job->limit = job->least + LEASE_RANGE;
	/* A smaller number changes nothing. */
	return durable >= job->limit
		       ? 0
		       : sqlite_db_run(db, SQL_NUMBER_SET, "tu", FENCE_LIMIT, job->limit);
}

static void raise_answer(struct sqlite_job *base, int status)
{
	struct raise_job *job = (struct raise_job *)base;
	if (status == 0) {
		reply_state_answer(job->reply)->fence =
			lease_raise(job->lease, job->least);
		lease_extend(job->lease, job->limit);
	}
	reply_send(job->reply, status);
	free(job);
}

static void raise_fences(struct state *state, uint64_t least, struct post_box *box,
	state_done done, void *ctx)
{
	struct sqlite_state *sqlite = mine(state);
	struct reply *reply = reply_new_state(box, done, ctx);
	struct raise_job *job = sqlite->lease ? calloc(1, sizeof(*job)) : NULL;
	if (!job) {
		reply_send(reply, sqlite->lease ? -REASON_NO_MEMORY : -REASON_FORBIDDEN);
		return;
	}
	*job = (struct raise_job){.job = {NULL, raise_work, raise_answer, 0},
		.lease = sqlite->lease,
		.reply = reply,
		.least = least};
	sqlite_thread_put(sqlite->writer, &job->job);
}

static void claim(struct state *state, const char *license, const char *session,
	const char *holder, int64_t ttl_ms, struct post_box *box, state_done done,
	void *ctx)
{
	struct sqlite_state *sqlite = mine(state);
	struct reply *reply = reply_new_state(box, done, ctx);
	if (!sqlite->lease) {
		reply_send(reply, -REASON_FORBIDDEN);
		return;
	}
	order_range(sqlite);
	lease_answer_claim(sqlite->lease, license, session, holder, ttl_ms, reply);
}

static void renew(struct state *state, const char *license, const char *session,
	int64_t ttl_ms, struct post_box *box, state_done done, void *ctx)
{
	struct lease *lease = mine(state)->lease;
	struct reply *reply = reply_new_state(box, done, ctx);
	if (lease)
		lease_answer_renew(lease, license, session, ttl_ms, reply);
	else
		reply_send(reply, -REASON_FORBIDDEN);
}

static void release(struct state *state, const char *license, const char *session,
	uint64_t fence, struct post_box *box, state_done done, void *ctx)
{
	struct lease *lease = mine(state)->lease;
	if (lease)
		lease_release(lease, license, session, fence);
	reply_send(reply_new_state(box, done, ctx), lease ? 0 : -REASON_FORBIDDEN);
}

static void announce(struct state *state, const char *license, const char *node,
	const char *value, int64_t ttl_ms, struct post_box *box, state_done done,
	void *ctx)
{
	struct lease *lease = mine(state)->lease;
	int r = lease ? lease_announce(lease, license, node, value, ttl_ms)
		      : -REASON_FORBIDDEN;
	reply_send(reply_new_state(box, done, ctx), r);
}

static void stay(struct state *state, const char *license, const char *node,
	const char *value, int64_t ttl_ms, struct post_box *box, state_done done,
	void *ctx)
{
	struct lease *lease = mine(state)->lease;
	struct reply *reply = reply_new_state(box, done, ctx);
	if (lease)
		lease_answer_stay(lease, license, node, value, ttl_ms, reply);
	else
		reply_send(reply, -REASON_FORBIDDEN);
}

static void locate(struct state *state, const char *license, struct post_box *box,
	state_done done, void *ctx)
{
	struct lease *lease = mine(state)->lease;
	struct reply *reply = reply_new_state(box, done, ctx);
	if (lease)
		lease_answer_locate(lease, license, reply);
	else
		reply_send(reply, -REASON_FORBIDDEN);
}

static void withdraw(struct state *state, const char *license, const char *node,
	struct post_box *box, state_done done, void *ctx)
{
	struct lease *lease = mine(state)->lease;
	if (lease)
		lease_withdraw(lease, license, node);
	reply_send(reply_new_state(box, done, ctx), lease ? 0 : -REASON_FORBIDDEN);
}

static int first_range(struct sqlite_db *db, struct lease **ret)
{
	sqlite3_stmt *row;
	uint64_t durable = 0;
	int r = sqlite_db_bind(db, SQL_NUMBER_GET, &row, "t", FENCE_LIMIT);
	if (r)
		return r;
	r = sqlite_db_step(db, row);
	if (r > 0)
		durable = (uint64_t)sqlite3_column_int64(row, 0);
	sqlite_db_done(row);
	if (r < 0)
		return r;
	uint64_t first = lease_floor(durable, clock_wall_ms());
	r = sqlite_db_run(db, SQL_NUMBER_SET, "tu", FENCE_LIMIT, first + LEASE_RANGE);
	if (r == 0)
		r = lease_new(first, ret);
	if (r == 0)
		lease_extend(*ret, first + LEASE_RANGE);
	return r;
}

int sqlite_state_new(struct sqlite_db *db, struct state **ret)
{
	static const struct state_vtable vtable = {get, put, remove_doc, list_docs, claim,
		renew, release, announce, stay, locate, withdraw, raise_fences};
	struct sqlite_state *sqlite = calloc(1, sizeof(*sqlite));
	if (!sqlite)
		return -REASON_NO_MEMORY;
	int r = db ? first_range(db, &sqlite->lease) : 0;
	if (r) {
		free(sqlite);
		return r;
	}
	sqlite->state.vtable = &vtable;
	sqlite->magic = SQLITE_STATE_MAGIC;
	*ret = &sqlite->state;
	return 0;
}

void sqlite_state_serve(struct state *state, struct sqlite_thread *writer,
	struct sqlite_thread *reader)
{
	struct sqlite_state *sqlite = mine(state);
	sqlite->writer = writer;
	sqlite->reader = reader;
}

struct state *sqlite_state_free(struct state *state)
{
	if (!state)
		return NULL;
	struct sqlite_state *sqlite = mine(state);
	lease_free(sqlite->lease);
	sqlite->magic = 0;
	free(sqlite);
	return NULL;
}
