/* api_notices: what the operator tells people beforehand. Every change is an order to the nodes, so that
 * the ends that are connected see it at once.
 *
 * Thread: office threads.
 */
#ifndef ADMIN_API_NOTICES_H
#define ADMIN_API_NOTICES_H

#include "http/exchange.h"

void api_notices_list(void *admin, struct exchange *exchange);
void api_notices_current(void *admin, struct exchange *exchange);
void api_notices_create(void *admin, struct exchange *exchange);
void api_notices_show(void *admin, struct exchange *exchange);
void api_notices_change(void *admin, struct exchange *exchange);
void api_notices_delete(void *admin, struct exchange *exchange);

#endif
