/* What only a store in a file can suffer: other hands in it, a full disk, a second process. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <fcntl.h>
#include <signal.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/reason.h"
#include "store/journal_chain.h"
#include "store/store_open.h"
#include "store/store_wait.h"

struct world {
	char dir[64], path[80], address[96], error[STORE_ERROR];
	struct store *store;
};

static int set_up(void **state)
{
	struct world *world = calloc(1, sizeof(*world));
	snprintf(world->dir, sizeof(world->dir), "/tmp/engawa-sqlite-XXXXXX");
	assert_non_null(mkdtemp(world->dir));
	snprintf(world->path, sizeof(world->path), "%s/db", world->dir);
	snprintf(world->address, sizeof(world->address), "sqlite:%s", world->path);
	*state = world;
	return 0;
}

static int tear_down(void **state)
{
	struct world *world = *state;
	static const char *const ends[] = {
		"", "-wal", "-shm", "-journal", ".lock", ".copy"};
	store_close(world->store);
	for (size_t i = 0; i < ARRAY_LEN(ends); i++) {
		char path[96];
		snprintf(path, sizeof(path), "%s%s", world->path, ends[i]);
		unlink(path);
	}
	assert_int_equal(rmdir(world->dir), 0);
	free(world);
	return 0;
}

static int try_open(struct world *world)
{
	world->error[0] = 0;
	return store_open(world->address, "node-1", &world->store, world->error);
}

static void open_store(struct world *world)
{
	int r = try_open(world);
	if (r)
		fail_msg("%s: %s", reason_symbol(r), world->error);
}

static void close_store(struct world *world)
{
	world->store = store_close(world->store);
}

static int append(struct world *world, int from, int count, const char *text)
{
	struct journal_row rows[100];
	static char bodies[100][2000];
	assert_true(count <= 100);
	for (int i = 0; i < count; i++) {
		snprintf(bodies[i], sizeof(bodies[i]), "{\"i\":%d,\"text\":\"%s\"}",
			from + i, text);
		rows[i] =
			(struct journal_row){.kind = (enum journal_kind)((from + i) % 4),
				.tenant = "acme",
				.license = "lic_a",
				.at_ms = 1700000000000 + (from + i) * INT64_C(60000),
				.body = bodies[i]};
	}
	return store_wait_append(world->store->journal, rows, (size_t)count);
}

static void make(struct world *world, int rows)
{
	open_store(world);
	for (int i = 0; i < rows; i += 100)
		assert_int_equal(append(world, i, 100, "x"), 0);
	close_store(world);
}

static sqlite3 *open_behind(struct world *world)
{
	sqlite3 *db;
	assert_int_equal(sqlite3_open(world->path, &db), SQLITE_OK);
	sqlite3_busy_timeout(db, 5000);
	return db;
}

static void edit(sqlite3 *db, const char *sql)
{
	char *error = NULL;
	if (sqlite3_exec(db, sql, NULL, NULL, &error))
		fail_msg("%s: %s", sql, error);
}

static void edit_behind(struct world *world, const char *sql)
{
	sqlite3 *db = open_behind(world);
	edit(db, sql);
	sqlite3_close(db);
}

static void test_only_we_may_read_the_file(void **state)
{
	struct world *world = *state;
	struct stat st;
	static const char *const ends[] = {"", "-wal", "-shm", ".lock"};
	umask(0);
	close(open(world->path, O_CREAT | O_WRONLY, 0644));
	open_store(world);
	assert_int_equal(append(world, 0, 1, "x"), 0);
	for (size_t i = 0; i < ARRAY_LEN(ends); i++) {
		char path[96];
		snprintf(path, sizeof(path), "%s%s", world->path, ends[i]);
		assert_int_equal(stat(path, &st), 0);
		assert_int_equal(st.st_mode & 0777, 0600);
	}
}

static void test_one_process_writes_others_look(void **state)
{
	struct world *world = *state;
	struct store *second, *reader;
	char error[STORE_ERROR];
	open_store(world);
	assert_int_equal(append(world, 0, 10, "x"), 0);
	assert_int_equal(store_open(world->address, "node-1", &second, error),
		-REASON_ALREADY_RUNNING);
	assert_non_null(strstr(error, world->path));
	assert_int_equal(store_open_reader(world->address, &reader, error), 0);
	struct store_rows verdict = {0};
	assert_int_equal(store_wait_verify(reader->journal, NULL, 0, &verdict), 0);
	assert_int_equal(verdict.checked, 10);
	assert_null(verdict.fault);
	struct state_doc doc = {STATE_META, "a", "", 0, "{}"};
	struct store_docs docs = {0};
	assert_int_equal(store_wait_put(reader->state, &doc, NULL), -REASON_FORBIDDEN);
	assert_int_equal(store_wait_claim(reader->state, "l", "s", "h", 1, NULL),
		-REASON_FORBIDDEN);
	assert_int_equal(store_wait_locate(reader->state, "l", &docs), -REASON_FORBIDDEN);
	assert_int_equal(store_wait_purge(reader->journal,
				 &(struct journal_purge){.count = 0}, NULL),
		-REASON_FORBIDDEN);
	assert_int_equal(store_wait_put(world->store->state, &doc, NULL), 0);
	assert_int_equal(store_wait_get(reader->state, STATE_META, "a", &docs), 0);
	store_docs_free(&docs);
	store_close(reader);
	close_store(world);
	open_store(world);
}

static void test_addresses_are_checked(void **state)
{
	struct world *world = *state;
	static const char *const wrong[] = {
		"", "sqlite:", "mysql:x", "memory", "/var/lib/x"};
	for (size_t i = 0; i < ARRAY_LEN(wrong); i++) {
		assert_int_equal(store_open(wrong[i], "n", &world->store, world->error),
			-REASON_CONFIG);
		assert_non_null(strstr(world->error, wrong[i]));
	}
	assert_int_equal(store_open("sqlite:/nonexistent/db", "n", &world->store,
				 world->error),
		-REASON_FILE_UNWRITABLE);
	assert_int_equal(store_open_reader(world->address, &world->store, world->error),
		-REASON_FILE_UNREADABLE);
	snprintf(world->address, sizeof(world->address), "sqlite:%s", world->dir);
	assert_int_equal(try_open(world), -REASON_FILE_UNREADABLE);
	char lock[96];
	snprintf(lock, sizeof(lock), "%s.lock", world->dir);
	unlink(lock);
}

/* Overwrites `len` bytes of the file with nonsense. */
static void scribble(struct world *world, off_t at, size_t len)
{
	int fd = open(world->path, O_RDWR);
	char *junk = malloc(len);
	memset(junk, 0xa5, len);
	assert_int_equal(pwrite(fd, junk, len, at), len);
	free(junk);
	close(fd);
}

