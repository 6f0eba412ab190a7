#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/reason.h"
#include "metrics/metrics.h"
#include "store/journal_spool.h"

struct world {
	char dir[64], file[96], lock[96];
	struct journal_spool *spool;
};

static int try_open(struct world *world, const char *node, uint64_t max)
{
	char error[JOURNAL_SPOOL_ERROR] = "";
	int r = journal_spool_open(world->dir, node, max, &world->spool, error);
	if (r)
		assert_true(*error);
	return r;
}

static void reopen(struct world *world)
{
	world->spool = journal_spool_close(world->spool);
	assert_int_equal(try_open(world, "node-1", 1 << 20), 0);
}

static int set_up(void **state)
{
	struct world *world = calloc(1, sizeof(*world));
	snprintf(world->dir, sizeof(world->dir), "/tmp/engawa-spool-XXXXXX");
	assert_non_null(mkdtemp(world->dir));
	snprintf(world->file, sizeof(world->file), "%s/journal.spool", world->dir);
	snprintf(world->lock, sizeof(world->lock), "%s/lock", world->dir);
	assert_int_equal(try_open(world, "node-1", 1 << 20), 0);
	*state = world;
	return 0;
}

static int tear_down(void **state)
{
	struct world *world = *state;
	journal_spool_close(world->spool);
	unlink(world->file);
	unlink(world->lock);
	assert_int_equal(rmdir(world->dir), 0);
	free(world);
	return 0;
}

/* Rows number `first` and on; what they say is their number. */
static int put(struct world *world, uint64_t first, size_t count)
{
	struct journal_row rows[10];
	char bodies[10][40];
	assert_in_range(count, 1, 10);
	for (size_t i = 0; i < count; i++) {
		snprintf(bodies[i], sizeof(bodies[i]), "{\"n\":%d}", (int)(first + i));
		rows[i] =
			(struct journal_row){.kind = (enum journal_kind)((first + i) % 4),
				.tenant = "acme",
				.license = (first + i) % 2 ? "lic_a" : "",
				.at_ms = (int64_t)(first + i) * 1000,
				.body = bodies[i]};
	}
	return journal_spool_put(world->spool, first, rows, count);
}

/* Everything that waits is first..last, and then nothing. */
static void expect(struct world *world, uint64_t first, uint64_t last)
{
	const struct journal_row *rows;
	size_t count;
	uint64_t from;
	char body[40];
	while (first <= last) {
		assert_int_equal(journal_spool_peek(world->spool, 4, 1000, &rows, &count,
					 &from),
			0);
		assert_int_equal(from, first);
		assert_in_range(count, 1, 4);
		for (size_t i = 0; i < count; i++, first++) {
			snprintf(body, sizeof(body), "{\"n\":%d}", (int)first);
			assert_string_equal(rows[i].body, body);
			assert_string_equal(rows[i].tenant, "acme");
			assert_string_equal(rows[i].license, first % 2 ? "lic_a" : "");
			assert_int_equal(rows[i].kind, first % 4);
			assert_int_equal(rows[i].at_ms, first * 1000);
		}
		journal_spool_drop(world->spool, first - 1);
	}
	assert_true(journal_spool_empty(world->spool));
	assert_int_equal(journal_spool_bytes(world->spool), 0);
}

static off_t size_of(struct world *world)
{
	struct stat st;
	assert_int_equal(stat(world->file, &st), 0);
	return st.st_size;
}

