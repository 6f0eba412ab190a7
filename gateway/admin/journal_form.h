/* journal_form: journal rows as people and their programs get them: JSON objects, lines of JSON, CSV with
 * columns per kind.
 *
 * Thread: that of the call. Errors: -REASON_NO_MEMORY, -REASON_LIMIT.
 */
#ifndef ADMIN_JOURNAL_FORM_H
#define ADMIN_JOURNAL_FORM_H

#include <jansson.h>

#include "base/check.h"
#include "base/reason.h"
#include "http/csv.h"
#include "store/journal.h"

struct journal_form;

/* By its name in paths: logins, sessions, bandwidth, audit; NULL. */
const struct journal_form *journal_form_of(const char *name);
const char *journal_form_name(const struct journal_form *form);
enum journal_kind journal_form_kind(const struct journal_form *form);

/* A new reference; NULL when memory is out. */
json_t *journal_form_row(const struct journal_row *row);
/* A session has a row when it begins and one, with everything, when it has ended; people get the second. What
 * runs now is the list of sessions. */
int journal_form_is_opening(const struct journal_form *form, const json_t *row);

/* One line each, in csv->line. Heads are the names of members, or in Japanese. */
enum journal_form_heads { JOURNAL_FORM_NAMES, JOURNAL_FORM_JA };
MUST_CHECK int journal_form_csv_head(const struct journal_form *form,
	enum journal_form_heads heads, struct csv *csv);
MUST_CHECK int journal_form_csv_row(const struct journal_form *form, const json_t *row,
	struct csv *csv);

#endif
