/* api_alarms: alerts that have fired, newest first.
 *
 * Thread: office threads.
 */
#ifndef ADMIN_API_ALARMS_H
#define ADMIN_API_ALARMS_H

#include "http/exchange.h"

void api_alarms_list(void *admin, struct exchange *exchange);
void api_alarms_show(void *admin, struct exchange *exchange);
void api_alarms_seen(void *admin, struct exchange *exchange);

#endif
