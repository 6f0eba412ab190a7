#include "store/sqlite/sqlite_db.h"

#include <errno.h>
#include <stdarg.h>

#include "base/reason.h"

#define BUSY_MS 5000

static const char *const texts[] = {
#define S(name, sql) sql,
#include "store/sqlite/sqlite_sql.def"
#undef S
};

/* Durable when COMMIT returns (FULL); what is deleted is overwritten (personal data that was purged
 * must not wait in free pages); a damaged cell is found when its page is read. */
static const char settings[] = "PRAGMA synchronous=FULL;"
			       "PRAGMA secure_delete=ON;"
			       "PRAGMA cell_size_check=ON;"
			       "PRAGMA trusted_schema=OFF;"
			       "PRAGMA temp_store=MEMORY;"
			       "PRAGMA journal_size_limit=67108864;"
			       "PRAGMA cache_size=-16384;";

static int is_full(int error)
{
	return error == ENOSPC || error == EDQUOT || error == EFBIG;
}

/* SQLite calls only ENOSPC full; a quota or a limit on file sizes is an I/O error to it. */
static int io_reason(struct sqlite_db *db)
{
	sqlite3_file *wal = NULL;
	int main_error = 0, wal_error = 0;
	if (!db->handle)
		return -REASON_STORE_UNAVAILABLE;
	sqlite3_file_control(db->handle, "main", SQLITE_FCNTL_LAST_ERRNO, &main_error);
	sqlite3_file_control(db->handle, "main", SQLITE_FCNTL_JOURNAL_POINTER, &wal);
	if (wal && wal->pMethods)
		wal->pMethods->xFileControl(wal, SQLITE_FCNTL_LAST_ERRNO, &wal_error);
	return is_full(main_error) || is_full(wal_error) ? -REASON_DISK_FULL
							 : -REASON_STORE_UNAVAILABLE;
}

int sqlite_db_reason(struct sqlite_db *db, int result)
{
	switch (result & 0xff) {
	case SQLITE_OK:
	case SQLITE_ROW:
	case SQLITE_DONE:
		return 0;
	case SQLITE_FULL:
		return -REASON_DISK_FULL;
	case SQLITE_IOERR:
		return io_reason(db);
	case SQLITE_BUSY:
	case SQLITE_LOCKED:
	case SQLITE_PROTOCOL:
		return -REASON_STORE_UNAVAILABLE;
	case SQLITE_CORRUPT:
	case SQLITE_NOTADB:
	case SQLITE_CONSTRAINT: /* a row is where only we write, and we did not */
		return -REASON_STATE_DAMAGED;
	case SQLITE_CANTOPEN:
		return -REASON_FILE_UNREADABLE;
	case SQLITE_PERM:
	case SQLITE_READONLY:
	case SQLITE_AUTH:
		return -REASON_FILE_UNWRITABLE;
	case SQLITE_NOMEM:
		return -REASON_NO_MEMORY;
	default:
		return -REASON_INTERNAL;
	}
}

const char *sqlite_db_text(const struct sqlite_db *db)
{
	return db->handle ? sqlite3_errmsg(db->handle) : "not open";
}

int sqlite_db_open(const char *path, enum sqlite_db_use use, struct sqlite_db *ret)
{
	int flags = SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_PRIVATECACHE |
		    (use == SQLITE_DB_WRITE ? SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE
					    : SQLITE_OPEN_READONLY);
	*ret = (struct sqlite_db){0};
	int r = sqlite_db_reason(ret, sqlite3_open_v2(path, &ret->handle, flags, NULL));
	if (r)
		return r;
	sqlite3_extended_result_codes(ret->handle, 1);
	sqlite3_busy_timeout(ret->handle, BUSY_MS);
	sqlite3_db_config(ret->handle, SQLITE_DBCONFIG_DEFENSIVE, 1, NULL);
	return sqlite_db_exec(ret, settings);
}

void sqlite_db_close(struct sqlite_db *db)
{
	for (size_t i = 0; i < SQL_COUNT; i++)
		sqlite3_finalize(db->statements[i]);
	CHECK(sqlite3_close(db->handle) == SQLITE_OK);
	*db = (struct sqlite_db){0};
}

int sqlite_db_exec(struct sqlite_db *db, const char *sql)
{
	return sqlite_db_reason(db, sqlite3_exec(db->handle, sql, NULL, NULL, NULL));
}

int sqlite_db_number(struct sqlite_db *db, const char *sql, int64_t *ret)
{
	sqlite3_stmt *statement;
	int r = sqlite_db_reason(db,
		sqlite3_prepare_v2(db->handle, sql, -1, &statement, NULL));
	if (r)
		return r;
	r = sqlite_db_step(db, statement);
	if (r > 0)
		*ret = sqlite3_column_int64(statement, 0);
	sqlite3_finalize(statement);
	return r > 0 ? 0 : r < 0 ? r : -REASON_NOT_FOUND;
}

static int bind_one(sqlite3_stmt *statement, int at, char letter, va_list *values)
{
	switch (letter) {
	case 'i':
		return sqlite3_bind_int64(statement, at, va_arg(*values, int64_t));
	case 'u':
		return sqlite3_bind_int64(statement, at,
			(int64_t)va_arg(*values, uint64_t));
	case 't':
		return sqlite3_bind_text(statement, at, va_arg(*values, const char *), -1,
			SQLITE_STATIC);
	case 'h':
		return sqlite3_bind_blob(statement, at, va_arg(*values, const void *), 32,
			SQLITE_STATIC);
	default:
		return SQLITE_MISUSE;
	}
}

static int bind_all(struct sqlite_db *db, enum sqlite_sql sql, sqlite3_stmt **ret,
	const char *letters, va_list *values)
{
	sqlite3_stmt **slot = &db->statements[sql];
	int result = SQLITE_OK;
	if (!*slot)
		result = sqlite3_prepare_v3(db->handle, texts[sql], -1,
			SQLITE_PREPARE_PERSISTENT, slot, NULL);
	for (int at = 1; result == SQLITE_OK && letters[at - 1]; at++)
		result = bind_one(*slot, at, letters[at - 1], values);
	if (result == SQLITE_OK)
		*ret = *slot;
	return sqlite_db_reason(db, result);
}

int sqlite_db_bind(struct sqlite_db *db, enum sqlite_sql sql, sqlite3_stmt **ret,
	const char *letters, ...)
{
	va_list values;
	va_start(values, letters);
	int r = bind_all(db, sql, ret, letters, &values);
	va_end(values);
	return r;
}

int sqlite_db_step(struct sqlite_db *db, sqlite3_stmt *statement)
{
	int result = sqlite3_step(statement);
	return result == SQLITE_ROW ? 1 : sqlite_db_reason(db, result);
}

void sqlite_db_done(sqlite3_stmt *statement)
{
	sqlite3_reset(statement);
	sqlite3_clear_bindings(statement);
}

int sqlite_db_run(struct sqlite_db *db, enum sqlite_sql sql, const char *letters, ...)
{
	sqlite3_stmt *statement;
	va_list values;
	va_start(values, letters);
	int r = bind_all(db, sql, &statement, letters, &values);
	va_end(values);
	if (r)
		return r;
	do
		r = sqlite_db_step(db, statement);
	while (r > 0);
	sqlite_db_done(statement);
	return r;
}
