/* api_keys: the data keys of companies in the REST API: which there are, and a new one. No key is ever
 * shown.
 *
 * Thread: office threads.
 */
#ifndef ADMIN_API_KEYS_H
#define ADMIN_API_KEYS_H

#include "http/exchange.h"

/* In the path of what belongs to no company; no company has such an id. */
#define API_KEYS_OPERATOR "~operator"

void api_keys_list(void *admin, struct exchange *exchange);
void api_keys_rotate(void *admin, struct exchange *exchange);

#endif
