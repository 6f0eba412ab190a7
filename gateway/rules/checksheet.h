/* checksheet: the questions of check sheets and how the product answers them: one table
 * (checksheet.def).
 *
 * Thread: any; constant data.
 */
#ifndef RULES_CHECKSHEET_H
#define RULES_CHECKSHEET_H

#include <jansson.h>
#include <stddef.h>

#include "base/reason.h"

enum checksheet_kind { CHECKSHEET_P, CHECKSHEET_O, CHECKSHEET_D };

struct checksheet_row {
	const char *sheet, *row; /* "saas", "18" */
	enum checksheet_kind kind;
	const char *command;                 /* what follows engawactl */
	const char *question[2], *answer[2]; /* by enum reason_lang */
};

/* NULL beyond the last; in the order of the probes that the office has. */
const struct checksheet_row *checksheet_at(size_t index);
/* By the number of the row; NULL when there is none. */
const struct checksheet_row *checksheet_find(const char *row);
const char *checksheet_kind_name(enum checksheet_kind kind);

/* The answer with {name} replaced by values[name]; what the probe did not find is "-". The caller frees;
 * NULL without memory. */
char *checksheet_answer(const struct checksheet_row *row, const json_t *values,
	enum reason_lang lang);

#endif
