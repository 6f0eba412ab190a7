/* api_licenses: licenses in the REST API. Handlers: routes.def.
 *
 * Thread: office threads. A license that is disabled, removed or given a new key loses its session
 * and legs at once: an order tells all nodes.
 */
#ifndef ADMIN_API_LICENSES_H
#define ADMIN_API_LICENSES_H

#include "http/exchange.h"

void api_licenses_create(void *admin, struct exchange *exchange);
void api_licenses_list(void *admin, struct exchange *exchange);
void api_licenses_show(void *admin, struct exchange *exchange);
void api_licenses_change(void *admin, struct exchange *exchange);
void api_licenses_delete(void *admin, struct exchange *exchange);
void api_licenses_rotate(void *admin, struct exchange *exchange);
void api_licenses_password(void *admin, struct exchange *exchange);
void api_licenses_unlock(void *admin, struct exchange *exchange);
void api_licenses_unbind(void *admin, struct exchange *exchange);

#endif
