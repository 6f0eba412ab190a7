/* Sums of usage: each row once, whatever happens. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/reason.h"
#include "fakes/redis_rig.h"
#include "keeper/usage_roller.h"
#include "rules/usage.h"
#include "store/store_open.h"
#include "store/store_wait.h"

#define HOUR_MS INT64_C(3600000)
#define LICENSES 7
#define TENANTS 2

struct world {
	char dir[64], address[256];
	struct redis_rig redis;
	struct store *store;
	/* what was written: by license, and of all */
	struct usage_sum licenses[LICENSES], all;
	int rows;
	int64_t now_ms;
};

static void open_store(struct world *world)
{
	char error[STORE_ERROR] = "";
	if (store_open(world->address, "node-1", &world->store, error))
		fail_msg("%s", error);
}

static int set_up(void **state)
{
	struct world *world = calloc(1, sizeof(*world));
	snprintf(world->dir, sizeof(world->dir), "/tmp/engawa-usage-XXXXXX");
	assert_non_null(mkdtemp(world->dir));
	snprintf(world->address, sizeof(world->address), "sqlite:%s/db", world->dir);
	world->now_ms = clock_wall_ms();
	*state = world;
	return 0;
}

static int set_up_redis(void **state)
{
	set_up(state);
	struct world *world = *state;
	redis_rig_start(&world->redis);
	snprintf(world->address, sizeof(world->address),
		"redis+unix://%s?spool=%s/spool&deadline_ms=20000", world->redis.socket,
		world->redis.dir);
	return 0;
}

