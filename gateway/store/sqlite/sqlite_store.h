/* sqlite_store: a whole store in one SQLite file ("sqlite:PATH"), for one node.
 *
 *   PATH        the database (mode 0600; PATH-wal and PATH-shm while it is open)
 *   PATH.lock   held (flock) while a process may write
 *
 * Three threads, each with a connection of its own: the writer (all changes, one transaction for
 * all that waits), the reader (docs and pages of rows), the auditor (verify).
 * Thread: as store_open.h. Errors: as there.
 */
#ifndef SQLITE_SQLITE_STORE_H
#define SQLITE_SQLITE_STORE_H

#include "base/check.h"
#include "store/store_open.h"

MUST_CHECK int sqlite_store_open(const char *path, const char *node, struct store **ret,
	char error[static STORE_ERROR]);
/* Beside a running gateway, or without one: no lock, no writer. */
MUST_CHECK int sqlite_store_open_reader(const char *path, struct store **ret,
	char error[static STORE_ERROR]);
/* The same, standing still: store_open.h. */
MUST_CHECK int sqlite_store_open_snapshot(const char *path, struct store **ret,
	char error[static STORE_ERROR]);

#endif
