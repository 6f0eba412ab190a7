/* Backups that are made, tried, restored into any store; keys that are renewed; companies that are erased. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <dirent.h>
#include <fcntl.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/reason.h"
#include "fakes/redis_rig.h"
#include "store/sealed/sealed_store.h"
#include "store/store_open.h"
#include "store/store_wait.h"
#include "vault/backup_key.h"
#include "vault/drill.h"
#include "vault/old_keys.h"
#include "vault/restore.h"
#include "vault/tenant_end.h"
#include "vault/vault.h"
#include "vault/vault_backups.h"
#include "vault/vault_record.h"
#include "vault/vault_reseal.h"

static const uint8_t master[32] = "the master key of this cluster..";
static const uint8_t other_master[32] = "the master key of another one...";

#define BODY "{\"holder\":\"Canary Yamada\"}"
#define DAY_MS INT64_C(86400000)
#define DOCUMENTS 700
#define ROWS 1200

struct world {
	char dir[64], address[96];
	struct store *store;
	struct vault *vault;
	struct vault_settings settings;
};

static int open_sealed(const char *address, const uint8_t *key, struct store **ret)
{
	char error[STORE_ERROR] = "";
	struct store *below;
	int r = store_open(address, "node-1", &below, error);
	return r ? r : sealed_store_open(below, key, ret, error);
}

static void start_vault(struct world *world)
{
	struct vault_parts parts = {world->store, world->address, master, "node-1", NULL};
	assert_int_equal(vault_new(&parts, &world->settings, &world->vault), 0);
}

static int set_up(void **state)
{
	struct world *world = calloc(1, sizeof(*world));
	snprintf(world->dir, sizeof(world->dir), "/tmp/engawa-vault-XXXXXX");
	assert_non_null(mkdtemp(world->dir));
	snprintf(world->address, sizeof(world->address), "sqlite:%s/db", world->dir);
	assert_int_equal(open_sealed(world->address, master, &world->store), 0);
	world->settings = (struct vault_settings){
		.every_ms = DAY_MS, .generations = 2, .purge_after_ms = 60 * DAY_MS};
	snprintf(world->settings.dir, VAULT_PATH, "%s/backups", world->dir);
	snprintf(world->settings.key, VAULT_PATH, "%s/backup.key", world->dir);
	start_vault(world);
	*state = world;
	return 0;
}

static void clear(const char *dir)
{
	char path[512];
	DIR *entries = opendir(dir);
	for (struct dirent *entry; entries && (entry = readdir(entries));) {
		snprintf(path, sizeof(path), "%s/%s", dir, entry->d_name);
		if (!strcmp(entry->d_name, ".") || !strcmp(entry->d_name, ".."))
			continue;
		if (entry->d_type == DT_DIR)
			clear(path);
		else
			unlink(path);
	}
	if (entries)
		closedir(entries);
	rmdir(dir);
}

static int tear_down(void **state)
{
	struct world *world = *state;
	vault_free(world->vault);
	store_close(world->store);
	clear(world->dir);
	free(world);
	return 0;
}

static int put(struct store *store, enum state_kind kind, const char *id,
	const char *tenant, const char *body)
{
	struct state_doc doc = {kind, id, tenant, 0, body};
	uint64_t version;
	return store_wait_put(store->state, &doc, &version);
}

static void append(struct store *store, const char *tenant, const char *body)
{
	struct journal_row row = {.kind = JOURNAL_LOGIN,
		.tenant = tenant,
		.license = "lic_a",
		.at_ms = clock_wall_ms(),
		.body = body};
	assert_int_equal(store_wait_append(store->journal, &row, 1), 0);
}

static void fill(struct store *store, int documents, int rows)
{
	char id[32];
	for (int i = 0; i < documents; i++) {
		snprintf(id, sizeof(id), "lic_%04d", i);
		assert_int_equal(put(store, STATE_LICENSE, id, i % 2 ? "acme" : "other",
					 BODY),
			0);
	}
	assert_int_equal(put(store, STATE_ACCOUNT, "yamada", "acme", BODY), 0);
	/* What does not outlive a restore. */
	assert_int_equal(put(store, STATE_SESSION, "ses_1", "acme", BODY), 0);
	assert_int_equal(put(store, STATE_JOIN, "00ff", "acme", BODY), 0);
	for (int i = 0; i < rows; i++)
		append(store, i % 2 ? "acme" : "other", BODY);
}

