/* Signed checkpoints, and what they find out together with the chain. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/reason.h"
#include "base/text.h"
#include "keeper/checkpoint_maker.h"
#include "keeper/journal_purger.h"
#include "rules/tenant.h"
#include "store/journal_audit.h"
#include "store/journal_chain.h"
#include "store/store_open.h"
#include "store/store_wait.h"

#define DAY_MS INT64_C(86400000)
#define NOW_MS INT64_C(1795348800000)

struct world {
	char dir[64], db[96], address[128], file[96], copy[96];
	uint8_t master[32];
	struct journal_signer *signer;
	struct store *store;
	struct checkpoint_maker *maker;
};

static void open_all(struct world *world)
{
	char error[STORE_ERROR] = "";
	if (store_open(world->address, "node-1", &world->store, error))
		fail_msg("%s", error);
	assert_int_equal(checkpoint_maker_new(world->store, world->signer, "node-1",
				 world->file, &world->maker),
		0);
}

static void close_all(struct world *world)
{
	world->maker = checkpoint_maker_free(world->maker);
	world->store = store_close(world->store);
}

static int set_up(void **state)
{
	struct world *world = calloc(1, sizeof(*world));
	snprintf(world->dir, sizeof(world->dir), "/tmp/engawa-points-XXXXXX");
	assert_non_null(mkdtemp(world->dir));
	snprintf(world->db, sizeof(world->db), "%s/db", world->dir);
	snprintf(world->address, sizeof(world->address), "sqlite:%s", world->db);
	snprintf(world->file, sizeof(world->file), "%s/checkpoints.jsonl", world->dir);
	snprintf(world->copy, sizeof(world->copy), "%s/copy.jsonl", world->dir);
	memset(world->master, 7, sizeof(world->master));
	assert_int_equal(journal_checkpoint_signer_new(world->master, &world->signer), 0);
	clock_fake(1000000, NOW_MS);
	open_all(world);
	*state = world;
	return 0;
}

static int tear_down(void **state)
{
	struct world *world = *state;
	char command[128];
	close_all(world);
	clock_fake(-1, -1);
	journal_checkpoint_signer_free(world->signer);
	snprintf(command, sizeof(command), "rm -r %s", world->dir);
	assert_int_equal(system(command), 0);
	free(world);
	return 0;
}

static void append(struct world *world, enum journal_kind kind, int64_t at_ms, int count)
{
	struct journal_row rows[100];
	for (int i = 0; i < 100; i++)
		rows[i] = (struct journal_row){
			kind, "", "lic_a", at_ms, "{\"a\":1}", 0, NULL, {0}};
	for (; count > 0; count -= 100)
		assert_int_equal(store_wait_append(world->store->journal, rows,
					 count < 100 ? (size_t)count : 100),
			0);
}

static void sign(struct world *world)
{
	assert_int_equal(checkpoint_maker_run(world->maker, CHECKPOINT_MAKER_DUE,
				 world->copy),
		0);
}

static struct journal_audit look(struct world *world, const char *file)
{
	struct journal_audit audit;
	assert_int_equal(journal_audit_run(world->store, world->signer, &file,
				 file ? 1 : 0, &audit),
		0);
	return audit;
}

static void expect_fault(struct world *world, const char *file, const char *fault,
	uint64_t seq)
{
	struct journal_audit audit = look(world, file);
	if (!audit.fault != !fault || (fault && strcmp(audit.fault, fault)) ||
		audit.first_bad != seq)
		fail_msg("%s at %d instead of %s at %d",
			audit.fault ? audit.fault : "nothing", (int)audit.first_bad,
			fault ? fault : "nothing", (int)seq);
}

static void test_a_signature_covers_every_field(void **state)
{
	struct world *world = *state;
	struct journal_checkpoint good = {
		.point = {.seq = 17, .at_ms = NOW_MS}, .node = "node-1", .rows = 17};
	char *text = NULL;
	assert_int_equal(journal_checkpoint_sign(world->signer, &good), 0);
	assert_int_equal(journal_checkpoint_check(world->signer, &good), 0);
	for (int field = 0; field < 6; field++) {
		struct journal_checkpoint bent = good;
		bent.point.seq += field == 0;
		bent.point.hash[31] ^= field == 1;
		bent.point.at_ms -= field == 2;
		bent.node[0] ^= field == 3;
		bent.rows += field == 4;
		bent.signature[0] ^= field == 5;
		assert_int_equal(journal_checkpoint_check(world->signer, &bent),
			-REASON_PROOF_WRONG);
	}
	struct journal_checkpoint read;
	assert_int_equal(journal_checkpoint_write(&good, &text), 0);
	assert_int_equal(journal_checkpoint_read(text, &read), 0);
	assert_int_equal(journal_checkpoint_check(world->signer, &read), 0);
	free(text);
	/* Another cluster's. */
	struct journal_signer *other;
	world->master[31] ^= 1;
	assert_int_equal(journal_checkpoint_signer_new(world->master, &other), 0);
	assert_int_equal(journal_checkpoint_check(other, &good), -REASON_PROOF_WRONG);
	journal_checkpoint_signer_free(other);
}

