/* The contract of a store: one program, run for every backend. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/reason.h"
#include "fakes/redis_rig.h"
#include "store/journal_chain.h"
#include "store/sealed/sealed_store.h"
#include "store/store_open.h"
#include "store/store_wait.h"

struct backend {
	const char *name;
	int survives; /* a reopened store knows what it was told */
	int shared; /* a server keeps it: claims outlive the process, by the server's clock */
	int sealed; /* with what is stored sealed */
};

static const struct backend backends[] = {{"memory", 0, 0, 0}, {"sqlite", 1, 0, 0},
	{"redis", 1, 1, 0}, {"memory", 0, 0, 1}, {"sqlite", 1, 0, 1}, {"redis", 1, 1, 1}};
static const struct backend *backend;

struct world {
	char dir[64], address[256];
	struct redis_rig redis;
	int64_t passed_ms;
	struct store *store;
};

static void open_store(struct world *world)
{
	char error[STORE_ERROR] = "";
	int r = store_open(world->address, "node-1", &world->store, error);
	if (r == 0 && backend->sealed)
		r = sealed_store_open(world->store, (const uint8_t[32]){"master"},
			&world->store, error);
	if (r)
		fail_msg("store_open: %s %s", reason_symbol(r), error);
}

static int set_up(void **state)
{
	struct world *world = calloc(1, sizeof(*world));
	snprintf(world->dir, sizeof(world->dir), "/tmp/engawa-store-XXXXXX");
	assert_non_null(mkdtemp(world->dir));
	if (backend->shared) {
		redis_rig_start(&world->redis);
		/* The deadline is not what is tested here, and the machine may be busy. */
		snprintf(world->address, sizeof(world->address),
			"redis+unix://%s?spool=%s/spool&deadline_ms=20000",
			world->redis.socket, world->redis.dir);
	} else if (strcmp(backend->name, "memory") == 0)
		snprintf(world->address, sizeof(world->address), "memory:");
	else
		snprintf(world->address, sizeof(world->address), "%s:%s/db",
			backend->name, world->dir);
	open_store(world);
	*state = world;
	return 0;
}

static int tear_down(void **state)
{
	struct world *world = *state;
	static const char *const ends[] = {"", "-wal", "-shm", ".lock"};
	clock_fake(-1, -1);
	store_close(world->store);
	redis_rig_end(&world->redis);
	for (size_t i = 0; i < ARRAY_LEN(ends); i++) {
		char path[128];
		snprintf(path, sizeof(path), "%s/db%s", world->dir, ends[i]);
		unlink(path);
	}
	assert_int_equal(rmdir(world->dir), 0);
	free(world);
	return 0;
}

/* Time stands still, but for what passes by this. */
static void pass(struct world *world, int64_t ms)
{
	world->passed_ms += ms;
	if (backend->shared)
		redis_rig_age(&world->redis, ms);
	else
		clock_fake(1000000 + world->passed_ms * 1000,
			1700000000000 + world->passed_ms);
}

static int put(struct world *world, enum state_kind kind, const char *id,
	const char *tenant, uint64_t version, const char *body)
{
	struct state_doc doc = {kind, id, tenant, version, body};
	uint64_t now = 0;
	int r = store_wait_put(world->store->state, &doc, &now);
	if (r == 0)
		assert_int_equal(now, version + 1);
	return r;
}

static void expect_doc(struct world *world, enum state_kind kind, const char *id,
	uint64_t version, const char *body)
{
	struct store_docs docs = {0};
	assert_int_equal(store_wait_get(world->store->state, kind, id, &docs), 0);
	assert_int_equal(docs.count, 1);
	assert_string_equal(docs.docs[0].id, id);
	assert_int_equal(docs.docs[0].version, version);
	assert_string_equal(docs.docs[0].body, body);
	assert_int_equal(docs.docs[0].kind, kind);
	store_docs_free(&docs);
}

static void test_docs_have_versions(void **state)
{
	struct world *world = *state;
	struct state *s = world->store->state;
	struct store_docs docs = {0};
	assert_int_equal(store_wait_get(s, STATE_LICENSE, "lic_a", &docs),
		-REASON_NOT_FOUND);
	assert_int_equal(put(world, STATE_LICENSE, "lic_a", "acme", 0, "{\"n\":1}"), 0);
	assert_int_equal(put(world, STATE_LICENSE, "lic_a", "acme", 0, "{}"),
		-REASON_CONFLICT);
	expect_doc(world, STATE_LICENSE, "lic_a", 1, "{\"n\":1}");
	assert_int_equal(put(world, STATE_LICENSE, "lic_a", "acme", 1, "{\"n\":\"縁\"}"),
		0);
	assert_int_equal(put(world, STATE_LICENSE, "lic_a", "acme", 1, "{}"),
		-REASON_CONFLICT);
	assert_int_equal(put(world, STATE_LICENSE, "lic_a", "acme", 3, "{}"),
		-REASON_CONFLICT);
	assert_int_equal(put(world, STATE_LICENSE, "lic_b", "acme", 1, "{}"),
		-REASON_NOT_FOUND);
	expect_doc(world, STATE_LICENSE, "lic_a", 2, "{\"n\":\"縁\"}");
	/* The kinds are apart. */
	assert_int_equal(store_wait_get(s, STATE_HOST, "lic_a", &docs),
		-REASON_NOT_FOUND);
	assert_int_equal(store_wait_remove(s, STATE_LICENSE, "lic_a", 1),
		-REASON_CONFLICT);
	assert_int_equal(store_wait_remove(s, STATE_LICENSE, "lic_a", 2), 0);
	assert_int_equal(store_wait_remove(s, STATE_LICENSE, "lic_a", 0),
		-REASON_NOT_FOUND);
	assert_int_equal(put(world, STATE_LICENSE, "lic_a", "acme", 0, "{}"), 0);
	assert_int_equal(store_wait_remove(s, STATE_LICENSE, "lic_a", 0), 0);
}

