/* What a sealed store leaves on the disk, and what it does when that was touched. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <dirent.h>
#include <fcntl.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/reason.h"
#include "fakes/redis_rig.h"
#include "store/sealed/sealed_renew.h"
#include "store/sealed/sealed_store.h"
#include "store/store_wait.h"

static const uint8_t master[32] = "the master key of this cluster..";
static const uint8_t other_master[32] = "the master key of another one...";

#define CANARY "Canary Ichirō Yamada"
#define BODY "{\"holder\":\"" CANARY "\"}"
#define NAME "canary.yamada@example.jp"

struct world {
	char dir[64], address[96];
	struct store *store;
};

static int try_open(const char *address, const uint8_t *key, struct store **ret)
{
	char error[STORE_ERROR] = "";
	struct store *below;
	assert_int_equal(store_open(address, "node-1", &below, error), 0);
	return sealed_store_open(below, key, ret, error);
}

static int set_up(void **state)
{
	struct world *world = calloc(1, sizeof(*world));
	snprintf(world->dir, sizeof(world->dir), "/tmp/engawa-sealed-XXXXXX");
	assert_non_null(mkdtemp(world->dir));
	snprintf(world->address, sizeof(world->address), "sqlite:%s/db", world->dir);
	assert_int_equal(try_open(world->address, master, &world->store), 0);
	*state = world;
	return 0;
}

static int tear_down(void **state)
{
	struct world *world = *state;
	static const char *const ends[] = {"", "-wal", "-shm", ".lock"};
	store_close(world->store);
	for (size_t i = 0; i < ARRAY_LEN(ends); i++) {
		char path[128];
		snprintf(path, sizeof(path), "%s/db%s", world->dir, ends[i]);
		unlink(path);
	}
	assert_int_equal(rmdir(world->dir), 0);
	free(world);
	return 0;
}

static int put(struct store *store, enum state_kind kind, const char *id,
	const char *tenant, uint64_t version, const char *body)
{
	struct state_doc doc = {kind, id, tenant, version, body};
	return store_wait_put(store->state, &doc, &version);
}

static void expect(struct store *store, enum state_kind kind, const char *id,
	const char *body)
{
	struct store_docs docs = {0};
	assert_int_equal(store_wait_get(store->state, kind, id, &docs), 0);
	assert_string_equal(docs.docs[0].id, id);
	assert_string_equal(docs.docs[0].body, body);
	store_docs_free(&docs);
}

static int append(struct store *store, const char *tenant, const char *body)
{
	struct journal_row row = {.kind = JOURNAL_LOGIN,
		.tenant = tenant,
		.license = "lic_a",
		.at_ms = 1700000000000,
		.body = body};
	return store_wait_append(store->journal, &row, 1);
}

static void expect_row(struct store *store, const char *tenant, const char *body)
{
	struct journal_query query = {
		.kind = JOURNAL_LOGIN, .tenant = tenant, .limit = 9};
	struct store_rows rows = {0};
	assert_int_equal(store_wait_query(store->journal, &query, &rows), 0);
	assert_int_equal(rows.count, 1);
	assert_string_equal(rows.rows[0].body, body);
	store_rows_free(&rows);
}

/* Everything that can be sealed, with canaries in it, of a tenant and of the operator. */
static void fill(struct store *store, const char *tenant)
{
	for (int kind = 0; kind < STATE_KINDS; kind++) {
		char id[STATE_ID_MAX];
		if (kind == STATE_NODE || kind == STATE_META || kind == STATE_KEY ||
			kind == STATE_NOTICE || kind == STATE_USAGE ||
			kind == STATE_STATEMENT || kind == STATE_OUTAGE)
			continue;
		int named = kind == STATE_ACCOUNT || kind == STATE_ATTEMPTS;
		snprintf(id, sizeof(id), "%s%s", named ? "account/" NAME : "id_", tenant);
		assert_int_equal(put(store, (enum state_kind)kind, id, tenant, 0, BODY),
			0);
		expect(store, (enum state_kind)kind, id, BODY);
	}
	assert_int_equal(append(store, tenant, BODY), 0);
	expect_row(store, tenant, BODY);
}