static void test_rows_come_out_as_they_went_in(void **state)
{
	struct world *world = *state;
	struct stat st;
	assert_int_equal(put(world, 1, 3), 0);
	assert_int_equal(put(world, 4, 10), 0);
	assert_int_equal(journal_spool_last(world->spool), 13);
	assert_int_equal(metrics_value(METRIC_SPOOL_ROWS), 13);
	assert_int_equal(metrics_value(METRIC_SPOOL_BYTES), size_of(world));
	assert_int_equal(stat(world->file, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0600);
	expect(world, 1, 13);
	assert_int_equal(size_of(world), 0);
	assert_int_equal(metrics_value(METRIC_SPOOL_ROWS), 0);
	assert_int_equal(metrics_value(METRIC_SPOOL_BYTES), 0);
	/* Numbers may leap (rows that went past the spool), never fall. */
	assert_int_equal(put(world, 100, 2), 0);
	expect(world, 100, 101);
}

static void test_what_waits_survives(void **state)
{
	struct world *world = *state;
	assert_int_equal(put(world, 1, 10), 0);
	journal_spool_drop(world->spool, 3);
	assert_int_equal(metrics_value(METRIC_SPOOL_ROWS), 7);
	reopen(world);
	assert_int_equal(metrics_value(METRIC_SPOOL_ROWS), 10);
	assert_int_equal(journal_spool_last(world->spool), 10);
	/* Where it was read to is not kept: numbers tell. */
	journal_spool_drop(world->spool, 3);
	assert_int_equal(put(world, 11, 1), 0);
	reopen(world);
	expect(world, 1, 11);
	reopen(world);
	assert_true(journal_spool_empty(world->spool));
}

static void test_a_torn_group_is_cut_off(void **state)
{
	struct world *world = *state;
	assert_int_equal(put(world, 1, 2), 0);
	off_t good = size_of(world);
	assert_int_equal(put(world, 3, 5), 0);
	off_t whole = size_of(world);
	char *bytes = malloc((size_t)whole);
	int fd = open(world->file, O_RDWR);
	assert_int_equal(read(fd, bytes, (size_t)whole), whole);
	/* Cut anywhere, or with any byte of the second group wrong, the first stays whole. */
	for (off_t at = good; at < whole; at++) {
		world->spool = journal_spool_close(world->spool);
		assert_int_equal(pwrite(fd, bytes, (size_t)whole, 0), whole);
		if (at % 2) {
			assert_int_equal(ftruncate(fd, at), 0);
		} else {
			char bad = (char)(bytes[at] ^ 0x55);
			assert_int_equal(pwrite(fd, &bad, 1, at), 1);
		}
		assert_int_equal(try_open(world, "node-1", 1 << 20), 0);
		assert_int_equal(size_of(world), good);
		assert_int_equal(journal_spool_last(world->spool), 2);
	}
	close(fd);
	free(bytes);
	assert_int_equal(put(world, 3, 1), 0);
	reopen(world);
	expect(world, 1, 3);
}

static void test_it_has_a_limit(void **state)
{
	struct world *world = *state;
	uint64_t next = 1;
	world->spool = journal_spool_close(world->spool);
	assert_int_equal(try_open(world, "node-1", 10000), 0);
	while (put(world, next, 10) == 0)
		next += 10;
	assert_int_equal(put(world, next, 10), -REASON_DISK_FULL);
	assert_in_range(next, 50, 150);
	assert_in_range(size_of(world), 8000, 10000);
	expect(world, 1, next - 1);
	assert_int_equal(put(world, next, 10), 0);
	expect(world, next, next + 9);
}

static void test_it_belongs_to_one_node(void **state)
{
	struct world *world = *state;
	struct world other = *world;
	assert_int_equal(put(world, 1, 2), 0);
	assert_int_equal(try_open(&other, "node-1", 1 << 20), -REASON_ALREADY_RUNNING);
	world->spool = journal_spool_close(world->spool);
	off_t size = size_of(world);
	assert_int_equal(try_open(world, "node-2", 1 << 20), -REASON_STATE_DAMAGED);
	assert_int_equal(size_of(world), size);
	assert_int_equal(try_open(world, "node-1", 1 << 20), 0);
	expect(world, 1, 2);
}

int main(void)
{
#define SPOOL_TEST(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		SPOOL_TEST(test_rows_come_out_as_they_went_in),
		SPOOL_TEST(test_what_waits_survives),
		SPOOL_TEST(test_a_torn_group_is_cut_off),
		SPOOL_TEST(test_it_has_a_limit),
		SPOOL_TEST(test_it_belongs_to_one_node),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
