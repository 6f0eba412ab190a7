/* api_sign_in: people come in and go out: account, password and one-time code for a cookie.
 *
 * What is wrong is told only to who knows the password: a name that nobody has, one that is disabled
 * and a wrong password give one answer after one time. Thread: office threads. Handlers: routes.def.
 */
#ifndef ADMIN_API_SIGN_IN_H
#define ADMIN_API_SIGN_IN_H

#include "http/exchange.h"

void api_sign_in_ways(void *admin, struct exchange *exchange);
void api_sign_in_open(void *admin, struct exchange *exchange);
void api_sign_in_close(void *admin, struct exchange *exchange);

#endif
