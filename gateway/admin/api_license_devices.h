/* api_license_devices: the viewer devices that were let in with a license: seen and forgotten. Which ones
 * may come in at all is the member "devices" of the license, and at last the office PC's own decision.
 *
 * Thread: office threads.
 */
#ifndef ADMIN_API_LICENSE_DEVICES_H
#define ADMIN_API_LICENSE_DEVICES_H

#include "http/exchange.h"

void api_license_devices_list(void *admin, struct exchange *exchange);
void api_license_devices_forget(void *admin, struct exchange *exchange);

#endif
