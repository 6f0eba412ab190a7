/* statement: an answer of the check sheet that only the operator can give (STATE_STATEMENT, id = its
 * row).
 *
 * JSON body: "row", "text" {"en","ja"} (one of them at least), "written_ms", "by".
 * Thread: any; pure. Errors: -REASON_BAD_VALUE and the field; -REASON_NO_MEMORY.
 */
#ifndef RULES_STATEMENT_H
#define RULES_STATEMENT_H

#include <stdint.h>

#include "base/check.h"
#include "rules/field.h"

#define STATEMENT_TEXT_SIZE 2049

struct statement {
	char row[16], by[136];
	char en[STATEMENT_TEXT_SIZE], ja[STATEMENT_TEXT_SIZE];
	int64_t written_ms;
};

/* From {"text":{…}}; a language that was not written gets the text of the other. */
MUST_CHECK int statement_change(struct statement *statement, const json_t *changes,
	struct field_error *error);
/* The caller frees. */
MUST_CHECK int statement_write(const struct statement *statement, char **ret);

#endif