/* The record once it is neither waiting nor running. */
static json_t *outcome(struct world *world, const char *id)
{
	json_t *record = NULL;
	for (int tries = 0; tries < 3000; tries++) {
		assert_int_equal(vault_backups_show(world->vault, id, &record), 0);
		const char *state = json_string_value(json_object_get(record, "state"));
		const char *drill =
			json_string_value(json_object_get(json_object_get(record,
								  "drill"),
				"state"));
		if (strcmp(state, "waiting") && strcmp(state, "running") &&
			(!drill || strcmp(drill, "running")))
			return record;
		json_decref(record);
		usleep(20000);
	}
	fail_msg("%s does not end", id);
	return NULL;
}

static void expect(const json_t *record, const char *member, const char *text)
{
	const char *found = json_string_value(json_object_get(record, member));
	if (!found || strcmp(found, text)) {
		char *all = json_dumps(record, 0);
		fail_msg("%s is not %s: %s", member, text, all);
	}
}

static void back_up(struct world *world, char id[static VAULT_ID], char *path)
{
	assert_int_equal(vault_backups_order(world->vault, "for a test", "token:x", id),
		0);
	json_t *record = outcome(world, id);
	expect(record, "state", "done");
	expect(record, "by", "token:x");
	snprintf(path, 256, "%.120s/%s.backup", world->settings.dir, id);
	json_decref(record);
}

static void expect_restored(const char *address, const struct backup_counts *counts)
{
	struct store *store;
	struct store_docs docs = {0};
	struct store_rows rows = {0};
	uint64_t fence;
	assert_int_equal(open_sealed(address, other_master, &store), 0);
	assert_int_equal(store_wait_get(store->state, STATE_LICENSE, "lic_0001", &docs),
		0);
	assert_string_equal(docs.docs[0].body, BODY);
	assert_string_equal(docs.docs[0].tenant, "acme");
	store_docs_free(&docs);
	assert_int_equal(store_wait_get(store->state, STATE_ACCOUNT, "yamada", &docs), 0);
	store_docs_free(&docs);
	assert_int_equal(store_wait_get(store->state, STATE_SESSION, "ses_1", &docs),
		-REASON_NOT_FOUND);
	assert_int_equal(store_wait_get(store->state, STATE_JOIN, "00ff", &docs),
		-REASON_NOT_FOUND);
	assert_int_equal(store_wait_verify(store->journal, NULL, 0, &rows), 0);
	assert_null(rows.fault);
	assert_int_equal(rows.checked, counts->rows);
	assert_int_equal(rows.last_seq, counts->head_seq);
	store_rows_free(&rows);
	struct journal_query query = {
		.kind = JOURNAL_LOGIN, .tenant = "acme", .limit = 1};
	assert_int_equal(store_wait_query(store->journal, &query, &rows), 0);
	assert_string_equal(rows.rows[0].body, BODY);
	store_rows_free(&rows);
	assert_int_equal(store_wait_raise(store->state, 0, &fence), 0);
	assert_true(fence > counts->fence);
	/* It goes on. */
	append(store, "acme", BODY);
	assert_int_equal(put(store, STATE_LICENSE, "lic_new", "acme", BODY), 0);
	store_close(store);
}

static void restore_into(const char *address, const char *file, const uint8_t *key)
{
	struct backup_counts counts;
	struct store *below;
	char error[STORE_ERROR];
	assert_int_equal(store_open(address, "node-1", &below, error), 0);
	assert_int_equal(restore_fill(file, key, below, other_master, master, &counts),
		0);
	/* Now it is not empty any more. */
	assert_int_equal(restore_fill(file, key, below, other_master, master, &counts),
		-REASON_CONFLICT);
	store_close(below);
	expect_restored(address, &counts);
}

