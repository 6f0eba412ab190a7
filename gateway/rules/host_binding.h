/* host_binding: which PC a license belongs to (STATE_HOST, id = license id), what it said of itself
 * and when it was seen.
 *
 * JSON body: "device" (Ed25519 public key, hex), "device_id" "dev_…", "name", "program", "address",
 * "inventory" {…} (rules/host_inventory.h), "bound_ms", "seen_ms".
 * Thread: any; pure. Errors: -REASON_BAD_VALUE and the field; -REASON_NO_MEMORY.
 */
#ifndef RULES_HOST_BINDING_H
#define RULES_HOST_BINDING_H

#include <stdint.h>

#include "base/check.h"
#include "rules/digest.h"
#include "rules/field.h"

#define HOST_BINDING_NAME_SIZE 129

struct host_binding {
	uint8_t device[32];
	char device_id[DIGEST_DEVICE_SIZE], name[HOST_BINDING_NAME_SIZE], program[65],
		address[64];
	char inventory[8193];
	int64_t bound_ms, seen_ms;
};

MUST_CHECK int host_binding_read(const char *body, struct host_binding *ret,
	struct field_error *error);
/* The caller frees *ret. */
MUST_CHECK int host_binding_write(const struct host_binding *binding, char **ret);

#endif
