/* api_sign_in_oidc: people come in by way of an OpenID Connect provider: out to it, back from it, and the
 * one-time code where their account has one and the provider's word for it does not count.
 *
 * The browser is navigated, so it is sent on in any case: to "/" signed in, or to "/#/sign-in?code=REASON".
 * Thread: office threads; waits for the provider. Handlers: routes.def.
 */
#ifndef ADMIN_API_SIGN_IN_OIDC_H
#define ADMIN_API_SIGN_IN_OIDC_H

#include "http/exchange.h"

void api_sign_in_oidc_begin(void *admin, struct exchange *exchange);
void api_sign_in_oidc_return(void *admin, struct exchange *exchange);
void api_sign_in_oidc_code(void *admin, struct exchange *exchange);

#endif
