/* month: a month as reports name it, and what was measured in it.
 *
 * Thread: that of the call. Months are those of UTC, as usage counts them.
 */
#ifndef ADMIN_MONTH_H
#define ADMIN_MONTH_H

#include "admin/call.h"
#include "rules/outage.h"

#define MONTH_TEXT 8

struct month {
	char text[MONTH_TEXT]; /* "2026-11" */
	int64_t from_ms, to_ms;
};

/* `before`: how many months before the one of `now_ms`. */
void month_of(int64_t now_ms, int before, struct month *ret);
/* From ?month=, or the one that runs. -REASON_*: answered. */
MUST_CHECK int month_asked(struct call *call, struct month *ret);

/* Availability of what of the month has been measured: outages of the store, planned stops of notices that
 * concern the caller's company. *ret_since_ms is when the probes began. Nothing is answered. */
MUST_CHECK int month_availability(struct call *call, const struct month *month,
	struct availability *ret, int64_t *ret_since_ms);
/* "99.9987" */
void month_percent(int64_t ppm, char ret[static 48]);

#endif
