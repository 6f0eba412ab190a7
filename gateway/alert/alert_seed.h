/* alert_seed: the rules that every company has from the start. They are written once; what people
 * changed or removed later does not come back.
 *
 * Thread: one that may block. Errors: those of the store.
 */
#ifndef ALERT_ALERT_SEED_H
#define ALERT_ALERT_SEED_H

#include "base/check.h"
#include "store/state.h"

/* `tenant`: "" is the operator. */
MUST_CHECK int alert_seed(struct state *state, const char *tenant);

#endif
