/* timer: libevent's timers in milliseconds.
 *
 * Thread: that of the timer's loop. Owner: who made it.
 */
#ifndef LINK_TIMER_H
#define LINK_TIMER_H

#include <event2/event.h>
#include <stdint.h>

static inline void timer_arm(struct event *timer, int64_t ms)
{
	struct timeval wait = {ms / 1000, (suseconds_t)(ms % 1000 * 1000)};
	evtimer_add(timer, &wait);
}

/* Accepts NULL, returns NULL. */
static inline struct event *timer_free(struct event *timer)
{
	if (timer)
		event_free(timer);
	return NULL;
}

#endif
