/* report_form: a report as text that people print: CSV (RFC 4180, no formulas), lines, or one page of
 * HTML that needs nothing else.
 *
 * Thread: that of the call. Everything that comes from elsewhere is escaped. The caller frees; NULL
 * without memory.
 */
#ifndef ADMIN_REPORT_FORM_H
#define ADMIN_REPORT_FORM_H

#include <jansson.h>
#include <stdint.h>

#include "base/reason.h"

/* The page's style is the only one it may have: the header that says so. */
#define REPORT_FORM_POLICY 192
void report_form_policy(char ret[static REPORT_FORM_POLICY]);

/* `rows` as checkup_run() makes them. */
char *report_form_html(const json_t *rows, int64_t made_ms, enum reason_lang lang);
char *report_form_text(const json_t *rows, int64_t made_ms, enum reason_lang lang);
/* `names` (ended by NULL) are members of each row, and the first line. */
char *report_form_csv(const json_t *rows, const char *const names[]);

#endif
