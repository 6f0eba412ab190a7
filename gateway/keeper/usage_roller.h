/* usage_roller: sums journal rows up into the pages of rules/usage.h, each row once.
 *
 * Rows are taken in order of seq behind a cursor (STATE_META "usage") that is moved when all pages of a
 * batch are written. A page knows by itself which rows are in it, so a batch that was half written when
 * the process died, or that two nodes write at once, adds nothing twice; and the cursor never passes a
 * row that is not in its pages, so none is lost. Rows that were spooled stand in the journal late and
 * are taken then, for the hour in which they were written.
 *
 * Thread: one that may block. Owner: the caller.
 */
#ifndef KEEPER_USAGE_ROLLER_H
#define KEEPER_USAGE_ROLLER_H

#include <stddef.h>
#include <stdint.h>

#include "base/check.h"

struct store;
struct usage_roller;

MUST_CHECK int usage_roller_new(struct store *store, const char *node,
	struct usage_roller **ret);
/* Accepts NULL, returns NULL. */
struct usage_roller *usage_roller_free(struct usage_roller *roller);

/* One batch: *ret_rows is how many rows were new; 0: all are in. Errors of the store: what was not written
 * is taken again next time. */
MUST_CHECK int usage_roller_run(struct usage_roller *roller, size_t *ret_rows);
/* Removes pages whose time is over: months before `before_ms`, and days after two months. */
MUST_CHECK int usage_roller_prune(struct usage_roller *roller, int64_t before_ms,
	int64_t now_ms);

#endif
