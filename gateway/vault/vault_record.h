/* vault_record: the records of backups in the store (vault.h).
 *
 * Thread: one that may wait. Errors: those of the store.
 */
#ifndef VAULT_VAULT_RECORD_H
#define VAULT_VAULT_RECORD_H

#include <jansson.h>

#include "base/check.h"

struct store;

MUST_CHECK int vault_record_get(struct store *store, const char *id, json_t **ret);
/* All, newest first. */
MUST_CHECK int vault_record_list(struct store *store, json_t **ret);
/* Writes the record under its "id", whatever stands there. Does not take it over. */
MUST_CHECK int vault_record_put(struct store *store, const json_t *record);
MUST_CHECK int vault_record_remove(struct store *store, const char *id);

/* A mark: STATE_META with this id; `value` NULL removes it. -REASON_CONFLICT: another was faster. */
MUST_CHECK int vault_record_mark(struct store *store, const char *id,
	const json_t *value);
/* Takes the turn that is due each `every_ms`: 1: it is ours; 0: not yet, or another node's. `first_ms`: when it
 * is due for the first time. */
int vault_record_turn(struct store *store, const char *id, const char *node,
	int64_t now_ms, int64_t every_ms, int64_t first_ms);

#endif