static void test_many_at_once_are_answered_each(void **state)
{
	struct world *world = *state;
	struct state *s = world->store->state;
	struct state_doc docs[300];
	char ids[300][16];
	const char *names[302];
	int statuses[300];
	uint8_t present[302];
	struct store_docs found = {0};
	for (size_t i = 0; i < ARRAY_LEN(docs); i++) {
		snprintf(ids[i], sizeof(ids[i]), "lic_%zu", i);
		docs[i] = (struct state_doc){.kind = STATE_LICENSE,
			.id = ids[i],
			.tenant = "acme",
			.body = "{\"a\":1}"};
		names[i] = ids[i];
	}
	names[300] = "lic_nobody";
	names[301] = ids[7];
	assert_int_equal(store_wait_put_many(s, docs, 300, statuses), 0);
	for (size_t i = 0; i < ARRAY_LEN(docs); i++)
		assert_int_equal(statuses[i], 0);
	/* One that exists already fails alone. */
	assert_int_equal(store_wait_remove_many(s, STATE_LICENSE, names, 1, statuses), 0);
	assert_int_equal(store_wait_put_many(s, docs, 2, statuses), 0);
	assert_int_equal(statuses[0], 0);
	assert_int_equal(statuses[1], -REASON_CONFLICT);
	assert_int_equal(store_wait_get_many(s, STATE_LICENSE, names, 302, &found), 0);
	assert_int_equal(found.count, 301);
	assert_string_equal(found.docs[299].id, "lic_299");
	assert_string_equal(found.docs[300].id, "lic_7");
	store_docs_free(&found);
	assert_int_equal(store_wait_announce(s, "lic_7", "n1", "here", 60000), 0);
	assert_int_equal(store_wait_locate_many(s, names, 302, present), 0);
	for (size_t i = 0; i < ARRAY_LEN(present); i++)
		assert_int_equal(present[i], i == 7 || i == 301);
	assert_int_equal(store_wait_remove_many(s, STATE_LICENSE, names, 300, statuses),
		0);
	assert_int_equal(store_wait_get_many(s, STATE_LICENSE, names, 302, &found), 0);
	assert_int_equal(found.count, 0);
	store_docs_free(&found);
}

static void test_docs_have_limits(void **state)
{
	struct world *world = *state;
	char id[STATE_ID_MAX + 2], tenant[STATE_TENANT_MAX + 2];
	memset(id, 'i', sizeof(id));
	memset(tenant, 't', sizeof(tenant));
	id[sizeof(id) - 1] = tenant[sizeof(tenant) - 1] = 0;
	char *body = malloc(STATE_BODY_MAX + 2);
	memset(body, ' ', STATE_BODY_MAX + 1);
	body[STATE_BODY_MAX + 1] = 0;
	assert_int_equal(put(world, STATE_META, id, "", 0, "{}"), -REASON_LIMIT);
	assert_int_equal(put(world, STATE_META, "", "", 0, "{}"), -REASON_LIMIT);
	assert_int_equal(put(world, STATE_META, "a", tenant, 0, "{}"), -REASON_LIMIT);
	assert_int_equal(put(world, STATE_META, "a", "", 0, body), -REASON_LIMIT);
	id[STATE_ID_MAX] = tenant[STATE_TENANT_MAX] = body[STATE_BODY_MAX] = 0;
	assert_int_equal(put(world, STATE_META, id, tenant, 0, body), 0);
	expect_doc(world, STATE_META, id, 1, body);
	free(body);
}

static void test_lists_come_in_pages(void **state)
{
	struct world *world = *state;
	char id[32], after[32] = "";
	size_t seen = 0, pages = 0;
	for (int i = 0; i < 250; i++) {
		/* Not in the order in which they are asked for. */
		snprintf(id, sizeof(id), "lic_%03d", i * 7 % 250);
		assert_int_equal(put(world, STATE_LICENSE, id, i % 2 ? "acme" : "other",
					 0, "{}"),
			0);
	}
	for (;;) {
		struct store_docs docs = {0};
		assert_int_equal(store_wait_list(world->store->state, STATE_LICENSE, NULL,
					 pages ? after : NULL, 60, &docs),
			0);
		for (size_t i = 0; i < docs.count; i++) {
			snprintf(id, sizeof(id), "lic_%03zu", seen++);
			assert_string_equal(docs.docs[i].id, id);
		}
		size_t count = docs.count;
		if (count)
			snprintf(after, sizeof(after), "%s", docs.docs[count - 1].id);
		store_docs_free(&docs);
		pages++;
		if (count < 60)
			break;
	}
	assert_int_equal(seen, 250);
	assert_int_equal(pages, 5);
	struct store_docs docs = {0};
	assert_int_equal(store_wait_list(world->store->state, STATE_LICENSE, "acme",
				 "lic_100", 1000, &docs),
		0);
	assert_in_range(docs.count, 60, 90);
	for (size_t i = 0; i < docs.count; i++) {
		assert_string_equal(docs.docs[i].tenant, "acme");
		assert_true(strcmp(docs.docs[i].id, "lic_100") > 0);
	}
	store_docs_free(&docs);
	assert_int_equal(store_wait_list(world->store->state, STATE_HOST, NULL, NULL, 10,
				 &docs),
		0);
	assert_int_equal(docs.count, 0);
	store_docs_free(&docs);
}

#define RACERS 8
#define PRIZES 500

struct racer {
	struct world *world;
	int number, won[PRIZES];
	uint64_t fences[PRIZES];
};

static void *race(void *arg)
{
	struct racer *racer = arg;
	char license[16], session[16];
	snprintf(session, sizeof(session), "ses_%d", racer->number);
	for (int i = 0; i < PRIZES; i++) {
		struct store_docs docs = {0};
		snprintf(license, sizeof(license), "lic_%d", i);
		int r = store_wait_claim(racer->world->store->state, license, session,
			session, 60000, &docs);
		racer->won[i] = r == 0;
		racer->fences[i] = docs.fence;
		/* Asserting fails the test on its own thread only; the counts below tell. */
		if (r && (r != -REASON_LICENSE_IN_USE || !docs.holder))
			racer->won[i] = 100;
		store_docs_free(&docs);
	}
	return NULL;
}

