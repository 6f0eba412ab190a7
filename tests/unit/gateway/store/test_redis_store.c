/* What Redis has to be for us, what many nodes see of each other, and what happens when it loses its data or has
 * no memory left. How it goes away and comes back is in test_redis_outage.c. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <netinet/in.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/reason.h"
#include "fakes/redis_rig.h"
#include "store/store_open.h"
#include "store/store_wait.h"

#define NODES 3

struct world {
	struct redis_rig redis;
	struct store *stores[NODES];
};

static int try_open(struct world *world, int node, const char *options, char *error)
{
	char address[512], name[16];
	snprintf(name, sizeof(name), "node-%d", node);
	snprintf(address, sizeof(address),
		"redis+unix://%s?spool=%s/%s&deadline_ms=20000%s", world->redis.socket,
		world->redis.dir, name, options);
	return store_open(address, name, &world->stores[node], error);
}

static void open_node(struct world *world, int node)
{
	char error[STORE_ERROR] = "";
	int r = try_open(world, node, "", error);
	if (r)
		fail_msg("store_open: %s %s", reason_symbol(r), error);
}

static int set_up(void **state)
{
	struct world *world = calloc(1, sizeof(*world));
	redis_rig_start(&world->redis);
	*state = world;
	return 0;
}

static int tear_down(void **state)
{
	struct world *world = *state;
	for (int i = 0; i < NODES; i++)
		store_close(world->stores[i]);
	redis_rig_end(&world->redis);
	free(world);
	return 0;
}

static int put(struct world *world, const char *id, uint64_t version, const char *body)
{
	struct state_doc doc = {STATE_LICENSE, id, "acme", version, body};
	return store_wait_put(world->stores[0]->state, &doc, NULL);
}

static int append(struct world *world, int node, const char *body)
{
	struct journal_row row = {.kind = JOURNAL_AUDIT,
		.tenant = "acme",
		.license = "lic_a",
		.at_ms = clock_wall_ms(),
		.body = body};
	return store_wait_append(world->stores[node]->journal, &row, 1);
}

static void restart(struct world *world, const char *option, const char *value)
{
	redis_rig_signal(&world->redis, SIGKILL);
	world->redis.args[0] = option;
	world->redis.args[1] = value;
	redis_rig_start(&world->redis);
}

static void refused(struct world *world, const char *options, int reason,
	const char *because)
{
	char error[STORE_ERROR] = "";
	assert_int_equal(try_open(world, 0, options, error), reason);
	if (!strstr(error, because))
		fail_msg("\"%s\" does not say \"%s\"", error, because);
}

static void test_an_unfit_redis_is_refused(void **state)
{
	struct world *world = *state;
	restart(world, "--appendonly", "no");
	refused(world, "", -REASON_CONFIG, "appendonly");
	restart(world, "--maxmemory-policy", "allkeys-lru");
	refused(world, "", -REASON_CONFIG, "noeviction");
	restart(world, "--replicaof", "127.0.0.1 1");
	refused(world, "", -REASON_STORE_UNAVAILABLE, "replica");
	redis_rig_signal(&world->redis, SIGKILL);
	refused(world, "", -REASON_STORE_UNAVAILABLE, "cannot be used");
}

static void test_a_password_is_needed_and_right(void **state)
{
	struct world *world = *state;
	char path[128], option[160];
	restart(world, "--requirepass", "right word/é");
	refused(world, "", -REASON_CONFIG, "NOAUTH");
	snprintf(path, sizeof(path), "%s/password", world->redis.dir);
	snprintf(option, sizeof(option), "&password_file=%s", path);
	FILE *file = fopen(path, "w");
	fputs("wrong\n", file);
	fclose(file);
	refused(world, option, -REASON_FILE_EXPOSED, "chmod 600");
	assert_int_equal(chmod(path, 0600), 0);
	refused(world, option, -REASON_CONFIG, "WRONGPASS");
	file = fopen(path, "w");
	fputs("right word/é\n", file);
	fclose(file);
	char error[STORE_ERROR] = "";
	assert_int_equal(try_open(world, 0, option, error), 0);
	assert_int_equal(put(world, "lic_a", 0, "{}"), 0);
}

static void test_addresses_explain_themselves(void **state UNUSED)
{
	static const struct {
		const char *address, *because;
	} bad[] = {
		{"redis-sentinel://a:26379,b?spool=/tmp/x", "NAME"},
		{"redis-sentinel://a:26379,b/?spool=/tmp/x", "NAME"},
		{"redis-sentinel://a,,b/m?spool=/tmp/x", "port"},
		{"redis-sentinel:///m?spool=/tmp/x", "port"},
		{"redis-sentinel://a/m/x?spool=/tmp/x", "database"},
		{"redis-sentinel://a,b,c,d,e,f,g,h,i/m?spool=/tmp/x", "8 sentinels"},
		{"redis://[::1?spool=/tmp/x", "port"},
		{"redis://127.0.0.1?spool=/tmp/x&accept=all", "accept takes"},
		{"redis://127.0.0.1", "spool"},
		{"redis:127.0.0.1?spool=/tmp/x", "//"},
		{"redis://127.0.0.1:x?spool=/tmp/x", "port"},
		{"redis://127.0.0.1/x?spool=/tmp/x", "database"},
		{"redis://:%zz@127.0.0.1?spool=/tmp/x", "password"},
		{"redis://u:@127.0.0.1?spool=/tmp/x", "user"},
		{"redis://127.0.0.1?spool=/tmp/x&dedline_ms=1", "unknown"},
		{"redis://127.0.0.1?spool=/tmp/x&deadline_ms=1", "deadline"},
		{"redis://127.0.0.1?spool=/tmp/x&prefix=a:b", "prefix"},
		{"redis+unix://relative?spool=/tmp/x", "socket"},
		{"rediss://:secret@127.0.0.1", "TLS"},
	};
	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		char error[STORE_ERROR] = "";
		struct store *store;
		assert_int_equal(store_open(bad[i].address, "node-1", &store, error),
			-REASON_CONFIG);
		if (!strstr(error, bad[i].because) || strstr(error, "secret"))
			fail_msg("%s: %s", bad[i].address, error);
	}
}

#define PRIZES 10000
#define RACERS 4

struct racer {
	struct state *state;
	char session[16];
	uint64_t fences[PRIZES];
	int bad;
};

static void *race(void *arg)
{
	struct racer *racer = arg;
	char license[24];
	for (int i = 0; i < PRIZES; i++) {
		struct store_docs docs = {0};
		snprintf(license, sizeof(license), "lic_%d", i);
		int r = store_wait_claim(racer->state, license, racer->session,
			racer->session, 600000, &docs);
		racer->fences[i] = r ? 0 : docs.fence;
		racer->bad += r && r != -REASON_LICENSE_IN_USE;
		store_docs_free(&docs);
	}
	return NULL;
}

static void test_a_claim_has_one_winner_among_nodes(void **state)
{
	struct world *world = *state;
	static struct racer racers[RACERS];
	pthread_t threads[RACERS];
	open_node(world, 0);
	open_node(world, 1);
	for (int i = 0; i < RACERS; i++) {
		racers[i].state = world->stores[i % 2]->state;
		snprintf(racers[i].session, sizeof(racers[i].session), "ses_%d", i);
		assert_int_equal(pthread_create(&threads[i], NULL, race, &racers[i]), 0);
	}
	for (int i = 0; i < RACERS; i++) {
		pthread_join(threads[i], NULL);
		assert_int_equal(racers[i].bad, 0);
	}
	int won[RACERS] = {0};
	for (int prize = 0; prize < PRIZES; prize++) {
		int winners = 0;
		for (int i = 0; i < RACERS; i++) {
			winners += racers[i].fences[prize] != 0;
			won[i] += racers[i].fences[prize] != 0;
		}
		assert_int_equal(winners, 1);
	}
	printf("# won: %d %d %d %d\n", won[0], won[1], won[2], won[3]);
}

struct writer {
	struct world *world;
	int node, bad;
};

#define EACH 300

static void *write_rows(void *arg)
{
	struct writer *writer = arg;
	char body[64];
	for (int i = 0; i < EACH; i++) {
		snprintf(body, sizeof(body), "{\"node\":%d,\"i\":%d}", writer->node, i);
		writer->bad += append(writer->world, writer->node, body) != 0;
	}
	return NULL;
}

/* Every row of every node is there once, in its node's order; returns how many. */
static int count_rows(struct world *world, int expect_each)
{
	struct journal_query query = {.kind = JOURNAL_AUDIT, .limit = 1000};
	int next[NODES] = {0}, total = 0;
	for (;;) {
		struct store_rows rows = {0};
		assert_int_equal(store_wait_query(world->stores[0]->journal, &query,
					 &rows),
			0);
		for (size_t i = 0; i < rows.count; i++, total++) {
			int node, n;
			char name[16];
			assert_int_equal(sscanf(rows.rows[i].body,
						 "{\"node\":%d,\"i\":%d}", &node, &n),
				2);
			assert_int_equal(n, next[node]++);
			snprintf(name, sizeof(name), "node-%d", node);
			assert_string_equal(rows.rows[i].node, name);
			query.after_seq = rows.rows[i].seq;
		}
		size_t got = rows.count;
		store_rows_free(&rows);
		if (got < query.limit)
			break;
	}
	for (int i = 0; i < NODES && expect_each; i++)
		assert_int_equal(next[i], expect_each);
	return total;
}

