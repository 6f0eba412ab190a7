/* alert: a rule that says what is worth telling somebody (STATE_ALERT), from one table (alert.def).
 *
 * JSON body: "id" ("alr_…"; of the rules that everybody has "alr_TENANT.WHEN" and, of the operator,
 * "alr_WHEN"), "name", "tenant", "when" (alert.def), "threshold" (events, bytes, percent or days),
 * "window_ms", "quiet_ms" (after an alarm the same subject raises no further one for so long),
 * "routes" [ids of STATE_ROUTE], "state" "enabled"|"disabled", "created_ms", "changed_ms".
 * Thread: any; pure. Errors: -REASON_BAD_VALUE and the field; -REASON_NO_MEMORY.
 */
#ifndef RULES_ALERT_H
#define RULES_ALERT_H

#include <jansson.h>
#include <stdint.h>

#include "base/check.h"
#include "base/reason.h"
#include "rules/field.h"
#include "rules/tenant.h"

#define ALERT_ID_SIZE 80
#define ALERT_ROUTE_ID_SIZE 21
#define ALERT_ROUTES 8
#define ALERT_SUBJECT_SIZE 161
#define ALERT_TEXT_SIZE 640

enum alert_when {
#define W(NAME, name, reach, measure, threshold, window, quiet, urgency, en, ja, hint,   \
	hint_ja)                                                                         \
	ALERT_##NAME,
#include "rules/alert.def"
#undef W
	ALERT_WHENS
};

enum alert_reach { ALERT_OF_TENANT, ALERT_OF_OPERATOR, ALERT_OF_NOBODY };
enum alert_measure { ALERT_MEASURE_COUNT, ALERT_MEASURE_SUM, ALERT_MEASURE_STATE };
enum alert_urgency { ALERT_URGENCY_WARNING, ALERT_URGENCY_ERROR };

struct alert_kind {
	const char *name;
	enum alert_reach reach;
	enum alert_measure measure;
	int64_t threshold, window_ms, quiet_ms;
	enum alert_urgency urgency;
	const char *text[2], *hint[2]; /* by enum reason_lang */
};

/* NULL beyond the last. */
const struct alert_kind *alert_kind_at(size_t when);
/* ALERT_WHENS when there is no such name. */
enum alert_when alert_when_parse(const char *name);

enum alert_state { ALERT_ENABLED, ALERT_DISABLED };

struct alert {
	char id[ALERT_ID_SIZE], name[129], tenant[TENANT_ID_SIZE];
	int when, state;
	int64_t threshold, window_ms, quiet_ms, created_ms, changed_ms;
	size_t route_count;
	char routes[ALERT_ROUTES][ALERT_ROUTE_ID_SIZE];
};

/* The rule that `tenant` ("": the operator) has from the start; -REASON_NOT_FOUND when it has none of
 * this kind. */
MUST_CHECK int alert_default(struct alert *ret, const char *tenant, enum alert_when when,
	int64_t now_ms);
MUST_CHECK int alert_read(const char *body, struct alert *ret, struct field_error *error);
/* What people may set: name, threshold, window_ms, quiet_ms, routes, state; of a new rule (created_ms
 * is 0) "when" too, which brings its own fallbacks. On error `alert` is as before. */
MUST_CHECK int alert_change(struct alert *alert, const json_t *changes,
	struct field_error *error);
/* The caller frees. */
MUST_CHECK int alert_write(const struct alert *alert, char **ret);
int alert_has_route(const struct alert *alert, const char *route);

#endif
