/* api_licenses: licenses in the REST API: made, listed, exported, shown. What is done to one that
 * exists: api_license_acts.
 *
 * Thread: office threads. Handlers: routes.def.
 */
#ifndef ADMIN_API_LICENSES_H
#define ADMIN_API_LICENSES_H

#include "http/exchange.h"

void api_licenses_create(void *admin, struct exchange *exchange);
void api_licenses_list(void *admin, struct exchange *exchange);
void api_licenses_show(void *admin, struct exchange *exchange);

#endif
