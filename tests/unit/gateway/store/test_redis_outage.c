/* Redis is killed, stopped and started again under load; a node is killed while rows wait on its disk. Nobody who
 * asks is kept waiting, and every row that was acknowledged is there once, in order. */
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
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/reason.h"
#include "fakes/redis_rig.h"
#include "metrics/metrics.h"
#include "store/store_open.h"
#include "store/store_wait.h"

#define WRITERS 4
#define ROWS_MAX 20000

struct world {
	struct redis_rig redis;
	struct store *store, *other;
	const char *options;
	atomic_int stop;
};

static struct store *open_node(struct world *world, const char *node)
{
	char address[512], error[STORE_ERROR] = "";
	struct store *store;
	snprintf(address, sizeof(address), "redis+unix://%s?spool=%s/%s%s",
		world->redis.socket, world->redis.dir, node,
		world->options ? world->options : "");
	for (int tries = 0;; tries++) {
		int r = store_open(address, node, &store, error);
		if (r == 0)
			return store;
		/* A busy machine may be late for the deadline. */
		if (tries == 20)
			fail_msg("store_open: %s %s", reason_symbol(r), error);
		usleep(100000);
	}
}

static int set_up(void **state)
{
	struct world *world = calloc(1, sizeof(*world));
	redis_rig_start(&world->redis);
	world->store = open_node(world, "node-1");
	*state = world;
	return 0;
}

static int tear_down(void **state)
{
	struct world *world = *state;
	store_close(world->store);
	store_close(world->other);
	redis_rig_end(&world->redis);
	free(world);
	return 0;
}

static int append(struct store *store, int writer, int i)
{
	char body[64];
	struct journal_row row = {.kind = JOURNAL_BANDWIDTH,
		.tenant = "acme",
		.license = "lic_a",
		.at_ms = clock_wall_ms(),
		.body = body};
	snprintf(body, sizeof(body), "{\"writer\":%d,\"i\":%d}", writer, i);
	return store_wait_append(store->journal, &row, 1);
}

/* How often each row is there, and whether a writer's rows are in order. */
struct count {
	int total, disorder, next[WRITERS];
	uint8_t seen[WRITERS][ROWS_MAX];
};

static int count_page(struct store *store, struct journal_query *query,
	struct count *count)
{
	struct store_rows rows = {0};
	int r = store_wait_query(store->journal, query, &rows);
	if (r)
		return r;
	for (size_t k = 0; k < rows.count; k++, count->total++) {
		int writer, i;
		assert_int_equal(sscanf(rows.rows[k].body, "{\"writer\":%d,\"i\":%d}",
					 &writer, &i),
			2);
		assert_in_range(writer, 0, WRITERS - 1);
		assert_in_range(i, 0, ROWS_MAX - 1);
		count->disorder += i < count->next[writer];
		count->next[writer] = i + 1;
		count->seen[writer][i]++;
		query->after_seq = rows.rows[k].seq;
	}
	r = rows.count < query->limit;
	store_rows_free(&rows);
	return r;
}

static void count_rows(struct store *store, struct count *ret)
{
	struct journal_query query = {.kind = JOURNAL_BANDWIDTH, .limit = 1000};
	memset(ret, 0, sizeof(*ret));
	for (int tries = 0; tries < 1000;) {
		int r = count_page(store, &query, ret);
		if (r == 1)
			return;
		if (r) {
			usleep(50000);
			tries++;
		}
	}
	fail_msg("the store does not come back");
}

static void verify(struct store *store, uint64_t rows)
{
	struct store_rows verdict = {0};
	for (int tries = 0; tries < 100; tries++) {
		if (store_wait_verify(store->journal, NULL, 0, &verdict) == 0)
			break;
		usleep(50000);
	}
	if (verdict.fault)
		fail_msg("%s at %d", verdict.fault, (int)verdict.first_bad);
	assert_int_equal(verdict.checked, rows);
}

struct writer {
	struct world *world;
	int number, rows, bad;
};

static void *write_on(void *arg)
{
	struct writer *writer = arg;
	while (!atomic_load(&writer->world->stop) && writer->rows < ROWS_MAX)
		/* Whatever happens to Redis, a row is taken. */
		writer->bad +=
			append(writer->world->store, writer->number, writer->rows++) != 0;
	return NULL;
}

