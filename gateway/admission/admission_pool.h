/* admission_pool: threads that work off a bounded queue in the order it was filled.
 *
 * Thread: put from any. Owner: admission.
 */
#ifndef ADMISSION_ADMISSION_POOL_H
#define ADMISSION_ADMISSION_POOL_H

#include <stddef.h>

#include "base/check.h"

struct admission_pool;

struct admission_task {
	struct admission_task *next;
	void (*run)(struct admission_task *task);
};

/* At most `waiting` tasks may wait. -REASON_NO_MEMORY. */
MUST_CHECK int admission_pool_new(const char *name, size_t threads, size_t waiting,
	struct admission_pool **ret);
/* -REASON_BUSY when too many wait; then the task is still the caller's. */
MUST_CHECK int admission_pool_put(struct admission_pool *pool,
	struct admission_task *task);
/* For a task that was let in once and goes on: never refused. */
void admission_pool_go_on(struct admission_pool *pool, struct admission_task *task);
/* Runs what waits, then ends. Accepts NULL, returns NULL. */
struct admission_pool *admission_pool_free(struct admission_pool *pool);

#endif