static size_t count_in_file(const char *path, const char *needle)
{
	struct stat st;
	size_t found = 0, len = strlen(needle);
	int fd = open(path, O_RDONLY);
	if (fd < 0 || fstat(fd, &st) || !S_ISREG(st.st_mode)) {
		close(fd);
		return 0;
	}
	char *bytes = malloc((size_t)st.st_size + 1);
	assert_int_equal(read(fd, bytes, (size_t)st.st_size), st.st_size);
	for (size_t at = 0; at + len <= (size_t)st.st_size; at++)
		found += memcmp(bytes + at, needle, len) == 0;
	free(bytes);
	close(fd);
	return found;
}

/* How often it stands in any file below the directory. */
static size_t count_in(const char *dir, const char *needle)
{
	size_t found = 0;
	DIR *entries = opendir(dir);
	assert_non_null(entries);
	for (struct dirent *entry; (entry = readdir(entries));) {
		char path[512];
		if (*entry->d_name == '.')
			continue;
		snprintf(path, sizeof(path), "%s/%s", dir, entry->d_name);
		found += entry->d_type == DT_DIR ? count_in(path, needle)
						 : count_in_file(path, needle);
	}
	closedir(entries);
	return found;
}

static void test_the_disk_tells_nothing(void **state)
{
	struct world *world = *state;
	fill(world->store, "acme");
	fill(world->store, "");
	/* While it is open, so that the WAL is looked at too; what stays clear is found. */
	assert_int_equal(count_in(world->dir, "Canary"), 0);
	assert_int_equal(count_in(world->dir, NAME), 0);
	assert_true(count_in(world->dir, "id_acme") > 0);
	assert_int_equal(put(sealed_store_below(world->store), STATE_META, "control", "",
				 0, BODY),
		0);
	assert_true(count_in(world->dir, "Canary") > 0);
}

static void test_redis_and_its_spool_tell_nothing(void **state)
{
	(void)state;
	struct redis_rig rig = {0};
	struct store *store, *below;
	char address[256], error[STORE_ERROR];
	redis_rig_start(&rig);
	snprintf(address, sizeof(address), "redis+unix://%s?spool=%s/spool", rig.socket,
		rig.dir);
	assert_int_equal(store_open(address, "node-1", &below, error), 0);
	assert_int_equal(sealed_store_open(below, master, &store, error), 0);
	fill(store, "acme");
	free(redis_rig_text(&rig, "SAVE"));
	redis_rig_signal(&rig, 9);
	assert_int_equal(append(store, "acme", BODY), 0);
	assert_int_equal(count_in(rig.dir, "Canary"), 0);
	assert_int_equal(count_in(rig.dir, NAME), 0);
	/* The dump, the append-only file and the spool have been looked at. */
	assert_true(count_in(rig.dir, "id_acme") > 0);
	char spool[128];
	snprintf(spool, sizeof(spool), "%s/spool", rig.dir);
	assert_true(count_in(spool, "{\"sealed\":1,") > 0);
	store_close(store);
	redis_rig_end(&rig);
}

/* Runs on the database file of a store that is closed meanwhile. */
static void alter(struct world *world, const char *sql)
{
	sqlite3 *db;
	char *error = NULL;
	world->store = store_close(world->store);
	assert_int_equal(sqlite3_open(world->address + strlen("sqlite:"), &db), 0);
	if (sqlite3_exec(db, sql, NULL, NULL, &error))
		fail_msg("%s: %s", sql, error);
	assert_true(sqlite3_changes(db) > 0);
	sqlite3_close(db);
	assert_int_equal(try_open(world->address, master, &world->store), 0);
}

static void expect_damaged(struct store *store, enum state_kind kind, const char *id)
{
	struct store_docs docs = {0};
	assert_int_equal(store_wait_get(store->state, kind, id, &docs),
		-REASON_STATE_DAMAGED);
	/* A list is not spoilt by it. */
	assert_int_equal(store_wait_list(store->state, kind, NULL, NULL, 100, &docs), 0);
	size_t damaged = 0;
	for (size_t i = 0; i < docs.count; i++)
		damaged += strcmp(docs.docs[i].body, "{\"damaged\":true}") == 0;
	assert_true(damaged > 0);
	store_docs_free(&docs);
}