static void test_many_nodes_write_one_chain(void **state)
{
	struct world *world = *state;
	struct writer writers[2 * NODES];
	pthread_t threads[NODES];
	struct store_rows verdict = {0};
	for (int i = 0; i < NODES; i++) {
		open_node(world, i);
		writers[i] = (struct writer){world, i, 0};
	}
	for (int i = 0; i < NODES; i++)
		assert_int_equal(pthread_create(&threads[i], NULL, write_rows,
					 &writers[i]),
			0);
	for (int i = 0; i < NODES; i++) {
		pthread_join(threads[i], NULL);
		assert_int_equal(writers[i].bad, 0);
	}
	assert_int_equal(count_rows(world, EACH), NODES * EACH);
	assert_int_equal(store_wait_verify(world->stores[1]->journal, NULL, 0, &verdict),
		0);
	assert_null(verdict.fault);
	assert_int_equal(verdict.checked, NODES * EACH);
}

static const struct journal_purge everything = {
	.before_ms = {INT64_MAX, INT64_MAX}, .stubs_before_ms = INT64_MAX};

static const struct journal_purge nothing = {.before_ms = {1, 1}};

static void expect_fault(struct world *world, const char *fault, uint64_t seq)
{
	struct store_rows verdict = {0};
	assert_int_equal(store_wait_verify(world->stores[0]->journal, NULL, 0, &verdict),
		0);
	assert_non_null(verdict.fault);
	assert_string_equal(verdict.fault, fault);
	assert_int_equal(verdict.first_bad, seq);
	store_rows_free(&verdict);
}

