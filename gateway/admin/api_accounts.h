/* api_accounts: the people of the administration: made, changed, let in again, removed.
 *
 * Nobody gives what he has not, changes one who may more than himself, or deletes or disables himself;
 * the last operator who can sign in stays one. Thread: office threads. Handlers: routes.def.
 */
#ifndef ADMIN_API_ACCOUNTS_H
#define ADMIN_API_ACCOUNTS_H

#include "http/exchange.h"

void api_accounts_list(void *admin, struct exchange *exchange);
void api_accounts_create(void *admin, struct exchange *exchange);
void api_accounts_show(void *admin, struct exchange *exchange);
void api_accounts_change(void *admin, struct exchange *exchange);
void api_accounts_delete(void *admin, struct exchange *exchange);
void api_accounts_password(void *admin, struct exchange *exchange);
void api_accounts_unlock(void *admin, struct exchange *exchange);
void api_accounts_totp_remove(void *admin, struct exchange *exchange);
void api_accounts_sign_ins(void *admin, struct exchange *exchange);
void api_accounts_sign_out(void *admin, struct exchange *exchange);

#endif
