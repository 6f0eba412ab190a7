/* checkup: looks at the running product for one row of a check sheet: settings, counts, files, what was
 * last tried and measured.
 *
 * Thread: the office thread of the call. A probe fills `values` (the names in the answer's braces) and
 * says whether the control is there; what it cannot see it leaves out. Errors: those of the store.
 */
#ifndef ADMIN_CHECKUP_H
#define ADMIN_CHECKUP_H

#include <jansson.h>

#include "admin/call.h"
#include "rules/account_security.h"
#include "rules/checksheet.h"
#include "rules/policy.h"

enum checkup_verdict { CHECKUP_BAD, CHECKUP_GOOD, CHECKUP_UNKNOWN };
enum checkup_depth { CHECKUP_QUICK, CHECKUP_THOROUGH };

struct checkup {
	struct call *call;
	const char *tenant; /* "": the operator */
	enum checkup_depth depth;
	const struct checksheet_row *row;
	const char *const
		*instead; /* of the row's answer, by enum reason_lang; NULL: none */
	json_t *settings; /* "journal.retention": {"value","default",…} */
};

typedef int (*checkup_probe)(struct checkup *checkup, json_t *values,
	enum checkup_verdict *ret);

#define Q(sheet, row, kind, probe, command, question, question_ja, answer, answer_ja)    \
	int checkup_##probe(struct checkup *checkup, json_t *values,                     \
		enum checkup_verdict *ret);
#include "rules/checksheet.def"
#undef Q

/* A setting as it stands in the configuration; NULL when there is none. */
const char *checkup_setting(const struct checkup *checkup, const char *name);
int64_t checkup_setting_ms(const struct checkup *checkup, const char *name);
int64_t checkup_setting_days(const struct checkup *checkup, const char *name);
int64_t checkup_setting_number(const struct checkup *checkup, const char *name);
/* Every document of a kind within the company's reach (operators: all) to `each`. */
typedef void (*checkup_each)(const struct state_doc *doc, const json_t *body, void *ctx);
MUST_CHECK int checkup_documents(struct checkup *checkup, enum state_kind kind,
	checkup_each each, void *ctx);
MUST_CHECK int checkup_security(struct checkup *checkup, struct account_security *ret);
/* What the default policy and that of the company leave. */
MUST_CHECK int checkup_policy(struct checkup *checkup, struct policy *ret);

void checkup_number(json_t *values, const char *name, int64_t number);
void checkup_text(json_t *values, const char *name, const char *text);
void checkup_flag(json_t *values, const char *name, int flag);
/* RFC 3339; nothing for 0. */
void checkup_time(json_t *values, const char *name, int64_t ms);

/* All rows: [{"sheet","row","kind","question","answer","value","command","good"}], a new reference;
 * -REASON_* is not answered. */
MUST_CHECK int checkup_run(struct call *call, const char *tenant,
	enum checkup_depth depth, enum reason_lang lang, json_t **ret);

#endif
