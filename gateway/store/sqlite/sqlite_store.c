#include "store/sqlite/sqlite_store.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/reason.h"
#include "store/memory/memory_bus.h"
#include "store/sqlite/sqlite_journal.h"
#include "store/sqlite/sqlite_schema.h"
#include "store/sqlite/sqlite_state.h"
#include "store/sqlite/sqlite_thread.h"

/* Up to this size every page is checked at open (a quarter of a second); beyond it a restart must not
 * wait for that, and pages are checked as they are read. */
#define CHECK_ALL_MAX (64 * 1024 * 1024)

struct sqlite_store {
	struct store store; /* first: store * is sqlite_store * */
	int lock;           /* descriptor, -1: none */
	char *path;
	struct sqlite_thread *writer, *reader, *auditor;
};

static int say(int r, char error[static STORE_ERROR], const char *path, const char *what)
{
	snprintf(error, STORE_ERROR, "%.150s: %.90s", path, what);
	return r;
}

static int say_errno(int fallback, char error[static STORE_ERROR], const char *path)
{
	int r = errno == ENOSPC || errno == EDQUOT ? -REASON_DISK_FULL : fallback;
	return say(r, error, path, strerrordesc_np(errno));
}

static int take_lock(struct sqlite_store *store, const char *path,
	char error[static STORE_ERROR])
{
	char name[4096];
	if (snprintf(name, sizeof(name), "%s.lock", path) >= (int)sizeof(name))
		return say(-REASON_CONFIG, error, path, "the path is too long");
	store->lock = open(name, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (store->lock < 0)
		return say_errno(-REASON_FILE_UNWRITABLE, error, name);
	if (flock(store->lock, LOCK_EX | LOCK_NB))
		return say(-REASON_ALREADY_RUNNING, error, path,
			"another process has this store open");
	return 0;
}

/* Made by us before SQLite sees it, so that it was never open to others; SQLite gives its -wal and
 * -shm the mode of the main file. */
static int make_private(const char *path, int64_t *ret_size,
	char error[static STORE_ERROR])
{
	struct stat st;
	int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	if (fd < 0)
		return say_errno(errno == EACCES || errno == EISDIR
					 ? -REASON_FILE_UNREADABLE
					 : -REASON_FILE_UNWRITABLE,
			error, path);
	int bad = fstat(fd, &st) || ((st.st_mode & 077) && fchmod(fd, 0600));
	int r = bad ? say_errno(-REASON_FILE_UNWRITABLE, error, path) : 0;
	close(fd);
	if (r == 0)
		*ret_size = st.st_size;
	return r;
}

static int check_pages(struct sqlite_db *db, const char *path,
	char error[static STORE_ERROR])
{
	sqlite3_stmt *check;
	int r = sqlite_db_reason(db, sqlite3_prepare_v2(db->handle,
					     "PRAGMA quick_check(1)", -1, &check, NULL));
	if (r)
		return say(r, error, path, sqlite_db_text(db));
	r = sqlite_db_step(db, check);
	const char *found = r > 0 ? (const char *)sqlite3_column_text(check, 0) : NULL;
	if (r < 0)
		say(r, error, path, sqlite_db_text(db));
	else if (!found || strcmp(found, "ok"))
		r = say(-REASON_STATE_DAMAGED, error, path,
			found ? found : "cannot be checked");
	else
		r = 0;
	sqlite3_finalize(check);
	return r;
}

static int prepare(struct sqlite_db *db, int64_t size, const char *path,
	char error[static STORE_ERROR])
{
	int r = sqlite_schema_apply(db, error);
	if (r)
		return r;
	r = sqlite_db_exec(db, "PRAGMA journal_mode=WAL");
	if (r)
		return say(r, error, path, sqlite_db_text(db));
	if (size && size <= CHECK_ALL_MAX)
		r = check_pages(db, path, error);
	if (r)
		return r;
	r = sqlite_journal_chain_end(db);
	if (r == -REASON_STATE_DAMAGED)
		return say(r, error, path,
			"rows were added behind the gateway's back: engawactl audit "
			"verify names them");
	return r ? say(r, error, path, sqlite_db_text(db)) : 0;
}

static int open_connection(const char *path, enum sqlite_db_use use,
	struct sqlite_db *ret, char error[static STORE_ERROR])
{
	int r = sqlite_db_open(path, use, ret);
	if (r == 0)
		return 0;
	say(r, error, path, sqlite_db_text(ret));
	sqlite_db_close(ret);
	return r;
}

enum moment { MOMENT_EACH, MOMENT_ONE };

/* MOMENT_ONE: a read transaction that lasts as long as the connection. */
static int start_thread(const char *path, const char *name, enum moment moment,
	struct sqlite_thread **ret, char error[static STORE_ERROR])
{
	struct sqlite_db db;
	int64_t tables;
	int r = open_connection(path, SQLITE_DB_READ, &db, error);
	if (r)
		return r;
	if (moment == MOMENT_ONE) {
		r = sqlite_db_exec(&db, "BEGIN");
		/* It begins with the first look. */
		if (r == 0)
			r = sqlite_db_number(&db, "SELECT count(*) FROM sqlite_schema",
				&tables);
		if (r) {
			say(r, error, path, sqlite_db_text(&db));
			sqlite_db_close(&db);
			return r;
		}
	}
	r = sqlite_thread_new(name, SQLITE_DB_READ, &db, ret);
	return r ? say(r, error, path, reason_text(r, REASON_EN)) : 0;
}

static int start_writer(struct sqlite_store *store, struct sqlite_db *db,
	const char *path, const char *node, char error[static STORE_ERROR])
{
	int r = sqlite_state_new(db, &store->store.state);
	if (r)
		say(r, error, path, sqlite_db_text(db));
	if (r == 0) {
		r = sqlite_journal_new(node, &store->store.journal);
		if (r)
			say(r, error, path, reason_text(r, REASON_EN));
	}
	if (r) {
		sqlite_db_close(db);
		return r;
	}
	sqlite_journal_watch(store->store.journal, db);
	r = sqlite_thread_new("store-write", SQLITE_DB_WRITE, db, &store->writer);
	return r ? say(r, error, path, reason_text(r, REASON_EN)) : 0;
}

static void store_free(struct store *base)
{
	struct sqlite_store *store = (struct sqlite_store *)base;
	store->auditor = sqlite_thread_free(store->auditor);
	store->reader = sqlite_thread_free(store->reader);
	/* The last connection: it moves the WAL into the file and removes it. */
	store->writer = sqlite_thread_free(store->writer);
	memory_bus_free(store->store.bus);
	sqlite_journal_free(store->store.journal);
	sqlite_state_free(store->store.state);
	if (store->lock >= 0)
		close(store->lock);
	free(store->path);
	free(store);
}

static int start_readers(struct sqlite_store *store, const char *path, enum moment moment,
	char error[static STORE_ERROR])
{
	int r = start_thread(path, "store-read", moment, &store->reader, error);
	if (r == 0)
		r = start_thread(path, "store-audit", MOMENT_EACH, &store->auditor,
			error);
	if (r)
		return r;
	sqlite_state_serve(store->store.state, store->writer, store->reader);
	sqlite_journal_serve(store->store.journal, store->writer, store->reader,
		store->auditor);
	r = memory_bus_new(&store->store.bus);
	return r ? say(r, error, path, reason_text(r, REASON_EN)) : 0;
}

/* By a connection of its own, on the caller's thread. What was deleted is overwritten in the database
 * (secure_delete); the log still has it until it is emptied. */
static int scrub(struct store *base)
{
	struct sqlite_store *store = (struct sqlite_store *)base;
	struct sqlite_db db;
	int64_t busy = 1;
	int r = sqlite_db_open(store->path, SQLITE_DB_WRITE, &db);
	/* Others may be reading in it at this moment. */
	for (int tries = 0; tries < 100 && r == 0 && busy; tries++) {
		r = sqlite_db_number(&db, "PRAGMA wal_checkpoint(TRUNCATE)", &busy);
		if (r == 0 && busy)
			usleep(100000);
	}
	sqlite_db_close(&db);
	return r ? r : busy ? -REASON_BUSY : 0;
}

static int store_new(struct sqlite_store **ret, char error[static STORE_ERROR])
{
	struct sqlite_store *store = calloc(1, sizeof(*store));
	if (!store) {
		snprintf(error, STORE_ERROR, "%s",
			reason_text(REASON_NO_MEMORY, REASON_EN));
		return -REASON_NO_MEMORY;
	}
	store->store.close = store_free;
	store->lock = -1;
	*ret = store;
	return 0;
}

static int open_for_writing(struct sqlite_store *store, const char *path,
	const char *node, char error[static STORE_ERROR])
{
	struct sqlite_db db;
	int64_t size;
	int r = take_lock(store, path, error);
	if (r == 0)
		r = make_private(path, &size, error);
	if (r == 0)
		r = open_connection(path, SQLITE_DB_WRITE, &db, error);
	if (r)
		return r;
	r = prepare(&db, size, path, error);
	if (r) {
		sqlite_db_close(&db);
		return r;
	}
	r = start_writer(store, &db, path, node, error);
	if (r == 0) {
		store->path = strdup(path);
		store->store.scrub = store->path ? scrub : NULL;
	}
	return r ? r : start_readers(store, path, MOMENT_EACH, error);
}

int sqlite_store_open(const char *path, const char *node, struct store **ret,
	char error[static STORE_ERROR])
{
	struct sqlite_store *store;
	int r = store_new(&store, error);
	if (r)
		return r;
	r = open_for_writing(store, path, node, error);
	if (r)
		store_free(&store->store);
	else
		*ret = &store->store;
	return r;
}

static int open_for_reading(struct sqlite_store *store, const char *path,
	enum moment moment, char error[static STORE_ERROR])
{
	struct sqlite_db db;
	int r = open_connection(path, SQLITE_DB_READ, &db, error);
	if (r)
		return r;
	r = sqlite_schema_check(&db, error);
	sqlite_db_close(&db);
	if (r)
		return r;
	r = sqlite_state_new(NULL, &store->store.state);
	if (r == 0)
		r = sqlite_journal_new(NULL, &store->store.journal);
	if (r)
		return say(r, error, path, reason_text(r, REASON_EN));
	return start_readers(store, path, moment, error);
}

static int open_reader(const char *path, enum moment moment, struct store **ret,
	char error[static STORE_ERROR])
{
	struct sqlite_store *store;
	int r = store_new(&store, error);
	if (r)
		return r;
	r = open_for_reading(store, path, moment, error);
	if (r)
		store_free(&store->store);
	else
		*ret = &store->store;
	return r;
}

int sqlite_store_open_reader(const char *path, struct store **ret,
	char error[static STORE_ERROR])
{
	return open_reader(path, MOMENT_EACH, ret, error);
}

int sqlite_store_open_snapshot(const char *path, struct store **ret,
	char error[static STORE_ERROR])
{
	return open_reader(path, MOMENT_ONE, ret, error);
}
