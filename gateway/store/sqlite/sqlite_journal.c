#include "store/sqlite/sqlite_journal.h"

#include <stdlib.h>
#include <string.h>

#include "base/reason.h"
#include "store/journal_chain.h"
#include "store/reply.h"
#include "store/sqlite/sqlite_purge.h"
#include "store/sqlite/sqlite_row.h"

#define SQLITE_JOURNAL_MAGIC 0x53714a6f

struct sqlite_journal {
	struct journal journal; /* first: journal * is sqlite_journal * */
	uint32_t magic;
	char *node;
	struct sqlite_thread *writer, *reader, *auditor;
	/* only on the writer's thread: */
	struct journal_mark head;
	int head_known;
};

static struct sqlite_journal *mine(struct journal *journal)
{
	struct sqlite_journal *sqlite = (struct sqlite_journal *)journal;
	CHECK_OBJ(sqlite, SQLITE_JOURNAL_MAGIC);
	return sqlite;
}

/* One question. The rows to append follow it in the same allocation, then their strings. */
struct row_job {
	struct sqlite_job job; /* first */
	struct sqlite_journal *journal;
	struct reply *reply;
	struct journal_query query;
	struct journal_mark head; /* after the append */
	struct journal_point *points;
	struct journal_purge *purge;
	struct sqlite_purge so_far,
		then; /* the step that was taken leads from one to the other */
	size_t count, left_out;
	struct journal_row rows[];
};

static struct row_job *row_job_new(struct journal *journal, struct reply *reply,
	size_t extra)
{
	struct row_job *job = calloc(1, sizeof(*job) + extra);
	if (!job) {
		reply_send(reply, -REASON_NO_MEMORY);
		return NULL;
	}
	job->journal = mine(journal);
	job->reply = reply;
	return job;
}

static void row_answer(struct sqlite_job *base, int status)
{
	struct row_job *job = (struct row_job *)base;
	reply_send(job->reply, status);
	free(job->points);
	free(job->purge);
	free(job);
}

static const char *put_text(char **at, const char *text)
{
	size_t size = strlen(text) + 1;
	const char *copy = memcpy(*at, text, size);
	*at += size;
	return copy;
}

static int load_head(struct sqlite_journal *journal, struct sqlite_db *db)
{
	if (journal->head_known)
		return 0;
	int r = sqlite_row_mark(db, "head", &journal->head);
	/* Without its head the chain must not be gone on with as if it were new. */
	if (r == -REASON_NOT_FOUND)
		return -REASON_STATE_DAMAGED;
	journal->head_known = r == 0;
	return r;
}

static int append_one(struct sqlite_journal *journal, struct sqlite_db *db,
	struct journal_row *row)
{
	row->seq = journal->head.seq + 1;
	row->node = journal->node;
	int r = journal_chain_hash(journal->head.hash, row, row->hash);
	if (r == 0)
		r = sqlite_row_insert(db, row);
	if (r)
		return r;
	journal->head.seq = row->seq;
	memcpy(journal->head.hash, row->hash, JOURNAL_HASH);
	return 0;
}

static int append_work(struct sqlite_job *base, struct sqlite_db *db)
{
	struct row_job *job = (struct row_job *)base;
	struct sqlite_journal *journal = job->journal;
	int r = load_head(journal, db);
	int64_t counts[JOURNAL_KINDS] = {0};
	job->left_out = 0;
	for (size_t i = 0; i < job->count && r == 0; i++) {
		r = sqlite_row_ended(db, job->rows[i].series);
		if (r == 0) {
			r = append_one(journal, db, &job->rows[i]);
			counts[job->rows[i].kind]++;
		} else if (r > 0) {
			job->left_out++;
			r = 0;
		}
	}
	for (int kind = 0; kind < JOURNAL_KINDS && r == 0; kind++)
		r = sqlite_row_count(db, journal_kind_name((enum journal_kind)kind),
			counts[kind]);
	if (r == 0)
		r = sqlite_row_set_mark(db, "head", &journal->head);
	job->head = journal->head;
	return r;
}

static void append_answer(struct sqlite_job *base, int status)
{
	struct row_job *job = (struct row_job *)base;
	struct journal_answer *answer = reply_journal_answer(job->reply);
	answer->left_out = job->left_out;
	answer->last_seq = job->head.seq;
	memcpy(answer->last_hash, job->head.hash, JOURNAL_HASH);
	row_answer(base, status);
}

