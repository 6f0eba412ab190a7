/* The watch of two nodes over one store in memory: one of them looks, each row once. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "alert/alerts.h"
#include "base/clock.h"
#include "rules/alarm.h"
#include "store/sealed/sealed_store.h"
#include "store/store_open.h"
#include "store/store_wait.h"

#define PATIENCE_MS 30000
#define YEAR_MS INT64_C(31536000000)

struct node {
	char dir[64];
	struct alerts *alerts;
};

struct rig {
	struct store *store;
	struct node one, two;
};

static int64_t far_away(void *ctx)
{
	(void)ctx;
	return clock_wall_ms() + YEAR_MS;
}

static void start(struct rig *rig, struct node *node, const char *name)
{
	/* Nobody listens there: outages, which are of no interest here. */
	static const char *const endpoints[PROBE_TARGETS] = {
		"127.0.0.1:1", "127.0.0.1:1"};
	const struct alerts_settings settings = {"", "", 100, 100, 3600000};
	snprintf(node->dir, sizeof(node->dir), "/tmp/engawa-alerts-XXXXXX");
	assert_non_null(mkdtemp(node->dir));
	const struct alerts_parts parts = {.store = rig->store,
		.keys = sealed_store_keys(rig->store),
		.node = name,
		.data = node->dir,
		.syslog_socket = "/nowhere",
		.certificate_ends_ms = far_away};
	assert_int_equal(alerts_new(&parts, &settings, &node->alerts), 0);
	assert_int_equal(alerts_start(node->alerts, endpoints), 0);
}

static void stop(struct node *node)
{
	char path[128];
	node->alerts = alerts_free(node->alerts);
	snprintf(path, sizeof(path), "%s/alerts/alive", node->dir);
	unlink(path);
	snprintf(path, sizeof(path), "%s/alerts", node->dir);
	assert_int_equal(rmdir(path), 0);
	assert_int_equal(rmdir(node->dir), 0);
}

static int setup(void **state)
{
	struct rig *rig = calloc(1, sizeof(*rig));
	char error[STORE_ERROR];
	static const uint8_t master[SEALED_KEYS_MASTER] = {1};
	struct store *below;
	assert_int_equal(store_open("memory:", "node", &below, error), 0);
	assert_int_equal(sealed_store_open(below, master, &rig->store, error), 0);
	*state = rig;
	return 0;
}

static int teardown(void **state)
{
	struct rig *rig = *state;
	store_close(rig->store);
	free(rig);
	return 0;
}

static void new_device(struct rig *rig, const char *device)
{
	char body[200];
	snprintf(body, sizeof(body),
		"{\"event\":\"DEVICE_NEW\",\"device\":\"%s\",\"name\":\"PC\"}", device);
	struct journal_row row = {.kind = JOURNAL_AUDIT,
		.tenant = "acme",
		.license = "lic_a",
		.at_ms = clock_wall_ms(),
		.body = body};
	assert_int_equal(store_wait_append(rig->store->journal, &row, 1), 0);
}

/* How many alarms of this kind, of them open. */
static size_t count(struct rig *rig, enum alert_when when, size_t *ret_open)
{
	struct store_docs docs = {0};
	size_t found = 0;
	*ret_open = 0;
	assert_int_equal(store_wait_list(rig->store->state, STATE_ALARM, NULL, NULL, 1000,
				 &docs),
		0);
	for (size_t i = 0; i < docs.count; i++) {
		struct field_error error;
		struct alarm alarm;
		assert_int_equal(alarm_read(docs.docs[i].body, &alarm, &error), 0);
		found += alarm.when == (int)when;
		*ret_open += alarm.when == (int)when && !alarm.over_ms;
	}
	store_docs_free(&docs);
	return found;
}

static void wait_for(struct rig *rig, enum alert_when when, size_t alarms, size_t open)
{
	int64_t end_ms = clock_mono_ms() + PATIENCE_MS;
	size_t now_open, now = count(rig, when, &now_open);
	while ((now != alarms || now_open != open) && clock_mono_ms() < end_ms) {
		usleep(20000);
		now = count(rig, when, &now_open);
	}
	assert_int_equal(now, alarms);
	assert_int_equal(now_open, open);
}

