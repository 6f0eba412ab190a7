/* notice: what the operator tells people beforehand: planned stops, the end of the service, news
 * (STATE_NOTICE, id = "ntc_…"; its tenant "" is everybody).
 *
 * JSON body: "id", "tenant", "kind" "planned_stop"|"end_of_service"|"news", "text" {"en","ja"} (one of
 * them at least), "from_ms", "to_ms" (of what is announced; 0: no end), "show_from_ms" (0: at once),
 * "places" ["console","viewer","agent"], "created_ms", "changed_ms".
 * A notice is current from show_from_ms until what it announces is over; news without an end for
 * NOTICE_NEWS_MS after it began.
 * Thread: any; pure: time is an argument (wall clock, ms). Errors: -REASON_BAD_VALUE and the field;
 * -REASON_NO_MEMORY.
 */
#ifndef RULES_NOTICE_H
#define RULES_NOTICE_H

#include <jansson.h>
#include <stdint.h>

#include "base/check.h"
#include "rules/field.h"
#include "rules/tenant.h"

#define NOTICE_ID_SIZE 21
#define NOTICE_TEXT_SIZE 1025
#define NOTICE_LEAD_MS (INT64_C(30) * 86400000)
#define NOTICE_NEWS_MS (INT64_C(30) * 86400000)

enum notice_kind { NOTICE_PLANNED_STOP, NOTICE_END_OF_SERVICE, NOTICE_NEWS };

#define NOTICE_CONSOLE 0x01u
#define NOTICE_VIEWER 0x02u
#define NOTICE_AGENT 0x04u

struct notice {
	char id[NOTICE_ID_SIZE], tenant[TENANT_ID_SIZE];
	int kind;
	char en[NOTICE_TEXT_SIZE], ja[NOTICE_TEXT_SIZE];
	int64_t from_ms, to_ms, show_from_ms, created_ms, changed_ms;
	unsigned places;
};

MUST_CHECK int notice_read(const char *body, struct notice *ret,
	struct field_error *error);
/* What people may set: kind, text, from_ms, to_ms, show_from_ms, places. A planned stop needs from_ms
 * and to_ms. On error `notice` is as before. */
MUST_CHECK int notice_change(struct notice *notice, const json_t *changes,
	struct field_error *error);
/* The caller frees. */
MUST_CHECK int notice_write(const struct notice *notice, char **ret);

/* Whether somebody of `tenant` ("": a person of the operator, who sees all) is to see it at this place
 * (NOTICE_CONSOLE, …) now. */
int notice_concerns(const struct notice *notice, const char *tenant, unsigned place,
	int64_t now_ms);
/* For people: {"id","kind","from_ms","to_ms","text":{"en","ja"}}; a language that was not written has
 * the text of the other. A new reference; NULL without memory. */
json_t *notice_item(const struct notice *notice);
/* How long beforehand it is shown; planned stops are promised NOTICE_LEAD_MS. */
int64_t notice_lead_ms(const struct notice *notice);
int notice_is_short(const struct notice *notice);

#endif