/* With a copy of the rows; answers by itself and returns NULL when they are refused. */
static struct row_job *rows_job_new(struct journal *journal,
	const struct journal_row *rows, size_t count, struct post_box *box,
	journal_done done, void *ctx)
{
	struct reply *reply = reply_new_journal(box, done, ctx);
	int r = journal_rows_check(rows, count);
	if (r) {
		reply_send(reply, r);
		return NULL;
	}
	size_t text = 0;
	for (size_t i = 0; i < count; i++)
		text += strlen(rows[i].tenant) + strlen(rows[i].license) +
			strlen(rows[i].body) + (rows[i].node ? strlen(rows[i].node) : 0) +
			(rows[i].series ? strlen(rows[i].series) : 0) + 5;
	struct row_job *job = row_job_new(journal, reply, count * sizeof(*rows) + text);
	if (!job)
		return NULL;
	char *at = (char *)(job->rows + count);
	job->count = count;
	for (size_t i = 0; i < count; i++) {
		job->rows[i] = rows[i];
		job->rows[i].tenant = put_text(&at, rows[i].tenant);
		job->rows[i].license = put_text(&at, rows[i].license);
		job->rows[i].body = put_text(&at, rows[i].body);
		job->rows[i].node = put_text(&at, rows[i].node ? rows[i].node : "");
		job->rows[i].series = put_text(&at, rows[i].series ? rows[i].series : "");
	}
	return job;
}

static void append(struct journal *journal, const struct journal_row *rows, size_t count,
	struct post_box *box, journal_done done, void *ctx)
{
	struct row_job *job = rows_job_new(journal, rows, count, box, done, ctx);
	if (!job)
		return;
	job->job.work = append_work;
	job->job.answer = append_answer;
	sqlite_thread_put(job->journal->writer, &job->job);
}

static int query_work(struct sqlite_job *base, struct sqlite_db *db)
{
	struct row_job *job = (struct row_job *)base;
	return sqlite_row_query(db, &job->query, job->reply);
}

static void query_rows(struct journal *journal, const struct journal_query *query,
	struct post_box *box, journal_done done, void *ctx)
{
	struct reply *reply = reply_new_journal(box, done, ctx);
	size_t tenant = query->tenant ? strlen(query->tenant) + 1 : 0;
	size_t license = query->license ? strlen(query->license) + 1 : 0;
	struct row_job *job = row_job_new(journal, reply, tenant + license);
	if (!job)
		return;
	char *at = (char *)job->rows;
	job->query = *query;
	if (query->tenant)
		job->query.tenant = put_text(&at, query->tenant);
	if (query->license)
		job->query.license = put_text(&at, query->license);
	job->job.work = query_work;
	job->job.answer = row_answer;
	sqlite_thread_put(job->journal->reader, &job->job);
}

static int verify_work(struct sqlite_job *base, struct sqlite_db *db)
{
	struct row_job *job = (struct row_job *)base;
	struct journal_check check;
	/* One snapshot: rows, head and anchor are of the same moment. */
	int r = sqlite_db_run(db, SQL_BEGIN_READ, "");
	if (r)
		return r;
	r = sqlite_row_verify(db, job->points, job->count, &check);
	int end = sqlite_db_run(db, SQL_COMMIT, "");
	journal_chain_answer(&check, reply_journal_answer(job->reply));
	return r ? r : end;
}

static void verify(struct journal *journal, const struct journal_point *points,
	size_t count, struct post_box *box, journal_done done, void *ctx)
{
	struct row_job *job = row_job_new(journal, reply_new_journal(box, done, ctx), 0);
	if (!job)
		return;
	job->count = count;
	job->points = malloc((count + 1) * sizeof(*points));
	if (!job->points) {
		row_answer(&job->job, -REASON_NO_MEMORY);
		return;
	}
	if (count)
		memcpy(job->points, points, count * sizeof(*points));
	job->job.work = verify_work;
	job->job.answer = row_answer;
	sqlite_thread_put(job->journal->auditor, &job->job);
}

static int purge_work(struct sqlite_job *base, struct sqlite_db *db)
{
	struct row_job *job = (struct row_job *)base;
	return sqlite_purge_step(db, job->purge, &job->so_far, &job->then);
}

static void purge_answer(struct sqlite_job *base, int status)
{
	struct row_job *job = (struct row_job *)base;
	if (status == 0)
		job->so_far = job->then;
	/* Rows that came meanwhile are written first. When the store is closing, put() answers with an
	 * error and the rest goes at the next purge. */
	if (status == 0 && !job->so_far.done) {
		sqlite_thread_put(job->journal->writer, base);
		return;
	}
	reply_journal_answer(job->reply)->checked = job->so_far.gone;
	row_answer(base, status);
}

static void purge(struct journal *journal, const struct journal_purge *rule,
	struct post_box *box, journal_done done, void *ctx)
{
	struct row_job *job = row_job_new(journal, reply_new_journal(box, done, ctx), 0);
	if (!job)
		return;
	job->purge = journal_purge_copy(rule);
	if (!job->purge) {
		row_answer(&job->job, -REASON_NO_MEMORY);
		return;
	}
	job->job.work = purge_work;
	job->job.answer = purge_answer;
	sqlite_thread_put(job->journal->writer, &job->job);
}