static void test_who_bends_the_record_is_found_out(void **state)
{
	struct world *world = *state;
	struct redis_rig *redis = &world->redis;
	open_node(world, 0);
	for (int i = 0; i < 600; i++)
		assert_int_equal(append(world, 0, "{}"), 0);
	/* An index that does not name a row hides it from answers. */
	assert_int_equal(redis_rig_number(redis,
				 "XDEL engawa:journal:by:audit:t:acme 500"),
		1);
	expect_fault(world, "hidden", 500);
	assert_int_equal(redis_rig_number(redis, "XDEL engawa:journal 400"), 1);
	expect_fault(world, "gap", 400);
	assert_int_equal(redis_rig_number(redis,
				 "HSET engawa:journal:anchor seq 1 hash x"),
		2);
	expect_fault(world, "order", 1);
}

static void test_an_older_form_is_refused(void **state)
{
	struct world *world = *state;
	char error[STORE_ERROR] = "";
	redis_rig_number(&world->redis, "HSET engawa:journal:head seq 1 hash x");
	assert_int_equal(try_open(world, 0, "", error), -REASON_VERSION);
	assert_non_null(strstr(error, "older form"));
	redis_rig_number(&world->redis, "DEL engawa:journal:head");
	assert_int_equal(try_open(world, 0, "", error), 0);
	redis_rig_number(&world->redis, "SET engawa:journal:form 3");
	assert_int_equal(try_open(world, 1, "", error), -REASON_VERSION);
}

