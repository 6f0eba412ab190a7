/* alarm: an alert that has fired (STATE_ALARM): what about, since when, who was told and when.
 *
 * JSON body: "id" ("alm_" and 28 hex digits: the newest comes first in a list), "alert", "name",
 * "when", "tenant", "subject", "license", "value", "threshold", "window_ms", "urgency", "node",
 * "at_ms" (when it was the case), "made_ms" (when the alarm was raised), "last_ms", "over_ms" (0: open),
 * "seen_ms", "seen_by", "deliveries" [{"route","state" "waiting"|"sent"|"failed","tries","at_ms",
 * "error"}].
 * The same rule, subject and time make the same id: an alarm that is raised again after a crash is
 * found instead of doubled.
 * Thread: any; pure. Errors: -REASON_BAD_VALUE and the field; -REASON_NO_MEMORY.
 */
#ifndef RULES_ALARM_H
#define RULES_ALARM_H

#include <jansson.h>
#include <stdint.h>

#include "base/check.h"
#include "rules/alert.h"

#define ALARM_ID_SIZE 33
#define ALARM_LICENSE_SIZE 32
#define ALARM_NODE_SIZE 65

enum alarm_delivery_state { ALARM_WAITING, ALARM_SENT, ALARM_FAILED };

struct alarm_delivery {
	char route[ALERT_ROUTE_ID_SIZE], error[160];
	int state;
	int64_t tries, at_ms;
};

struct alarm {
	char id[ALARM_ID_SIZE], alert[ALERT_ID_SIZE], name[129], tenant[TENANT_ID_SIZE],
		subject[ALERT_SUBJECT_SIZE], license[ALARM_LICENSE_SIZE],
		node[ALARM_NODE_SIZE], seen_by[136];
	int when;
	int64_t value, threshold, window_ms, at_ms, made_ms, last_ms, over_ms, seen_ms;
	size_t delivery_count;
	struct alarm_delivery deliveries[ALERT_ROUTES];
};

/* From the rule, with a delivery waiting for each of its routes. -REASON_NO_MEMORY. */
MUST_CHECK int alarm_raise(struct alarm *ret, const struct alert *alert,
	const char *subject, int64_t at_ms, int64_t value);
MUST_CHECK int alarm_read(const char *body, struct alarm *ret, struct field_error *error);
/* The caller frees. */
MUST_CHECK int alarm_write(const struct alarm *alarm, char **ret);
/* NULL when it goes not there. */
struct alarm_delivery *alarm_delivery_to(struct alarm *alarm, const char *route);

/* One sentence, and what to do about it. */
void alarm_text(const struct alarm *alarm, enum reason_lang lang,
	char ret[static ALERT_TEXT_SIZE]);
const char *alarm_hint(const struct alarm *alarm, enum reason_lang lang);
/* The body with "text", "hint" ({"en","ja"}), "urgency" and "state": what the API answers and a
 * webhook gets. A new reference; NULL without memory. */
json_t *alarm_show(const struct alarm *alarm);

#endif
