/* api_licenses: licenses in the REST API: made and shown. What is done to one that exists:
 * api_license_acts; many: api_license_list, api_license_bulk, api_license_import.
 *
 * Thread: office threads. Handlers: routes.def.
 */
#ifndef ADMIN_API_LICENSES_H
#define ADMIN_API_LICENSES_H

#include "http/exchange.h"

void api_licenses_create(void *admin, struct exchange *exchange);
void api_licenses_show(void *admin, struct exchange *exchange);

#endif