/* The rule of deploy/redis/users.acl with another password and perhaps without some of it. */
static void use_acl(struct world *world, const char *without)
{
	static char path[128];
	char line[2048];
	snprintf(path, sizeof(path), "%s/users.acl", world->redis.dir);
	FILE *from = fopen(TEST_SOURCE_DIR "/deploy/redis/users.acl", "r");
	FILE *to = fopen(path, "w");
	assert_true(from && to);
	while (fgets(line, sizeof(line), from)) {
		char *at = strstr(line, ">CHANGE-ME");
		if (at)
			memcpy(at, ">secret   ", 10);
		at = *without ? strstr(line, without) : NULL;
		if (at)
			memset(at, ' ', strlen(without));
		fputs(line, to);
	}
	fclose(from);
	assert_int_equal(fclose(to), 0);
	restart(world, "--aclfile", path);
}

static void write_password(struct world *world, const char *word, char *ret_path)
{
	snprintf(ret_path, 128, "%s/password", world->redis.dir);
	FILE *file = fopen(ret_path, "w");
	fputs(word, file);
	assert_int_equal(fclose(file), 0);
	assert_int_equal(chmod(ret_path, 0600), 0);
}

struct listener {
	char json[64];
};

static void on_order(void *ctx, const char *topic UNUSED, const char *json)
{
	struct listener *listener = ctx;
	snprintf(listener->json, sizeof(listener->json), "%.60s", json);
}

static void expect_order(struct world *world, int from, int to)
{
	struct listener listener = {""};
	struct bus_subscription *subscription;
	struct post_pump *pump;
	assert_int_equal(post_pump_new(&pump), 0);
	assert_int_equal(bus_subscribe(world->stores[to]->bus, "orders",
				 post_pump_box(pump), on_order, &listener, &subscription),
		0);
	assert_int_equal(bus_publish(world->stores[from]->bus, "orders", "{\"o\":1}"), 0);
	for (int tries = 0; tries < 300 && !*listener.json; tries++)
		post_pump_run(pump, 100);
	assert_string_equal(listener.json, "{\"o\":1}");
	bus_unsubscribe(world->stores[to]->bus, subscription);
	post_pump_run(pump, 0);
	post_pump_free(pump);
}

