/* api_nodes: the nodes of the cluster in the REST API: what they tell of themselves
 * (documents that each relay writes), draining them, and this node's version and limits.
 * Thread: office threads. Handlers: routes.def.
 */
#ifndef ADMIN_API_NODES_H
#define ADMIN_API_NODES_H

#include "http/exchange.h"

void api_nodes_list(void *admin, struct exchange *exchange);
void api_nodes_drain(void *admin, struct exchange *exchange);
void api_nodes_undrain(void *admin, struct exchange *exchange);
void api_nodes_version(void *admin, struct exchange *exchange);
void api_nodes_limits(void *admin, struct exchange *exchange);

#endif
