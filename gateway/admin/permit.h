/* permit: who asks, and may they? The one place where rights are checked, before any handler runs.
 *
 * Thread: office threads. Errors: the exchange is answered: UNAUTHENTICATED without a good token,
 * FORBIDDEN with one that has not the right (that is recorded), STORE_UNAVAILABLE.
 */
#ifndef ADMIN_PERMIT_H
#define ADMIN_PERMIT_H

#include "http/exchange.h"

/* Permission of routes that anybody may call. */
#define PERMIT_OPEN (-1)

/* A router_gate; ctx is the struct admin, exchange->who the struct call. */
int permit_check(void *admin, struct exchange *exchange, int permission);

#endif