static void test_the_key_is_what_the_header_says(void **state)
{
	struct world *world = *state;
	/* Python: HKDF(SHA256, 32, None, b"engawa journal checkpoint 1").derive(bytes([7] * 32)), then the
	 * public key of Ed25519 for that seed. */
	uint8_t public_key[JOURNAL_CHECKPOINT_PUBLIC];
	char hex[TEXT_HEX_SIZE(JOURNAL_CHECKPOINT_PUBLIC)];
	journal_checkpoint_signer_public(world->signer, public_key);
	text_hex(hex, public_key, sizeof(public_key));
	assert_string_equal(hex,
		"08821f2189dd2e4e7f325324dfb03e6db6ba57da775d7b029710c2d0923ac674");
}

static void test_they_come_by_rows_and_by_time(void **state)
{
	struct world *world = *state;
	sign(world);
	assert_int_equal(look(world, NULL).checkpoints, 0);
	append(world, JOURNAL_AUDIT, NOW_MS, 1);
	sign(world);
	assert_int_equal(look(world, NULL).newest.point.seq, 1);
	append(world, JOURNAL_AUDIT, NOW_MS, 999);
	sign(world);
	assert_int_equal(look(world, NULL).unsigned_rows, 999);
	append(world, JOURNAL_AUDIT, NOW_MS, 1);
	sign(world);
	assert_int_equal(look(world, NULL).newest.point.seq, 1001);
	append(world, JOURNAL_AUDIT, NOW_MS, 1);
	clock_fake(1000000, NOW_MS + CHECKPOINT_MAKER_MS - 1);
	sign(world);
	assert_int_equal(look(world, NULL).unsigned_rows, 1);
	clock_fake(1000000, NOW_MS + CHECKPOINT_MAKER_MS);
	sign(world);
	struct journal_audit audit = look(world, world->file);
	assert_int_equal(audit.newest.point.seq, 1002);
	assert_int_equal(audit.unsigned_rows, 0);
	assert_int_equal(audit.checkpoints, 3);
	assert_int_equal(audit.met, 3);
	assert_int_equal(audit.files, 1);
	/* Nothing new: nothing signed. */
	clock_fake(1000000, NOW_MS + 9 * CHECKPOINT_MAKER_MS);
	sign(world);
	assert_int_equal(look(world, world->copy).checkpoints, 3);
	append(world, JOURNAL_AUDIT, NOW_MS, 1);
	assert_int_equal(checkpoint_maker_run(world->maker, CHECKPOINT_MAKER_NOW,
				 world->copy),
		0);
	assert_int_equal(checkpoint_maker_run(world->maker, CHECKPOINT_MAKER_NOW,
				 world->copy),
		0);
	assert_int_equal(look(world, world->copy).checkpoints, 4);
	assert_int_equal(look(world, NULL).unsigned_rows, 0);
}