static void test_damage_is_found_at_open(void **state)
{
	struct world *world = *state;
	struct stat st;
	for (int kind = 0; kind < 5; kind++) {
		make(world, 500);
		assert_int_equal(stat(world->path, &st), 0);
		if (kind == 0)
			scribble(world, 0, 100);
		else if (kind == 1)
			scribble(world, 4096, 200);
		else if (kind == 2)
			scribble(world, st.st_size / 2 / 4096 * 4096, 4096);
		else if (kind == 3)
			assert_int_equal(truncate(world->path, st.st_size / 2), 0);
		else
			assert_int_equal(truncate(world->path, 700), 0);
		assert_int_equal(try_open(world), -REASON_STATE_DAMAGED);
		assert_non_null(strstr(world->error, world->path));
		unlink(world->path);
	}
	/* Somebody else's database, and one from the future. */
	edit_behind(world, "CREATE TABLE t(a)");
	assert_int_equal(try_open(world), -REASON_STATE_DAMAGED);
	unlink(world->path);
	make(world, 100);
	edit_behind(world, "PRAGMA user_version=99");
	assert_int_equal(try_open(world), -REASON_VERSION);
	assert_int_equal(store_open_reader(world->address, &world->store, world->error),
		-REASON_VERSION);
}

static void expect_fault(struct world *world, uint64_t seq, const char *fault)
{
	struct store *reader;
	struct store_rows verdict = {0};
	assert_int_equal(store_open_reader(world->address, &reader, world->error), 0);
	assert_int_equal(store_wait_verify(reader->journal, NULL, 0, &verdict), 0);
	if (verdict.first_bad != seq ||
		(fault && (!verdict.fault || strcmp(fault, verdict.fault))))
		fail_msg("expected %s at %llu, got %s at %llu", fault,
			(unsigned long long)seq,
			verdict.fault ? verdict.fault : "nothing",
			(unsigned long long)verdict.first_bad);
	if (seq)
		assert_int_equal(verdict.checked + verdict.stubs, seq - 1);
	store_close(reader);
}

