#include "store/sqlite/sqlite_thread.h"

#include <pthread.h>
#include <stdlib.h>

#include "base/log.h"
#include "base/reason.h"
#include "base/text.h"

#define SQLITE_THREAD_MAGIC 0x53716c54

struct sqlite_thread {
	uint32_t magic;
	pthread_t thread;
	pthread_mutex_t mutex;
	pthread_cond_t filled;
	struct sqlite_job *first, **end;
	size_t waiting;
	int stopping;
	enum sqlite_db_use use;
	struct sqlite_db db;
	int failing;      /* the last transaction failed: said once, not for each */
	char detail[128]; /* what the library said then */
};

/* At most SQLITE_THREAD_BATCH jobs, or NULL when it is time to end. */
static struct sqlite_job *take(struct sqlite_thread *thread)
{
	pthread_mutex_lock(&thread->mutex);
	while (!thread->first && !thread->stopping)
		pthread_cond_wait(&thread->filled, &thread->mutex);
	struct sqlite_job *first = thread->first, **cut = &thread->first;
	for (int i = 0; i < SQLITE_THREAD_BATCH && *cut; i++) {
		cut = &(*cut)->next;
		thread->waiting--;
	}
	thread->first = *cut;
	*cut = NULL;
	if (!thread->first)
		thread->end = &thread->first;
	pthread_mutex_unlock(&thread->mutex);
	return first;
}

static int transact(struct sqlite_thread *thread, struct sqlite_job *first)
{
	struct sqlite_db *db = &thread->db;
	int r = sqlite_db_run(db, SQL_BEGIN, "");
	if (r)
		return r;
	for (struct sqlite_job *job = first; job && r == 0; job = job->next) {
		job->status = 0;
		r = job->work(job, db);
	}
	if (r == 0)
		r = sqlite_db_run(db, SQL_COMMIT, "");
	if (r)
		text_clip(thread->detail, sizeof(thread->detail), sqlite_db_text(db));
	/* Some errors have rolled back already; saying it again would be an error of its own. */
	if (r && !sqlite3_get_autocommit(db->handle) &&
		sqlite_db_run(db, SQL_ROLLBACK, ""))
		CHECK(sqlite3_get_autocommit(db->handle));
	return r;
}

static void note(struct sqlite_thread *thread, int r)
{
	if (r && !thread->failing)
		log_line(LOG_ERROR, "store cannot write",
			LOG_S("reason", reason_symbol(r)),
			LOG_S("detail", thread->detail));
	if (!r && thread->failing)
		log_line(LOG_INFO, "store writes again");
	thread->failing = r != 0;
}

static void answer_all(struct sqlite_job *first, int r)
{
	for (struct sqlite_job *job = first, *next; job; job = next) {
		next = job->next;
		job->answer(job, r ? r : job->status);
	}
}

static void write_batch(struct sqlite_thread *thread, struct sqlite_job *first)
{
	int r = transact(thread, first);
	note(thread, r);
	if (r == 0 || !first->next) {
		answer_all(first, r);
		return;
	}
	for (struct sqlite_job *job = first, *next; job; job = next) {
		next = job->next;
		job->next = NULL;
		r = transact(thread, job);
		note(thread, r);
		answer_all(job, r);
	}
}

static void read_batch(struct sqlite_thread *thread, struct sqlite_job *first)
{
	for (struct sqlite_job *job = first, *next; job; job = next) {
		next = job->next;
		int r = job->work(job, &thread->db);
		job->answer(job, r ? r : job->status);
	}
}

static void *run(void *arg)
{
	struct sqlite_thread *thread = arg;
	CHECK_OBJ(thread, SQLITE_THREAD_MAGIC);
	for (struct sqlite_job *first; (first = take(thread));) {
		if (thread->use == SQLITE_DB_WRITE)
			write_batch(thread, first);
		else
			read_batch(thread, first);
	}
	return NULL;
}

static struct sqlite_thread *release(struct sqlite_thread *thread)
{
	sqlite_db_close(&thread->db);
	pthread_cond_destroy(&thread->filled);
	pthread_mutex_destroy(&thread->mutex);
	thread->magic = 0;
	free(thread);
	return NULL;
}

int sqlite_thread_new(const char *name, enum sqlite_db_use use, struct sqlite_db *db,
	struct sqlite_thread **ret)
{
	struct sqlite_thread *thread = calloc(1, sizeof(*thread));
	if (!thread) {
		sqlite_db_close(db);
		return -REASON_NO_MEMORY;
	}
	thread->magic = SQLITE_THREAD_MAGIC;
	thread->use = use;
	thread->db = *db;
	*db = (struct sqlite_db){0};
	thread->end = &thread->first;
	CHECK(pthread_mutex_init(&thread->mutex, NULL) == 0);
	CHECK(pthread_cond_init(&thread->filled, NULL) == 0);
	if (pthread_create(&thread->thread, NULL, run, thread)) {
		release(thread);
		return -REASON_NO_MEMORY;
	}
	pthread_setname_np(thread->thread, name);
	*ret = thread;
	return 0;
}

void sqlite_thread_put(struct sqlite_thread *thread, struct sqlite_job *job)
{
	if (!thread) {
		job->answer(job, -REASON_FORBIDDEN);
		return;
	}
	CHECK_OBJ(thread, SQLITE_THREAD_MAGIC);
	pthread_mutex_lock(&thread->mutex);
	int room = !thread->stopping && thread->waiting < SQLITE_THREAD_WAITING;
	if (room) {
		job->next = NULL;
		*thread->end = job;
		thread->end = &job->next;
		thread->waiting++;
		pthread_cond_signal(&thread->filled);
	}
	pthread_mutex_unlock(&thread->mutex);
	if (!room)
		job->answer(job, -REASON_STORE_UNAVAILABLE);
}

struct sqlite_thread *sqlite_thread_free(struct sqlite_thread *thread)
{
	if (!thread)
		return NULL;
	CHECK_OBJ(thread, SQLITE_THREAD_MAGIC);
	pthread_mutex_lock(&thread->mutex);
	thread->stopping = 1;
	pthread_cond_signal(&thread->filled);
	pthread_mutex_unlock(&thread->mutex);
	pthread_join(thread->thread, NULL);
	return release(thread);
}
