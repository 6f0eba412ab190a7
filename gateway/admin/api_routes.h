/* api_routes: where alarms go. Secrets are taken or made, and never shown again.
 *
 * Thread: office threads; a test of a route waits for the receiver.
 */
#ifndef ADMIN_API_ROUTES_H
#define ADMIN_API_ROUTES_H

#include "http/exchange.h"

void api_routes_list(void *admin, struct exchange *exchange);
void api_routes_create(void *admin, struct exchange *exchange);
void api_routes_show(void *admin, struct exchange *exchange);
void api_routes_change(void *admin, struct exchange *exchange);
void api_routes_delete(void *admin, struct exchange *exchange);
void api_routes_test(void *admin, struct exchange *exchange);

#endif