/* Hashes all rows anew, as who has the file but no key can. */
static void rechain(struct world *world)
{
	sqlite3 *db = open_behind(world);
	sqlite3_stmt *all, *set;
	uint8_t hash[JOURNAL_HASH] = {0};
	edit(db, "BEGIN");
	assert_int_equal(sqlite3_prepare_v2(db,
				 "SELECT seq, kind, tenant, license, at_ms, node, body "
				 "FROM journal ORDER BY seq",
				 -1, &all, NULL),
		SQLITE_OK);
	assert_int_equal(sqlite3_prepare_v2(db, "UPDATE journal SET hash=?1 WHERE seq=?2",
				 -1, &set, NULL),
		SQLITE_OK);
	while (sqlite3_step(all) == SQLITE_ROW) {
		struct journal_row row = {.seq = (uint64_t)sqlite3_column_int64(all, 0),
			.kind = (enum journal_kind)sqlite3_column_int(all, 1),
			.tenant = (const char *)sqlite3_column_text(all, 2),
			.license = (const char *)sqlite3_column_text(all, 3),
			.at_ms = sqlite3_column_int64(all, 4),
			.node = (const char *)sqlite3_column_text(all, 5),
			.body = (const char *)sqlite3_column_text(all, 6)};
		assert_int_equal(journal_chain_hash(hash, &row, hash), 0);
		sqlite3_bind_blob(set, 1, hash, sizeof(hash), SQLITE_STATIC);
		sqlite3_bind_int64(set, 2, (int64_t)row.seq);
		assert_int_equal(sqlite3_step(set), SQLITE_DONE);
		sqlite3_reset(set);
	}
	sqlite3_finalize(all);
	assert_int_equal(sqlite3_prepare_v2(db,
				 "UPDATE journal_mark SET hash=?1 WHERE name='head'", -1,
				 &all, NULL),
		SQLITE_OK);
	sqlite3_bind_blob(all, 1, hash, sizeof(hash), SQLITE_STATIC);
	assert_int_equal(sqlite3_step(all), SQLITE_DONE);
	sqlite3_finalize(all);
	sqlite3_finalize(set);
	edit(db, "COMMIT");
	sqlite3_close(db);
}

#define ROWS 10000
#define MUTATIONS 400

