#include "store/sqlite/sqlite_schema.h"

#include <inttypes.h>
#include <stdio.h>

#include "base/clock.h"
#include "base/reason.h"

/* steps[i] leads from version FIRST + i - 1 (or from nothing) to FIRST + i. Version 1 had another chain of
 * rows and no stubs. STRICT: a cell that somebody changed to another type is
 * refused by the library itself. */
static const char *const steps[] = {
	"CREATE TABLE migration(version INTEGER PRIMARY KEY, at_ms INTEGER NOT NULL,"
	" program TEXT NOT NULL) STRICT;"
	"CREATE TABLE number(name TEXT PRIMARY KEY, value INTEGER NOT NULL) STRICT, "
	"WITHOUT ROWID;"
	"CREATE TABLE doc(kind INTEGER NOT NULL, id TEXT NOT NULL, tenant TEXT NOT NULL,"
	" version INTEGER NOT NULL, body TEXT NOT NULL) STRICT;"
	"CREATE UNIQUE INDEX doc_id ON doc(kind, id);"
	"CREATE INDEX doc_tenant ON doc(kind, tenant, id);"
	"CREATE TABLE journal(seq INTEGER PRIMARY KEY, kind INTEGER NOT NULL, tenant "
	"TEXT NOT NULL,"
	" license TEXT NOT NULL, at_ms INTEGER NOT NULL, node TEXT NOT NULL, body TEXT "
	"NOT NULL,"
	" hash BLOB NOT NULL) STRICT;"
	"CREATE INDEX journal_kind ON journal(kind);"
	"CREATE INDEX journal_tenant ON journal(kind, tenant);"
	"CREATE INDEX journal_license ON journal(kind, license);"
	"CREATE TABLE journal_stub(seq INTEGER PRIMARY KEY, kind INTEGER NOT NULL,"
	" at_ms INTEGER NOT NULL, rest BLOB NOT NULL, hash BLOB NOT NULL) STRICT;"
	"CREATE TABLE journal_count(name TEXT PRIMARY KEY, value INTEGER NOT NULL)"
	" STRICT, WITHOUT ROWID;"
	"CREATE TABLE journal_mark(name TEXT PRIMARY KEY, seq INTEGER NOT NULL,"
	" hash BLOB NOT NULL) STRICT, WITHOUT ROWID;"
	"INSERT INTO journal_mark VALUES('anchor', 0, zeroblob(32)), ('head', 0, "
	"zeroblob(32));"
	"CREATE TABLE journal_hour(hour INTEGER PRIMARY KEY, first_seq INTEGER NOT NULL,"
	" last_seq INTEGER NOT NULL) STRICT;",
	"CREATE TABLE journal_ended(seq INTEGER PRIMARY KEY, series TEXT NOT NULL UNIQUE)"
	" STRICT;",
};

#define FIRST 2
#define VERSION (FIRST - 1 + (int64_t)ARRAY_LEN(steps))

static int refuse(int reason, char error[static STORE_ERROR], const char *text)
{
	snprintf(error, STORE_ERROR, "%s", text);
	return reason;
}

static int read_state(struct sqlite_db *db, int64_t *ret_version,
	char error[static STORE_ERROR])
{
	int64_t app, version, tables;
	int r = sqlite_db_number(db, "PRAGMA application_id", &app);
	if (r == 0)
		r = sqlite_db_number(db, "PRAGMA user_version", &version);
	if (r == 0)
		r = sqlite_db_number(db, "SELECT count(*) FROM sqlite_schema", &tables);
	if (r)
		return refuse(r, error, sqlite_db_text(db));
	int fresh = app == 0 && version == 0 && tables == 0;
	if (!fresh && app != SQLITE_SCHEMA_APP)
		return refuse(-REASON_STATE_DAMAGED, error,
			"the file is not a store of Engawa");
	if (!fresh && version < FIRST)
		return refuse(-REASON_VERSION, error,
			"the store has an older form of the journal that is not read any "
			"more: move the file away, start with a new one and import the "
			"licenses again");
	if (version > VERSION)
		return refuse(-REASON_VERSION, error,
			"the store was written by a newer version of Engawa");
	*ret_version = version;
	return 0;
}

static int step(struct sqlite_db *db, int64_t to)
{
	char sql[256];
	snprintf(sql, sizeof(sql),
		"INSERT INTO migration VALUES(%" PRId64 ", %" PRId64 ", '" ENGAWA_VERSION
		"');"
		"PRAGMA application_id=%d; PRAGMA user_version=%" PRId64 ";",
		to, clock_wall_ms(), SQLITE_SCHEMA_APP, to);
	int r = sqlite_db_exec(db, steps[to - FIRST]);
	return r ? r : sqlite_db_exec(db, sql);
}

int sqlite_schema_apply(struct sqlite_db *db, char error[static STORE_ERROR])
{
	int64_t version;
	int r = read_state(db, &version, error);
	if (r || version == VERSION)
		return r;
	r = sqlite_db_exec(db, "BEGIN IMMEDIATE");
	for (int64_t to = version ? version + 1 : FIRST; to <= VERSION && r == 0; to++)
		r = step(db, to);
	if (r == 0)
		r = sqlite_db_exec(db, "COMMIT");
	if (r) {
		refuse(r, error, sqlite_db_text(db));
		if (!sqlite3_get_autocommit(db->handle) && sqlite_db_exec(db, "ROLLBACK"))
			CHECK(sqlite3_get_autocommit(db->handle));
	}
	return r;
}

int sqlite_schema_check(struct sqlite_db *db, char error[static STORE_ERROR])
{
	int64_t version;
	int r = read_state(db, &version, error);
	if (r == 0 && version != VERSION)
		r = refuse(-REASON_VERSION, error,
			"the store was written by an older version of Engawa: start the "
			"gateway once");
	return r;
}
