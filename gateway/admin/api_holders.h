/* api_holders: the people who hold licenses: one row per name and company, however many they have.
 *
 * Thread: office threads. Cursor: "TENANT/NAME" of the last row.
 */
#ifndef ADMIN_API_HOLDERS_H
#define ADMIN_API_HOLDERS_H

#include "http/exchange.h"

void api_holders_list(void *admin, struct exchange *exchange);

#endif
