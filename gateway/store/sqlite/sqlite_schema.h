/* sqlite_schema: the tables, their version, and the way from each version to the next.
 *
 * The file carries application_id SQLITE_SCHEMA_APP and user_version; the table `migration` says
 * when which version was reached by which program. Going back is not possible: a newer file is
 * refused by an older program.
 * Thread: main, at open.
 */
#ifndef SQLITE_SQLITE_SCHEMA_H
#define SQLITE_SQLITE_SCHEMA_H

#include "base/check.h"
#include "store/sqlite/sqlite_db.h"
#include "store/store_open.h"

#define SQLITE_SCHEMA_APP 0x456e6761 /* "Enga" */

/* Creates or migrates, all or nothing. -REASON_STATE_DAMAGED (another program's file),
 * -REASON_VERSION (a newer one's), or what sqlite_db says. */
MUST_CHECK int sqlite_schema_apply(struct sqlite_db *db, char error[static STORE_ERROR]);
/* Only looks whether it is ours and at this version. */
MUST_CHECK int sqlite_schema_check(struct sqlite_db *db, char error[static STORE_ERROR]);

#endif
