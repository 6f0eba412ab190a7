/* sealed_core: what the two halves of a sealed store share: the keys, the store below, the thread that
 * fetches keys. Inside store/sealed only.
 *
 * It is held by the store and by every question under way, whose answer may come after the store
 * was closed. Thread: any. Errors: -REASON_NO_MEMORY, and those of bus_subscribe().
 */
#ifndef SEALED_SEALED_CORE_H
#define SEALED_SEALED_CORE_H

#include "base/check.h"
#include "base/post.h"
#include "store/sealed/sealed_keys.h"
#include "store/store_open.h"

struct sealed_core;

/* Owner of `below` stays the caller. */
MUST_CHECK int sealed_core_new(struct store *below, struct sealed_keys *keys,
	struct sealed_core **ret);
/* Ends the thread after it has done what waits; what comes later is answered as unavailable. */
void sealed_core_stop(struct sealed_core *core);

struct sealed_core *sealed_core_hold(struct sealed_core *core);
/* The last one frees it, and the keys. */
void sealed_core_drop(struct sealed_core *core);

struct sealed_keys *sealed_core_keys(struct sealed_core *core);
struct store *sealed_core_below(struct sealed_core *core);
/* The box of the thread that may wait for the store; NULL when it has ended. */
struct post_box *sealed_core_box(struct sealed_core *core);

/* The halves. */
MUST_CHECK int sealed_state_new(struct sealed_core *core, struct state **ret);
struct state *sealed_state_free(struct state *state);
MUST_CHECK int sealed_journal_new(struct sealed_core *core, struct journal **ret);
struct journal *sealed_journal_free(struct journal *journal);

#endif