static void test_a_backup_restores_into_any_store(void **state)
{
	struct world *world = *state;
	struct redis_rig rig = {0};
	char id[VAULT_ID], path[256], address[256], error[256];
	uint8_t key[32];
	fill(world->store, DOCUMENTS, ROWS);
	back_up(world, id, path);
	assert_int_equal(backup_key_read(world->settings.key, key, error), 0);
	snprintf(address, sizeof(address), "sqlite:%s/again", world->dir);
	restore_into(address, path, key);
	redis_rig_start(&rig);
	snprintf(address, sizeof(address),
		"redis+unix://%s?spool=%s/spool&deadline_ms=20000", rig.socket, rig.dir);
	restore_into(address, path, key);
	redis_rig_end(&rig);
	struct restore_head head;
	assert_int_equal(restore_check(path, key, &head), 0);
	assert_string_equal(head.note, "for a test");
	assert_int_equal(head.counts.keys, 4);
	assert_true(head.counts.rows >= ROWS);
	assert_true(head.counts.documents > DOCUMENTS);
	key[0] ^= 1;
	assert_int_equal(restore_check(path, key, &head), -REASON_BACKUP_DAMAGED);
}

/* Redis has no snapshot: what is written meanwhile is in it or not, but what is in it is whole. */
static void test_a_backup_of_redis(void **state)
{
	struct world *world = *state;
	struct redis_rig rig = {0};
	char address[256], path[256], error[256];
	struct backup_counts counts;
	struct store *store;
	uint8_t key[32];
	redis_rig_start(&rig);
	snprintf(address, sizeof(address),
		"redis+unix://%s?spool=%s/spool&deadline_ms=20000", rig.socket, rig.dir);
	assert_int_equal(open_sealed(address, master, &store), 0);
	fill(store, DOCUMENTS, 100);
	assert_int_equal(backup_key_make(world->settings.key, key, error), 0);
	struct backup_plan plan = {.store = store,
		.address = address,
		.master = master,
		.node = "node-1",
		.note = "",
		.dir = world->dir,
		.name = "of-redis",
		.key = key};
	assert_int_equal(backup_write(&plan, &counts), 0);
	assert_int_equal(counts.rows, 100);
	store_close(store);
	redis_rig_end(&rig);
	snprintf(path, sizeof(path), "%s/of-redis", world->dir);
	snprintf(address, sizeof(address), "sqlite:%s/again", world->dir);
	restore_into(address, path, key);
}

static void test_an_interrupted_restore_is_known(void **state)
{
	struct world *world = *state;
	char id[VAULT_ID], path[256], address[256], error[256];
	struct backup_counts counts;
	struct store *below;
	uint8_t key[32];
	fill(world->store, 5, 5);
	back_up(world, id, path);
	assert_int_equal(backup_key_read(world->settings.key, key, error), 0);
	snprintf(address, sizeof(address), "sqlite:%s/again", world->dir);
	assert_int_equal(store_open(address, "node-1", &below, error), 0);
	assert_int_equal(put(below, STATE_META, RESTORE_MARK, "", "{}"), 0);
	assert_int_equal(restore_fill(path, key, below, other_master, master, &counts),
		-REASON_STATE_DAMAGED);
	store_close(below);
}

static void test_a_drill_finds_what_is_wrong(void **state)
{
	struct world *world = *state;
	char id[VAULT_ID], path[256];
	struct stat info;
	fill(world->store, 20, 20);
	back_up(world, id, path);
	assert_int_equal(vault_backups_drill(world->vault, id, "token:x"), 0);
	json_t *record = outcome(world, id);
	const json_t *drill = json_object_get(record, "drill");
	expect(drill, "state", "good");
	expect(drill, "by", "token:x");
	assert_int_equal(json_integer_value(json_object_get(drill, "documents")),
		json_integer_value(json_object_get(record, "documents")));
	assert_int_equal(json_integer_value(json_object_get(drill, "checked")),
		json_integer_value(json_object_get(record, "rows")));
	json_decref(record);
	/* One bit in the middle. */
	uint8_t byte;
	int fd = open(path, O_RDWR);
	assert_int_equal(fstat(fd, &info), 0);
	assert_int_equal(pread(fd, &byte, 1, info.st_size / 2), 1);
	byte ^= 4;
	assert_int_equal(pwrite(fd, &byte, 1, info.st_size / 2), 1);
	close(fd);
	assert_int_equal(vault_backups_drill(world->vault, id, "token:x"), 0);
	record = outcome(world, id);
	expect(json_object_get(record, "drill"), "state", "failed");
	expect(json_object_get(record, "drill"), "reason", "BACKUP_DAMAGED");
	json_decref(record);
	assert_int_equal(vault_backups_drill(world->vault, "nothing", "x"),
		-REASON_NOT_FOUND);
	assert_int_equal(vault_backups_remove(world->vault, id), 0);
	assert_int_not_equal(access(path, F_OK), 0);
	assert_int_equal(vault_backups_show(world->vault, id, &record),
		-REASON_NOT_FOUND);
}

