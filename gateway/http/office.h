/* office: the threads upstairs, which may block: requests of the REST API, and what waits for the
 * store, run here and never on a worker.
 *
 * Thread: office_put from any; a task runs on one of the office's threads. Owner: whoever puts a
 * task owns nothing afterwards; `run` frees or keeps it. Errors: -REASON_BUSY when the queue is
 * full; then the task is still the caller's.
 */
#ifndef HTTP_OFFICE_H
#define HTTP_OFFICE_H

#include <stddef.h>

#include "base/check.h"

struct office;

struct office_task {
	struct office_task *next;
	void (*run)(struct office_task *task);
};

MUST_CHECK int office_new(size_t threads, size_t queue, struct office **ret);
MUST_CHECK int office_put(struct office *office, struct office_task *task);
/* Runs what waits, then ends the threads. Accepts NULL, returns NULL. */
struct office *office_free(struct office *office);

#endif