static void start_writers(struct world *world, struct writer *writers, pthread_t *threads)
{
	for (int i = 0; i < WRITERS; i++) {
		writers[i] = (struct writer){.world = world, .number = i};
		assert_int_equal(pthread_create(&threads[i], NULL, write_on, &writers[i]),
			0);
	}
}

static void expect_all(struct world *world, struct writer *writers, pthread_t *threads)
{
	static struct count count;
	int rows = 0;
	atomic_store(&world->stop, 1);
	for (int i = 0; i < WRITERS; i++) {
		pthread_join(threads[i], NULL);
		assert_int_equal(writers[i].bad, 0);
		rows += writers[i].rows;
	}
	for (int tries = 0; tries < 600; tries++) {
		count_rows(world->store, &count);
		if (count.total >= rows)
			break;
		usleep(50000);
	}
	printf("# %d rows\n", rows);
	assert_int_equal(count.total, rows);
	assert_int_equal(count.disorder, 0);
	for (int i = 0; i < WRITERS; i++)
		for (int k = 0; k < writers[i].rows; k++)
			assert_int_equal(count.seen[i][k], 1);
	verify(world->store, (uint64_t)rows);
}

static void test_redis_is_killed_under_load(void **state)
{
	struct world *world = *state;
	struct writer writers[WRITERS];
	pthread_t threads[WRITERS];
	start_writers(world, writers, threads);
	for (int round = 0; round < 5; round++) {
		usleep(200000);
		redis_rig_signal(&world->redis, SIGKILL);
		usleep(200000);
		redis_rig_start(&world->redis);
	}
	expect_all(world, writers, threads);
}

static void test_redis_is_stopped_under_load(void **state)
{
	struct world *world = *state;
	struct writer writers[WRITERS];
	pthread_t threads[WRITERS];
	start_writers(world, writers, threads);
	for (int round = 0; round < 3; round++) {
		usleep(200000);
		redis_rig_signal(&world->redis, SIGSTOP);
		/* In the last round longer than the connection is given. */
		usleep(round == 2 ? 4000000 : 700000);
		redis_rig_signal(&world->redis, SIGCONT);
	}
	expect_all(world, writers, threads);
}

struct answer {
	int status, done;
	int64_t at_ms;
};

static void on_state(void *ctx, const struct state_answer *answer)
{
	struct answer *to = ctx;
	*to = (struct answer){answer->status, 1, clock_mono_ms()};
}

static void test_nobody_waits_for_a_stopped_redis(void **state)
{
	struct world *world = *state;
	struct post_pump *pump;
	struct answer answers[200] = {0};
	int64_t longest = 0, slowest = 0, asked[200];
	int64_t stalls = metrics_value(METRIC_STORE_STALLS);
	int64_t errors = metrics_value(METRIC_STORE_ERRORS);
	assert_int_equal(metrics_value(METRIC_STORE_UP), 1);
	assert_int_equal(post_pump_new(&pump), 0);
	redis_rig_signal(&world->redis, SIGSTOP);
	int64_t begin = clock_mono_ms();
	for (int i = 0; i < 200; i++) {
		asked[i] = clock_mono_ms();
		if (i % 2)
			state_get(world->store->state, STATE_LICENSE, "lic_a",
				post_pump_box(pump), on_state, &answers[i]);
		else
			state_claim(world->store->state, "lic_a", "ses_1", "x", 15000,
				post_pump_box(pump), on_state, &answers[i]);
		int64_t took = clock_mono_ms() - asked[i];
		longest = took > longest ? took : longest;
		post_pump_run(pump, 10);
	}
	while (clock_mono_ms() - begin < 3000)
		post_pump_run(pump, 100);
	for (int i = 0; i < 200; i++) {
		assert_int_equal(answers[i].done, 1);
		assert_int_equal(answers[i].status, -REASON_STORE_UNAVAILABLE);
		int64_t took = answers[i].at_ms - asked[i];
		slowest = took > slowest ? took : slowest;
	}
	assert_int_equal(metrics_value(METRIC_STORE_UP), 0);
	assert_true(metrics_value(METRIC_STORE_STALLS) > stalls);
	assert_true(metrics_value(METRIC_STORE_ERRORS) >= errors + 200);
	redis_rig_signal(&world->redis, SIGCONT);
	printf("# asking took up to %d ms, the answer up to %d ms\n", (int)longest,
		(int)slowest);
	/* Who asks and waits, as a loop must not, waits until its patience is over. */
	redis_rig_signal(&world->redis, SIGSTOP);
	int64_t blocked = clock_mono_ms();
	redis_rig_wait_blocked(&world->redis, 2000);
	blocked = clock_mono_ms() - blocked;
	redis_rig_signal(&world->redis, SIGCONT);
	printf("# a loop that waits stands for %d ms\n", (int)blocked);
	assert_true(longest < blocked / 2);
	assert_in_range(longest, 0, 1000);
	assert_in_range(slowest, 0, 2000);
	int r = -1;
	for (int tries = 0; tries < 200 && r; tries++) {
		usleep(20000);
		struct state_doc doc = {STATE_LICENSE, "lic_b", "acme", 0, "{}"};
		r = store_wait_put(world->store->state, &doc, NULL);
		if (r == -REASON_CONFLICT)
			r = 0;
	}
	assert_int_equal(r, 0);
	assert_int_equal(metrics_value(METRIC_STORE_UP), 1);
	post_pump_free(pump);
}

