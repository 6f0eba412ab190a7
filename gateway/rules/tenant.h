/* tenant: a company (STATE_TENANT, id = tenant id).
 *
 * JSON body: "id" (1 to 40 of a-z 0-9 - _), "name", "state" "enabled"|"disabled", "note",
 * "created_ms", "changed_ms", "retention_days" (0: the operator's), "licenses_max" and "sessions_max"
 * (how many it may have, how many may be live at once; 0: no limit). Its policy is the document
 * "tenant/T" (rules/policy.h).
 * Thread: any; pure. Errors: -REASON_BAD_VALUE and the field.
 */
#ifndef RULES_TENANT_H
#define RULES_TENANT_H

#include <stdint.h>

#include "base/check.h"
#include "rules/field.h"

#define TENANT_ID_SIZE 41
#define TENANT_NAME_SIZE 257
#define TENANT_NOTE_SIZE 513
#define TENANT_COUNT_MAX 1000000

enum tenant_state { TENANT_ENABLED, TENANT_DISABLED };

struct tenant {
	char id[TENANT_ID_SIZE], name[TENANT_NAME_SIZE], note[TENANT_NOTE_SIZE];
	int state; /* enum tenant_state */
	int64_t created_ms, changed_ms, retention_days, licenses_max, sessions_max;
};

int tenant_id_good(const char *id);
MUST_CHECK int tenant_read(const char *body, struct tenant *ret,
	struct field_error *error);
/* What people may set: name, state, note, retention_days, licenses_max, sessions_max. On error `tenant` is as before. */
MUST_CHECK int tenant_change(struct tenant *tenant, const json_t *changes,
	struct field_error *error);
/* `before`: the stored body whose unknown members stay, or NULL. The caller frees *ret. */
MUST_CHECK int tenant_write(const struct tenant *tenant, const char *before, char **ret);

#endif
