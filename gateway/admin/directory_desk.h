/* directory_desk: one directory on the desk of a call: taken out of the store, changed, put back; and
 * whether something may name it.
 *
 * Thread: that of the call. Owner: whoever loaded it unloads it, which wipes it.
 */
#ifndef ADMIN_DIRECTORY_DESK_H
#define ADMIN_DIRECTORY_DESK_H

#include "admin/call.h"
#include "rules/directory.h"

struct directory_desk {
	struct store_docs docs;
	struct directory *directory;
};

/* The directory of the route's {id}, in the caller's reach. -REASON_*: answered. */
MUST_CHECK int directory_desk_load(struct call *call, struct directory_desk *ret);
/* Room for a new one. -REASON_*: answered. */
MUST_CHECK int directory_desk_blank(struct call *call, struct directory_desk *ret);
void directory_desk_unload(struct directory_desk *desk);
/* -REASON_CONFLICT when somebody was faster, or it exists already. Nothing is answered. */
MUST_CHECK int directory_desk_put(struct call *call, struct directory_desk *desk);
/* Without secrets; NULL without memory. */
json_t *directory_desk_show(const struct directory *directory);

/* An account or license of `tenant` names the directory `id` ("": none). -REASON_*: answered. */
MUST_CHECK int directory_desk_permits(struct call *call, const char *id,
	const char *tenant, enum directory_use use);

#endif
