/* api_tenant_end: the end of a company's contract in the REST API: take everything along, end it, erase it,
 * prove that.
 *
 * Thread: office threads.
 */
#ifndef ADMIN_API_TENANT_END_H
#define ADMIN_API_TENANT_END_H

#include "http/exchange.h"

void api_tenant_end_contract(void *admin, struct exchange *exchange);
void api_tenant_end_export(void *admin, struct exchange *exchange);
void api_tenant_end_purge(void *admin, struct exchange *exchange);
void api_tenant_end_proof(void *admin, struct exchange *exchange);

#endif