static void test_a_claim_has_one_winner(void **state)
{
	struct world *world = *state;
	static struct racer racers[RACERS];
	pthread_t threads[RACERS];
	uint64_t first_fences[PRIZES];
	for (int round = 0; round < 2; round++) {
		for (int i = 0; i < RACERS; i++) {
			racers[i] = (struct racer){.world = world, .number = i};
			assert_int_equal(pthread_create(&threads[i], NULL, race,
						 &racers[i]),
				0);
		}
		for (int i = 0; i < RACERS; i++)
			pthread_join(threads[i], NULL);
		for (int prize = 0; prize < PRIZES; prize++) {
			char license[16], session[16];
			int winners = 0, winner = 0;
			for (int i = 0; i < RACERS; i++) {
				winners += racers[i].won[prize];
				winner = racers[i].won[prize] ? i : winner;
			}
			assert_int_equal(winners, 1);
			uint64_t fence = racers[winner].fences[prize];
			if (round)
				assert_true(fence > first_fences[prize]);
			first_fences[prize] = fence;
			snprintf(license, sizeof(license), "lic_%d", prize);
			snprintf(session, sizeof(session), "ses_%d", winner);
			assert_int_equal(store_wait_release(world->store->state, license,
						 session, fence),
				0);
		}
	}
}

static void test_a_claim_belongs_to_its_session(void **state)
{
	struct world *world = *state;
	struct state *s = world->store->state;
	struct store_docs docs = {0};
	pass(world, 0);
	assert_int_equal(store_wait_claim(s, "lic_a", "ses_1", "node-1 viewer", 15000,
				 &docs),
		0);
	uint64_t fence = docs.fence;
	store_docs_free(&docs);
	assert_int_equal(store_wait_claim(s, "lic_a", "ses_2", "x", 15000, &docs),
		-REASON_LICENSE_IN_USE);
	assert_string_equal(docs.holder, "node-1 viewer");
	store_docs_free(&docs);
	assert_int_equal(store_wait_renew(s, "lic_a", "ses_2", 15000), -REASON_NOT_FOUND);
	assert_int_equal(store_wait_release(s, "lic_a", "ses_2", fence), 0);
	assert_int_equal(store_wait_renew(s, "lic_a", "ses_1", 15000), 0);
	/* The same session again (a resume): a new fence. */
	assert_int_equal(store_wait_claim(s, "lic_a", "ses_1", "node-2", 15000, &docs),
		0);
	assert_true(docs.fence > fence);
	/* Who drew the former one does not take this one away. */
	assert_int_equal(store_wait_release(s, "lic_a", "ses_1", fence), 0);
	assert_int_equal(store_wait_renew(s, "lic_a", "ses_1", 15000), 0);
	fence = docs.fence;
	store_docs_free(&docs);
	/* 14 s later it still stands, renewed or not; 16 s later it does not. */
	pass(world, 14000);
	assert_int_equal(store_wait_claim(s, "lic_a", "ses_2", "x", 15000, NULL),
		-REASON_LICENSE_IN_USE);
	pass(world, 2000);
	assert_int_equal(store_wait_renew(s, "lic_a", "ses_1", 15000), -REASON_NOT_FOUND);
	assert_int_equal(store_wait_claim(s, "lic_a", "ses_2", "x", 15000, &docs), 0);
	assert_true(docs.fence > fence);
	fence = docs.fence;
	store_docs_free(&docs);
	assert_int_equal(store_wait_release(s, "lic_a", "ses_2", fence), 0);
	assert_int_equal(store_wait_claim(s, "lic_a", "ses_3", "x", 15000, NULL), 0);
}

/* A clock that is set back would let it stand for as long. */
static void test_no_claim_outlasts_its_time(void **state)
{
	struct world *world = *state;
	struct state *s = world->store->state;
	if (!backend->shared)
		return;
	assert_int_equal(store_wait_claim(s, "lic_a", "ses_1", "x", 15000, NULL), 0);
	assert_int_equal(redis_rig_number(&world->redis,
				 "PEXPIRE engawa:claim:lic_a 7200000"),
		1);
	assert_int_equal(store_wait_claim(s, "lic_a", "ses_2", "x", 15000, NULL),
		-REASON_LICENSE_IN_USE);
	assert_in_range(redis_rig_number(&world->redis, "PTTL engawa:claim:lic_a"), 1,
		15000);
}

static void test_presence_is_a_lease(void **state)
{
	struct world *world = *state;
	struct state *s = world->store->state;
	struct store_docs docs = {0};
	pass(world, 0);
	assert_int_equal(store_wait_locate(s, "lic_a", &docs), -REASON_NOT_FOUND);
	assert_int_equal(store_wait_announce(s, "lic_a", "node-1", "one", 15000), 0);
	assert_int_equal(store_wait_announce(s, "lic_a", "node-2", "two", 15000), 0);
	assert_int_equal(store_wait_withdraw(s, "lic_a", "node-1"), 0);
	assert_int_equal(store_wait_locate(s, "lic_a", &docs), 0);
	assert_string_equal(docs.holder, "two");
	store_docs_free(&docs);
	pass(world, 10000);
	assert_int_equal(store_wait_locate(s, "lic_a", &docs), 0);
	store_docs_free(&docs);
	pass(world, 5000);
	assert_int_equal(store_wait_locate(s, "lic_a", &docs), -REASON_NOT_FOUND);
	assert_int_equal(store_wait_announce(s, "lic_a", "node-1", "three", 15000), 0);
	assert_int_equal(store_wait_withdraw(s, "lic_a", "node-1"), 0);
	assert_int_equal(store_wait_locate(s, "lic_a", &docs), -REASON_NOT_FOUND);
	/* Who is still there does not take it from who came later. */
	assert_int_equal(store_wait_stay(s, "lic_a", "node-1", "one", 15000, NULL), 0);
	pass(world, 10000);
	assert_int_equal(store_wait_stay(s, "lic_a", "node-1", "one", 15000, NULL), 0);
	pass(world, 10000);
	assert_int_equal(store_wait_locate(s, "lic_a", &docs), 0);
	assert_string_equal(docs.holder, "one");
	store_docs_free(&docs);
	assert_int_equal(store_wait_announce(s, "lic_a", "node-2", "two", 15000), 0);
	pass(world, 10000);
	assert_int_equal(store_wait_stay(s, "lic_a", "node-1", "one", 15000, &docs),
		-REASON_CONFLICT);
	assert_string_equal(docs.holder, "two");
	store_docs_free(&docs);
	pass(world, 5000);
	assert_int_equal(store_wait_locate(s, "lic_a", &docs), -REASON_NOT_FOUND);
	assert_int_equal(store_wait_stay(s, "lic_a", "node-1", "one", 15000, NULL), 0);
	assert_int_equal(store_wait_withdraw(s, "lic_a", "node-1"), 0);
	/* A claim of the same license is something else. */
	assert_int_equal(store_wait_claim(s, "lic_a", "node-1", "x", 15000, NULL), 0);
	assert_int_equal(store_wait_locate(s, "lic_a", &docs), -REASON_NOT_FOUND);
}

