/* api_license_acts: what is done to a license in the REST API. One that is disabled, removed or given
 * a new key loses its session and legs at once: an order tells all nodes.
 *
 * Thread: office threads. Handlers: routes.def.
 */
#ifndef ADMIN_API_LICENSE_ACTS_H
#define ADMIN_API_LICENSE_ACTS_H

#include "http/exchange.h"

void api_license_acts_change(void *admin, struct exchange *exchange);
void api_license_acts_delete(void *admin, struct exchange *exchange);
void api_license_acts_rotate(void *admin, struct exchange *exchange);
void api_license_acts_password(void *admin, struct exchange *exchange);
void api_license_acts_unlock(void *admin, struct exchange *exchange);
void api_license_acts_unbind(void *admin, struct exchange *exchange);

#endif