static int look_work(struct sqlite_job *base, struct sqlite_db *db)
{
	struct row_job *job = (struct row_job *)base;
	int r = sqlite_db_run(db, SQL_BEGIN_READ, "");
	if (r)
		return r;
	r = sqlite_row_look(db, reply_journal_answer(job->reply));
	int end = sqlite_db_run(db, SQL_COMMIT, "");
	return r ? r : end;
}

static void look(struct journal *journal, struct post_box *box, journal_done done,
	void *ctx)
{
	struct row_job *job = row_job_new(journal, reply_new_journal(box, done, ctx), 0);
	if (!job)
		return;
	job->job.work = look_work;
	job->job.answer = row_answer;
	sqlite_thread_put(job->journal->reader, &job->job);
}

static int copy_work(struct sqlite_job *base, struct sqlite_db *db)
{
	struct row_job *job = (struct row_job *)base;
	return sqlite_row_copy(db, job->query.after_seq, job->reply);
}

static void copy(struct journal *journal, uint64_t after_seq, struct post_box *box,
	journal_done done, void *ctx)
{
	struct row_job *job = row_job_new(journal, reply_new_journal(box, done, ctx), 0);
	if (!job)
		return;
	job->query.after_seq = after_seq;
	job->job.work = copy_work;
	job->job.answer = row_answer;
	sqlite_thread_put(job->journal->reader, &job->job);
}

static int bring_work(struct sqlite_job *base, struct sqlite_db *db)
{
	struct row_job *job = (struct row_job *)base;
	struct sqlite_journal *journal = job->journal;
	int r = load_head(journal, db);
	struct journal_mark head = journal->head;
	int starts = !head.seq;
	if (starts)
		head = job->head;
	for (size_t i = 0; i < job->count && r == 0; i++)
		if (job->rows[i].seq != head.seq + 1 + i)
			job->job.status = -REASON_CONFLICT;
	if (r || job->job.status)
		return r;
	if (starts)
		r = sqlite_row_set_mark(db, "anchor", &head);
	if (r == 0)
		r = sqlite_row_bring(db, job->rows, job->count, &head);
	if (r == 0)
		journal->head = head;
	return r;
}

static void bring(struct journal *journal, const struct journal_point *anchor,
	const struct journal_row *rows, size_t count, struct post_box *box,
	journal_done done, void *ctx)
{
	struct row_job *job = rows_job_new(journal, rows, count, box, done, ctx);
	if (!job)
		return;
	job->head.seq = anchor->seq;
	memcpy(job->head.hash, anchor->hash, JOURNAL_HASH);
	job->job.work = bring_work;
	job->job.answer = row_answer;
	sqlite_thread_put(job->journal->writer, &job->job);
}

int sqlite_journal_chain_end(struct sqlite_db *db)
{
	struct journal_mark head;
	int64_t last;
	int r = sqlite_row_mark(db, "head", &head);
	if (r == 0)
		r = sqlite_db_number(db,
			"SELECT max(coalesce((SELECT max(seq) FROM journal), 0),"
			" coalesce((SELECT max(seq) FROM journal_stub), 0))",
			&last);
	if (r == -REASON_NOT_FOUND || (r == 0 && (uint64_t)last > head.seq))
		r = -REASON_STATE_DAMAGED;
	return r;
}

int sqlite_journal_new(const char *node, struct journal **ret)
{
	static const struct journal_vtable vtable = {
		append, query_rows, verify, purge, look, copy, bring};
	struct sqlite_journal *journal = calloc(1, sizeof(*journal));
	if (!journal)
		return -REASON_NO_MEMORY;
	if (node && !(journal->node = strdup(node))) {
		free(journal);
		return -REASON_NO_MEMORY;
	}
	journal->journal.vtable = &vtable;
	journal->magic = SQLITE_JOURNAL_MAGIC;
	*ret = &journal->journal;
	return 0;
}

static void forget_head(void *ctx)
{
	struct sqlite_journal *journal = ctx;
	CHECK_OBJ(journal, SQLITE_JOURNAL_MAGIC);
	journal->head_known = 0;
}

void sqlite_journal_watch(struct journal *journal, struct sqlite_db *db)
{
	sqlite3_rollback_hook(db->handle, forget_head, mine(journal));
}

void sqlite_journal_serve(struct journal *journal, struct sqlite_thread *writer,
	struct sqlite_thread *reader, struct sqlite_thread *auditor)
{
	struct sqlite_journal *sqlite = mine(journal);
	sqlite->writer = writer;
	sqlite->reader = reader;
	sqlite->auditor = auditor;
}

struct journal *sqlite_journal_free(struct journal *journal)
{
	if (!journal)
		return NULL;
	struct sqlite_journal *sqlite = mine(journal);
	free(sqlite->node);
	sqlite->magic = 0;
	free(sqlite);
	return NULL;
}
