/* api_statements: the operator's own answers in the check sheet, with their date.
 *
 * Thread: office threads.
 */
#ifndef ADMIN_API_STATEMENTS_H
#define ADMIN_API_STATEMENTS_H

#include "http/exchange.h"

void api_statements_list(void *admin, struct exchange *exchange);
void api_statements_show(void *admin, struct exchange *exchange);
void api_statements_put(void *admin, struct exchange *exchange);

#endif