/* Our keys, the commands that we need, and nothing else. */
static void test_a_user_of_few_rights_suffices(void **state)
{
	struct world *world = *state;
	struct store_docs docs = {0};
	struct store_rows rows = {0};
	char path[128], option[192], error[STORE_ERROR] = "";
	use_acl(world, "");
	write_password(world, "secret", path);
	snprintf(option, sizeof(option), "&user=engawa&password_file=%s", path);
	for (int node = 0; node < 2; node++)
		assert_int_equal(try_open(world, node, option, error), 0);
	struct state *s = world->stores[0]->state;
	assert_int_equal(put(world, "lic_a", 0, "{}"), 0);
	assert_int_equal(store_wait_get(s, STATE_LICENSE, "lic_a", &docs), 0);
	store_docs_free(&docs);
	assert_int_equal(store_wait_list(s, STATE_LICENSE, "acme", NULL, 10, &docs), 0);
	assert_int_equal(docs.count, 1);
	store_docs_free(&docs);
	assert_int_equal(store_wait_claim(s, "lic_a", "ses_1", "x", 60000, &docs), 0);
	assert_int_equal(store_wait_renew(s, "lic_a", "ses_1", 60000), 0);
	assert_int_equal(store_wait_release(s, "lic_a", "ses_1", docs.fence), 0);
	store_docs_free(&docs);
	assert_int_equal(store_wait_announce(s, "lic_a", "node-0", "here", 60000), 0);
	assert_int_equal(store_wait_locate(s, "lic_a", &docs), 0);
	store_docs_free(&docs);
	assert_int_equal(store_wait_withdraw(s, "lic_a", "node-0"), 0);
	assert_int_equal(append(world, 0, "{}"), 0);
	struct journal_query query = {
		.kind = JOURNAL_AUDIT, .from_ms = 1, .to_ms = INT64_MAX, .limit = 10};
	assert_int_equal(store_wait_query(world->stores[0]->journal, &query, &rows), 0);
	assert_int_equal(rows.count, 1);
	store_rows_free(&rows);
	assert_int_equal(store_wait_verify(world->stores[0]->journal, NULL, 0, &rows), 0);
	assert_int_equal(rows.checked, 1);
	assert_int_equal(store_wait_purge(world->stores[0]->journal, &everything, NULL),
		0);
	assert_int_equal(store_wait_remove(s, STATE_LICENSE, "lic_a", 1), 0);
	expect_order(world, 1, 0);
	/* Other keys are not ours, and a right that is missing is named. */
	snprintf(option, sizeof(option), "&user=engawa&password_file=%s&prefix=other",
		path);
	assert_int_equal(try_open(world, 2, option, error), -REASON_CONFIG);
	assert_non_null(strstr(error, "keys"));
	snprintf(option, sizeof(option), "&user=engawa&password_file=%s", path);
	use_acl(world, "+xtrim");
	assert_int_equal(try_open(world, 2, option, error), -REASON_CONFIG);
	assert_non_null(strstr(error, "no right to: xtrim"));
	use_acl(world, "+info");
	assert_int_equal(try_open(world, 2, option, error), -REASON_CONFIG);
	assert_non_null(strstr(error, "(+info)"));
	strcat(option, "&accept=unseen");
	assert_int_equal(try_open(world, 2, option, error), 0);
	struct store_health health;
	store_health(world->stores[2], &health);
	assert_non_null(strstr(health.notes, "maxmemory-policy could not be seen"));
	assert_non_null(strstr(health.notes, "appendfsync could not be seen"));
}

static void test_faults_can_be_accepted(void **state)
{
	struct world *world = *state;
	char error[STORE_ERROR] = "";
	struct store_health health;
	world->redis.args[2] = "--maxmemory-policy";
	world->redis.args[3] = "allkeys-lru";
	restart(world, "--appendonly", "no");
	refused(world, "&accept=eviction", -REASON_CONFIG, "appendonly");
	refused(world, "&accept=no-appendonly", -REASON_CONFIG, "noeviction");
	assert_int_equal(try_open(world, 0, "&accept=no-appendonly,eviction", error), 0);
	store_health(world->stores[0], &health);
	assert_int_equal(health.fault, 0);
	assert_non_null(strstr(health.notes, "appendonly is off, as accepted"));
	assert_non_null(strstr(health.notes, "noeviction, as accepted"));
	assert_int_equal(put(world, "lic_a", 0, "{}"), 0);
}

/* Until `wanted` is so; what is waited for takes two seconds when nothing else runs. */
static void until(struct world *world, int (*wanted)(const struct store_health *))
{
	struct store_health health;
	for (int tries = 0; tries < 3000; tries++) {
		store_health(world->stores[0], &health);
		if (wanted(&health))
			return;
		usleep(10000);
	}
	fail_msg("fault %d \"%s\", clock %d, emptied %u", health.fault, health.text,
		(int)health.clock_ms, health.emptied);
}

static int is_up(const struct store_health *health)
{
	return !health->fault;
}

static int is_shut_out(const struct store_health *health)
{
	return health->fault == -REASON_CONFIG && strstr(health->text, "WRONGPASS");
}

