/* audit: what is recorded of administration and of the life of a license: one table (audit.def).
 *
 * The body of an audit row: {"event":"HOST_BOUND","number":112,"severity":"notice","by":"…",
 * "address":"…", fields of the event…}. "by" is an account, "token:NAME", "host", "viewer" or "gateway".
 * Thread: any; constant data.
 */
#ifndef RULES_AUDIT_H
#define RULES_AUDIT_H

#include <jansson.h>
#include <stddef.h>

#include "base/check.h"

enum audit_severity { AUDIT_INFO, AUDIT_NOTICE, AUDIT_WARNING };

enum audit_event {
#define A(number, name, severity, fields, en, ja) AUDIT_##name,
#include "rules/audit.def"
#undef A
	AUDIT_EVENTS
};

struct audit_entry {
	int number;
	const char *name;
	enum audit_severity severity;
	const char *fields, *en, *ja;
};

/* NULL beyond the last. */
const struct audit_entry *audit_at(size_t index);
const char *audit_severity_name(enum audit_severity severity);
/* Takes `fields` over (NULL: out of memory, answered as such). -REASON_INTERNAL when they are not
 * exactly those of the table: a record that lacks what it promises is a bug. The caller frees *ret. */
MUST_CHECK int audit_body(enum audit_event event, const char *by, const char *address,
	json_t *fields, char **ret);

#endif
