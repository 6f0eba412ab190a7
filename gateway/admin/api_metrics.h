/* api_metrics: what machines ask a node: is it alive, does it serve, what has it counted.
 *
 * /healthz and /readyz need no token: they tell what of the node is well, and no more. /metrics needs one unless the
 * configuration opens it (admin.metrics_open); it carries numbers only, no names.
 * Thread: office threads. Handlers: routes.def.
 */
#ifndef ADMIN_API_METRICS_H
#define ADMIN_API_METRICS_H

#include "http/exchange.h"

void api_metrics_text(void *admin, struct exchange *exchange);
void api_metrics_healthz(void *admin, struct exchange *exchange);
void api_metrics_readyz(void *admin, struct exchange *exchange);

#endif
