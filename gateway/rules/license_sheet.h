/* license_sheet: a table of licenses to be made, a line for each, as people write it in a spreadsheet.
 *
 * The first line names the columns: "holder" is needed; "tenant", "group", "expires", "note", "state",
 * "labels" (a JSON object) and "label:NAME" are known; "id" and "created", which an export has too, are
 * passed over. "expires" is RFC 3339 or a day, 2027-03-31 or 2027/3/31, at whose end the license ends.
 * A cell that a spreadsheet could take for a formula is refused, unless an apostrophe stands in front of
 * it, which exports write and which is taken off.
 *
 * Thread: any; pure. Errors: -REASON_BAD_VALUE with the column and one sentence.
 */
#ifndef RULES_LICENSE_SHEET_H
#define RULES_LICENSE_SHEET_H

#include <stdint.h>

#include "base/check.h"
#include "rules/csv_reader.h"
#include "rules/license.h"

struct license_sheet {
	size_t count;
	char names[CSV_READER_CELLS][64];
	int offset_min; /* of the clock that days are meant in */
};

/* From the first record. */
MUST_CHECK int license_sheet_head(struct license_sheet *sheet,
	const struct csv_record *record, struct field_error *error);
/* What the line says of a license; its tenant is `tenant` when the line names none. Id, key, password
 * and times are the caller's. */
MUST_CHECK int license_sheet_line(const struct license_sheet *sheet,
	const struct csv_record *record, const char *tenant, struct license *ret,
	struct field_error *error);
/* The same for two lines that ask for the same license. */
MUST_CHECK int license_sheet_digest(const struct license_sheet *sheet,
	const struct csv_record *record, uint64_t *ret);

#endif
