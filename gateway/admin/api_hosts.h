/* api_hosts: office PCs in the REST API: whose they are, what they said of themselves, whether they
 * are connected. Thread: office threads. Handlers: routes.def.
 */
#ifndef ADMIN_API_HOSTS_H
#define ADMIN_API_HOSTS_H

#include "http/exchange.h"

void api_hosts_list(void *admin, struct exchange *exchange);
void api_hosts_show(void *admin, struct exchange *exchange);

#endif
