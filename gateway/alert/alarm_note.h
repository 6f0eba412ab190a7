/* alarm_note: changes of an alarm's document while others change it too: what became of a delivery,
 * that it is over.
 *
 * Thread: one that may block. Errors: those of the store; -REASON_NOT_FOUND when it was removed.
 */
#ifndef ALERT_ALARM_NOTE_H
#define ALERT_ALARM_NOTE_H

#include "base/check.h"
#include "rules/alarm.h"
#include "store/state.h"

MUST_CHECK int alarm_note_delivery(struct state *state, const char *id,
	const struct alarm_delivery *delivery);
MUST_CHECK int alarm_note_over(struct state *state, const char *id, int64_t over_ms);

#endif
