/* once: a creation that a client repeats with the same Idempotency-Key is done once; the repetition
 * gets the first answer again.
 *
 * Answers carry secrets, so they are kept in memory only, sealed from core files, for ONCE_MS and at
 * most ONCE_ENTRIES of them (the oldest goes first).
 * Thread: any. A key belongs to the caller who used it.
 */
#ifndef ADMIN_ONCE_H
#define ADMIN_ONCE_H

#include <stddef.h>

#include "base/check.h"

#define ONCE_MS (15 * 60 * 1000)
#define ONCE_ENTRIES 256
#define ONCE_ANSWER 4096

struct once;

MUST_CHECK int once_new(struct once **ret);
struct once *once_free(struct once *once);

/* 0: first of its kind, go on and end with once_keep() or once_drop(). 1: done before, the answer is
 * copied to `ret`. -REASON_BUSY: the first one is still under way. -REASON_CONFLICT: the key was used
 * for another request. `body` is what makes requests equal. */
MUST_CHECK int once_begin(struct once *once, const char *caller, const char *key,
	const char *body, size_t body_len, char ret[static ONCE_ANSWER]);
void once_keep(struct once *once, const char *caller, const char *key,
	const char *answer);
/* It failed: a repetition may try again. */
void once_drop(struct once *once, const char *caller, const char *key);

#endif
