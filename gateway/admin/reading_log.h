/* reading_log: remembers which readings of records were written down in this minute, so that a page which asks
 * every few seconds is one row a minute, not a flood.
 *
 * Thread: any. Bounded: what falls out of the table is written down once more. Errors: -REASON_NO_MEMORY.
 */
#ifndef ADMIN_READING_LOG_H
#define ADMIN_READING_LOG_H

#include <stdint.h>

#include "base/check.h"

struct reading_log;

MUST_CHECK int reading_log_new(struct reading_log **ret);
/* Accepts NULL, returns NULL. */
struct reading_log *reading_log_free(struct reading_log *log);
/* 1: not seen in this minute; from now on it is. */
int reading_log_is_new(struct reading_log *log, const char *who, const char *what,
	int64_t now_ms);

#endif
