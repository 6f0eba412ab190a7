/* api_license_bulk: one act on many licenses: enable, disable, change, delete.
 *
 * Which ones: their ids, or a filter as that of the list. Each is done and recorded as if it had been
 * asked for alone, and fails alone; rows and documents are written by the hundred.
 * Thread: office threads.
 */
#ifndef ADMIN_API_LICENSE_BULK_H
#define ADMIN_API_LICENSE_BULK_H

#include "http/exchange.h"

void api_license_bulk(void *admin, struct exchange *exchange);

#endif
