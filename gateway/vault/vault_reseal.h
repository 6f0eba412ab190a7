/* vault_reseal: data keys that are renewed. STATE_META "reseal/TENANT" (of the operator "reseal/") is there
 * while documents are brought under a renewed key, so that it goes on after a restart.
 *
 * Thread: any that may block; the work is done on the vault's. Errors: those of the store.
 */
#ifndef VAULT_VAULT_RESEAL_H
#define VAULT_VAULT_RESEAL_H

#include <stdint.h>

#include "base/check.h"

struct vault;

/* A new key for a tenant ("" the operator's own), at once; documents follow in the background. */
MUST_CHECK int vault_reseal_rotate(struct vault *vault, const char *tenant,
	uint32_t *ret_generation);

#endif