static int append_big(struct store *store, int i)
{
	char body[20000];
	struct journal_row row = {.kind = JOURNAL_BANDWIDTH,
		.tenant = "acme",
		.license = "lic_a",
		.at_ms = clock_wall_ms(),
		.body = body};
	int len = snprintf(body, sizeof(body), "{\"writer\":0,\"i\":%d,\"x\":\"", i);
	memset(body + len, 'x', sizeof(body) - (size_t)len);
	memcpy(body + sizeof(body) - 3, "\"}", 3);
	return store_wait_append(store->journal, &row, 1);
}

/* What was refused is not there, what was taken is, and it goes on when there is room again. */
static void test_a_full_spool_says_so(void **state)
{
	struct world *world = *state;
	static struct count count;
	struct store_health health;
	world->options = "&spool_mib=1";
	world->other = open_node(world, "node-2");
	redis_rig_signal(&world->redis, SIGKILL);
	int taken = 0, r = 0;
	while (taken < 1000 && (r = append_big(world->other, taken)) == 0)
		taken++;
	assert_int_equal(r, -REASON_DISK_FULL);
	assert_in_range(taken, 40, 60);
	store_health(world->other, &health);
	assert_int_equal(health.spool_full, 1);
	assert_int_equal(health.spool_rows, taken);
	assert_int_equal(health.spool_max, 1 << 20);
	assert_in_range(health.spool_bytes, 1 << 19, 1 << 20);
	assert_int_equal(health.fault, -REASON_STORE_UNAVAILABLE);
	assert_true(health.since_ms > 0);
	redis_rig_start(&world->redis);
	for (int tries = 0; tries < 3000; tries++) {
		store_health(world->other, &health);
		if (!health.spool_rows && !health.fault)
			break;
		usleep(10000);
	}
	assert_int_equal(health.spool_rows, 0);
	assert_int_equal(health.spool_full, 0);
	assert_int_equal(append_big(world->other, taken++), 0);
	count_rows(world->other, &count);
	assert_int_equal(count.total, taken);
	assert_int_equal(count.disorder, 0);
	verify(world->other, (uint64_t)taken);
}

/* A node of its own (this program once more), which tells by a byte for each row that it was taken. */
static int be_node(const char *dir, int go, int tell)
{
	struct world world = {0};
	char byte = 0;
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	snprintf(world.redis.dir, sizeof(world.redis.dir), "%.60s", dir);
	snprintf(world.redis.socket, sizeof(world.redis.socket), "%.60s/socket", dir);
	struct store *store = open_node(&world, "node-2");
	if (write(tell, &byte, 1) != 1 || read(go, &byte, 1) != 1)
		return 1;
	for (int i = 0; i < ROWS_MAX; i++)
		if (append(store, 0, i) || write(tell, &byte, 1) != 1)
			return 1;
	return 0;
}

static pid_t start_node(struct world *world, int go, int tell)
{
	char go_text[16], tell_text[16];
	snprintf(go_text, sizeof(go_text), "%d", go);
	snprintf(tell_text, sizeof(tell_text), "%d", tell);
	pid_t node = fork();
	if (node == 0) {
		execl("/proc/self/exe", "node", world->redis.dir, go_text, tell_text,
			NULL);
		_exit(127);
	}
	return node;
}

