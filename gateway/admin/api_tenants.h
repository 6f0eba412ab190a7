/* api_tenants: companies: made and changed by operators; a company's own people see their own.
 *
 * Thread: office threads. Disabling one refuses its licenses from then on and ends what is live.
 */
#ifndef ADMIN_API_TENANTS_H
#define ADMIN_API_TENANTS_H

#include "http/exchange.h"

void api_tenants_create(void *admin, struct exchange *exchange);
void api_tenants_list(void *admin, struct exchange *exchange);
void api_tenants_show(void *admin, struct exchange *exchange);
void api_tenants_change(void *admin, struct exchange *exchange);

#endif
