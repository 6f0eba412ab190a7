/* offline_audit: verifies the journal of a data directory without a gateway, or beside one that runs: nothing
 * is written.
 *
 * Thread: main. Errors come with one line in `error`: those of data_dir.h and store_open.h; a store that many
 * nodes share is asked through a gateway (engawactl audit verify).
 */
#ifndef KEEPER_OFFLINE_AUDIT_H
#define KEEPER_OFFLINE_AUDIT_H

#include <jansson.h>

#include "base/check.h"

#define OFFLINE_AUDIT_ERROR 512

struct offline_audit_plan {
	const char *data;  /* the data directory: its master key checks the checkpoints */
	const char *store; /* NULL: sqlite:DIR/engawa.db */
	const char *copy;  /* a further file of checkpoints, or NULL */
};

/* *ret as journal_audit_json(). */
MUST_CHECK int offline_audit_run(const struct offline_audit_plan *plan, json_t **ret,
	char error[static OFFLINE_AUDIT_ERROR]);

#endif
