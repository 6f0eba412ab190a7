/* orders: instructions from administration to the relay, as they travel on the bus (topic "orders").
 *
 *   {"order":"disconnect","session":"ses_…","reason":"ADMIN_DISCONNECT"}      one session
 *   {"order":"disconnect","license":"lic_…","reason":"ADMIN_DISCONNECT"}      the license's session
 *   {"order":"revoke","license":"lic_…","reason":"LICENSE_DISABLED"}          session and both legs
 *   {"order":"revoke","tenant":"acme","reason":"TENANT_DISABLED"}             those of all its licenses
 *   {"order":"drain","node":"…","within_ms":3000}
 *   {"order":"undrain","node":"…"}
 *   {"order":"policy","tenant":"acme","license":""}     what is permitted has changed: live sessions are
 *       looked at again, narrowed or ended; "" is everybody's
 *   {"order":"notices"}                                the operator's notices have changed
 *
 * Each order has "by" (who gave it) for the journal. Thread: orders_parse any.
 */
#ifndef RELAY_ORDERS_H
#define RELAY_ORDERS_H

#include <stdint.h>

#include "base/check.h"

#define ORDERS_TOPIC "orders"

enum order_kind {
	ORDER_DISCONNECT,
	ORDER_REVOKE,
	ORDER_DRAIN,
	ORDER_UNDRAIN,
	ORDER_POLICY,
	ORDER_NOTICES,
};

struct order {
	enum order_kind kind;
	char session[41], license[17], tenant[41], node[65], by[129];
	int reason;
	int64_t within_ms; /* -1: not said */
};

/* -REASON_BAD_MESSAGE; *ret is untouched then. */
MUST_CHECK int orders_parse(const char *json, struct order *ret);

#endif
