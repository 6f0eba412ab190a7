/* checkpoint_maker: signs how far the journal has come, each 1,000 rows or hour, whichever is first, and
 * keeps it in the store, in DIR/checkpoints.jsonl, in a further file where one is configured, and in the
 * log. Nodes of a cluster share the work: one that finds a fresh checkpoint of another copies it to its
 * own files, so that every node's disk knows of all.
 *
 * Thread: one that may block. Owner: the caller; store, signer and node are borrowed.
 */
#ifndef KEEPER_CHECKPOINT_MAKER_H
#define KEEPER_CHECKPOINT_MAKER_H

#include <stdint.h>

#include "base/check.h"
#include "store/journal_checkpoint.h"

#define CHECKPOINT_MAKER_ROWS 1000
#define CHECKPOINT_MAKER_MS INT64_C(3600000)
#define CHECKPOINT_MAKER_FILE "checkpoints.jsonl"

struct store;
struct checkpoint_maker;

/* `file` is the node's own. */
MUST_CHECK int checkpoint_maker_new(struct store *store,
	const struct journal_signer *signer, const char *node, const char *file,
	struct checkpoint_maker **ret);
/* Accepts NULL, returns NULL. */
struct checkpoint_maker *checkpoint_maker_free(struct checkpoint_maker *maker);

/* Makes one when it is due, or for all that came since the last one; `copy` is a further file or "". Errors of
 * the store; what a file does not take is said in the log. */
enum checkpoint_maker_when { CHECKPOINT_MAKER_DUE, CHECKPOINT_MAKER_NOW };
MUST_CHECK int checkpoint_maker_run(struct checkpoint_maker *maker,
	enum checkpoint_maker_when when, const char *copy);
/* Removes those that the anchor has left behind for longer than any stub is kept. */
MUST_CHECK int checkpoint_maker_prune(struct checkpoint_maker *maker, int64_t now_ms);

#endif
