/* api_security: how the people of a company sign in: codes, passwords, networks, ends, lockout.
 *
 * Thread: office threads. Handlers: routes.def.
 */
#ifndef ADMIN_API_SECURITY_H
#define ADMIN_API_SECURITY_H

#include "http/exchange.h"

void api_security_show(void *admin, struct exchange *exchange);
void api_security_change(void *admin, struct exchange *exchange);

#endif
