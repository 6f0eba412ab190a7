/* api_usage: what was carried, for charts and for lists of who used most: from the sums of rules/usage.h, so
 * that a year costs no more than some pages. They are up to a quarter of a minute behind.
 *
 * Thread: office threads. Handlers: routes.def.
 */
#ifndef ADMIN_API_USAGE_H
#define ADMIN_API_USAGE_H

struct exchange;

void api_usage_show(void *admin, struct exchange *exchange);
void api_usage_top(void *admin, struct exchange *exchange);

#endif
