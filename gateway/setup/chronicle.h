/* chronicle: the gateway's own acts in the audit journal: it started, stopped, read its configuration
 * again, brought its first operator into a store.
 *
 * Thread: one that may block (main). Errors: those of the store; the row is durable on success.
 */
#ifndef SETUP_CHRONICLE_H
#define SETUP_CHRONICLE_H

#include <jansson.h>

#include "base/check.h"
#include "rules/audit.h"

struct store;

/* Takes `fields` (rules/audit.def) over. */
MUST_CHECK int chronicle_write(struct store *store, enum audit_event event,
	json_t *fields);

#endif
