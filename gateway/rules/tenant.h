/* tenant: a company (STATE_TENANT, id = tenant id).
 *
 * JSON body: "id" (1 to 40 of a-z 0-9 - _), "name", "state" "enabled"|"disabled"|"ended", "note",
 * "created_ms", "changed_ms", "retention_days" (0: the operator's), "licenses_max" and "sessions_max"
 * (how many it may have, how many may be live at once; 0: no limit), "rate_max_bytes" (bytes a second of all
 * its sessions together each way, at least 16384; 0: no limit), "purge_days" (0 to 365 days from the end
 * of its contract until its data are erased; null: the operator's). When the contract has ended:
 * "ended_ms", "purge_after_ms". Its policy is the document
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

#define TENANT_PURGE_DAYS_MAX 365

/* Only enabled ones are let in. */
enum tenant_state { TENANT_ENABLED, TENANT_DISABLED, TENANT_ENDED };

struct tenant {
	char id[TENANT_ID_SIZE], name[TENANT_NAME_SIZE], note[TENANT_NOTE_SIZE];
	int state; /* enum tenant_state */
	int64_t created_ms, changed_ms, retention_days, licenses_max, sessions_max;
	int64_t rate_max_bytes;
	int has_purge_days; /* else the operator's */
	int64_t purge_days, ended_ms, purge_after_ms;
};

int tenant_id_good(const char *id);
MUST_CHECK int tenant_read(const char *body, struct tenant *ret,
	struct field_error *error);
/* What people may set: name, state (but not "ended"), note, retention_days, licenses_max, sessions_max,
 * rate_max_bytes, purge_days. An ended one that is set to another state is taken back. On error `tenant` is as before. */
MUST_CHECK int tenant_change(struct tenant *tenant, const json_t *changes,
	struct field_error *error);
/* Its contract ends now; `purge_after_ms` is the operator's time until it is erased. */
void tenant_end(struct tenant *tenant, int64_t now_ms, int64_t purge_after_ms);
/* `before`: the stored body whose unknown members stay, or NULL. The caller frees *ret. */
MUST_CHECK int tenant_write(const struct tenant *tenant, const char *before, char **ret);

#endif