/* Rows i = 0..count-1: kind i % 4, tenants and licenses in turn, one a minute. */
#define FIRST_MS INT64_C(1700000000000)
static void append_rows(struct world *world, int count)
{
	struct journal_row rows[50];
	static char bodies[50][40], licenses[50][16];
	int in = 0;
	for (int i = 0; i < count; i++) {
		snprintf(bodies[in], sizeof(bodies[in]), "{\"i\":%d}", i);
		snprintf(licenses[in], sizeof(licenses[in]), i % 5 ? "lic_%d" : "",
			i % 5);
		rows[in] = (struct journal_row){.kind = (enum journal_kind)(i % 4),
			.tenant = i % 3 ? "acme" : "",
			.license = licenses[in],
			.at_ms = FIRST_MS + i * 60000,
			.body = bodies[in]};
		in++;
		if (in == 50 || i == count - 1) {
			assert_int_equal(store_wait_append(world->store->journal, rows,
						 (size_t)in),
				0);
			in = 0;
		}
	}
}

static int matches(const struct journal_query *query, int i)
{
	char license[16];
	snprintf(license, sizeof(license), i % 5 ? "lic_%d" : "", i % 5);
	int64_t at = FIRST_MS + i * 60000;
	return (int)query->kind == i % 4 &&
	       (!query->tenant || strcmp(query->tenant, i % 3 ? "acme" : "") == 0) &&
	       (!query->license || strcmp(query->license, license) == 0) &&
	       (!query->from_ms || at >= query->from_ms) &&
	       (!query->to_ms || at < query->to_ms);
}

/* Reads all pages and compares with what must be there. */
static void expect_pages(struct world *world, struct journal_query query, int count)
{
	int newest = query.order == JOURNAL_NEWEST_FIRST, i = newest ? count - 1 : 0;
	for (int pages = 0; pages < 1000; pages++) {
		struct store_rows rows = {0};
		assert_int_equal(store_wait_query(world->store->journal, &query, &rows),
			0);
		assert_true(rows.count <= query.limit);
		for (size_t k = 0; k < rows.count; k++) {
			while (i >= 0 && i < count && !matches(&query, i))
				i += newest ? -1 : 1;
			assert_int_equal(rows.rows[k].seq, i + 1);
			assert_int_equal(rows.rows[k].at_ms, FIRST_MS + i * 60000);
			assert_string_equal(rows.rows[k].node, "node-1");
			i += newest ? -1 : 1;
		}
		size_t got = rows.count;
		if (got)
			query.after_seq = rows.rows[got - 1].seq;
		store_rows_free(&rows);
		if (got < query.limit)
			break;
	}
	while (i >= 0 && i < count && !matches(&query, i))
		i += newest ? -1 : 1;
	assert_int_equal(i, newest ? -1 : count);
}

static void test_rows_are_found_in_pages(void **state)
{
	struct world *world = *state;
	const int count = 600;
	append_rows(world, count);
	for (int mask = 0; mask < 64; mask++) {
		struct journal_query query = {.kind = (enum journal_kind)(mask % 4),
			.tenant = mask & 4 ? "acme" : NULL,
			.license = mask & 8 ? "lic_2" : NULL,
			.from_ms = mask & 16 ? FIRST_MS + 100 * 60000 + 1 : 0,
			.to_ms = mask & 32 ? FIRST_MS + 500 * 60000 : 0,
			.limit = 7};
		expect_pages(world, query, count);
		query.order = JOURNAL_NEWEST_FIRST;
		query.limit = 1000;
		expect_pages(world, query, count);
	}
}

static void test_rows_of_a_jumping_clock_are_found(void **state)
{
	struct world *world = *state;
	for (int i = 0; i < 200; i++) {
		/* The clock goes forth and back by days; the order of rows is that of seq. */
		struct journal_row row = {.kind = JOURNAL_LOGIN,
			.tenant = "",
			.license = "",
			.at_ms = FIRST_MS + (i * 37 % 50) * INT64_C(3600000),
			.body = "{}"};
		assert_int_equal(store_wait_append(world->store->journal, &row, 1), 0);
	}
	for (int hour = 0; hour < 50; hour++) {
		struct journal_query query = {.kind = JOURNAL_LOGIN,
			.from_ms = FIRST_MS + hour * INT64_C(3600000),
			.to_ms = FIRST_MS + (hour + 1) * INT64_C(3600000),
			.limit = 1000};
		struct store_rows rows = {0};
		assert_int_equal(store_wait_query(world->store->journal, &query, &rows),
			0);
		assert_int_equal(rows.count, 4);
		store_rows_free(&rows);
	}
}

static void test_an_append_is_all_or_nothing(void **state)
{
	struct world *world = *state;
	char *body = malloc(JOURNAL_BODY_MAX + 2);
	memset(body, ' ', JOURNAL_BODY_MAX + 1);
	body[JOURNAL_BODY_MAX + 1] = 0;
	struct journal_row rows[2] = {{.kind = JOURNAL_AUDIT,
					      .tenant = "",
					      .license = "",
					      .at_ms = 5,
					      .body = "{}"},
		{.kind = JOURNAL_AUDIT,
			.tenant = "",
			.license = "",
			.at_ms = 5,
			.body = body}};
	assert_int_equal(store_wait_append(world->store->journal, rows, 2),
		-REASON_LIMIT);
	struct store_rows verdict = {0};
	assert_int_equal(store_wait_verify(world->store->journal, NULL, 0, &verdict), 0);
	assert_int_equal(verdict.checked, 0);
	body[JOURNAL_BODY_MAX] = 0;
	assert_int_equal(store_wait_append(world->store->journal, rows, 2), 0);
	/* Nobody waits, and still it is there. */
	journal_append(world->store->journal, rows, 1, NULL, NULL, NULL);
	assert_int_equal(store_wait_append(world->store->journal, rows, 1), 0);
	assert_int_equal(store_wait_verify(world->store->journal, NULL, 0, &verdict), 0);
	assert_int_equal(verdict.checked, 4);
	free(body);
}

static void expect_chain(struct world *world, uint64_t checked, uint64_t last);