static size_t entries_in(const char *dir)
{
	size_t count = 0;
	DIR *entries = opendir(dir);
	for (struct dirent *entry; entries && (entry = readdir(entries));)
		count += strcmp(entry->d_name, ".") && strcmp(entry->d_name, "..");
	if (entries)
		closedir(entries);
	return count;
}

static void test_generations_grow_old(void **state)
{
	struct world *world = *state;
	char ids[4][VAULT_ID], path[256];
	json_t *all;
	for (int i = 0; i < 4; i++) {
		back_up(world, ids[i], path);
		/* Their names are seconds. */
		usleep(1100000);
	}
	for (int tries = 0; tries < 500 && entries_in(world->settings.dir) > 2; tries++)
		usleep(20000);
	assert_int_equal(entries_in(world->settings.dir), 2);
	assert_int_equal(vault_backups_list(world->vault, &all), 0);
	assert_int_equal(json_array_size(all), 2);
	expect(json_array_get(all, 0), "id", ids[3]);
	expect(json_array_get(all, 1), "id", ids[2]);
	json_decref(all);
}

static int has_row(struct store *store, const char *event)
{
	struct journal_query query = {
		.kind = JOURNAL_AUDIT, .limit = 20, .order = JOURNAL_NEWEST_FIRST};
	struct store_rows rows = {0};
	int found = 0;
	assert_int_equal(store_wait_query(store->journal, &query, &rows), 0);
	for (size_t i = 0; i < rows.count; i++)
		found |= strstr(rows.rows[i].body, event) != NULL;
	store_rows_free(&rows);
	return found;
}

static void test_a_failed_backup_is_told(void **state)
{
	struct world *world = *state;
	char id[VAULT_ID];
	/* A file stands where the directory should be. */
	int fd = open(world->settings.dir, O_WRONLY | O_CREAT, 0600);
	close(fd);
	assert_int_equal(vault_backups_order(world->vault, "", "gateway", id), 0);
	json_t *record = outcome(world, id);
	expect(record, "state", "failed");
	expect(record, "reason", "FILE_UNWRITABLE");
	json_decref(record);
	int told = 0;
	for (int tries = 0; tries < 500 && !told; tries++) {
		told = has_row(world->store, "\"BACKUP_FAILED\"");
		usleep(20000);
	}
	assert_true(told);
}

static void test_what_was_interrupted_is_tidied_up(void **state)
{
	struct world *world = *state;
	char path[VAULT_PATH + 64], left[VAULT_PATH + 64];
	world->vault = vault_free(world->vault);
	json_t *running = json_pack("{s:s, s:s, s:s, s:s}", "id", "20200101T000000Z-abc",
		"node", "node-1", "file", "x.backup", "state", "running");
	json_t *tried = json_pack("{s:s, s:s, s:s, s:s, s:{s:s}}", "id",
		"20200101T000000Z-ghi", "node", "node-1", "file", "z.backup", "state",
		"done", "drill", "state", "running");
	json_t *others = json_pack("{s:s, s:s, s:s, s:s}", "id", "20200101T000000Z-def",
		"node", "node-2", "file", "y.backup", "state", "running");
	assert_int_equal(vault_record_put(world->store, running), 0);
	assert_int_equal(vault_record_put(world->store, others), 0);
	assert_int_equal(vault_record_put(world->store, tried), 0);
	json_decref(running);
	json_decref(others);
	json_decref(tried);
	mkdir(world->settings.dir, 0700);
	snprintf(path, sizeof(path), "%s/.x.backup.part", world->settings.dir);
	close(open(path, O_WRONLY | O_CREAT, 0600));
	snprintf(left, sizeof(left), "%s/.drill-20200101T000000Z-ghi",
		world->settings.dir);
	mkdir(left, 0700);
	start_vault(world);
	json_t *record = outcome(world, "20200101T000000Z-abc");
	expect(record, "state", "failed");
	expect(record, "reason", "NODE_STOPPED");
	json_decref(record);
	assert_int_not_equal(access(path, F_OK), 0);
	assert_int_not_equal(access(left, F_OK), 0);
	record = outcome(world, "20200101T000000Z-ghi");
	expect(json_object_get(record, "drill"), "reason", "NODE_STOPPED");
	json_decref(record);
	assert_int_equal(vault_backups_show(world->vault, "20200101T000000Z-def",
				 &record),
		0);
	expect(record, "state", "running");
	json_decref(record);
}

