/* desktop_events: carries events from the desktop's threads to the caller's box.
 *
 * Thread: desktop_events_put from any; the rest from the caller's. An event that arrives after desktop_events_close
 *         is dropped, so a freed desktop is never spoken about. Owner: the desktop. Errors: -REASON_NO_MEMORY.
 */
#ifndef DESKTOP_DESKTOP_EVENTS_H
#define DESKTOP_DESKTOP_EVENTS_H

#include "desktop/desktop.h"

struct desktop_outbox;

MUST_CHECK int desktop_events_open(const struct desktop_events *events,
	struct desktop_outbox **ret);
/* Accepts NULL, returns NULL. */
struct desktop_outbox *desktop_events_close(struct desktop_outbox *outbox);
/* The text is copied. Dropped when there is no memory. */
void desktop_events_put(struct desktop_outbox *outbox, const struct desktop_event *event);

#endif
