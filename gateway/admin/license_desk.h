/* license_desk: one license on the desk of a call: taken out of the store, changed, put back; and how
 * the nodes are told when it is worth less than before.
 *
 * Thread: that of the call. Owner: whoever loaded it unloads it, which wipes it.
 */
#ifndef ADMIN_LICENSE_DESK_H
#define ADMIN_LICENSE_DESK_H

#include "admin/call.h"
#include "rules/license.h"

/* Against others who change the same license at the same moment. */
#define LICENSE_DESK_TRIES 5

/* A license as it was read, to be changed and written back. */
struct license_desk {
	struct store_docs docs;
	struct license license;
};

/* The license of the route's {id}, in the caller's reach. -REASON_*: answered. */
MUST_CHECK int license_desk_load(struct call *call, struct license_desk *ret);
void license_desk_unload(struct license_desk *desk);
/* How many licenses the contract of this company has; 0: any number. Nothing is answered. */
MUST_CHECK int license_desk_limit(struct call *call, const char *tenant, long *ret);
/* Whether the company may have so many licenses more. -REASON_*: answered. */
MUST_CHECK int license_desk_room(struct call *call, const char *tenant, long more);
/* Writes what was changed; -REASON_CONFLICT when somebody was faster. Nothing is answered. */
MUST_CHECK int license_desk_put(struct call *call, const struct license_desk *desk);
/* What is done to a license; -REASON_* when it cannot be. May run again, on a fresh copy. */
typedef int (*license_desk_change)(struct license *license, void *ctx);
/* Loads the license of the route, changes it, records that once and writes it, against others who change it at
 * the same moment. -REASON_*: answered. */
MUST_CHECK int license_desk_act(struct call *call, enum audit_event event,
	license_desk_change change, void *ctx, struct license *ret);
/* Session and legs of the license end on every node, for this reason. -REASON_*: answered. */
MUST_CHECK int license_desk_revoke(struct call *call, const char *license,
	const char *reason);
/* Answers with the field that is wrong. */
int license_desk_fail(struct call *call, const struct field_error *error);

/* A new password and its record. Nothing is answered. */
MUST_CHECK int license_desk_password(char ret[static PASSWORD_GENERATED],
	char ret_record[static PASSWORD_RECORD]);
/* What may be shown; NULL without memory. */
json_t *license_desk_show(const struct license *license);
/* The one answer that has key and password; each may be NULL. */
json_t *license_desk_secrets(const struct license *license, const struct license_key *key,
	const char *password);

#endif