static void test_boxes_cannot_be_moved(void **state)
{
	struct world *world = *state;
	static const char *const moves[] = {
		/* another license's, another kind's, another tenant's body */
		"UPDATE doc SET body=(SELECT body FROM doc WHERE kind=3 AND id='b') "
		"WHERE kind=3 AND id='a'",
		"UPDATE doc SET body=(SELECT body FROM doc WHERE kind=4 AND id='a') "
		"WHERE kind=3 AND id='a'",
		"UPDATE doc SET body=(SELECT body FROM doc WHERE kind=3 AND id='c') "
		"WHERE kind=3 AND id='a'",
		"UPDATE doc SET tenant='other' WHERE kind=3 AND id='a'",
		"UPDATE doc SET body='{\"state\":\"enabled\"}' WHERE kind=3 AND id='a'"};
	for (size_t i = 0; i < ARRAY_LEN(moves); i++) {
		assert_int_equal(put(world->store, STATE_LICENSE, "a", "acme", 0, BODY),
			0);
		if (i == 0) {
			assert_int_equal(put(world->store, STATE_LICENSE, "b", "acme", 0,
						 BODY),
				0);
			assert_int_equal(put(world->store, STATE_LICENSE, "c", "other", 0,
						 BODY),
				0);
			assert_int_equal(put(world->store, STATE_HOST, "a", "acme", 0,
						 BODY),
				0);
		}
		alter(world, moves[i]);
		expect_damaged(world->store, STATE_LICENSE, "a");
		expect(world->store, STATE_LICENSE, "b", BODY);
		assert_int_equal(store_wait_remove(world->store->state, STATE_LICENSE,
					 "a", 0),
			0);
	}
}

static void test_a_moved_row_says_nothing(void **state)
{
	struct world *world = *state;
	struct store_rows rows = {0};
	assert_int_equal(append(world->store, "acme", BODY), 0);
	alter(world, "UPDATE journal SET at_ms=at_ms+1");
	expect_row(world->store, "acme", "{\"damaged\":true}");
	assert_int_equal(store_wait_verify(world->store->journal, NULL, 0, &rows), 0);
	assert_int_equal(rows.first_bad, 1);
	store_rows_free(&rows);
}

static void test_another_master_key_is_refused(void **state)
{
	struct world *world = *state;
	struct store *store;
	fill(world->store, "acme");
	world->store = store_close(world->store);
	assert_int_equal(try_open(world->address, other_master, &store),
		-REASON_MASTER_KEY_WRONG);
	/* And it has changed nothing. */
	assert_int_equal(try_open(world->address, master, &world->store), 0);
	expect(world->store, STATE_LICENSE, "id_acme", BODY);
	expect_row(world->store, "acme", BODY);
}

static void test_names_are_found_and_listed(void **state)
{
	struct world *world = *state;
	struct store *store = world->store;
	char name[64], after[STATE_ID_MAX + 1] = "";
	int seen[40] = {0}, count = 3;
	for (int i = 0; i < 40; i++) {
		snprintf(name, sizeof(name), "account-%d", i);
		assert_int_equal(put(store, STATE_ACCOUNT, name, i % 2 ? "acme" : "", 0,
					 BODY),
			0);
		assert_int_equal(put(store, STATE_ACCOUNT, name, "acme", 0, BODY),
			-REASON_CONFLICT);
	}
	while (count == 3) {
		struct store_docs docs = {0};
		assert_int_equal(store_wait_list(store->state, STATE_ACCOUNT, NULL, after,
					 3, &docs),
			0);
		count = (int)docs.count;
		for (int i = 0; i < count; i++) {
			snprintf(after, sizeof(after), "%s", docs.docs[i].id);
			seen[atoi(after + strlen("account-"))]++;
			assert_string_equal(docs.docs[i].body, BODY);
		}
		store_docs_free(&docs);
	}
	for (int i = 0; i < 40; i++)
		assert_int_equal(seen[i], 1);
	assert_int_equal(store_wait_remove(store->state, STATE_ACCOUNT, "account-7", 1),
		0);
	assert_int_equal(store_wait_remove(store->state, STATE_ACCOUNT, "account-7", 1),
		-REASON_NOT_FOUND);
}

