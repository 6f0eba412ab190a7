/* alert_book: the rules that are in force and, for each of their subjects, what was counted and whether
 * an alarm is open. Decides; does nothing.
 *
 * Bounded: ALERT_BOOK_SUBJECTS subjects; when they are full, new ones are not counted until old ones
 * are over (alert_book_sweep).
 * Thread: that of the owner. Time is an argument (wall clock, ms). Errors: -REASON_NO_MEMORY.
 */
#ifndef ALERT_ALERT_BOOK_H
#define ALERT_ALERT_BOOK_H

#include <stddef.h>
#include <stdint.h>

#include "base/check.h"
#include "rules/alarm.h"
#include "rules/alert.h"
#include "rules/alert_event.h"

#define ALERT_BOOK_SUBJECTS 20000

struct alert_book;

MUST_CHECK int alert_book_new(struct alert_book **ret);
struct alert_book *alert_book_free(struct alert_book *book);

/* Rules are read anew: first forget, then add each. What was counted stays. */
void alert_book_forget_rules(struct alert_book *book);
MUST_CHECK int alert_book_add_rule(struct alert_book *book, const struct alert *alert);
/* In turn, from *at = 0 on: enabled rules that watch `when`, of this tenant (NULL: of all). */
const struct alert *alert_book_rule(const struct alert_book *book, enum alert_when when,
	const char *tenant, size_t *at);

/* An alarm that is open since before. */
MUST_CHECK int alert_book_open(struct alert_book *book, const struct alarm *alarm);
/* Whether this event makes `rule` raise an alarm now; *ret_value is what was counted. */
int alert_book_count(struct alert_book *book, const struct alert *rule,
	const struct alert_event *event, int64_t *ret_value);
/* A state of `subject` that lasts: whether it is to be raised now. It is over when it is not reported
 * until the next alert_book_sweep_states(). */
int alert_book_lasts(struct alert_book *book, const struct alert *rule,
	const char *subject, int64_t now_ms);
/* The alarm that was raised for it: no second one until it is over or its quiet time has passed. */
void alert_book_raised(struct alert_book *book, const struct alert *rule,
	const struct alarm *alarm);

/* Hands out alarms that are over: of events when their quiet time has passed; of states of the given
 * kind when they were not reported since the last call. */
typedef void (*alert_book_over)(void *ctx, const char *alarm);
void alert_book_sweep(struct alert_book *book, int64_t now_ms, alert_book_over over,
	void *ctx);
void alert_book_sweep_states(struct alert_book *book, enum alert_when when,
	alert_book_over over, void *ctx);

#endif
