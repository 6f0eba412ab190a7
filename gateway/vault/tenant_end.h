/* tenant_end: what happens when the time after the end of a contract is over: everything of the company is
 * removed, its keys are destroyed, and a proof of it stays.
 *
 * In this order, so that it can be interrupted anywhere and is gone on with: the mark STATE_META
 * "purge/TENANT" with state "running"; all documents of all kinds, the company's own last; the keys;
 * an audit row; the proof, which is the mark with state "done": {"tenant","state","by","began_ms",
 * "purged_ms","documents","kinds":{kind: count},"keys","row"}. Journal rows stay where they are, because
 * the chain goes through them, but nobody can open them any more.
 *
 * Thread: one that may wait. Errors: those of the store; -REASON_LICENSE_IN_USE: another node is at it.
 */
#ifndef VAULT_TENANT_END_H
#define VAULT_TENANT_END_H

#include <jansson.h>
#include <stdint.h>

#include "base/check.h"

struct store;

/* `by` is who ordered it. `ret_proof` may be NULL. */
MUST_CHECK int tenant_end_purge(struct store *store, const char *node, const char *tenant,
	const char *by, json_t **ret_proof);
/* The proof, also of a purge that still runs. -REASON_NOT_FOUND. */
MUST_CHECK int tenant_end_proof(struct store *store, const char *tenant, json_t **ret);
/* Every tenant whose time is over, and what was interrupted. What fails is logged and tried again the
 * next time. */
void tenant_end_purge_due(struct store *store, const char *node, int64_t now_ms,
	int (*stop)(void *ctx), void *ctx);

#endif