static void edit(struct world *world, const char *sql)
{
	sqlite3 *db;
	assert_int_equal(sqlite3_open(world->db, &db), SQLITE_OK);
	char *error = NULL;
	if (sqlite3_exec(db, sql, NULL, NULL, &error))
		fail_msg("%s: %s", sql, error);
	sqlite3_close(db);
}

/* 2,500 rows in three checkpoints and 500 rows that nobody signed. */
static void fill(struct world *world)
{
	for (int i = 0; i < 2; i++) {
		append(world, JOURNAL_AUDIT, NOW_MS, 1000);
		sign(world);
	}
	append(world, JOURNAL_AUDIT, NOW_MS, 500);
	clock_fake(1000000, NOW_MS + CHECKPOINT_MAKER_MS);
	sign(world);
	append(world, JOURNAL_AUDIT, NOW_MS, 500);
}

/* Everything in the database, made to fit again by who has no key. */
static void cut_to(struct world *world, int seq)
{
	char sql[300];
	snprintf(sql, sizeof(sql),
		"DELETE FROM journal WHERE seq>%d; UPDATE journal_mark SET seq=%d, "
		"hash=(SELECT "
		"hash FROM journal WHERE seq=%d) WHERE name='head'; UPDATE journal_hour "
		"SET "
		"last_seq=min(last_seq, %d)",
		seq, seq, seq, seq);
	close_all(world);
	edit(world, sql);
	open_all(world);
}

static void test_a_cut_tail_is_named(void **state)
{
	struct world *world = *state;
	fill(world);
	expect_fault(world, NULL, NULL, 0);
	/* What was not signed can be cut off: that is the loss window. */
	cut_to(world, 2600);
	expect_fault(world, NULL, NULL, 0);
	cut_to(world, 2499);
	expect_fault(world, NULL, "missing tail", 2500);
	/* Checkpoints that were removed from the database too are still in the files. */
	close_all(world);
	edit(world, "DELETE FROM doc WHERE id LIKE 'checkpoint%'");
	open_all(world);
	expect_fault(world, NULL, NULL, 0);
	expect_fault(world, world->file, "missing tail", 2500);
	expect_fault(world, world->copy, "missing tail", 2500);
	/* And growing beyond it does not heal it. */
	append(world, JOURNAL_LOGIN, NOW_MS, 1100);
	sign(world);
	expect_fault(world, world->file, "rewritten", 2500);
}

static void rechain(struct world *world)
{
	sqlite3 *db;
	sqlite3_stmt *set;
	uint8_t hash[JOURNAL_HASH] = {0};
	struct store_rows rows = {0};
	struct journal_query query = {.kind = JOURNAL_AUDIT, .limit = 1000};
	assert_int_equal(sqlite3_open(world->db, &db), SQLITE_OK);
	assert_int_equal(sqlite3_prepare_v2(db, "UPDATE journal SET hash=?1 WHERE seq=?2",
				 -1, &set, NULL),
		SQLITE_OK);
	sqlite3_exec(db, "BEGIN", NULL, NULL, NULL);
	do {
		store_rows_free(&rows);
		assert_int_equal(store_wait_query(world->store->journal, &query, &rows),
			0);
		for (size_t i = 0; i < rows.count; i++) {
			assert_int_equal(journal_chain_hash(hash, &rows.rows[i], hash),
				0);
			query.after_seq = rows.rows[i].seq;
			sqlite3_bind_blob(set, 1, hash, sizeof(hash), SQLITE_STATIC);
			sqlite3_bind_int64(set, 2, (int64_t)query.after_seq);
			assert_int_equal(sqlite3_step(set), SQLITE_DONE);
			sqlite3_reset(set);
		}
	} while (rows.count == query.limit);
	store_rows_free(&rows);
	sqlite3_finalize(set);
	sqlite3_exec(db, "COMMIT", NULL, NULL, NULL);
	sqlite3_exec(db,
		"UPDATE journal_mark SET hash=(SELECT hash FROM journal ORDER BY seq "
		"DESC "
		"LIMIT 1) WHERE name='head'",
		NULL, NULL, NULL);
	sqlite3_close(db);
}

