/* alert_count: how much of something there was within a window that moves, in fixed memory: the
 * window is divided into ALERT_COUNT_SLOTS, so its edge is exact to a slot.
 *
 * Thread: that of the owner; pure: time is an argument. Events may come a little out of order.
 */
#ifndef RULES_ALERT_COUNT_H
#define RULES_ALERT_COUNT_H

#include <stdint.h>

#define ALERT_COUNT_SLOTS 60

struct alert_count {
	int64_t window_ms, newest; /* number of the newest slot since 1970 */
	int64_t slots[ALERT_COUNT_SLOTS];
};

/* Adds and returns the sum of the window that ends at `at_ms`. Another window than before starts
 * anew; what is older than the window counts nothing. */
int64_t alert_count_add(struct alert_count *count, int64_t window_ms, int64_t at_ms,
	int64_t amount);
/* After an alarm the next one needs all of its own events. */
void alert_count_reset(struct alert_count *count);
/* Whether nothing of it is left at this time. */
int alert_count_is_over(const struct alert_count *count, int64_t now_ms);

#endif