static uint32_t generation_of(struct store *store, enum state_kind kind, const char *id)
{
	struct store_docs docs = {0};
	assert_int_equal(store_wait_get(sealed_store_below(store)->state, kind, id,
				 &docs),
		0);
	uint32_t generation = sealed_box_generation(docs.docs[0].body);
	store_docs_free(&docs);
	return generation;
}

static int never_twice(void *ctx)
{
	return (*(int *)ctx)++ > 3;
}

static void test_a_renewed_key_seals_everything_anew(void **state)
{
	struct world *world = *state;
	struct store *store = world->store;
	struct sealed_renew count = {0};
	uint32_t generation;
	int asked = 0;
	fill(store, "acme");
	fill(store, "other");
	assert_int_equal(sealed_keys_rotate(sealed_store_keys(store), "acme",
				 &generation),
		0);
	assert_int_equal(generation, 2);
	struct state *below = sealed_store_below(store)->state;
	/* Interrupted, and begun again by the next process. */
	assert_int_equal(sealed_renew_run(below, sealed_store_keys(store), "acme",
				 SEALED_RENEW_OLD, never_twice, &asked, &count),
		-REASON_DRAINING);
	store = world->store = store_close(store);
	assert_int_equal(try_open(world->address, master, &world->store), 0);
	store = world->store;
	below = sealed_store_below(store)->state;
	assert_int_equal(sealed_renew_run(below, sealed_store_keys(store), "acme",
				 SEALED_RENEW_OLD, NULL, NULL, &count),
		0);
	assert_true(count.sealed > 5);
	assert_int_equal(count.damaged, 0);
	assert_int_equal(generation_of(store, STATE_LICENSE, "id_acme"), 2);
	assert_int_equal(generation_of(store, STATE_LICENSE, "id_other"), 1);
	assert_int_equal(sealed_renew_run(below, sealed_store_keys(store), "acme",
				 SEALED_RENEW_OLD, NULL, NULL, &count),
		0);
	assert_int_equal(count.sealed, 0);
	expect(store, STATE_LICENSE, "id_acme", BODY);
	expect(store, STATE_ACCOUNT, "account/" NAME "acme", BODY);
	expect_row(store, "acme", BODY);
}

static void test_a_destroyed_key_opens_nothing(void **state)
{
	struct world *world = *state;
	struct store *store = world->store;
	struct store_rows rows = {0};
	size_t gone;
	fill(store, "acme");
	fill(store, "other");
	assert_int_equal(sealed_keys_destroy(sealed_store_keys(store), "acme", &gone), 0);
	assert_int_equal(gone, 1);
	for (int again = 0; again < 2; again++) {
		expect_row(store, "acme", "{\"erased\":true}");
		expect_row(store, "other", BODY);
		expect_damaged(store, STATE_LICENSE, "id_acme");
		expect(store, STATE_LICENSE, "id_other", BODY);
		/* The chain needs no key. */
		assert_int_equal(store_wait_verify(store->journal, NULL, 0, &rows), 0);
		assert_int_equal(rows.first_bad, 0);
		assert_int_equal(rows.checked, 2);
		store_rows_free(&rows);
		world->store = store_close(store);
		assert_int_equal(try_open(world->address, master, &world->store), 0);
		store = world->store;
	}
	/* A new company of that name gets a new key. */
	assert_int_equal(put(store, STATE_LICENSE, "new", "acme", 0, BODY), 0);
	assert_int_equal(generation_of(store, STATE_LICENSE, "new"), 2);
}

/* A key that somebody took away, a number that never was: what they concern, and nothing else. */
static void test_a_missing_key_spoils_nothing_else(void **state)
{
	struct world *world = *state;
	fill(world->store, "acme");
	fill(world->store, "other");
	alter(world, "DELETE FROM doc WHERE id='acme/1'");
	for (int again = 0; again < 2; again++) {
		expect_damaged(world->store, STATE_LICENSE, "id_acme");
		expect(world->store, STATE_LICENSE, "id_other", BODY);
		expect_row(world->store, "acme", "{\"erased\":true}");
		expect_row(world->store, "other", BODY);
	}
	alter(world, "UPDATE doc SET body=replace(body, '\"key\":1,', '\"key\":77,') "
		     "WHERE kind=3 AND id='id_other'");
	expect_damaged(world->store, STATE_LICENSE, "id_other");
	/* New ones go on from the generation that there is. */
	assert_int_equal(put(world->store, STATE_LICENSE, "new", "other", 0, BODY), 0);
	assert_int_equal(generation_of(world->store, STATE_LICENSE, "new"), 1);
	expect(world->store, STATE_LICENSE, "new", BODY);
}

