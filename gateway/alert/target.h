/* target: which addresses alarms may be sent to. A receiver's name is written by people of a company,
 * and the gateway stands inside the operator's network: without this, a webhook would be a way in.
 *
 *   nothing configured   operator's routes: everything but loopback, link-local, multicast and the
 *                        like; a company's routes: also no private networks
 *   networks configured  these and nothing else, for everybody
 *
 * The address that is really connected to is judged, not the name. Thread: any; constant after it was
 * made. Errors: -REASON_BAD_VALUE.
 */
#ifndef ALERT_TARGET_H
#define ALERT_TARGET_H

#include <stddef.h>
#include <sys/socket.h>

#include "base/check.h"
#include "rules/ip_rule.h"

#define TARGET_NETWORKS 32

struct target_rules {
	struct ip_rule networks[TARGET_NETWORKS];
	size_t count;
};

/* "10.0.0.0/8, 2001:db8::/32"; "" is none. */
MUST_CHECK int target_parse(struct target_rules *ret, const char *text);
/* `tenant` is the route's: "" is the operator. */
int target_permits(const struct target_rules *rules, const char *tenant,
	const struct sockaddr *address);

#endif
