/* sqlite_thread: a thread that owns one connection and works off questions in the order they came.
 *
 * A thread that writes takes all questions that wait into one transaction (at most
 * SQLITE_THREAD_BATCH) and answers after its COMMIT: many writers share one fsync, and no answer is
 * given for what is not on the disk. When a transaction fails, each question is tried alone, so
 * that one which cannot succeed spoils nothing for the others.
 *
 * Thread: sqlite_thread_put() from any; jobs run on the thread itself. Owner: sqlite_store.
 */
#ifndef SQLITE_SQLITE_THREAD_H
#define SQLITE_SQLITE_THREAD_H

#include "base/check.h"
#include "store/sqlite/sqlite_db.h"

#define SQLITE_THREAD_BATCH 512
#define SQLITE_THREAD_WAITING 32768

struct sqlite_thread;

/* A question. `work` does it: 0, or an error that undoes the transaction; an outcome that is no
 * failure of the store (CONFLICT, NOT_FOUND) is left in `status`. It may run twice. `answer` runs
 * once, after all is durable, and frees the job. */
struct sqlite_job {
	struct sqlite_job *next;
	int (*work)(struct sqlite_job *job, struct sqlite_db *db);
	void (*answer)(struct sqlite_job *job, int status);
	int status;
};

/* Takes the connection over, also on error. */
MUST_CHECK int sqlite_thread_new(const char *name, enum sqlite_db_use use,
	struct sqlite_db *db, struct sqlite_thread **ret);
/* Takes the job over: answers it by -REASON_STORE_UNAVAILABLE when too many wait or the thread is
 * stopping. `thread` NULL: -REASON_FORBIDDEN (a store opened for reading). */
void sqlite_thread_put(struct sqlite_thread *thread, struct sqlite_job *job);
/* Works off what waits, then ends. Accepts NULL, returns NULL. */
struct sqlite_thread *sqlite_thread_free(struct sqlite_thread *thread);

#endif