static void test_a_store_without_keys_is_sealed(void **state)
{
	struct world *world = *state;
	char error[STORE_ERROR], path[128];
	struct store *plain;
	world->store = store_close(world->store);
	snprintf(path, sizeof(path), "%s/db", world->dir);
	unlink(path);
	assert_int_equal(store_open(world->address, "node-1", &plain, error), 0);
	for (int i = 0; i < 600; i++) {
		char id[32];
		snprintf(id, sizeof(id), "lic_%04d", i);
		assert_int_equal(put(plain, STATE_LICENSE, id, "acme", 0, BODY), 0);
	}
	assert_int_equal(put(plain, STATE_ACCOUNT, NAME, "", 0, BODY), 0);
	assert_int_equal(append(plain, "acme", BODY), 0);
	store_close(plain);
	assert_true(count_in(world->dir, "Canary") > 0);
	assert_int_equal(try_open(world->address, master, &world->store), 0);
	expect(world->store, STATE_ACCOUNT, NAME, BODY);
	expect(world->store, STATE_LICENSE, "lic_0599", BODY);
	/* Rows cannot be changed: they stay as they were. */
	expect_row(world->store, "acme", BODY);
	world->store = store_close(world->store);
	assert_int_equal(count_in(world->dir, NAME), 0);
	assert_int_equal(count_in(world->dir, "Canary"), 1);
	assert_int_equal(try_open(world->address, master, &world->store), 0);
}

/* Two nodes on one Redis: each reads what the other has sealed, and hears of new keys. */
static void test_nodes_share_their_keys(void **state)
{
	(void)state;
	struct redis_rig rig = {0};
	struct store *stores[2], *below;
	char address[256], error[STORE_ERROR];
	size_t gone;
	redis_rig_start(&rig);
	for (int i = 0; i < 2; i++) {
		snprintf(address, sizeof(address), "redis+unix://%s?spool=%s/spool%d",
			rig.socket, rig.dir, i);
		assert_int_equal(store_open(address, i ? "n2" : "n1", &below, error), 0);
		assert_int_equal(sealed_store_open(below, master, &stores[i], error), 0);
	}
	fill(stores[0], "acme");
	expect(stores[1], STATE_LICENSE, "id_acme", BODY);
	expect_row(stores[1], "acme", BODY);
	fill(stores[1], "other");
	expect(stores[0], STATE_ACCOUNT, "account/" NAME "other", BODY);
	assert_int_equal(sealed_keys_destroy(sealed_store_keys(stores[0]), "acme", &gone),
		0);
	assert_int_equal(sealed_store_tell(stores[0], "acme"), 0);
	struct store_docs docs = {0};
	int r = 0;
	for (int tries = 0; tries < 500 && r == 0; tries++) {
		store_docs_free(&docs);
		r = store_wait_get(stores[1]->state, STATE_LICENSE, "id_acme", &docs);
		usleep(20000);
	}
	assert_int_equal(r, -REASON_STATE_DAMAGED);
	expect_row(stores[1], "acme", "{\"erased\":true}");
	store_close(stores[0]);
	store_close(stores[1]);
	redis_rig_end(&rig);
}

int main(void)
{
#define STORE_TEST(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		STORE_TEST(test_the_disk_tells_nothing),
		cmocka_unit_test(test_redis_and_its_spool_tell_nothing),
		STORE_TEST(test_boxes_cannot_be_moved),
		STORE_TEST(test_a_moved_row_says_nothing),
		STORE_TEST(test_another_master_key_is_refused),
		STORE_TEST(test_names_are_found_and_listed),
		STORE_TEST(test_a_renewed_key_seals_everything_anew),
		STORE_TEST(test_a_destroyed_key_opens_nothing),
		STORE_TEST(test_a_missing_key_spoils_nothing_else),
		STORE_TEST(test_a_store_without_keys_is_sealed),
		cmocka_unit_test(test_nodes_share_their_keys),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