static void test_one_node_has_the_turn(void **state)
{
	struct store *store = ((struct world *)*state)->store;
	const int64_t now = 1800000000000;
	assert_int_equal(vault_record_turn(store, "t", "a", now, DAY_MS, now + 1), 0);
	assert_int_equal(vault_record_turn(store, "t", "a", now + 1, DAY_MS, now + 1), 1);
	assert_int_equal(vault_record_turn(store, "t", "b", now + 2, DAY_MS, now), 0);
	assert_int_equal(vault_record_turn(store, "t", "b", now + DAY_MS, DAY_MS, now),
		0);
	assert_int_equal(vault_record_turn(store, "t", "b", now + 1 + DAY_MS, DAY_MS,
				 now),
		1);
	assert_int_equal(vault_record_turn(store, "t", "a", now + 1 + DAY_MS, DAY_MS,
				 now),
		0);
}

static uint32_t generation_of(struct store *store, const char *id)
{
	struct store_docs docs = {0};
	assert_int_equal(store_wait_get(sealed_store_below(store)->state, STATE_LICENSE,
				 id, &docs),
		0);
	uint32_t generation = sealed_box_generation(docs.docs[0].body);
	store_docs_free(&docs);
	return generation;
}

static void test_documents_follow_their_key(void **state)
{
	struct world *world = *state;
	uint32_t generation;
	struct store_docs docs = {0};
	fill(world->store, 600, 3);
	assert_int_equal(vault_reseal_rotate(world->vault, "acme", &generation), 0);
	assert_int_equal(generation, 2);
	int r = 0;
	for (int tries = 0; tries < 1500 && r == 0; tries++) {
		r = store_wait_get(world->store->state, STATE_META, "reseal/acme", &docs);
		store_docs_free(&docs);
		usleep(20000);
	}
	assert_int_equal(r, -REASON_NOT_FOUND);
	assert_int_equal(generation_of(world->store, "lic_0599"), 2);
	assert_int_equal(generation_of(world->store, "lic_0598"), 1);
	/* One that was interrupted is gone on with by the next process. */
	world->vault = vault_free(world->vault);
	assert_int_equal(sealed_keys_rotate(sealed_store_keys(world->store), "other",
				 &generation),
		0);
	assert_int_equal(put(world->store, STATE_META, "reseal/other", "", "{}"), 0);
	start_vault(world);
	for (int tries = 0; tries < 1500 && generation_of(world->store, "lic_0598") < 2;
		tries++)
		usleep(20000);
	assert_int_equal(generation_of(world->store, "lic_0598"), 2);
}

static int is_destroyed(struct store *store, const char *id)
{
	struct store_docs docs = {0};
	assert_int_equal(store_wait_get(store->state, STATE_KEY, id, &docs), 0);
	int destroyed = strstr(docs.docs[0].body, "\"wrapped\":\"\"") != NULL;
	store_docs_free(&docs);
	return destroyed;
}

