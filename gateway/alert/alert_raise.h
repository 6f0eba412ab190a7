/* alert_raise: makes an alarm: its document, its letters, and the news for open pages; and ends one.
 *
 * The document comes first: raised again after a crash, the alarm is found there, and only what was not
 * sent yet goes out.
 * Thread: one that may block. Errors: those of the store and of the spool.
 */
#ifndef ALERT_ALERT_RAISE_H
#define ALERT_ALERT_RAISE_H

#include "alert/deliver.h"
#include "base/check.h"
#include "rules/alarm.h"

struct alert_raise {
	struct store *store;
	struct deliver *deliver;
	const char *node;
};

/* What is to be told, beside the rule. */
struct alert_case {
	const char *subject, *license;
	int64_t at_ms, value;
};

MUST_CHECK int alert_raise(const struct alert_raise *raise, const struct alert *alert,
	const struct alert_case *what, struct alarm *ret);
void alert_raise_over(const struct alert_raise *raise, const char *alarm, int64_t now_ms);

#endif