static void test_a_chain_written_anew_is_named(void **state)
{
	struct world *world = *state;
	fill(world);
	edit(world, "UPDATE journal SET body='{\"a\":2}' WHERE seq=1500");
	rechain(world);
	assert_null(look(world, NULL).first_bad > 2000 ? "late" : NULL);
	expect_fault(world, NULL, "rewritten", 2000);
	/* With checkpoints of his own he is found out as well. */
	edit(world,
		"UPDATE doc SET body=replace(body, '\"seq\":2000', '\"seq\":1999') WHERE "
		"id='checkpoint/00000000000000002000'");
	expect_fault(world, world->file, "rewritten", 2000);
}

static void test_a_forged_checkpoint_is_named(void **state)
{
	struct world *world = *state;
	fill(world);
	edit(world, "UPDATE doc SET body=replace(body, '\"rows\":1000', '\"rows\":1001') "
		    "WHERE "
		    "id='checkpoint/00000000000000002000'");
	expect_fault(world, NULL, "forged checkpoint", 2000);
	edit(world,
		"UPDATE doc SET body='{}' WHERE id='checkpoint/00000000000000002000'");
	expect_fault(world, NULL, "forged checkpoint", 0);
	edit(world, "DELETE FROM doc WHERE id='checkpoint/00000000000000002000'");
	expect_fault(world, NULL, NULL, 0);
}

/* Day by day: 365 days are kept to their end, and the chain is in order on every one. */
static void test_a_year_is_kept_and_not_a_day_less(void **state)
{
	struct world *world = *state;
	const struct journal_purger_times times = {365, 31};
	struct usage_roller *roller;
	assert_int_equal(usage_roller_new(world->store, "node-1", &roller), 0);
	struct journal_purger purger = {world->store, world->maker, roller, 0};
	const int64_t noon = NOW_MS / DAY_MS * DAY_MS + DAY_MS / 2;
	for (int day = 0; day < 450; day++) {
		int64_t now = noon + day * DAY_MS;
		clock_fake(1000000, now);
		append(world, JOURNAL_LOGIN, now, 1);
		append(world, JOURNAL_BANDWIDTH, now, 2);
		sign(world);
		assert_int_equal(journal_purger_run(&purger, &times, now), 0);
		assert_int_equal(journal_purger_run(&purger, &times, now), 0);
		if (day % 60 && day != 366 && day != 367)
			continue;
		struct store_rows facts = {0};
		assert_int_equal(store_wait_look(world->store->journal, &facts), 0);
		int kept = day + 1 < 366 ? day + 1 : 366;
		int counts = day + 1 < 32 ? day + 1 : 32;
		assert_int_equal(facts.facts.rows[JOURNAL_LOGIN], kept);
		assert_int_equal(facts.facts.rows[JOURNAL_BANDWIDTH], 2 * counts);
		expect_fault(world, world->file, NULL, 0);
	}
	/* What was done is in the record, and old checkpoints are gone from the store. */
	struct store_rows facts = {0};
	assert_int_equal(store_wait_look(world->store->journal, &facts), 0);
	assert_true(facts.facts.rows[JOURNAL_AUDIT] >= 365);
	assert_true(facts.facts.anchor_seq > 200);
	assert_true(look(world, NULL).checkpoints < 400);
	usage_roller_free(roller);
}