static void test_a_password_can_change(void **state)
{
	struct world *world = *state;
	char path[128], option[192], error[STORE_ERROR] = "";
	redis_rig_number(&world->redis, "CONFIG SET requirepass first");
	write_password(world, "first", path);
	snprintf(option, sizeof(option), "&password_file=%s", path);
	assert_int_equal(try_open(world, 0, option, error), 0);
	/* Redis lets nobody in any more, not even those who are. */
	restart(world, "--requirepass", "second");
	until(world, is_shut_out);
	assert_int_equal(put(world, "lic_a", 0, "{}"), -REASON_STORE_UNAVAILABLE);
	write_password(world, "second", path);
	until(world, is_up);
	assert_int_equal(put(world, "lic_a", 0, "{}"), 0);
}

static int is_hours_apart(const struct store_health *health)
{
	return health->clock_ms > 3590000;
}

static int is_right(const struct store_health *health)
{
	return health->clock_ms > -1000 && health->clock_ms < 1000;
}

static void test_clocks_are_compared(void **state)
{
	struct world *world = *state;
	open_node(world, 0);
	until(world, is_right);
	clock_fake(clock_mono_us(), clock_wall_ms() + 3600000);
	until(world, is_hours_apart);
	clock_fake(-1, -1);
	until(world, is_right);
}

static int has_ipv6(void)
{
	struct sockaddr_in6 at = {
		.sin6_family = AF_INET6, .sin6_addr = IN6ADDR_LOOPBACK_INIT};
	int fd = socket(AF_INET6, SOCK_STREAM | SOCK_CLOEXEC, 0);
	int good = fd >= 0 && bind(fd, (struct sockaddr *)&at, sizeof(at)) == 0;
	if (fd >= 0)
		close(fd);
	return good;
}

static void test_ipv6_is_spoken(void **state)
{
	struct world *world = *state;
	char address[512], error[STORE_ERROR] = "";
	if (!has_ipv6())
		skip();
	world->redis.port = redis_rig_port();
	restart(world, "--bind", "::1");
	snprintf(address, sizeof(address), "redis://[::1]:%d/2?spool=%s/six",
		world->redis.port, world->redis.dir);
	int r = -REASON_STORE_UNAVAILABLE;
	for (int tries = 0; tries < 20 && r == -REASON_STORE_UNAVAILABLE; tries++)
		r = store_open(address, "node-0", &world->stores[0], error);
	if (r)
		fail_msg("%s: %s", address, error);
	for (int tries = 0; tries < 100; tries++)
		if (put(world, "lic_a", 0, "{}") != -REASON_STORE_UNAVAILABLE)
			break;
	assert_int_equal(redis_rig_number(&world->redis, "EXISTS engawa:doc:license"), 0);
}

static int is_emptied(const struct store_health *health)
{
	return health->emptied == 1 && health->emptied_ms;
}

static void test_an_emptied_redis_gives_nothing_away(void **state)
{
	struct world *world = *state;
	struct store_docs docs = {0};
	open_node(world, 0);
	struct state *s = world->stores[0]->state;
	assert_int_equal(put(world, "lic_a", 0, "{}"), 0);
	for (int i = 0; i < 5; i++)
		assert_int_equal(append(world, 0, "{}"), 0);
	assert_int_equal(store_wait_claim(s, "lic_a", "ses_1", "x", 60000, &docs), 0);
	uint64_t fence = docs.fence;
	store_docs_free(&docs);
	assert_int_equal(redis_rig_number(&world->redis, "SCRIPT FLUSH"), 0);
	assert_int_equal(store_wait_renew(s, "lic_a", "ses_1", 60000), 0);
	assert_int_equal(redis_rig_number(&world->redis, "FLUSHALL"), 0);
	assert_int_equal(store_wait_get(s, STATE_LICENSE, "lic_a", &docs),
		-REASON_NOT_FOUND);
	/* A session that ran learns that it has no claim any more. */
	assert_int_equal(store_wait_renew(s, "lic_a", "ses_1", 60000), -REASON_NOT_FOUND);
	assert_int_equal(store_wait_claim(s, "lic_a", "ses_2", "x", 60000, &docs), 0);
	assert_true(docs.fence > fence);
	store_docs_free(&docs);
	until(world, is_emptied);
	assert_int_equal(store_health_emptied(world->stores[0]), 1);
	/* The chain goes on where it was: that rows are gone shows. */
	assert_int_equal(append(world, 0, "{}"), 0);
	expect_fault(world, "gap", 1);
}

