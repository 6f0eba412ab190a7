/* api_license_list: licenses as pages of JSON or as one CSV, without secrets, and who holds them.
 *
 * Thread: office threads.
 */
#ifndef ADMIN_API_LICENSE_LIST_H
#define ADMIN_API_LICENSE_LIST_H

#include "http/exchange.h"

void api_license_list(void *admin, struct exchange *exchange);

#endif
