/* license_search: which licenses a request means, in its query or its body, and these one after the
 * other.
 *
 * Thread: that of the call. Errors: -REASON_* have been answered where it says so.
 */
#ifndef ADMIN_LICENSE_SEARCH_H
#define ADMIN_LICENSE_SEARCH_H

#include "admin/call.h"
#include "rules/license_card.h"

/* From ?tenant, state, group, holder, label, q, online. -REASON_*: answered. */
MUST_CHECK int license_search_of_query(struct call *call, struct license_filter *ret);
/* The same members of a JSON object, which the filter points into. -REASON_*: answered. */
MUST_CHECK int license_search_of_object(struct call *call, const json_t *object,
	struct license_filter *ret);

/* Hands the documents to `each`, read from the store just now. Stops at its first error. Not
 * answered. */
MUST_CHECK int license_search_each(struct call *call, const struct license_filter *filter,
	int (*each)(struct call *call, const struct state_doc *doc, void *ctx),
	void *ctx);
/* One page of items, with "total" for ?count=1. Answers. */
void license_search_page(struct call *call, const struct license_filter *filter);

#endif