static void test_old_keys_go_after_their_rows(void **state)
{
	struct world *world = *state;
	struct store *store = world->store;
	uint32_t generation;
	struct store_docs docs = {0};
	fill(store, 10, 10);
	assert_int_equal(put(store, STATE_TENANT, "other", "other",
				 "{\"id\":\"other\",\"retention_days\":800}"),
		0);
	for (int i = 0; i < 2; i++)
		assert_int_equal(vault_reseal_rotate(world->vault, i ? "acme" : "other",
					 &generation),
			0);
	int r = 0;
	for (int tries = 0; tries < 1500 && r != -REASON_NOT_FOUND; tries++) {
		r = store_wait_get(store->state, STATE_META, "reseal/acme", &docs);
		store_docs_free(&docs);
		usleep(20000);
	}
	assert_int_equal(r, -REASON_NOT_FOUND);
	int64_t now = clock_wall_ms();
	old_keys_destroy(store, 400, now + 429 * DAY_MS);
	assert_false(is_destroyed(store, "acme/1"));
	/* While documents still wait for the new one, the old one stays. */
	assert_int_equal(put(store, STATE_META, "reseal/acme", "", "{}"), 0);
	old_keys_destroy(store, 400, now + 431 * DAY_MS);
	assert_false(is_destroyed(store, "acme/1"));
	assert_int_equal(store_wait_remove(store->state, STATE_META, "reseal/acme", 0),
		0);
	old_keys_destroy(store, 400, now + 431 * DAY_MS);
	assert_true(is_destroyed(store, "acme/1"));
	assert_false(is_destroyed(store, "acme/2"));
	assert_false(is_destroyed(store, "#ids/1"));
	/* Other keeps its history longer. */
	assert_false(is_destroyed(store, "other/1"));
	old_keys_destroy(store, 400, now + 831 * DAY_MS);
	assert_true(is_destroyed(store, "other/1"));
	assert_int_equal(store_wait_get(store->state, STATE_LICENSE, "lic_0001", &docs),
		0);
	store_docs_free(&docs);
}

/* ends of contracts */

static size_t count_in_file(const char *path, const char *needle)
{
	struct stat info;
	size_t found = 0, len = strlen(needle);
	int fd = open(path, O_RDONLY);
	if (fd < 0)
		return 0;
	assert_int_equal(fstat(fd, &info), 0);
	char *bytes = malloc((size_t)info.st_size + 1);
	assert_int_equal(read(fd, bytes, (size_t)info.st_size), info.st_size);
	for (size_t at = 0; at + len <= (size_t)info.st_size; at++)
		found += memcmp(bytes + at, needle, len) == 0;
	free(bytes);
	close(fd);
	return found;
}

static size_t count_in_store(const struct world *world, const char *needle)
{
	static const char *const ends[] = {"", "-wal", "-shm"};
	size_t found = 0;
	for (size_t i = 0; i < ARRAY_LEN(ends); i++) {
		char path[128];
		snprintf(path, sizeof(path), "%s/db%s", world->dir, ends[i]);
		found += count_in_file(path, needle);
	}
	return found;
}

static int never(void *ctx)
{
	return *(int *)ctx;
}

/* The wrapped key as it stands in the store. */
static void wrapped_key(struct world *world, char *ret, size_t size)
{
	struct store_docs docs = {0};
	assert_int_equal(store_wait_get(world->store->state, STATE_KEY, "acme/1", &docs),
		0);
	json_t *object = json_loads(docs.docs[0].body, 0, NULL);
	snprintf(ret, size, "%s", json_string_value(json_object_get(object, "wrapped")));
	json_decref(object);
	store_docs_free(&docs);
	assert_true(strlen(ret) > 60);
}

static size_t left_of(struct store *store, const char *tenant)
{
	size_t left = 0;
	for (int kind = 0; kind < STATE_KINDS; kind++) {
		struct store_docs docs = {0};
		if (kind == STATE_KEY)
			continue;
		assert_int_equal(store_wait_list(sealed_store_below(store)->state,
					 (enum state_kind)kind, tenant, NULL, 1000,
					 &docs),
			0);
		left += docs.count;
		store_docs_free(&docs);
	}
	return left;
}

