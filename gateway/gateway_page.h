/* gateway_page: what the viewer's page is on this node: the files that were built, who may use them from
 * where, the nodes that pages may call, and the signature of the offline file.
 *
 * Thread: main. Owner: the caller, who frees with gateway_web_free(). Errors come with one line in
 * `error`: -REASON_CONFIG, -REASON_NO_MEMORY, those of ca_sign().
 */
#ifndef GATEWAY_PAGE_H
#define GATEWAY_PAGE_H

#include <stddef.h>

#include "base/check.h"
#include "gateway_plan.h"
#include "gateway_web.h"

/* Borrowed; the addresses must outlive what is made. */
struct gateway_page_plan {
	const struct gateway_config *config;
	const struct gateway_plan_addresses *addresses;
	const char *data;
};

MUST_CHECK int gateway_page_new(const struct gateway_page_plan *plan,
	struct gateway_web **ret, char *error, size_t error_size);

#endif
