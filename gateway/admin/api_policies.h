/* api_policies: what is permitted, per level: default, company, group; and what is left of it for one
 * license (rules/policy.h). A level is replaced as a whole; one that is not there narrows nothing.
 *
 * Thread: office threads. A change is ordered to every node, which narrows or ends live sessions.
 */
#ifndef ADMIN_API_POLICIES_H
#define ADMIN_API_POLICIES_H

#include "http/exchange.h"

void api_policies_list(void *admin, struct exchange *exchange);
void api_policies_show_default(void *admin, struct exchange *exchange);
void api_policies_show_tenant(void *admin, struct exchange *exchange);
void api_policies_show_group(void *admin, struct exchange *exchange);
void api_policies_set_default(void *admin, struct exchange *exchange);
void api_policies_set_tenant(void *admin, struct exchange *exchange);
void api_policies_set_group(void *admin, struct exchange *exchange);
void api_policies_delete_default(void *admin, struct exchange *exchange);
void api_policies_delete_tenant(void *admin, struct exchange *exchange);
void api_policies_delete_group(void *admin, struct exchange *exchange);
/* GET /licenses/{id}/policy */
void api_policies_of_license(void *admin, struct exchange *exchange);

#endif
