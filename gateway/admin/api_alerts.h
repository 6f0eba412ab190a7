/* api_alerts: rules that say what is worth telling somebody. Every company has some from the start.
 *
 * Thread: office threads.
 */
#ifndef ADMIN_API_ALERTS_H
#define ADMIN_API_ALERTS_H

#include "http/exchange.h"

void api_alerts_list(void *admin, struct exchange *exchange);
void api_alerts_create(void *admin, struct exchange *exchange);
void api_alerts_show(void *admin, struct exchange *exchange);
void api_alerts_change(void *admin, struct exchange *exchange);
void api_alerts_delete(void *admin, struct exchange *exchange);

#endif
