/* api_license_totp: one-time codes of holders in the REST API: a secret is made, comes into force when a code of it was
 * shown, and is removed. Sessions that live go on.
 *
 * Thread: office threads. Handlers: routes.def.
 */
#ifndef ADMIN_API_LICENSE_TOTP_H
#define ADMIN_API_LICENSE_TOTP_H

#include "http/exchange.h"

void api_license_totp_begin(void *admin, struct exchange *exchange);
void api_license_totp_confirm(void *admin, struct exchange *exchange);
void api_license_totp_remove(void *admin, struct exchange *exchange);

#endif
