/* The index over a memory store: what it knows at the start, what it is told, what it finds itself. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "admin/license_index.h"
#include "base/clock.h"
#include "base/reason.h"
#include "store/store_open.h"
#include "store/store_wait.h"

struct bench {
	struct store *store;
	struct license_index *index;
};

static void put(struct bench *bench, int number, const char *holder, uint64_t version)
{
	char id[32], body[400];
	snprintf(id, sizeof(id), "lic_%09d", number);
	snprintf(body, sizeof(body),
		"{\"id\":\"%s\",\"tenant\":\"acme\",\"holder\":\"%s\",\"secret_hash\":"
		"\"%064d\"}",
		id, holder, 0);
	struct state_doc doc = {STATE_LICENSE, id, "acme", version, body};
	assert_int_equal(store_wait_put(bench->store->state, &doc, NULL), 0);
}

static void news(struct bench *bench, int number)
{
	char text[120];
	snprintf(text, sizeof(text),
		"{\"type\":\"license\",\"id\":\"lic_%09d\",\"act\":\"changed\"}", number);
	assert_int_equal(bus_publish(bench->store->bus, "news", text), 0);
}

static long count(struct bench *bench, const char *holder)
{
	const struct license_filter filter = {.holder = holder, .online = -1};
	return license_index_count(bench->index, &filter);
}

/* News come on a thread of their own; a bound only for when they never do. */
static void until_count(struct bench *bench, const char *holder, long wanted)
{
	int64_t end_ms = clock_mono_ms() + 20000;
	while (count(bench, holder) != wanted && clock_mono_ms() < end_ms)
		nanosleep(&(struct timespec){0, 2000000}, NULL);
	assert_int_equal(count(bench, holder), wanted);
}

static int set_up(void **state)
{
	struct bench *bench = calloc(1, sizeof(*bench));
	char error[STORE_ERROR];
	assert_int_equal(store_open("memory:", "n1", &bench->store, error), 0);
	for (int i = 0; i < 2500; i++)
		put(bench, i * 2, i % 2 ? "odd" : "even", 0);
	assert_int_equal(license_index_new(bench->store, &bench->index), 0);
	*state = bench;
	return 0;
}

static int tear_down(void **state)
{
	struct bench *bench = *state;
	license_index_free(bench->index);
	store_close(bench->store);
	free(bench);
	return 0;
}

static void it_knows_what_was_there_before(void **state)
{
	struct bench *bench = *state;
	const struct license_filter odd = {.holder = "odd", .online = -1};
	struct license_index_page page;
	char after[LICENSE_KEY_ID_SIZE] = "";
	size_t seen = 0;
	do {
		assert_int_equal(license_index_find(bench->index, &odd,
					 *after ? after : NULL, 400, &page),
			0);
		assert_int_equal(page.total, 1250);
		for (size_t i = 0; i < page.count; i++) {
			assert_true(strcmp(page.ids[i], after) > 0);
			memcpy(after, page.ids[i], sizeof(after));
		}
		seen += page.count;
		free(page.ids);
	} while (page.more);
	assert_int_equal(seen, 1250);
}

static void it_is_told_by_others(void **state)
{
	struct bench *bench = *state;
	assert_int_equal(count(bench, "third"), 0);
	put(bench, 1, "third", 0); /* between two */
	put(bench, 0, "third", 1); /* instead of one */
	put(bench, 4998, "third", 1);
	put(bench, 9999, "third", 0); /* behind all */
	news(bench, 1);
	news(bench, 0);
	news(bench, 4998);
	news(bench, 9999);
	until_count(bench, "third", 4);
	assert_int_equal(count(bench, "even") + count(bench, "odd"), 2498);
	assert_int_equal(store_wait_remove(bench->store->state, STATE_LICENSE,
				 "lic_000000001", 0),
		0);
	news(bench, 1);
	until_count(bench, "third", 3);
	/* What is no news of a license changes nothing. */
	assert_int_equal(bus_publish(bench->store->bus, "news", "not JSON"), 0);
	assert_int_equal(bus_publish(bench->store->bus, "news", "{\"type\":7}"), 0);
	assert_int_equal(count(bench, "third"), 3);
}

static void whoever_writes_finds_it_at_once(void **state)
{
	struct bench *bench = *state;
	assert_int_equal(count(bench, "even"), 1250);
	put(bench, 0, "mine", 1);
	license_index_touch(bench->index, "lic_000000000");
	assert_int_equal(count(bench, "mine"), 1);
	assert_int_equal(store_wait_remove(bench->store->state, STATE_LICENSE,
				 "lic_000000000", 0),
		0);
	license_index_touch(bench->index, "lic_000000000");
	assert_int_equal(count(bench, "mine"), 0);
	license_index_touch(bench->index, "no license at all, and a long name");
	assert_int_equal(count(bench, "even"), 1249);
}

static void many_changes_are_found_by_comparing(void **state)
{
	struct bench *bench = *state;
	assert_int_equal(count(bench, "odd"), 1250);
	for (int i = 0; i < 2500; i += 5)
		put(bench, i * 2, "late", 1);
	for (int i = 1; i < 300; i += 2)
		put(bench, i, "late", 0);
	for (int i = 1; i < 2500; i += 5) {
		char id[32];
		snprintf(id, sizeof(id), "lic_%09d", i * 2);
		assert_int_equal(store_wait_remove(bench->store->state, STATE_LICENSE, id,
					 0),
			0);
	}
	/* One piece of news for all of them. */
	assert_int_equal(
		bus_publish(bench->store->bus, "news",
			"{\"type\":\"license\",\"id\":\"\",\"act\":\"changed\"}"),
		0);
	until_count(bench, "late", 500 + 150);
	until_count(bench, "", 2500 - 500 + 150);
}

static void presence_is_asked_for(void **state)
{
	struct bench *bench = *state;
	struct license_filter online = {.online = 1};
	assert_int_equal(license_index_count(bench->index, &online), 0);
	assert_int_equal(store_wait_announce(bench->store->state, "lic_000000002", "n2",
				 "there", 60000),
		0);
	/* At most two seconds old. */
	int64_t end_ms = clock_mono_ms() + 20000;
	while (license_index_count(bench->index, &online) != 1 &&
		clock_mono_ms() < end_ms)
		nanosleep(&(struct timespec){0, 20000000}, NULL);
	assert_int_equal(license_index_count(bench->index, &online), 1);
	online.online = 0;
	assert_int_equal(license_index_count(bench->index, &online), 2499);
}

int main(void)
{
#define INDEX_TEST(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		INDEX_TEST(it_knows_what_was_there_before),
		INDEX_TEST(it_is_told_by_others),
		INDEX_TEST(whoever_writes_finds_it_at_once),
		INDEX_TEST(many_changes_are_found_by_comparing),
		INDEX_TEST(presence_is_asked_for),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