/* What somebody with the file in his hands does to row $1 ($2: another one after it). */
static const struct mutation {
	const char *sql, *fault;
} mutations[] = {
	{"UPDATE journal SET body=replace(body,'x','y') WHERE seq=$1", "hash"},
	{"UPDATE journal SET body=body||' ' WHERE seq=$1", "hash"},
	{"UPDATE journal SET body='{}'||char(0)||'x' WHERE seq=$1", "hash"},
	{"UPDATE journal SET tenant='other' WHERE seq=$1", "hash"},
	{"UPDATE journal SET tenant='acm', license='elic_a' WHERE seq=$1", "hash"},
	{"UPDATE journal SET license='lic_b' WHERE seq=$1", "hash"},
	{"UPDATE journal SET at_ms=at_ms+1 WHERE seq=$1", "hash"},
	{"UPDATE journal SET kind=(kind+1)%4 WHERE seq=$1", "hash"},
	{"UPDATE journal SET kind=77 WHERE seq=$1", "hash"},
	{"UPDATE journal SET node='node-2' WHERE seq=$1", "hash"},
	{"UPDATE journal SET hash=zeroblob(32) WHERE seq=$1", "hash"},
	{"UPDATE journal SET hash=x'00' WHERE seq=$1", "hash"},
	{"DELETE FROM journal WHERE seq=$1", "gap"},
	{"DELETE FROM journal WHERE seq BETWEEN $1 AND $2", NULL},
	{"DELETE FROM journal WHERE seq>=$1", "missing tail"},
	{"DELETE FROM journal WHERE seq=$1; UPDATE journal SET seq=$1 WHERE seq=$2",
		"hash"},
	{"UPDATE journal SET seq=-1 WHERE seq=$1; UPDATE journal SET seq=$1 WHERE "
	 "seq=$2;"
	 "UPDATE journal SET seq=$2 WHERE seq=-1",
		"hash"},
	{"CREATE TEMP TABLE a AS SELECT * FROM journal WHERE seq IN ($1, $2);"
	 "UPDATE journal SET body=(SELECT body FROM a WHERE seq=$2) WHERE seq=$1;"
	 "UPDATE journal SET body=(SELECT body FROM a WHERE seq=$1) WHERE seq=$2; "
	 "DROP TABLE a",
		"hash"},
	{"UPDATE journal_hour SET last_seq=first_seq-1 WHERE $1 BETWEEN first_seq AND "
	 "last_seq",
		"hidden"},
	{"DELETE FROM journal_hour WHERE $1 BETWEEN first_seq AND last_seq", "hidden"},
	/* Stubs that we did not make. */
	{"INSERT INTO journal_stub SELECT seq, kind, at_ms, zeroblob(32), hash FROM "
	 "journal "
	 "WHERE seq=$1; DELETE FROM journal WHERE seq=$1",
		"hash"},
	{"INSERT INTO journal_stub SELECT seq, kind, at_ms, zeroblob(32), hash FROM "
	 "journal "
	 "WHERE seq=$2; DELETE FROM journal WHERE seq=$1",
		"gap"},
	{"INSERT INTO journal_stub SELECT $1, kind, at_ms, x'00', x'00' FROM journal "
	 "WHERE seq=$2; DELETE FROM journal WHERE seq=$1",
		"hash"},
};
/* And where there are stubs: every row before STUBS that counts went. */
#define STUBS 5000
static const struct mutation stub_mutations[] = {
	{"UPDATE journal_stub SET rest=randomblob(32) WHERE seq=$1", "hash"},
	{"UPDATE journal_stub SET hash=randomblob(32) WHERE seq=$1", "hash"},
	{"UPDATE journal_stub SET at_ms=at_ms-1 WHERE seq=$1", "hash"},
	{"UPDATE journal_stub SET kind=0 WHERE seq=$1", "hash"},
	{"UPDATE journal_stub SET kind=-1 WHERE seq=$1", "hash"},
	{"UPDATE journal_stub SET rest=(SELECT rest FROM journal_stub WHERE seq=$2) "
	 "WHERE "
	 "seq=$1",
		"hash"},
	{"DELETE FROM journal_stub WHERE seq=$1", "gap"},
};

/* The first row of the hour that row `seq` is in: one row a minute, and 1.7e12 ms is 13 min 20 s
 * into its hour. */
static uint64_t first_of_hour(uint64_t seq)
{
	uint64_t minute = seq - 1 + 13;
	return minute < 60 ? 1 : minute / 60 * 60 - 13 + 1;
}

/* `text` with $1 and $2 filled in. */
static void fill(char *ret, size_t size, const char *text, int first, int second)
{
	size_t used = 0;
	for (; *text; text++) {
		assert_true(used + 12 < size);
		if (*text != '$') {
			ret[used++] = *text;
			continue;
		}
		text++;
		used += (size_t)snprintf(ret + used, 12, "%d",
			*text == '1' ? first : second);
	}
	ret[used] = 0;
}

static void mutate(struct world *world, const struct mutation *mutation, int first,
	int second)
{
	char sql[600];
	sqlite3 *db = open_behind(world);
	fill(sql, sizeof(sql), mutation->sql, first, second);
	edit(db, sql);
	uint64_t bad = (uint64_t)first;
	if (mutation->fault && strcmp(mutation->fault, "hidden") == 0)
		bad = first_of_hour(bad);
	expect_fault(world, bad, mutation->fault);
	snprintf(sql, sizeof(sql), "ATTACH '%s.copy' AS pure", world->path);
	edit(db, sql);
	edit(db, "BEGIN; DELETE FROM journal; INSERT INTO journal SELECT * FROM "
		 "pure.journal;"
		 "DELETE FROM journal_stub; INSERT INTO journal_stub SELECT * FROM "
		 "pure.journal_stub;"
		 "DELETE FROM journal_hour; INSERT INTO journal_hour SELECT * FROM "
		 "pure.journal_hour;"
		 "COMMIT");
	sqlite3_close(db);
}