static void on_left_out(void *ctx, const struct journal_answer *answer)
{
	assert_int_equal(answer->status, 0);
	*(size_t *)ctx = answer->left_out;
}

/* One thing's rows: "+ab" is the last row of the series "ab", "-ab" another of it, "" a row of none. How many
 * were left out. */
static size_t append_series(struct journal *journal, const char *const *marks)
{
	struct journal_row rows[4];
	struct post_pump *pump;
	size_t count = 0, left_out = SIZE_MAX;
	for (; marks[count]; count++)
		rows[count] = (struct journal_row){.kind = JOURNAL_SESSION,
			.tenant = "acme",
			.license = "lic_a",
			.at_ms = 5,
			.body = "{}",
			.series = *marks[count] ? marks[count] + 1 : NULL,
			.place = *marks[count] == '+' ? JOURNAL_LAST : JOURNAL_GOES_ON};
	assert_int_equal(post_pump_new(&pump), 0);
	journal_append(journal, rows, count, post_pump_box(pump), on_left_out, &left_out);
	while (left_out == SIZE_MAX)
		post_pump_run(pump, 100);
	post_pump_free(pump);
	return left_out;
}

#define SERIES(...)                                                                      \
	append_series(world->store->journal, (const char *const[]){__VA_ARGS__, NULL})

static void test_a_series_ends_once(void **state)
{
	struct world *world = *state;
	assert_int_equal(SERIES("-ab", "-cd", ""), 0);
	assert_int_equal(SERIES("-ab", "+ab"), 0);
	expect_chain(world, 5, 5);
	/* Whoever comes later writes what is of no series, or of another. */
	assert_int_equal(SERIES("-ab", "+ab"), 2);
	assert_int_equal(SERIES("+ab"), 1);
	assert_int_equal(SERIES("-ab", "", "-cd", "+ab"), 2);
	expect_chain(world, 7, 7);
	/* Also within one append. */
	assert_int_equal(SERIES("+cd", "-cd", "+cd", "-ef"), 2);
	expect_chain(world, 9, 9);
	if (!backend->survives)
		return;
	store_close(world->store);
	open_store(world);
	assert_int_equal(SERIES("+ab", "-cd", "-ef"), 2);
	expect_chain(world, 10, 10);
}

static void *end_series(void *arg)
{
	struct world *world = arg;
	size_t ended = 0;
	for (int i = 0; i < 50; i++) {
		char mark[16];
		snprintf(mark, sizeof(mark), "+s%d", i);
		ended += 2 - SERIES("", mark);
	}
	return (void *)ended;
}

static void test_many_who_end_a_series_are_one(void **state)
{
	struct world *world = *state;
	pthread_t threads[4];
	size_t rows = 0;
	for (size_t i = 0; i < ARRAY_LEN(threads); i++)
		assert_int_equal(pthread_create(&threads[i], NULL, end_series, world), 0);
	for (size_t i = 0; i < ARRAY_LEN(threads); i++) {
		void *ended;
		pthread_join(threads[i], &ended);
		rows += (size_t)ended;
	}
	assert_int_equal(rows, 4 * 50 + 50);
	expect_chain(world, rows, rows);
}

/* What is known of series goes with their rows. */
static void test_a_purge_forgets_series(void **state)
{
	struct world *world = *state;
	struct journal_purge purge = {.before_ms = {1000, 1000}, .stubs_before_ms = 1000};
	assert_int_equal(SERIES("+ab"), 0);
	assert_int_equal(store_wait_purge(world->store->journal, &purge, NULL), 0);
	assert_int_equal(SERIES("+ab"), 0);
	if (backend->shared)
		assert_int_equal(redis_rig_number(&world->redis,
					 "ZCARD engawa:journal:ended"),
			1);
}

static void expect_chain(struct world *world, uint64_t checked, uint64_t last)
{
	struct store_rows verdict = {0};
	assert_int_equal(store_wait_verify(world->store->journal, NULL, 0, &verdict), 0);
	assert_null(verdict.fault);
	assert_int_equal(verdict.first_bad, 0);
	assert_int_equal(verdict.checked, checked);
	assert_int_equal(verdict.last_seq, last);
	store_rows_free(&verdict);
}

/* What is chained is what stands in the store. */
static struct journal *chained(struct world *world)
{
	return backend->sealed ? sealed_store_below(world->store)->journal
			       : world->store->journal;
}

static void test_the_chain_is_what_its_header_says(void **state)
{
	struct world *world = *state;
	uint8_t hash[JOURNAL_HASH] = {0}, next[JOURNAL_HASH];
	append_rows(world, 20);
	expect_chain(world, 20, 20);
	for (int i = 0; i < 20; i++) {
		struct journal_query query = {.kind = (enum journal_kind)(i % 4),
			.after_seq = (uint64_t)i,
			.limit = 1};
		struct store_rows rows = {0};
		assert_int_equal(store_wait_query(chained(world), &query, &rows), 0);
		assert_int_equal(rows.rows[0].seq, i + 1);
		assert_int_equal(journal_chain_hash(hash, &rows.rows[0], next), 0);
		assert_memory_equal(rows.rows[0].hash, next, JOURNAL_HASH);
		memcpy(hash, next, JOURNAL_HASH);
		store_rows_free(&rows);
	}
}

static void purge_all(struct world *world, int64_t before_ms, uint64_t expected)
{
	struct journal_purge purge = {
		.before_ms = {before_ms, before_ms}, .stubs_before_ms = before_ms};
	struct store_rows gone = {0};
	assert_int_equal(store_wait_purge(world->store->journal, &purge, &gone), 0);
	assert_int_equal(gone.checked, expected);
}

static void test_a_purge_keeps_the_chain(void **state)
{
	struct world *world = *state;
	append_rows(world, 5000);
	purge_all(world, FIRST_MS, 0);
	expect_chain(world, 5000, 5000);
	purge_all(world, FIRST_MS + 4321 * 60000, 4321);
	expect_chain(world, 679, 5000);
	struct journal_query query = {.kind = JOURNAL_LOGIN, .limit = 1};
	struct store_rows rows = {0};
	assert_int_equal(store_wait_query(world->store->journal, &query, &rows), 0);
	assert_int_equal(rows.rows[0].seq, 4322);
	store_rows_free(&rows);
	append_rows(world, 3);
	expect_chain(world, 682, 5003);
	purge_all(world, INT64_MAX, 682);
	expect_chain(world, 0, 5003);
	append_rows(world, 1);
	expect_chain(world, 1, 5004);
}