static uint64_t count_logins(struct world *world, const char *tenant)
{
	struct journal_query query = {
		.kind = JOURNAL_LOGIN, .tenant = tenant, .limit = 1000};
	struct store_rows rows = {0};
	assert_int_equal(store_wait_query(world->store->journal, &query, &rows), 0);
	uint64_t count = rows.count;
	store_rows_free(&rows);
	return count;
}

/* A company's time goes before the operator's, longer or shorter; counts have their own. */
static void test_companies_have_times_of_their_own(void **state)
{
	struct world *world = *state;
	const struct journal_purger_times times = {500, 31};
	static const char *const tenants[] = {"", "long", "short"};
	struct usage_roller *roller;
	assert_int_equal(usage_roller_new(world->store, "node-1", &roller), 0);
	struct journal_purger purger = {world->store, world->maker, roller, 0};
	for (size_t i = 1; i < ARRAY_LEN(tenants); i++) {
		struct tenant tenant = {.retention_days = i == 1 ? 900 : 365};
		char *body = NULL;
		snprintf(tenant.id, sizeof(tenant.id), "%s", tenants[i]);
		snprintf(tenant.name, sizeof(tenant.name), "%s", tenants[i]);
		assert_int_equal(tenant_write(&tenant, NULL, &body), 0);
		struct state_doc doc = {STATE_TENANT, tenants[i], tenants[i], 0, body};
		assert_int_equal(store_wait_put(world->store->state, &doc, NULL), 0);
		free(body);
	}
	/* Rows of 50, 100, … 1,000 days. */
	for (int days = 1000; days > 0; days -= 50)
		for (size_t i = 0; i < ARRAY_LEN(tenants); i++) {
			struct journal_row row = {JOURNAL_LOGIN, tenants[i], "",
				NOW_MS - days * DAY_MS, "{}", 0, NULL, {0}};
			assert_int_equal(store_wait_append(world->store->journal, &row,
						 1),
				0);
			row.kind = JOURNAL_BANDWIDTH;
			assert_int_equal(store_wait_append(world->store->journal, &row,
						 1),
				0);
		}
	assert_int_equal(journal_purger_run(&purger, &times, NOW_MS), 0);
	assert_int_equal(count_logins(world, ""), 10);
	assert_int_equal(count_logins(world, "long"), 18);
	assert_int_equal(count_logins(world, "short"), 7);
	struct store_rows facts = {0};
	assert_int_equal(store_wait_look(world->store->journal, &facts), 0);
	assert_int_equal(facts.facts.rows[JOURNAL_BANDWIDTH], 0);
	assert_int_equal(facts.facts.rows[JOURNAL_AUDIT], 1);
	expect_fault(world, NULL, NULL, 0);
	/* The turn was taken: another node does nothing today. Tomorrow the rows of 500 days go, the day after
	 * tomorrow nothing, and then nothing is recorded. */
	struct journal_purger other = {world->store, world->maker, roller, 0};
	static const int audits[] = {1, 2, 2};
	for (int day = 0; day < 3; day++) {
		assert_int_equal(journal_purger_run(&other, &times,
					 NOW_MS + day * DAY_MS),
			0);
		assert_int_equal(store_wait_look(world->store->journal, &facts), 0);
		assert_int_equal(facts.facts.rows[JOURNAL_AUDIT], audits[day]);
	}
	usage_roller_free(roller);
}

int main(void)
{
#define POINT_TEST(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		POINT_TEST(test_a_signature_covers_every_field),
		POINT_TEST(test_the_key_is_what_the_header_says),
		POINT_TEST(test_they_come_by_rows_and_by_time),
		POINT_TEST(test_a_cut_tail_is_named),
		POINT_TEST(test_a_chain_written_anew_is_named),
		POINT_TEST(test_a_forged_checkpoint_is_named),
		POINT_TEST(test_companies_have_times_of_their_own),
		POINT_TEST(test_a_year_is_kept_and_not_a_day_less),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
