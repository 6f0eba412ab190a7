/* api_outages: what the nodes' own probes found, and the availability that follows.
 *
 * Thread: office threads.
 */
#ifndef ADMIN_API_OUTAGES_H
#define ADMIN_API_OUTAGES_H

#include "http/exchange.h"

void api_outages_list(void *admin, struct exchange *exchange);
void api_outages_availability(void *admin, struct exchange *exchange);

#endif
