/* api_reports: the check sheet with the live value of each row, verified against the last time, and what
 * a company used in a month.
 *
 * Thread: office threads. A verification asks listeners and recomputes the chain of records.
 */
#ifndef ADMIN_API_REPORTS_H
#define ADMIN_API_REPORTS_H

#include "http/exchange.h"

void api_reports_checksheet(void *admin, struct exchange *exchange);
void api_reports_verify(void *admin, struct exchange *exchange);
void api_reports_usage(void *admin, struct exchange *exchange);

#endif