static void test_edits_behind_our_back_are_named(void **state)
{
	struct world *world = *state;
	char sql[128];
	make(world, ROWS);
	snprintf(sql, sizeof(sql), "VACUUM INTO '%s.copy'", world->path);
	edit_behind(world, sql);
	edit_behind(world, "PRAGMA synchronous=OFF");
	srand(20261122);
	for (int i = 0; i < MUTATIONS; i++) {
		int first = 1 + rand() % (ROWS - 1);
		int second = first + 1 + rand() % (ROWS - first);
		mutate(world, &mutations[(size_t)i % ARRAY_LEN(mutations)], first,
			second);
	}
	expect_fault(world, 0, NULL);
}

static void test_forged_stubs_are_named(void **state)
{
	struct world *world = *state;
	struct store_rows gone = {0};
	char sql[128];
	make(world, ROWS);
	/* Every second row counts. */
	edit_behind(world, "UPDATE journal SET kind=seq%2*3");
	rechain(world);
	struct journal_purge purge = {
		.before_ms = {0, INT64_C(1700000000000) + STUBS * 60000}};
	open_store(world);
	assert_int_equal(store_wait_purge(world->store->journal, &purge, &gone), 0);
	assert_int_equal(gone.checked, STUBS / 2);
	close_store(world);
	expect_fault(world, 0, NULL);
	snprintf(sql, sizeof(sql), "VACUUM INTO '%s.copy'", world->path);
	edit_behind(world, sql);
	edit_behind(world, "PRAGMA synchronous=OFF");
	srand(20261122);
	for (int i = 0; i < 70; i++) {
		int first = 1 + rand() % (STUBS / 2 - 2) * 2;
		mutate(world, &stub_mutations[(size_t)i % ARRAY_LEN(stub_mutations)],
			first, first + 2);
	}
	expect_fault(world, 0, NULL);
}

static void test_an_older_form_is_refused(void **state)
{
	struct world *world = *state;
	make(world, 3);
	edit_behind(world, "PRAGMA user_version=1");
	assert_int_equal(try_open(world), -REASON_VERSION);
	assert_non_null(strstr(world->error, "older form"));
}

static void test_ends_of_the_chain_are_guarded(void **state)
{
	struct world *world = *state;
	make(world, 300);
	/* A row after the last, with a hash that fits. */
	struct store_rows verdict = {0};
	struct store *reader;
	assert_int_equal(store_open_reader(world->address, &reader, world->error), 0);
	assert_int_equal(store_wait_verify(reader->journal, NULL, 0, &verdict), 0);
	store_close(reader);
	struct journal_row row = {.kind = JOURNAL_AUDIT,
		.tenant = "acme",
		.license = "lic_a",
		.at_ms = 1700000000000,
		.body = "{}",
		.seq = 301,
		.node = "node-1"};
	char hash[65], sql[400];
	assert_int_equal(journal_chain_hash(verdict.last_hash, &row, row.hash), 0);
	for (int i = 0; i < 32; i++)
		snprintf(hash + 2 * i, 3, "%02x", row.hash[i]);
	snprintf(sql, sizeof(sql),
		"INSERT INTO journal VALUES(301, 0, 'acme', 'lic_a', 1700000000000, "
		"'node-1', '{}',"
		" x'%s'); UPDATE journal_hour SET last_seq=301 WHERE first_seq=1",
		hash);
	edit_behind(world, sql);
	expect_fault(world, 301, "order");
	assert_int_equal(try_open(world), -REASON_STATE_DAMAGED);
	assert_non_null(strstr(world->error, "verify"));
	edit_behind(world, "DELETE FROM journal WHERE seq=301");
	/* Rows cut off at the end: the gateway goes on, and the hole stays visible for ever. */
	edit_behind(world, "DELETE FROM journal WHERE seq>290");
	expect_fault(world, 291, "missing tail");
	open_store(world);
	assert_int_equal(append(world, 300, 1, "x"), 0);
	close_store(world);
	expect_fault(world, 291, "gap");
	/* Even without a head nothing begins anew. */
	edit_behind(world, "DELETE FROM journal_mark");
	expect_fault(world, 1, "order");
	assert_int_equal(try_open(world), -REASON_STATE_DAMAGED);
}

