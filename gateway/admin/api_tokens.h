/* api_tokens: tokens for programs in the REST API. Nobody can give more than he has: not a higher
 * role, not another tenant, not a longer life.
 * Thread: office threads. Handlers: routes.def.
 */
#ifndef ADMIN_API_TOKENS_H
#define ADMIN_API_TOKENS_H

#include "http/exchange.h"

void api_tokens_create(void *admin, struct exchange *exchange);
void api_tokens_list(void *admin, struct exchange *exchange);
void api_tokens_revoke(void *admin, struct exchange *exchange);

#endif