static void test_a_node_is_killed_with_rows_on_its_disk(void **state)
{
	struct world *world = *state;
	static struct count count;
	int go[2], tell[2], taken = 0;
	char byte = 0;
	assert_int_equal(pipe(go) | pipe(tell), 0);
	pid_t node = start_node(world, go[0], tell[1]);
	assert_int_equal(read(tell[0], &byte, 1), 1);
	assert_int_equal(write(go[1], &byte, 1), 1);
	/* Rows into Redis, then onto the disk, then no node any more. */
	for (; taken < 100; taken++)
		assert_int_equal(read(tell[0], &byte, 1), 1);
	redis_rig_signal(&world->redis, SIGKILL);
	for (; taken < 400; taken++)
		assert_int_equal(read(tell[0], &byte, 1), 1);
	assert_int_equal(kill(node, SIGKILL), 0);
	assert_int_equal(waitpid(node, NULL, 0), node);
	close(tell[1]);
	while (read(tell[0], &byte, 1) == 1)
		taken++;
	redis_rig_start(&world->redis);
	world->other = open_node(world, "node-2");
	for (int tries = 0; tries < 600; tries++) {
		count_rows(world->other, &count);
		if (count.total >= taken)
			break;
		usleep(50000);
	}
	/* One row may have been on its way to being told. */
	assert_in_range(count.total, taken, taken + 1);
	assert_int_equal(count.disorder, 0);
	for (int i = 0; i < count.total; i++)
		assert_int_equal(count.seen[0][i], 1);
	verify(world->other, (uint64_t)count.total);
	close(go[0]);
	close(go[1]);
	close(tell[0]);
}

struct listener {
	int next, wrong;
};

static void on_order(void *ctx, const char *topic UNUSED, const char *json)
{
	struct listener *listener = ctx;
	int number = atoi(json + 1);
	listener->wrong += number != listener->next;
	listener->next = number + 1;
}

static void listen_until(struct post_pump *pump, const struct listener *listener,
	int next)
{
	for (int tries = 0; tries < 300 && listener->next < next; tries++)
		post_pump_run(pump, 100);
}

static void test_orders_arrive_once_across_an_outage(void **state)
{
	struct world *world = *state;
	struct post_pump *pump;
	struct bus_subscription *here, *there;
	struct listener near = {0}, far = {0};
	char json[16];
	world->other = open_node(world, "node-2");
	assert_int_equal(post_pump_new(&pump), 0);
	assert_int_equal(bus_subscribe(world->store->bus, "orders", post_pump_box(pump),
				 on_order, &near, &here),
		0);
	assert_int_equal(bus_subscribe(world->other->bus, "orders", post_pump_box(pump),
				 on_order, &far, &there),
		0);
	for (int i = 0; i < 600; i++) {
		snprintf(json, sizeof(json), "[%d]", i);
		assert_int_equal(bus_publish(world->store->bus, "orders", json), 0);
		if (i == 200)
			redis_rig_signal(&world->redis, SIGKILL);
		if (i == 400) {
			/* On this node orders work without Redis. */
			listen_until(pump, &near, 401);
			assert_int_equal(near.next, 401);
			redis_rig_start(&world->redis);
		}
		usleep(500);
	}
	listen_until(pump, &near, 600);
	listen_until(pump, &far, 600);
	post_pump_run(pump, 0);
	assert_int_equal(near.next, 600);
	assert_int_equal(far.next, 600);
	assert_int_equal(near.wrong + far.wrong, 0);
	for (int tries = 0; tries < 300 && !metrics_value(METRIC_BUS_SECONDS); tries++)
		usleep(100000);
	assert_true(metrics_value(METRIC_BUS_SECONDS) > 0);
	/* Nobody takes more than it can keep. */
	redis_rig_signal(&world->redis, SIGKILL);
	int kept = 0;
	while (kept < 100000 && bus_publish(world->store->bus, "news", "{}") == 0)
		kept++;
	assert_in_range(kept, 1, 2000);
	bus_unsubscribe(world->store->bus, here);
	bus_unsubscribe(world->other->bus, there);
	post_pump_run(pump, 0);
	post_pump_free(pump);
}

/* Fences that a node draws while Redis is away are above all it has seen, also those of others, and Redis' own are
 * above them afterwards, also when it was emptied meanwhile. */
