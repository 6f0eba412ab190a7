/* sealed_renew: seals what stands in a store under the newest keys: once, for a store from before there
 * were keys, and after a tenant's key was renewed. Journal rows stay as they are.
 *
 * It looks at every document and changes those that need it, so it can be interrupted and begun again
 * at any time. A document that somebody else changes meanwhile has been sealed by him.
 *
 * Thread: one that may wait. Errors: those of the store; -REASON_STATE_DAMAGED for none: a document
 * that does not open stays as it is and is counted.
 */
#ifndef SEALED_SEALED_RENEW_H
#define SEALED_SEALED_RENEW_H

#include "base/check.h"
#include "store/sealed/sealed_keys.h"

struct sealed_renew {
	uint64_t seen, sealed, damaged;
};

enum sealed_renew_what {
	SEALED_RENEW_CLEAR, /* documents that stand in the clear, too */
	SEALED_RENEW_OLD /* only those under older keys: a clear one was put there by others */
};

/* `tenant` NULL: of all. `stop` is asked between pages: not 0 ends it with -REASON_DRAINING. */
MUST_CHECK int sealed_renew_run(struct state *below, struct sealed_keys *keys,
	const char *tenant, enum sealed_renew_what what, int (*stop)(void *ctx),
	void *ctx, struct sealed_renew *ret);

#endif
