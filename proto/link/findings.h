/* findings: what a doctor found, as text for people and JSON for scripts: one line per check, with what to do
 * where something is wrong.
 *
 * Thread: main. Owner: the caller.
 */
#ifndef LINK_FINDINGS_H
#define LINK_FINDINGS_H

#include "base/check.h"

struct findings;

MUST_CHECK int findings_new(struct findings **ret);
/* status: 0 or -REASON_*; detail may be NULL. */
void findings_note(struct findings *findings, const char *check, int status,
	const char *detail);
enum findings_form { FINDINGS_TEXT, FINDINGS_JSON };
/* Prints all and returns the first failure, or 0. */
MUST_CHECK int findings_print(const struct findings *findings, enum findings_form form);
struct findings *findings_free(struct findings *findings);

#endif