static void test_a_company_is_erased_when_its_time_is_over(void **state)
{
	struct world *world = *state;
	struct store *store = world->store;
	const int64_t over = 1800000000000;
	char body[256], wrapped[160];
	int stop = 0;
	json_t *proof;
	world->vault = vault_free(world->vault);
	fill(store, 1100, 10);
	snprintf(body, sizeof(body),
		"{\"id\":\"acme\",\"name\":\"Canary KK\",\"state\":\"ended\","
		"\"ended_ms\":1700000000000,\"purge_after_ms\":%lld}",
		(long long)over);
	assert_int_equal(put(store, STATE_TENANT, "acme", "acme", body), 0);
	assert_int_equal(put(store, STATE_TENANT, "other", "other",
				 "{\"id\":\"other\",\"name\":\"Other KK\"}"),
		0);
	wrapped_key(world, wrapped, sizeof(wrapped));
	size_t before = left_of(store, "acme"), others = left_of(store, "other");
	tenant_end_purge_due(store, "node-1", over - 1, never, &stop);
	assert_int_equal(left_of(store, "acme"), before);
	assert_int_equal(tenant_end_proof(store, "acme", &proof), -REASON_NOT_FOUND);
	assert_true(count_in_store(world, wrapped) > 0);

	tenant_end_purge_due(store, "node-1", over, never, &stop);
	assert_int_equal(left_of(store, "acme"), 0);
	assert_int_equal(left_of(store, "other"), others);
	/* Neither the key nor what it opened can be found by looking at the disk. */
	assert_int_equal(count_in_store(world, wrapped), 0);
	assert_int_equal(count_in_store(world, "lic_0001"), 0);
	assert_true(count_in_store(world, "lic_0002") > 0);
	assert_int_equal(tenant_end_proof(store, "acme", &proof), 0);
	expect(proof, "state", "done");
	expect(proof, "by", "gateway");
	assert_int_equal(json_integer_value(json_object_get(proof, "documents")), before);
	assert_int_equal(json_integer_value(json_object_get(proof, "keys")), 1);
	json_decref(proof);
	assert_true(has_row(store, "\"TENANT_PURGED\""));
	/* The chain goes through the rows that nobody can open any more. */
	struct store_rows rows = {0};
	assert_int_equal(store_wait_verify(store->journal, NULL, 0, &rows), 0);
	assert_null(rows.fault);
	store_rows_free(&rows);
	struct journal_query query = {.kind = JOURNAL_LOGIN, .limit = 10};
	assert_int_equal(store_wait_query(store->journal, &query, &rows), 0);
	assert_int_equal(rows.count, 10);
	for (size_t i = 0; i < rows.count; i++)
		assert_string_equal(rows.rows[i].body,
			strcmp(rows.rows[i].tenant, "acme") ? BODY : "{\"erased\":true}");
	store_rows_free(&rows);
	/* Again there is nothing to do. */
	tenant_end_purge_due(store, "node-1", over, never, &stop);
}

static void test_an_interrupted_purge_is_gone_on_with(void **state)
{
	struct world *world = *state;
	int stop = 0;
	json_t *proof;
	world->vault = vault_free(world->vault);
	fill(world->store, 10, 2);
	/* Its own document is gone already, its keys are not. */
	assert_int_equal(
		put(world->store, STATE_META, "purge/acme", "",
			"{\"tenant\":\"acme\",\"state\":\"running\",\"by\":\"x\","
			"\"documents\":7}"),
		0);
	tenant_end_purge_due(world->store, "node-1", 1, never, &stop);
	assert_int_equal(left_of(world->store, "acme"), 0);
	assert_int_equal(tenant_end_proof(world->store, "acme", &proof), 0);
	expect(proof, "state", "done");
	assert_int_equal(json_integer_value(json_object_get(proof, "keys")), 1);
	json_decref(proof);
	assert_int_equal(tenant_end_purge(world->store, "node-1", "", "x", NULL),
		-REASON_FORBIDDEN);
}

int main(void)
{
#define VAULT_TEST(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		VAULT_TEST(test_a_backup_restores_into_any_store),
		VAULT_TEST(test_a_backup_of_redis),
		VAULT_TEST(test_an_interrupted_restore_is_known),
		VAULT_TEST(test_a_drill_finds_what_is_wrong),
		VAULT_TEST(test_generations_grow_old),
		VAULT_TEST(test_a_failed_backup_is_told),
		VAULT_TEST(test_what_was_interrupted_is_tidied_up),
		VAULT_TEST(test_one_node_has_the_turn),
		VAULT_TEST(test_documents_follow_their_key),
		VAULT_TEST(test_old_keys_go_after_their_rows),
		VAULT_TEST(test_a_company_is_erased_when_its_time_is_over),
		VAULT_TEST(test_an_interrupted_purge_is_gone_on_with),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
