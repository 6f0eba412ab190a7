/* filing: documents of the administration that are made, changed and removed alike: alert rules,
 * routes, notices, statements. Each change has its row in the audit journal first.
 *
 * Thread: that of the call. Errors: functions that return -REASON_* have answered the exchange.
 */
#ifndef ADMIN_FILING_H
#define ADMIN_FILING_H

#include "admin/call.h"
#include "rules/field.h"

struct filing {
	enum state_kind kind;
	enum audit_event event; /* its fields: `field` and "changes" */
	const char
		*field; /* the member of the row that has the id, and the type in news */
};

/* PREFIX and 16 random hex digits. */
MUST_CHECK int filing_id(struct call *call, const char *prefix, char *ret, size_t size);
/* Takes "tenant" out of the body of a new document: the caller's own, or what an operator says. */
MUST_CHECK int filing_tenant(struct call *call, json_t *object,
	char ret[static STATE_TENANT_MAX + 1]);
/* Answers with the field that is wrong. */
int filing_fail(struct call *call, const struct field_error *error);
/* Records `changes` (borrowed; secrets in it are not shown) and writes. */
MUST_CHECK int filing_put(struct call *call, const struct filing *filing,
	const struct state_doc *doc, const json_t *changes);
/* Removes the document of the route's {id} and answers. */
MUST_CHECK int filing_remove(struct call *call, const struct filing *filing,
	const struct state_doc *doc);

#endif
