/* api_directories: the LDAP servers and OIDC providers where people sign in. Secrets go in and never
 * come out again.
 *
 * Thread: office threads. Handlers: routes.def.
 */
#ifndef ADMIN_API_DIRECTORIES_H
#define ADMIN_API_DIRECTORIES_H

#include "http/exchange.h"

void api_directories_create(void *admin, struct exchange *exchange);
void api_directories_list(void *admin, struct exchange *exchange);
void api_directories_show(void *admin, struct exchange *exchange);
void api_directories_change(void *admin, struct exchange *exchange);
void api_directories_delete(void *admin, struct exchange *exchange);
void api_directories_test(void *admin, struct exchange *exchange);

#endif
