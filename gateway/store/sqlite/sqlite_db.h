/* sqlite_db: one connection to the database file and its prepared statements.
 *
 * Thread: the one that owns the connection. Errors: SQLite's codes as -REASON_* (DISK_FULL,
 * STATE_DAMAGED, STORE_UNAVAILABLE, FILE_UNREADABLE, FILE_UNWRITABLE, NO_MEMORY, INTERNAL).
 */
#ifndef SQLITE_SQLITE_DB_H
#define SQLITE_SQLITE_DB_H

#include <sqlite3.h>
#include <stdint.h>

#include "base/check.h"

enum sqlite_sql {
#define S(name, sql) SQL_##name,
#include "store/sqlite/sqlite_sql.def"
#undef S
	SQL_COUNT
};

enum sqlite_db_use { SQLITE_DB_WRITE, SQLITE_DB_READ };

struct sqlite_db {
	sqlite3 *handle;
	sqlite3_stmt *statements[SQL_COUNT];
};

/* Opens and sets what every connection needs; creates the file when `use` is to write. */
MUST_CHECK int sqlite_db_open(const char *path, enum sqlite_db_use use,
	struct sqlite_db *ret);
/* Accepts one that was never opened (all zero). */
void sqlite_db_close(struct sqlite_db *db);

/* What a result of sqlite3_* means to us; 0 for SQLITE_OK, _ROW, _DONE. */
int sqlite_db_reason(struct sqlite_db *db, int result);
/* The library's own words about the last error. */
const char *sqlite_db_text(const struct sqlite_db *db);

/* Runs statements that are no part of sqlite_sql.def. */
MUST_CHECK int sqlite_db_exec(struct sqlite_db *db, const char *sql);
/* The first number of a statement's first row. */
MUST_CHECK int sqlite_db_number(struct sqlite_db *db, const char *sql, int64_t *ret);

/* A prepared statement with its parameters bound from ?1 on, by one letter each: i int64_t, u
 * uint64_t, t const char * (NULL is NULL), h 32 bytes. What is bound must outlive the steps. */
MUST_CHECK int sqlite_db_bind(struct sqlite_db *db, enum sqlite_sql sql,
	sqlite3_stmt **ret, const char *letters, ...);
/* 1: a row is there. 0: no more. */
MUST_CHECK int sqlite_db_step(struct sqlite_db *db, sqlite3_stmt *statement);
/* Gives the statement back. */
void sqlite_db_done(sqlite3_stmt *statement);
/* Bind, step to the end, done. */
MUST_CHECK int sqlite_db_run(struct sqlite_db *db, enum sqlite_sql sql,
	const char *letters, ...);

#endif