static const struct journal_keep keeps[] = {{"acme", FIRST_MS + 100 * 60000}};

static int is_gone(int i)
{
	int64_t at = FIRST_MS + i * 60000;
	if (i % 4 == JOURNAL_BANDWIDTH)
		return at < FIRST_MS + 1800 * 60000;
	return at < FIRST_MS + (i % 3 ? 100 : 700) * 60000;
}

/* What is left of append_rows(), and the facts about it. */
static void expect_what_is_left(struct world *world, int count, uint64_t anchor)
{
	uint64_t left[JOURNAL_KINDS] = {0}, stubs = 0;
	int64_t first_ms = 0;
	struct store_rows rows = {0};
	for (int i = (int)anchor; i < count; i++) {
		struct journal_query query = {.kind = (enum journal_kind)(i % 4),
			.after_seq = (uint64_t)i,
			.limit = 1};
		stubs += (uint64_t)is_gone(i);
		if (is_gone(i))
			continue;
		left[i % 4]++;
		if (!first_ms)
			first_ms = FIRST_MS + i * 60000;
		assert_int_equal(store_wait_query(world->store->journal, &query, &rows),
			0);
		assert_int_equal(rows.rows[0].seq, i + 1);
		store_rows_free(&rows);
	}
	assert_int_equal(store_wait_verify(world->store->journal, NULL, 0, &rows), 0);
	assert_null(rows.fault);
	assert_int_equal(rows.checked, left[0] + left[1] + left[2] + left[3]);
	assert_int_equal(rows.stubs, stubs);
	assert_int_equal(store_wait_look(world->store->journal, &rows), 0);
	for (int kind = 0; kind < JOURNAL_KINDS; kind++)
		assert_int_equal(rows.facts.rows[kind], left[kind]);
	assert_int_equal(rows.facts.stubs, stubs);
	assert_int_equal(rows.facts.anchor_seq, anchor);
	assert_int_equal(rows.facts.first_ms, first_ms);
	assert_int_equal(rows.last_seq, count);
}

static void test_each_class_goes_in_its_own_time(void **state)
{
	struct world *world = *state;
	const int count = 2000;
	struct journal_purge purge = {
		.before_ms = {[JOURNAL_RECORDS] = FIRST_MS + 700 * 60000,
			[JOURNAL_COUNTS] = FIRST_MS + 1800 * 60000},
		.tenants = keeps,
		.count = ARRAY_LEN(keeps)};
	append_rows(world, count);
	assert_int_equal(store_wait_purge(world->store->journal, &purge, NULL), 0);
	expect_what_is_left(world, count, 0);
	/* Stubs at the start go, those behind a row stay: up to row 100 all had to go. */
	purge.stubs_before_ms = INT64_MAX;
	assert_int_equal(store_wait_purge(world->store->journal, &purge, NULL), 0);
	expect_what_is_left(world, count, 100);
	struct store_rows none = {0};
	assert_int_equal(store_wait_purge(world->store->journal, &purge, &none), 0);
	assert_int_equal(none.checked, 0);
	/* Answers by time are whole. */
	struct journal_query query = {.kind = JOURNAL_BANDWIDTH,
		.from_ms = FIRST_MS + 1700 * 60000,
		.limit = 1000};
	struct store_rows rows = {0};
	assert_int_equal(store_wait_query(world->store->journal, &query, &rows), 0);
	assert_int_equal(rows.count, 50);
	store_rows_free(&rows);
}

static void test_rows_that_went_too_early_are_named(void **state)
{
	struct world *world = *state;
	struct store_rows verdict = {0};
	const int64_t day = INT64_C(86400000), now = clock_wall_ms();
	static const struct {
		enum journal_kind kind;
		int days;
	} rows[] = {{JOURNAL_AUDIT, 380}, {JOURNAL_BANDWIDTH, 33}, {JOURNAL_AUDIT, 366},
		{JOURNAL_LOGIN, 364}};
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct journal_row row = {.kind = rows[i].kind,
			.tenant = "",
			.license = "",
			.at_ms = now - rows[i].days * day,
			.body = "{}"};
		assert_int_equal(store_wait_append(world->store->journal, &row, 1), 0);
	}
	struct journal_purge purge = {.before_ms = {now - 365 * day, now - 31 * day}};
	assert_int_equal(store_wait_purge(world->store->journal, &purge, NULL), 0);
	assert_int_equal(store_wait_verify(world->store->journal, NULL, 0, &verdict), 0);
	assert_null(verdict.fault);
	assert_int_equal(verdict.stubs, 3);
	assert_int_equal(verdict.checked, 1);
	purge.before_ms[JOURNAL_RECORDS] = now;
	assert_int_equal(store_wait_purge(world->store->journal, &purge, NULL), 0);
	assert_int_equal(store_wait_verify(world->store->journal, NULL, 0, &verdict), 0);
	assert_string_equal(verdict.fault, "removed early");
	assert_int_equal(verdict.first_bad, 4);
}

static void expect_points(struct world *world, const struct journal_point *points,
	size_t count, const char *fault, uint64_t number)
{
	struct store_rows verdict = {0};
	assert_int_equal(store_wait_verify(world->store->journal, points, count,
				 &verdict),
		0);
	assert_int_equal(verdict.fault != NULL, fault != NULL);
	if (fault)
		assert_string_equal(verdict.fault, fault);
	assert_int_equal(fault ? verdict.first_bad : verdict.points, number);
}

static void test_the_chain_goes_through_points(void **state)
{
	struct world *world = *state;
	struct journal_point points[4] = {{.seq = 0}};
	struct store_rows facts = {0};
	for (size_t i = 0; i < 3; i++) {
		append_rows(world, 300);
		assert_int_equal(store_wait_look(world->store->journal, &facts), 0);
		points[i].seq = facts.last_seq;
		points[i].at_ms = FIRST_MS + 400 * INT64_C(86400000);
		memcpy(points[i].hash, facts.last_hash, JOURNAL_HASH);
	}
	expect_points(world, points, 3, NULL, 3);
	points[1].hash[7] ^= 1;
	expect_points(world, points, 3, "rewritten", 600);
	points[1].hash[7] ^= 1;
	points[3] = points[2];
	points[3].seq = 901;
	expect_points(world, points, 4, "missing tail", 901);
	/* What the anchor has passed is not compared any more, but must have been old enough. */
	purge_all(world, FIRST_MS + 300 * 60000, 900);
	expect_points(world, points, 2, NULL, 0);
	points[0].at_ms = clock_wall_ms() - 364 * INT64_C(86400000);
	expect_points(world, points, 2, "removed early", 301);
	points[2].hash[0] ^= 1;
	expect_points(world, points + 2, 1, "rewritten", 900);
}

