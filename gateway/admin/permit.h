/* permit: who asks, and may they? The one place where rights are checked, before any handler runs.
 *
 * A program brings a token (Authorization: Bearer), a person the cookie of a sign-in; a request with
 * both is the program's. What a cookie may change needs the proof that our own page asks.
 * Thread: office threads. Errors: the exchange is answered: UNAUTHENTICATED without a good token or
 * sign-in, CROSS_SITE, ADDRESS_REFUSED, TENANT_DISABLED, PASSWORD_CHANGE_NEEDED, TOTP_SETUP_NEEDED,
 * FORBIDDEN (that is recorded), STEP_UP_NEEDED, STORE_UNAVAILABLE.
 */
#ifndef ADMIN_PERMIT_H
#define ADMIN_PERMIT_H

#include "http/exchange.h"

/* Permission of routes that anybody may call. */
#define PERMIT_OPEN (-1)

/* Beside the permission, as PERMISSION | FLAG. */
enum permit_flag {
	PERMIT_STEP_UP =
		1 << 8, /* people show a secret again, if the last time is a while ago */
	PERMIT_OWN =
		1
		<< 9, /* one's own account: people only, also while something must be set */
	PERMIT_QUIET =
		1 << 10, /* asked by a page by itself: says nothing about a person */
	PERMIT_SERVICE = 1 << 11, /* not for who belongs to a company */
};
#define PERMIT_PERMISSION 0xff

/* A router_gate; ctx is the struct admin, exchange->who the struct call. */
int permit_check(void *admin, struct exchange *exchange, int permission);

#endif