static void test_full_memory_stops_what_grows(void **state)
{
	struct world *world = *state;
	struct redis_rig *redis = &world->redis;
	struct store_docs docs = {0};
	struct store_rows verdict = {0};
	open_node(world, 0);
	struct state *s = world->stores[0]->state;
	assert_int_equal(put(world, "lic_a", 0, "{}"), 0);
	assert_int_equal(append(world, 0, "{\"node\":0,\"i\":0}"), 0);
	assert_int_equal(store_wait_claim(s, "lic_a", "ses_1", "x", 60000, &docs), 0);
	uint64_t fence = docs.fence;
	store_docs_free(&docs);
	redis_rig_number(redis, "CONFIG SET maxmemory 1");
	assert_int_equal(put(world, "lic_b", 0, "{}"), -REASON_DISK_FULL);
	assert_int_equal(put(world, "lic_a", 1, "{\"a\":1}"), -REASON_DISK_FULL);
	assert_int_equal(store_wait_get(s, STATE_LICENSE, "lic_a", &docs), 0);
	assert_int_equal(docs.docs[0].version, 1);
	store_docs_free(&docs);
	assert_int_equal(store_wait_claim(s, "lic_b", "ses_2", "x", 60000, NULL),
		-REASON_DISK_FULL);
	/* What runs goes on: sessions, presence, orders, and the record of it on our own disk. */
	assert_int_equal(store_wait_renew(s, "lic_a", "ses_1", 60000), 0);
	assert_int_equal(store_wait_announce(s, "lic_a", "node-0", "here", 60000), 0);
	assert_int_equal(store_wait_release(s, "lic_a", "ses_1", fence), 0);
	assert_int_equal(append(world, 0, "{\"node\":0,\"i\":1}"), 0);
	assert_int_equal(append(world, 0, "{\"node\":0,\"i\":2}"), 0);
	assert_int_equal(count_rows(world, 0), 1);
	/* Room is made by removing. */
	assert_int_equal(store_wait_purge(world->stores[0]->journal, &nothing, NULL), 0);
	assert_int_equal(store_wait_remove(s, STATE_LICENSE, "lic_a", 0), 0);
	redis_rig_number(redis, "CONFIG SET maxmemory 0");
	for (int tries = 0; tries < 1000 && count_rows(world, 0) < 3; tries++)
		usleep(20000);
	assert_int_equal(count_rows(world, 0), 3);
	assert_int_equal(put(world, "lic_b", 0, "{}"), 0);
	assert_int_equal(store_wait_verify(world->stores[0]->journal, NULL, 0, &verdict),
		0);
	assert_null(verdict.fault);
	assert_int_equal(verdict.checked, 3);
}

int main(void)
{
#define REDIS_TEST(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		REDIS_TEST(test_an_unfit_redis_is_refused),
		REDIS_TEST(test_a_password_is_needed_and_right),
		cmocka_unit_test(test_addresses_explain_themselves),
		REDIS_TEST(test_a_claim_has_one_winner_among_nodes),
		REDIS_TEST(test_many_nodes_write_one_chain),
		REDIS_TEST(test_who_bends_the_record_is_found_out),
		REDIS_TEST(test_an_older_form_is_refused),
		REDIS_TEST(test_a_user_of_few_rights_suffices),
		REDIS_TEST(test_faults_can_be_accepted),
		REDIS_TEST(test_a_password_can_change),
		REDIS_TEST(test_clocks_are_compared),
		REDIS_TEST(test_ipv6_is_spoken),
		REDIS_TEST(test_an_emptied_redis_gives_nothing_away),
		REDIS_TEST(test_full_memory_stops_what_grows),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
