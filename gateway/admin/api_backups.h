/* api_backups: backups and data keys in the REST API. What they are is in vault/vault.h.
 *
 * Thread: office threads.
 */
#ifndef ADMIN_API_BACKUPS_H
#define ADMIN_API_BACKUPS_H

#include "http/exchange.h"

void api_backups_list(void *admin, struct exchange *exchange);
void api_backups_create(void *admin, struct exchange *exchange);
void api_backups_show(void *admin, struct exchange *exchange);
void api_backups_drill(void *admin, struct exchange *exchange);
void api_backups_delete(void *admin, struct exchange *exchange);

#endif
