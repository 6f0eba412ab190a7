/* api_license_import: licenses from a table (rules/license_sheet.h): POST text/csv, at most 16 MiB.
 *
 *   ?take=all (default)  any line that is wrong: nothing is made
 *   ?take=good           the good lines are made, the others told
 *   ?dry_run=1           nothing is made in any case
 *   ?tenant=             of lines that name none      ?offset=+09:00   the clock that days are meant in
 *
 * The answer is a stream of JSON objects, one per line: {"line","field","code","message"} for each line
 * that is wrong, in their order; then, after all lines were looked at, {"line","id","key","password"}
 * for each that was made; at last {"done","refused","good","applied"}.
 * Thread: office threads; as long answers it takes one of `streams`.
 */
#ifndef ADMIN_API_LICENSE_IMPORT_H
#define ADMIN_API_LICENSE_IMPORT_H

#include "http/exchange.h"

void api_license_import(void *admin, struct exchange *exchange);

#endif
