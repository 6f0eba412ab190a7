/* directory_pool: threads that wait for directories, so that nobody else has to. A directory takes at
 * most half of them: one that hangs leaves the other half to the other ones.
 *
 * Thread: put from any. Owner: directories.
 */
#ifndef DIRECTORY_DIRECTORY_POOL_H
#define DIRECTORY_DIRECTORY_POOL_H

#include <stddef.h>

#include "base/check.h"

struct directory_pool;

struct directory_task {
	struct directory_task *next;
	const char *directory; /* its id; lives as long as the task */
	void (*run)(struct directory_task *task);
};

/* At most `waiting` tasks may wait. -REASON_NO_MEMORY. */
MUST_CHECK int directory_pool_new(size_t threads, size_t waiting,
	struct directory_pool **ret);
/* -REASON_BUSY when too many wait; then the task is still the caller's. */
MUST_CHECK int directory_pool_put(struct directory_pool *pool,
	struct directory_task *task);
/* Runs what waits, then ends. Accepts NULL, returns NULL. */
struct directory_pool *directory_pool_free(struct directory_pool *pool);

#endif
