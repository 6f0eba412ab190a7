/* account_desk: one account on the desk of a call: taken out of the store, changed, put back.
 *
 * Thread: that of the call. Owner: whoever loaded it unloads it, which wipes it.
 */
#ifndef ADMIN_ACCOUNT_DESK_H
#define ADMIN_ACCOUNT_DESK_H

#include "admin/call.h"
#include "rules/account.h"
#include "rules/account_security.h"

/* As it was read, to be changed and written back. */
struct account_desk {
	struct store_docs docs;
	struct account account;
};

/* Nothing is answered. -REASON_NOT_FOUND, -REASON_STATE_DAMAGED, the store's. */
MUST_CHECK int account_desk_read(struct call *call, const char *name,
	struct account_desk *ret);
/* The account of the route's {id}, in the caller's reach. -REASON_*: answered. */
MUST_CHECK int account_desk_load(struct call *call, struct account_desk *ret);
/* -REASON_CONFLICT: somebody has that name already; it stays his. Nothing is answered. */
MUST_CHECK int account_desk_create(struct call *call, const struct account *account);
/* -REASON_CONFLICT when somebody was faster. Nothing is answered. */
MUST_CHECK int account_desk_put(struct call *call, struct account_desk *desk);
void account_desk_unload(struct account_desk *desk);
/* What may be shown; NULL without memory. */
json_t *account_desk_show(struct call *call, const struct account *account);

/* The rules for the people of a tenant. Nothing is answered. */
MUST_CHECK int account_desk_security(struct call *call, const char *tenant,
	struct account_security *ret);
/* Whether the tenant's contract lets its people in; "" always. -REASON_TENANT_DISABLED. */
MUST_CHECK int account_desk_tenant(struct call *call, const char *tenant);

#endif
