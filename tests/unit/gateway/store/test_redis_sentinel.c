/* A primary, its replica and sentinels, all of them real: the store follows the primary. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/reason.h"
#include "fakes/redis_rig.h"
#include "store/store_open.h"
#include "store/store_wait.h"

#define TRIES 6000 /* of 10 ms: a busy machine is patient */

struct world {
	struct redis_rig redis[2], sentinel;
	int nobody; /* a port where no sentinel is */
	struct store *store;
};

/* What Redis itself, its replica and the sentinel may, beside the user of the store. */
static void write_acl(struct redis_rig *rig, char *ret_path, size_t size)
{
	char line[2048];
	snprintf(ret_path, size, "/tmp/engawa-acl-%d-%d", getpid(), rig->port);
	FILE *from = fopen(TEST_SOURCE_DIR "/deploy/redis/users.acl", "r");
	FILE *to = fopen(ret_path, "w");
	assert_true(from && to);
	while (fgets(line, sizeof(line), from)) {
		char *at = strstr(line, ">CHANGE-ME");
		if (at)
			memcpy(at, ">secret   ", 10);
		/* The rig itself, and the replica, come as this one. */
		if (!strncmp(line, "user default", 12))
			fputs("user default on nopass ~* &* +@all\n", to);
		else
			fputs(line, to);
	}
	/* As deploy/redis/sentinel.conf has it. */
	fputs("user sentinel on >watch allchannels -@all +multi +slaveof +ping +exec "
	      "+subscribe +config|rewrite +role +publish +info +client|setname "
	      "+client|kill "
	      "+script|kill\n",
		to);
	fclose(from);
	assert_int_equal(fclose(to), 0);
}

static void start_redis(struct redis_rig *rig, int primary)
{
	static char acl[2][64], of[2][32];
	static size_t i;
	i = !i;
	write_acl(rig, acl[i], sizeof(acl[i]));
	rig->args[0] = "--aclfile";
	rig->args[1] = acl[i];
	rig->args[2] = "--repl-diskless-sync-delay";
	rig->args[3] = "0";
	/* A disk that is slow is not a primary that is gone. */
	rig->args[4] = "--appendfsync";
	rig->args[5] = "no";
	rig->args[6] = primary ? "--replicaof" : NULL;
	snprintf(of[i], sizeof(of[i]), "127.0.0.1 %d", primary);
	rig->args[7] = primary ? of[i] : NULL;
	redis_rig_start(rig);
}

static int has(struct redis_rig *rig, const char *info, const char *what)
{
	char *text = redis_rig_text(rig, "INFO %s", info);
	int found = strstr(text, what) != NULL;
	free(text);
	return found;
}

static void until_has(struct redis_rig *rig, const char *info, const char *what)
{
	for (int tries = 0; tries < TRIES && !has(rig, info, what); tries++)
		usleep(10000);
	if (!has(rig, info, what))
		fail_msg("never %s", what);
}

static int sentinel_says(struct world *world, const char *what)
{
	char *text = redis_rig_word(&world->sentinel, "watchword", "INFO sentinel");
	int found = strstr(text, what) != NULL;
	free(text);
	return found;
}

static int try_open(struct world *world, const char *name, char *error)
{
	char address[512], path[128];
	snprintf(path, sizeof(path), "%s/sentinel.password", world->sentinel.dir);
	FILE *file = fopen(path, "w");
	fputs("watchword\n", file);
	assert_int_equal(fclose(file), 0);
	assert_int_equal(chmod(path, 0600), 0);
	snprintf(address, sizeof(address),
		"redis-sentinel://engawa:secret@127.0.0.1:%d,127.0.0.1:%d/%s?"
		"sentinel_password_file=%s&spool=%s/spool&deadline_ms=2000",
		world->nobody, world->sentinel.port, name, path, world->sentinel.dir);
	return store_open(address, "node-1", &world->store, error);
}

static int set_up(void **state)
{
	struct world *world = calloc(1, sizeof(*world));
	world->redis[0].port = redis_rig_port();
	world->redis[1].port = redis_rig_port();
	world->sentinel.port = redis_rig_port();
	world->nobody = redis_rig_port();
	start_redis(&world->redis[0], 0);
	start_redis(&world->redis[1], world->redis[0].port);
	until_has(&world->redis[0], "replication", "state=online");
	redis_rig_sentinel(&world->sentinel, world->redis[0].port, "watchword");
	for (int tries = 0; tries < TRIES && !sentinel_says(world, "slaves=1"); tries++)
		usleep(10000);
	assert_true(sentinel_says(world, "slaves=1"));
	*state = world;
	return 0;
}

static int tear_down(void **state)
{
	struct world *world = *state;
	store_close(world->store);
	unlink(world->redis[0].args[1]);
	unlink(world->redis[1].args[1]);
	redis_rig_end(&world->sentinel);
	redis_rig_end(&world->redis[0]);
	redis_rig_end(&world->redis[1]);
	free(world);
	return 0;
}

static void open_store(struct world *world)
{
	char error[STORE_ERROR] = "";
	int r = -REASON_STORE_UNAVAILABLE;
	for (int tries = 0; tries < 20 && r == -REASON_STORE_UNAVAILABLE; tries++)
		r = try_open(world, "engawa", error);
	if (r)
		fail_msg("%s: %s", reason_symbol(r), error);
}

