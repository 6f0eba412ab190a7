/* api_groups: groups of licenses of one company. A name is unique within its company.
 *
 * Thread: office threads. A group that licenses are in is not deleted; with a group goes its policy.
 */
#ifndef ADMIN_API_GROUPS_H
#define ADMIN_API_GROUPS_H

#include "http/exchange.h"

void api_groups_create(void *admin, struct exchange *exchange);
void api_groups_list(void *admin, struct exchange *exchange);
void api_groups_show(void *admin, struct exchange *exchange);
void api_groups_change(void *admin, struct exchange *exchange);
void api_groups_delete(void *admin, struct exchange *exchange);

#endif
