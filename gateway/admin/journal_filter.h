/* journal_filter: which journal rows are wanted by what is in them. The store knows no content (it may be
 * sealed), so this is asked row by row, above it.
 *
 * Thread: that of the call. Strings are the request's.
 */
#ifndef ADMIN_JOURNAL_FILTER_H
#define ADMIN_JOURNAL_FILTER_H

#include <jansson.h>

#include "admin/call.h"
#include "store/journal.h"

struct journal_filter {
	const char *by, *event, *reason, *q; /* NULL: any */
};

/* From ?by= &event= &reason= &q=. -REASON_*: answered. */
MUST_CHECK int journal_filter_parse(struct call *call, struct journal_filter *ret);
int journal_filter_any(const struct journal_filter *filter);
/* `row` as people get it (journal_form_row). q is looked for in all of it; capital letters do not count. */
int journal_filter_takes(const struct journal_filter *filter, const json_t *row);
/* What was asked for, for the record of it. */
json_t *journal_filter_json(const struct journal_filter *filter,
	const struct journal_query *query);

#endif