static int append(struct world *world, int i)
{
	char body[32];
	struct journal_row row = {.kind = JOURNAL_AUDIT,
		.tenant = "",
		.license = "",
		.at_ms = clock_wall_ms(),
		.body = body};
	snprintf(body, sizeof(body), "{\"i\":%d}", i);
	return store_wait_append(world->store->journal, &row, 1);
}

/* Until the store takes documents again. */
static void put_until_taken(struct world *world, const char *id)
{
	struct state_doc doc = {STATE_LICENSE, id, "acme", 0, "{}"};
	int r = -REASON_STORE_UNAVAILABLE;
	for (int tries = 0; tries < TRIES && r == -REASON_STORE_UNAVAILABLE; tries++) {
		r = store_wait_put(world->store->state, &doc, NULL);
		if (r == -REASON_STORE_UNAVAILABLE)
			usleep(10000);
	}
	/* One whose answer was lost may have been taken. */
	if (r != -REASON_CONFLICT)
		assert_int_equal(r, 0);
}

static uint64_t draw(struct world *world, const char *license)
{
	struct store_docs docs = {0};
	assert_int_equal(store_wait_claim(world->store->state, license, "ses_1", "x",
				 60000, &docs),
		0);
	uint64_t fence = docs.fence;
	store_docs_free(&docs);
	return fence;
}

static void expect_rows(struct world *world, size_t count)
{
	struct store_rows rows = {0};
	struct journal_query query = {.kind = JOURNAL_AUDIT, .limit = 1000};
	for (int tries = 0; tries < TRIES; tries++) {
		int r = store_wait_query(world->store->journal, &query, &rows);
		if (r == 0 && rows.count >= count)
			break;
		store_rows_free(&rows);
		usleep(10000);
	}
	assert_int_equal(rows.count, count);
	for (size_t i = 0; i < count; i++)
		assert_int_equal(atoi(rows.rows[i].body + 5), (int)i);
	store_rows_free(&rows);
	assert_int_equal(store_wait_verify(world->store->journal, NULL, 0, &rows), 0);
	assert_null(rows.fault);
	assert_int_equal(rows.checked, count);
}

static void test_the_store_follows_a_failover(void **state)
{
	struct world *world = *state;
	open_store(world);
	put_until_taken(world, "lic_a");
	for (int i = 0; i < 50; i++)
		assert_int_equal(append(world, i), 0);
	uint64_t fence = draw(world, "lic_a");
	for (int tries = 0; tries < TRIES; tries++) {
		/* The claim came last. */
		if (redis_rig_number(&world->redis[1], "EXISTS engawa:claim:lic_a") == 1)
			break;
		usleep(10000);
	}
	redis_rig_signal(&world->redis[0], SIGKILL);
	/* Rows are taken all the time, on this disk. */
	for (int i = 50; i < 80; i++)
		assert_int_equal(append(world, i), 0);
	put_until_taken(world, "lic_b");
	assert_true(has(&world->redis[1], "replication", "role:master"));
	assert_true(draw(world, "lic_b") > fence);
	struct store_docs docs = {0};
	assert_int_equal(store_wait_get(world->store->state, STATE_LICENSE, "lic_a",
				 &docs),
		0);
	store_docs_free(&docs);
	expect_rows(world, 80);
	/* Who comes back is a replica, and nobody goes to it. */
	unlink(world->redis[0].args[1]);
	start_redis(&world->redis[0], world->redis[1].port);
	put_until_taken(world, "lic_c");
	for (int i = 80; i < 90; i++)
		assert_int_equal(append(world, i), 0);
	expect_rows(world, 90);
}

static void test_a_primary_that_steps_down_is_left(void **state)
{
	struct world *world = *state;
	open_store(world);
	put_until_taken(world, "lic_a");
	for (int tries = 0;
		tries < TRIES && !has(&world->redis[1], "replication", "role:master");
		tries++) {
		/* It is not willing before it has looked at the replica. */
		free(redis_rig_word(&world->sentinel, "watchword",
			"SENTINEL FAILOVER engawa"));
		usleep(10000);
	}
	put_until_taken(world, "lic_b");
	until_has(&world->redis[0], "replication", "role:slave");
	put_until_taken(world, "lic_c");
	assert_int_equal(redis_rig_number(&world->redis[1],
				 "HEXISTS engawa:doc:license lic_c"),
		1);
}

static void test_sentinels_that_do_not_help_are_named(void **state)
{
	struct world *world = *state;
	char error[STORE_ERROR] = "";
	assert_int_equal(try_open(world, "other", error), -REASON_STORE_UNAVAILABLE);
	if (!strstr(error, "does not know this name") && !strstr(error, "refused"))
		fail_msg("%s", error);
	redis_rig_signal(&world->sentinel, SIGSTOP);
	assert_int_equal(try_open(world, "engawa", error), -REASON_STORE_UNAVAILABLE);
	assert_non_null(strstr(error, "no sentinel knows the primary"));
	redis_rig_signal(&world->sentinel, SIGCONT);
}

int main(void)
{
#define SENTINEL_TEST(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		SENTINEL_TEST(test_the_store_follows_a_failover),
		SENTINEL_TEST(test_a_primary_that_steps_down_is_left),
		SENTINEL_TEST(test_sentinels_that_do_not_help_are_named),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
