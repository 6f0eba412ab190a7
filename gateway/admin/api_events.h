/* api_events: live pages. News of the bus (call_changed, relay/session, relay/presence) go to every
 * console that may hear them: of the own company, and of what one may see anyway.
 *
 * Thread: the handler on office threads; start, stop and what the bus delivers on the worker of the
 * HTTP connections. Errors of start: those of bus_subscribe() (store/bus.h).
 */
#ifndef ADMIN_API_EVENTS_H
#define ADMIN_API_EVENTS_H

#include "admin/call.h"

void api_events_listen(void *admin, struct exchange *exchange);

MUST_CHECK int api_events_start(struct admin *admin, struct post_box *box);
void api_events_stop(struct admin *admin);

/* After a request that changed something and told nobody (call_changed): tells it by its path. */
void api_events_tell(struct call *call);

#endif