/* Everything of one journal into another. */
static void carry(struct journal *from, struct journal *to)
{
	struct store_rows rows = {0};
	uint64_t after = 0;
	for (;;) {
		assert_int_equal(store_wait_copy(from, after, &rows), 0);
		if (!rows.count)
			break;
		struct journal_point anchor = {.seq = rows.last_seq};
		memcpy(anchor.hash, rows.last_hash, JOURNAL_HASH);
		assert_int_equal(store_wait_bring(to, &anchor, rows.rows, rows.count), 0);
		after = rows.rows[rows.count - 1].seq;
		/* The same again does not go on from there. */
		assert_int_equal(store_wait_bring(to, &anchor, rows.rows, rows.count),
			-REASON_CONFLICT);
		store_rows_free(&rows);
	}
	store_rows_free(&rows);
}

static void test_a_journal_can_be_carried(void **state)
{
	struct world *world = *state, other = *world;
	char error[STORE_ERROR];
	struct journal_purge purge = {
		.before_ms = {FIRST_MS + 600 * 60000, FIRST_MS + 600 * 60000},
		.stubs_before_ms = FIRST_MS + 200 * 60000};
	assert_int_equal(store_open("memory:", "node-2", &other.store, error), 0);
	append_rows(&other, 1200);
	assert_int_equal(store_wait_purge(other.store->journal, &purge, NULL), 0);
	carry(other.store->journal, chained(world));
	expect_chain(world, 600, 1200);
	struct store_rows rows = {0};
	assert_int_equal(store_wait_look(world->store->journal, &rows), 0);
	assert_int_equal(rows.facts.anchor_seq, 200);
	assert_int_equal(rows.facts.stubs, 400);
	assert_int_equal(rows.facts.rows[JOURNAL_LOGIN], 150);
	store_rows_free(&rows);
	/* It is found, and goes on. */
	struct journal_query query = {.kind = JOURNAL_LOGIN,
		.tenant = "acme",
		.license = "lic_2",
		.from_ms = FIRST_MS + 1000 * 60000,
		.limit = 1};
	assert_int_equal(store_wait_query(world->store->journal, &query, &rows), 0);
	assert_int_equal(rows.count, 1);
	assert_string_equal(rows.rows[0].node, "node-2");
	assert_true(matches(&query, (int)rows.rows[0].seq - 1));
	store_rows_free(&rows);
	append_rows(world, 50);
	expect_chain(world, 650, 1250);
	/* And back again. */
	store_close(other.store);
	assert_int_equal(store_open("memory:", "node-2", &other.store, error), 0);
	carry(chained(world), other.store->journal);
	append_rows(&other, 5);
	expect_chain(&other, 655, 1255);
	store_close(other.store);
}

static void test_fences_can_be_raised(void **state)
{
	struct world *world = *state;
	struct state *s = world->store->state;
	struct store_docs docs = {0};
	uint64_t fence, least;
	assert_int_equal(store_wait_claim(s, "lic_a", "ses_1", "x", 60000, &docs), 0);
	fence = docs.fence;
	store_docs_free(&docs);
	assert_int_equal(store_wait_raise(s, 0, &least), 0);
	assert_true(least > fence);
	assert_int_equal(store_wait_raise(s, least + 5000000, &fence), 0);
	assert_true(fence > least + 5000000);
	for (int i = 0; i < 2; i++) {
		int r = -REASON_STORE_UNAVAILABLE;
		/* The next range may have to be written first. */
		for (int tries = 0; tries < 500 && r == -REASON_STORE_UNAVAILABLE;
			tries++) {
			r = store_wait_claim(s, "lic_b", "ses_1", "x", 60000, &docs);
			if (r == -REASON_STORE_UNAVAILABLE)
				usleep(10000);
		}
		assert_int_equal(r, 0);
		assert_true(docs.fence > least + 5000000);
		store_docs_free(&docs);
		if (!backend->survives)
			break;
		world->store = store_close(world->store);
		open_store(world);
		s = world->store->state;
	}
}

static void test_what_was_told_survives(void **state)
{
	struct world *world = *state;
	struct store_docs docs = {0};
	if (!backend->survives)
		skip();
	append_rows(world, 30);
	assert_int_equal(put(world, STATE_TENANT, "acme", "acme", 0, "{\"a\":1}"), 0);
	assert_int_equal(store_wait_claim(world->store->state, "lic_a", "ses_1", "x",
				 600000, &docs),
		0);
	uint64_t fence = docs.fence;
	store_docs_free(&docs);
	world->store = store_close(world->store);
	if (backend->shared) {
		redis_rig_signal(&world->redis, SIGKILL);
		redis_rig_start(&world->redis);
		pass(world, 600001);
	}
	open_store(world);
	expect_doc(world, STATE_TENANT, "acme", 1, "{\"a\":1}");
	expect_chain(world, 30, 30);
	/* The claim of the run that is over is void, its fence is not forgotten. */
	assert_int_equal(store_wait_claim(world->store->state, "lic_a", "ses_2", "x",
				 1000, &docs),
		0);
	assert_true(docs.fence > fence);
	store_docs_free(&docs);
	append_rows(world, 1);
	expect_chain(world, 31, 31);
}

#define WRITERS 6
#define EACH 60

static void *write_and_look(void *arg)
{
	struct world *world = arg;
	static atomic_int numbers;
	char id[32], body[40];
	int number = atomic_fetch_add(&numbers, 1);
	intptr_t bad = 0;
	for (int i = 0; i < EACH; i++) {
		struct journal_row row = {.kind = JOURNAL_SESSION,
			.tenant = "",
			.license = "lic_x",
			.at_ms = clock_wall_ms(),
			.body = body};
		struct store_docs docs = {0};
		snprintf(id, sizeof(id), "ses_%d_%d", number, i);
		snprintf(body, sizeof(body), "{\"writer\":%d,\"i\":%d}", number, i);
		struct state_doc doc = {STATE_SESSION, id, "", 0, body};
		bad += store_wait_put(world->store->state, &doc, NULL) != 0;
		bad += store_wait_append(world->store->journal, &row, 1) != 0;
		/* What was answered is seen by whoever asks then. */
		bad += store_wait_get(world->store->state, STATE_SESSION, id, &docs) !=
			       0 ||
		       strcmp(docs.docs[0].body, body) != 0;
		store_docs_free(&docs);
	}
	return (void *)bad;
}