static void test_rows_behind_a_running_gateway(void **state)
{
	struct world *world = *state;
	open_store(world);
	assert_int_equal(append(world, 0, 10, "x"), 0);
	edit_behind(world, "INSERT INTO journal SELECT 11, kind, tenant, license, at_ms, "
			   "node, body, hash"
			   " FROM journal WHERE seq=10");
	/* Rows cannot be written past it, other changes can. */
	struct state_doc doc = {STATE_META, "a", "", 0, "{}"};
	assert_int_equal(append(world, 10, 1, "x"), -REASON_STATE_DAMAGED);
	assert_int_equal(store_wait_put(world->store->state, &doc, NULL), 0);
	edit_behind(world, "DELETE FROM journal WHERE seq=11");
	assert_int_equal(append(world, 10, 1, "x"), 0);
	expect_fault(world, 0, NULL);
}

/* Room for files up to this size; beyond, writes fail as on a full disk. */
static void set_room(rlim_t bytes)
{
	struct rlimit limit;
	assert_int_equal(getrlimit(RLIMIT_FSIZE, &limit), 0);
	limit.rlim_cur = bytes;
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
}

static void test_a_full_disk_changes_nothing(void **state)
{
	struct world *world = *state;
	char text[1800];
	int written = 0, r = 0;
	memset(text, 'z', sizeof(text) - 1);
	text[sizeof(text) - 1] = 0;
	signal(SIGXFSZ, SIG_IGN);
	open_store(world);
	set_room(400 * 1024);
	for (; written < 1000 && r == 0; written += r ? 0 : 10)
		r = append(world, written, 10, text);
	assert_int_equal(r, -REASON_DISK_FULL);
	assert_in_range(written, 50, 900);
	char *body = malloc(STATE_BODY_MAX + 1);
	memset(body, ' ', STATE_BODY_MAX);
	body[STATE_BODY_MAX] = 0;
	struct state_doc doc = {STATE_META, "a", "", 0, body};
	struct store_docs docs = {0};
	assert_int_equal(store_wait_put(world->store->state, &doc, NULL),
		-REASON_DISK_FULL);
	assert_int_equal(store_wait_get(world->store->state, STATE_META, "a", &docs),
		-REASON_NOT_FOUND);
	/* Claims need no disk. */
	assert_int_equal(store_wait_claim(world->store->state, "l", "s", "h", 1000, NULL),
		0);
	struct store_rows verdict = {0};
	assert_int_equal(store_wait_verify(world->store->journal, NULL, 0, &verdict), 0);
	assert_null(verdict.fault);
	assert_int_equal(verdict.checked, written);
	set_room(RLIM_INFINITY);
	assert_int_equal(store_wait_put(world->store->state, &doc, NULL), 0);
	assert_int_equal(append(world, written, 10, text), 0);
	assert_int_equal(store_wait_verify(world->store->journal, NULL, 0, &verdict), 0);
	assert_null(verdict.fault);
	assert_int_equal(verdict.checked, written + 10);
	free(body);
}

static void test_fences_survive_a_backup_put_back(void **state)
{
	struct world *world = *state;
	struct store_docs docs = {0};
	uint64_t fence = 0;
	for (int i = 0; i < 3; i++) {
		unlink(world->path);
		open_store(world);
		assert_int_equal(store_wait_claim(world->store->state, "l", "s", "h",
					 1000, &docs),
			0);
		/* JSON numbers are exact up to here. */
		assert_true(docs.fence < UINT64_C(1) << 53);
		if (i)
			assert_true(docs.fence >= fence);
		fence = docs.fence;
		store_docs_free(&docs);
		close_store(world);
	}
}

int main(void)
{
#define STORE_TEST(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		STORE_TEST(test_only_we_may_read_the_file),
		STORE_TEST(test_one_process_writes_others_look),
		STORE_TEST(test_addresses_are_checked),
		STORE_TEST(test_damage_is_found_at_open),
		STORE_TEST(test_edits_behind_our_back_are_named),
		STORE_TEST(test_forged_stubs_are_named),
		STORE_TEST(test_an_older_form_is_refused),
		STORE_TEST(test_ends_of_the_chain_are_guarded),
		STORE_TEST(test_rows_behind_a_running_gateway),
		STORE_TEST(test_a_full_disk_changes_nothing),
		STORE_TEST(test_fences_survive_a_backup_put_back),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
