/* api_sessions: live sessions in the REST API, and how an administrator ends one: by an order that
 * reaches the node that holds it. Past ones are journal rows (api_journal).
 * Thread: office threads. Handlers: routes.def.
 */
#ifndef ADMIN_API_SESSIONS_H
#define ADMIN_API_SESSIONS_H

#include "http/exchange.h"

void api_sessions_list(void *admin, struct exchange *exchange);
void api_sessions_kill(void *admin, struct exchange *exchange);

#endif