static int tear_down(void **state)
{
	struct world *world = *state;
	static const char *const ends[] = {"", "-wal", "-shm", ".lock"};
	world->store = store_close(world->store);
	if (world->redis.pid)
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

/* Rows of the last three days, some late: their hour is long past. */
static void append(struct world *world, int count)
{
	for (int i = 0; i < count; i++) {
		char body[256], hour[CLOCK_TEXT], license[16];
		int n = world->rows++, which = n % LICENSES, is_end = n % 5 == 0;
		int64_t at = world->now_ms - (n * 37 % 72) * HOUR_MS;
		struct usage_sum sum = {0};
		clock_text(at - at % HOUR_MS, hour);
		if (is_end)
			sum = (struct usage_sum){0, 0, 1, (uint64_t)n * 100};
		else
			sum = (struct usage_sum){(uint64_t)n * 1000, (uint64_t)n, 0, 0};
		snprintf(license, sizeof(license), "lic_%d", which);
		if (is_end)
			snprintf(body, sizeof(body),
				"{\"event\":\"close\",\"duration_ms\":%d}", n * 100);
		else
			snprintf(body, sizeof(body),
				"{\"hour\":\"%s\",\"bytes_to_viewer\":%d,"
				"\"bytes_to_host\":%d}",
				hour, n * 1000, n);
		struct journal_row row = {is_end ? JOURNAL_SESSION : JOURNAL_BANDWIDTH,
			which % TENANTS ? "acme" : "", license, at, body, 0, NULL, {0}};
		assert_int_equal(store_wait_append(world->store->journal, &row, 1), 0);
		usage_sum_add(&world->licenses[which], &sum);
		usage_sum_add(&world->all, &sum);
	}
}

static void roll_up(struct world *world)
{
	struct usage_roller *roller;
	size_t rows = 1;
	assert_int_equal(usage_roller_new(world->store, "node-1", &roller), 0);
	while (rows)
		assert_int_equal(usage_roller_run(roller, &rows), 0);
	usage_roller_free(roller);
}

static void expect_same(const struct usage_sum *a, const struct usage_sum *b)
{
	assert_int_equal(a->to_viewer, b->to_viewer);
	assert_int_equal(a->to_host, b->to_host);
	assert_int_equal(a->sessions, b->sessions);
	assert_int_equal(a->session_ms, b->session_ms);
}

/* What all pages say whose names begin like this; of one key, or of all. */
static struct usage_sum sum_of(struct world *world, const char *prefix, const char *key)
{
	struct usage_sum sum = {0};
	struct store_docs docs = {0};
	assert_int_equal(store_wait_list(world->store->state, STATE_USAGE, NULL, prefix,
				 1000, &docs),
		0);
	for (size_t i = 0; i < docs.count; i++) {
		struct usage_page page;
		if (strncmp(docs.docs[i].id, prefix, strlen(prefix)))
			continue;
		assert_int_equal(usage_page_read(docs.docs[i].body, &page), 0);
		for (size_t k = 0; k < page.count; k++)
			if (!key || !strcmp(key, page.lines[k].key))
				usage_sum_add(&sum, &page.lines[k].sum);
		usage_page_done(&page);
	}
	store_docs_free(&docs);
	return sum;
}

static void expect_sums(struct world *world)
{
	struct usage_sum sum, tenants[TENANTS] = {{0}};
	for (int i = 0; i < LICENSES; i++) {
		char prefix[32], license[16];
		snprintf(license, sizeof(license), "lic_%d", i);
		snprintf(prefix, sizeof(prefix), "l/%s/", license);
		sum = sum_of(world, prefix, NULL);
		expect_same(&sum, &world->licenses[i]);
		const char *tenant = i % TENANTS ? "acme" : "";
		snprintf(prefix, sizeof(prefix), "m/%s/", tenant);
		sum = sum_of(world, prefix, license);
		expect_same(&sum, &world->licenses[i]);
		snprintf(prefix, sizeof(prefix), "d/%s/", tenant);
		sum = sum_of(world, prefix, license);
		expect_same(&sum, &world->licenses[i]);
		usage_sum_add(&tenants[i % TENANTS], &world->licenses[i]);
	}
	sum = sum_of(world, "t//", NULL);
	expect_same(&sum, &tenants[0]);
	sum = sum_of(world, "t/acme/", NULL);
	expect_same(&sum, &tenants[1]);
	sum = sum_of(world, "t/*/", NULL);
	expect_same(&sum, &world->all);
}

static void test_sums_are_those_of_the_rows(void **state)
{
	struct world *world = *state;
	open_store(world);
	roll_up(world);
	append(world, 700);
	roll_up(world);
	expect_sums(world);
	roll_up(world);
	expect_sums(world);
	append(world, 33);
	roll_up(world);
	expect_sums(world);
}

/* Two nodes at once, and one that had an old cursor. */
static void *roll_beside(void *arg)
{
	roll_up(arg);
	return NULL;
}

static void test_two_at_once_count_nothing_twice(void **state)
{
	struct world *world = *state;
	pthread_t threads[3];
	struct state_doc doc = {
		STATE_META, "usage", "", 1, "{\"bandwidth\":0,\"session\":0}"};
	open_store(world);
	append(world, 500);
	for (size_t i = 0; i < ARRAY_LEN(threads); i++)
		assert_int_equal(pthread_create(&threads[i], NULL, roll_beside, world),
			0);
	for (size_t i = 0; i < ARRAY_LEN(threads); i++)
		pthread_join(threads[i], NULL);
	expect_sums(world);
	struct store_docs docs = {0};
	assert_int_equal(store_wait_get(world->store->state, STATE_META, "usage", &docs),
		0);
	doc.version = docs.docs[0].version;
	store_docs_free(&docs);
	assert_int_equal(store_wait_put(world->store->state, &doc, NULL), 0);
	append(world, 10);
	roll_up(world);
	expect_sums(world);
}

static void test_kill_loses_and_doubles_nothing(void **state)
{
	struct world *world = *state;
	int killed = 0;
	srand(20261122);
	for (int round = 0; round < 25; round++) {
		open_store(world);
		append(world, 40);
		world->store = store_close(world->store);
		pid_t child = fork();
		if (!child) {
			open_store(world);
			roll_up(world);
			_exit(0);
		}
		int status;
		usleep((useconds_t)(rand() % 60000));
		kill(child, SIGKILL);
		assert_int_equal(waitpid(child, &status, 0), child);
		killed += WIFSIGNALED(status);
	}
	assert_true(killed > 0);
	open_store(world);
	roll_up(world);
	expect_sums(world);
}

static void test_old_pages_go(void **state)
{
	struct world *world = *state;
	const int64_t day = 24 * HOUR_MS;
	static const int ages[] = {800, 500, 100, 40, 1};
	struct usage_roller *roller;
	open_store(world);
	for (size_t i = 0; i < ARRAY_LEN(ages); i++) {
		char body[128], hour[CLOCK_TEXT];
		clock_text(world->now_ms - ages[i] * day, hour);
		snprintf(body, sizeof(body), "{\"hour\":\"%s\",\"bytes_to_host\":1}",
			hour);
		struct journal_row row = {JOURNAL_BANDWIDTH, "", "lic_a", world->now_ms,
			body, 0, NULL, {0}};
		assert_int_equal(store_wait_append(world->store->journal, &row, 1), 0);
	}
	roll_up(world);
	assert_int_equal(sum_of(world, "l/lic_a/", NULL).to_host, 5);
	assert_int_equal(sum_of(world, "d//", NULL).to_host, 2);
	assert_int_equal(usage_roller_new(world->store, "node-1", &roller), 0);
	assert_int_equal(usage_roller_prune(roller, world->now_ms - 400 * day,
				 world->now_ms + 30 * day),
		0);
	usage_roller_free(roller);
	assert_int_equal(sum_of(world, "l/lic_a/", NULL).to_host, 3);
	assert_int_equal(sum_of(world, "t/*/", NULL).to_host, 3);
	assert_int_equal(sum_of(world, "d//", NULL).to_host, 1);
}

int main(void)
{
#define ROLLER_TEST(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		ROLLER_TEST(test_sums_are_those_of_the_rows),
		ROLLER_TEST(test_two_at_once_count_nothing_twice),
		ROLLER_TEST(test_kill_loses_and_doubles_nothing),
		ROLLER_TEST(test_old_pages_go),
		cmocka_unit_test_setup_teardown(test_two_at_once_count_nothing_twice,
			set_up_redis, tear_down),
		cmocka_unit_test_setup_teardown(test_old_pages_go, set_up_redis,
			tear_down),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