static void test_fences_of_an_outage(void **state)
{
	struct world *world = *state;
	struct store_docs docs = {0};
	world->other = open_node(world, "node-2");
	assert_int_equal(store_wait_claim(world->other->state, "lic_b", "ses_1", "x", 1,
				 &docs),
		0);
	uint64_t others = docs.fence, drawn = 0, again = 0;
	store_docs_free(&docs);
	/* It hears of them with the next pulse. */
	for (int i = 0; i < 600 && drawn <= others; i++) {
		drawn = store_draw_fence(world->store);
		usleep(50000);
	}
	assert_true(drawn > others);
	redis_rig_signal(&world->redis, SIGKILL);
	for (int i = 0; i < 100000; i++)
		again = store_draw_fence(world->store);
	assert_true(again >= drawn + 100000);
	redis_rig_start(&world->redis);
	free(redis_rig_text(&world->redis, "FLUSHALL"));
	int r = -REASON_STORE_UNAVAILABLE;
	for (int i = 0; i < 600 && r == -REASON_STORE_UNAVAILABLE; i++) {
		r = store_wait_claim(world->store->state, "lic_a", "ses_2", "x", 60000,
			&docs);
		if (r)
			usleep(50000);
	}
	assert_int_equal(r, 0);
	assert_true(docs.fence > again);
	store_docs_free(&docs);
}

/* A store of one node is never away. */
static void test_no_fence_without_a_shared_store(void **state)
{
	struct store *alone;
	char error[STORE_ERROR];
	(void)state;
	assert_int_equal(store_open("memory:", "node-1", &alone, error), 0);
	assert_int_equal(store_draw_fence(alone), 0);
	store_close(alone);
}

static int close_series(struct store *store, const char *series)
{
	struct journal_row rows[] = {{.kind = JOURNAL_BANDWIDTH,
					     .tenant = "acme",
					     .license = "lic_a",
					     .at_ms = 5,
					     .body = "{\"writer\":0,\"i\":0}",
					     .series = series},
		{.kind = JOURNAL_SESSION,
			.tenant = "acme",
			.license = "lic_a",
			.at_ms = 5,
			.body = "{}",
			.series = series,
			.place = JOURNAL_LAST}};
	return store_wait_append(store->journal, rows, ARRAY_LEN(rows));
}

/* A node that was taken for lost delivers what it wrote meanwhile. */
static void test_what_another_node_closed_is_not_closed_again(void **state)
{
	struct world *world = *state;
	redis_rig_signal(&world->redis, SIGKILL);
	assert_int_equal(close_series(world->store, "ses_a~1"), 0);
	assert_int_equal(close_series(world->store, "ses_a~2"), 0);
	assert_int_equal(close_series(world->store, "ses_a~2"), 0);
	assert_int_equal(append(world->store, 0, 1), 0);
	store_close(world->store);
	redis_rig_start(&world->redis);
	world->other = open_node(world, "node-2");
	assert_int_equal(close_series(world->other, "ses_a~1"), 0);
	world->store = open_node(world, "node-1");
	struct count count;
	for (int tries = 0; tries < 600; tries++) {
		count_rows(world->other, &count);
		if (count.seen[0][1])
			break;
		usleep(50000);
	}
	/* All that was promised, but one last row of each. */
	assert_int_equal(count.seen[0][0], 4);
	assert_int_equal(count.seen[0][1], 1);
	verify(world->other, 4 + 2 + 1);
}

int main(int argc, char **argv)
{
	if (argc == 4)
		return be_node(argv[1], atoi(argv[2]), atoi(argv[3]));
#define OUTAGE_TEST(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		OUTAGE_TEST(test_redis_is_killed_under_load),
		OUTAGE_TEST(test_redis_is_stopped_under_load),
		OUTAGE_TEST(test_nobody_waits_for_a_stopped_redis),
		OUTAGE_TEST(test_a_full_spool_says_so),
		OUTAGE_TEST(test_a_node_is_killed_with_rows_on_its_disk),
		OUTAGE_TEST(test_orders_arrive_once_across_an_outage),
		OUTAGE_TEST(test_fences_of_an_outage),
		cmocka_unit_test(test_no_fence_without_a_shared_store),
		OUTAGE_TEST(test_what_another_node_closed_is_not_closed_again),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