static void test_many_threads_at_once(void **state)
{
	struct world *world = *state;
	pthread_t threads[WRITERS];
	for (int i = 0; i < WRITERS; i++)
		assert_int_equal(pthread_create(&threads[i], NULL, write_and_look, world),
			0);
	for (int i = 0; i < WRITERS; i++) {
		void *bad;
		pthread_join(threads[i], &bad);
		assert_null(bad);
	}
	expect_chain(world, WRITERS * EACH, WRITERS * EACH);
}

/* One of several who add one to the same document until they succeed. */
static void *count_up(void *arg)
{
	struct world *world = arg;
	struct state *s = world->store->state;
	for (int done = 0; done < 50;) {
		struct store_docs docs = {0};
		char body[32];
		if (store_wait_get(s, STATE_META, "count", &docs))
			return world;
		snprintf(body, sizeof(body), "%d", atoi(docs.docs[0].body) + 1);
		struct state_doc doc = docs.docs[0];
		doc.body = body;
		int r = store_wait_put(s, &doc, NULL);
		store_docs_free(&docs);
		if (r && r != -REASON_CONFLICT)
			return world;
		done += r == 0;
	}
	return NULL;
}

static void test_no_change_is_lost(void **state)
{
	struct world *world = *state;
	pthread_t threads[4];
	assert_int_equal(put(world, STATE_META, "count", "", 0, "0"), 0);
	for (int i = 0; i < 4; i++)
		assert_int_equal(pthread_create(&threads[i], NULL, count_up, world), 0);
	for (int i = 0; i < 4; i++) {
		void *bad;
		pthread_join(threads[i], &bad);
		assert_null(bad);
	}
	expect_doc(world, STATE_META, "count", 201, "200");
}

struct listener {
	int next, count, foreign;
};

static void on_news(void *ctx, const char *topic, const char *json)
{
	struct listener *listener = ctx;
	int number = atoi(json + 1);
	if (strcmp(topic, "news") || number < listener->next)
		listener->foreign++;
	listener->next = number + 1;
	listener->count++;
}

static void test_the_bus_keeps_order(void **state)
{
	struct world *world = *state;
	struct bus *bus = world->store->bus;
	struct post_pump *pumps[3];
	struct bus_subscription *subscriptions[3];
	struct listener listeners[3] = {0};
	char json[16];
	for (int i = 0; i < 3; i++) {
		assert_int_equal(post_pump_new(&pumps[i]), 0);
		assert_int_equal(bus_subscribe(bus, "news", post_pump_box(pumps[i]),
					 on_news, &listeners[i], &subscriptions[i]),
			0);
	}
	for (int i = 0; i < 100; i++) {
		snprintf(json, sizeof(json), "[%d]", i);
		assert_int_equal(bus_publish(bus, "news", json), 0);
		assert_int_equal(bus_publish(bus, "orders", json), 0);
	}
	for (int tries = 0; tries < 100 && listeners[0].count < 100; tries++)
		post_pump_run(pumps[0], 100);
	assert_int_equal(listeners[0].count, 100);
	/* Who unsubscribes hears nothing more, not even what waits in its box. */
	bus_unsubscribe(bus, subscriptions[1]);
	post_pump_run(pumps[1], 0);
	assert_int_equal(listeners[1].count, 0);
	for (int tries = 0; tries < 100 && listeners[2].count < 100; tries++)
		post_pump_run(pumps[2], 100);
	assert_int_equal(listeners[2].count, 100);
	bus_unsubscribe(bus, subscriptions[0]);
	bus_unsubscribe(bus, subscriptions[2]);
	bus_unsubscribe(bus, NULL);
	assert_int_equal(bus_publish(bus, "news", "[1]"), 0);
	for (int i = 0; i < 3; i++) {
		post_pump_run(pumps[i], 0);
		post_pump_free(pumps[i]);
		assert_int_equal(listeners[i].foreign, 0);
	}
}

int main(void)
{
#define STORE_TEST(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		STORE_TEST(test_docs_have_versions),
		STORE_TEST(test_many_at_once_are_answered_each),
		STORE_TEST(test_docs_have_limits),
		STORE_TEST(test_lists_come_in_pages),
		STORE_TEST(test_a_claim_has_one_winner),
		STORE_TEST(test_a_claim_belongs_to_its_session),
		STORE_TEST(test_no_claim_outlasts_its_time),
		STORE_TEST(test_presence_is_a_lease),
		STORE_TEST(test_rows_are_found_in_pages),
		STORE_TEST(test_rows_of_a_jumping_clock_are_found),
		STORE_TEST(test_an_append_is_all_or_nothing),
		STORE_TEST(test_a_series_ends_once),
		STORE_TEST(test_many_who_end_a_series_are_one),
		STORE_TEST(test_a_purge_forgets_series),
		STORE_TEST(test_the_chain_is_what_its_header_says),
		STORE_TEST(test_a_purge_keeps_the_chain),
		STORE_TEST(test_each_class_goes_in_its_own_time),
		STORE_TEST(test_rows_that_went_too_early_are_named),
		STORE_TEST(test_the_chain_goes_through_points),
		STORE_TEST(test_a_journal_can_be_carried),
		STORE_TEST(test_fences_can_be_raised),
		STORE_TEST(test_what_was_told_survives),
		STORE_TEST(test_many_threads_at_once),
		STORE_TEST(test_no_change_is_lost),
		STORE_TEST(test_the_bus_keeps_order),
	};
	int failed = 0;
	for (size_t i = 0; i < ARRAY_LEN(backends); i++) {
		backend = &backends[i];
		char name[32];
		snprintf(name, sizeof(name), "%s%s", backend->name,
			backend->sealed ? ", sealed" : "");
		printf("# %s\n", name);
		failed += cmocka_run_group_tests_name(name, tests, NULL, NULL);
	}
	return failed != 0;
}