static void test_each_row_is_looked_at_once_by_one_node(void **state)
{
	struct rig *rig = *state;
	size_t open;
	new_device(rig, "before anybody watched");
	start(rig, &rig->one, "node-1");
	start(rig, &rig->two, "node-2");
	/* Until the end of the journal has been found, everything is old. */
	struct store_docs docs = {0};
	int64_t end_ms = clock_mono_ms() + PATIENCE_MS;
	while (store_wait_get(rig->store->state, STATE_META, "alerts/cursor", &docs) &&
		clock_mono_ms() < end_ms)
		usleep(20000);
	store_docs_free(&docs);
	char device[32];
	for (int i = 0; i < 20; i++) {
		snprintf(device, sizeof(device), "dev_%d", i);
		new_device(rig, device);
	}
	wait_for(rig, ALERT_DEVICE_NEW, 20, 20);
	/* The one that watches goes; the other goes on where it stopped. */
	stop(&rig->one);
	new_device(rig, "dev_20");
	wait_for(rig, ALERT_DEVICE_NEW, 21, 21);
	stop(&rig->two);
	new_device(rig, "while nobody watched");
	start(rig, &rig->one, "node-1");
	wait_for(rig, ALERT_DEVICE_NEW, 22, 22);
	new_device(rig, "dev_3"); /* known to be new already */
	usleep(700000);
	assert_int_equal(count(rig, ALERT_DEVICE_NEW, &open), 22);
	stop(&rig->one);
}

static void put(struct rig *rig, enum state_kind kind, const char *id, const char *tenant,
	uint64_t version, const char *body)
{
	struct state_doc doc = {kind, id, tenant, version, body};
	assert_int_equal(store_wait_put(rig->store->state, &doc, NULL), 0);
}

static void test_who_is_away_comes_back(void **state)
{
	struct rig *rig = *state;
	char text[300];
	long long now_ms = clock_wall_ms(), long_ago = now_ms - 3600000;

	snprintf(text, sizeof(text), "{\"id\":\"acme\",\"name\":\"x\",\"created_ms\":1}");
	put(rig, STATE_TENANT, "acme", "", 0, text);
	snprintf(text, sizeof(text), "{\"online\":0,\"seen\":%lld,\"name\":\"PC 1\"}",
		long_ago);
	put(rig, STATE_HOST, "lic_away", "acme", 0, text);
	snprintf(text, sizeof(text), "{\"online\":0,\"seen\":%lld}", now_ms);
	put(rig, STATE_HOST, "lic_just_left", "acme", 0, text);
	/* Its node died and could not say so. */
	snprintf(text, sizeof(text), "{\"online\":1,\"node\":\"node-9\",\"seen\":%lld}",
		long_ago);
	put(rig, STATE_HOST, "lic_orphan", "acme", 0, text);
	snprintf(text, sizeof(text), "{\"seen\":%lld}", long_ago);
	put(rig, STATE_NODE, "node-9", "", 0, text);
	put(rig, STATE_HOST, "lic_never", "acme", 0, "{\"device\":\"x\"}");
	start(rig, &rig->one, "node-1");
	wait_for(rig, ALERT_HOST_AWAY, 2, 2);
	wait_for(rig, ALERT_NODE_AWAY, 1, 1);

	snprintf(text, sizeof(text), "{\"online\":1,\"node\":\"node-8\",\"seen\":%lld}",
		(long long)clock_wall_ms());
	put(rig, STATE_HOST, "lic_away", "acme", 1, text);
	snprintf(text, sizeof(text), "{\"seen\":%lld}", (long long)clock_wall_ms());
	put(rig, STATE_NODE, "node-8", "", 0, text);
	assert_int_equal(store_wait_remove(rig->store->state, STATE_NODE, "node-9", 0),
		0);
	wait_for(rig, ALERT_HOST_AWAY, 2, 1);
	wait_for(rig, ALERT_NODE_AWAY, 1, 0);
	stop(&rig->one);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
			test_each_row_is_looked_at_once_by_one_node, setup, teardown),
		cmocka_unit_test_setup_teardown(test_who_is_away_comes_back, setup,
			teardown),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
