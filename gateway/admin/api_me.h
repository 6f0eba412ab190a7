/* api_me: one's own account: name, password, one-time codes, recovery codes, sign-ins, step-up.
 *
 * All of it is open also while a password or one-time codes have to be set first. Thread: office
 * threads. Handlers: routes.def.
 */
#ifndef ADMIN_API_ME_H
#define ADMIN_API_ME_H

#include "http/exchange.h"

void api_me_show(void *admin, struct exchange *exchange);
void api_me_change(void *admin, struct exchange *exchange);
void api_me_password(void *admin, struct exchange *exchange);
void api_me_totp_begin(void *admin, struct exchange *exchange);
void api_me_totp_confirm(void *admin, struct exchange *exchange);
void api_me_totp_remove(void *admin, struct exchange *exchange);
void api_me_recovery_codes(void *admin, struct exchange *exchange);
void api_me_sign_ins(void *admin, struct exchange *exchange);
void api_me_sign_in_end(void *admin, struct exchange *exchange);
void api_me_step_up(void *admin, struct exchange *exchange);

#endif
