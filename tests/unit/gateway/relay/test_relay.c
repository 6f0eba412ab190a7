/* The whole relay over real sockets: two workers with their threads, TLS 1.3, the memory store. Ends are
 * driven by this thread. */
#include <dirent.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/reason.h"
#include "fakes/fake_admission.h"
#include "fakes/fake_end.h"
#include "fakes/test_cert.h"
#include "metrics/metrics.h"
#include "relay/relay.h"
#include "store/bus.h"
#include "store/store_open.h"
#include "store/store_wait.h"
#include "wire/frame.h"

#define LICENSE "lic_0123456zz"
#define PATIENCE_MS 60000

struct rig {
	struct store *store;
	struct test_cert cert;
	struct relay *relay;
	struct relay_settings settings;
	uint16_t port;
	struct fake_end ends[4];
	size_t count;
};

static void start(struct rig *rig)
{
	char error[RELAY_ERROR];
	static const char *const listen[] = {"127.0.0.1:0"};
	struct relay_parts parts = {.store = rig->store,
		.node = "n1",
		.address = "",
		.cert_file = rig->cert.cert,
		.key_file = rig->cert.key,
		.listen = listen,
		.listen_count = 1,
		.workers = 2,
		.settings = &rig->settings};
	assert_int_equal(relay_new(&parts, &rig->relay, error), 0);
	assert_int_equal(relay_start(rig->relay), 0);
	const char *endpoint = relay_endpoint(rig->relay, 0);
	rig->port = (uint16_t)atoi(strrchr(endpoint, ':') + 1);
	assert_true(rig->port > 0);
}

static int set_up(void **state)
{
	struct rig *rig = calloc(1, sizeof(*rig));
	char error[STORE_ERROR];
	log_open("test", 2, LOG_TEXT, getenv("ENGAWA_TEST_LOG") ? LOG_DEBUG : LOG_ERROR);
	fake_admission_reset();
	test_cert_new(&rig->cert, 1);
	assert_int_equal(store_open("memory:", "n1", &rig->store, error), 0);
	relay_settings_default(&rig->settings);
	rig->settings.drain_ms = 200;
	rig->settings.receipt_ms = 500;
	*state = rig;
	return 0;
}

static int tear_down(void **state)
{
	struct rig *rig = *state;
	for (size_t i = 0; i < rig->count; i++)
		fake_end_done(&rig->ends[i]);
	relay_free(rig->relay);
	store_close(rig->store);
	test_cert_done(&rig->cert);
	free(rig);
	return 0;
}

static void pump(struct rig *rig)
{
	for (size_t i = 0; i < rig->count; i++)
		fake_end_pump(&rig->ends[i]);
	usleep(100);
}

#define UNTIL(rig, condition)                                                            \
	do {                                                                             \
		int64_t end_ms = clock_mono_ms() + PATIENCE_MS;                          \
		while (!(condition) && clock_mono_ms() < end_ms)                         \
			pump(rig);                                                       \
		assert_true(condition);                                                  \
	} while (0)

static struct fake_end *dial(struct rig *rig, enum hello_side side, int device)
{
	struct fake_end *end = &rig->ends[rig->count++];
	fake_end_init(end, side, LICENSE, device);
	fake_end_on_tls(end, rig->port);
	fake_end_hello(end);
	UNTIL(rig, end->challenged);
	fake_end_prove(end, "password");
	UNTIL(rig, end->welcomed);
	return end;
}

static void join(struct rig *rig, struct fake_end **host, struct fake_end **viewer)
{
	*host = dial(rig, HELLO_HOST, 1);
	*viewer = dial(rig, HELLO_VIEWER, 2);
	fake_end_connect(*viewer, NULL);
	UNTIL(rig, (*host)->opens == 1 && (*viewer)->opens == 1);
}

static int closing_row(struct rig *rig, char *ret, size_t size)
{
	struct journal_query query = {.kind = JOURNAL_SESSION, .limit = 100};
	struct store_rows rows;
	int found = 0;
	assert_int_equal(store_wait_query(rig->store->journal, &query, &rows), 0);
	for (size_t i = 0; i < rows.count; i++)
		if (strstr(rows.rows[i].body, "\"event\":\"close\"")) {
			snprintf(ret, size, "%s", rows.rows[i].body);
			found++;
		}
	store_rows_free(&rows);
	return found;
}

#define FRAMES 1500

static void bytes_are_exact_both_ways_and_in_the_journal(void **state)
{
	struct rig *rig = *state;
	struct fake_end *host, *viewer;
	char row[4096], expected[120];
	uint32_t x = 1;
	start(rig);
	join(rig, &host, &viewer);
	for (int i = 0; i < FRAMES; i++) {
		x = x * 1664525u + 1013904223u;
		fake_end_data(host, 16 + (x >> 8) % (FRAME_DATA_MAX - 15));
		fake_end_data(viewer, 16 + (x >> 20) % 3000);
		while (buf_len(&host->tls.out) > 4 << 20)
			pump(rig);
	}
	UNTIL(rig, viewer->received == host->sent && host->received == viewer->sent);
	assert_int_equal(viewer->out_of_order + host->out_of_order, 0);
	assert_int_equal(viewer->frames, FRAMES);
	uint64_t to_viewer = viewer->received, to_host = host->received;
	fake_end_close(viewer, FAKE_CLOSE_SESSION, REASON_VIEWER_LEFT);
	UNTIL(rig, host->closes == 1);
	UNTIL(rig, closing_row(rig, row, sizeof(row)) == 1);
	snprintf(expected, sizeof(expected),
		"\"bytes_to_viewer\":%llu,\"bytes_to_host\":%llu",
		(unsigned long long)to_viewer, (unsigned long long)to_host);
	assert_non_null(strstr(row, expected));
}

static long resident_kib(void)
{
	long pages = 0, resident = 0;
	FILE *file = fopen("/proc/self/statm", "r");
	assert_non_null(file);
	assert_int_equal(fscanf(file, "%ld %ld", &pages, &resident), 2);
	fclose(file);
	return resident * (sysconf(_SC_PAGESIZE) / 1024);
}

/* A viewer that reads nothing: the host is stopped by TCP, the relay keeps a bounded amount. */
static void a_gibibyte_at_a_viewer_that_does_not_read_costs_nothing(void **state)
{
	struct rig *rig = *state;
	struct fake_end *host, *viewer;
	rig->settings.slow_reader_ms = 2000;
	start(rig);
	join(rig, &host, &viewer);
	viewer->tls.reads = 0;
	long before_kib = resident_kib();
	long most_kib = 0;
	uint64_t offered = 0;
	/* Nothing is handed to the host's line while that is full, so this process holds none of
	 * it either; what counts is what the relay, which is in it, adds. */
	while (offered < 1u << 30 && !host->closes) {
		if (buf_len(&host->tls.out) < 65536) {
			fake_end_data(host, 60000);
			offered += 60000;
		}
		pump(rig);
		long more_kib = resident_kib() - before_kib;
		most_kib = more_kib > most_kib ? more_kib : most_kib;
	}
	print_message("this process grew by at most %ld KiB\n", most_kib);
#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
	assert_true(most_kib < 1024);
#endif
	assert_int_equal(host->close.reason, REASON_SLOW_READER);
	assert_true(offered < 64u << 20);
}

static int count_descriptors(void)
{
	int count = 0;
	DIR *directory = opendir("/proc/self/fd");
	while (readdir(directory))
		count++;
	closedir(directory);
	return count;
}

#define STRANGERS 2000

/* Connections that never speak are gone in time, and a session does not notice them. */
static void strangers_are_gone_in_time_while_a_session_flows(void **state)
{
	struct rig *rig = *state;
	struct fake_end *host, *viewer;
	struct tls_end *strangers = calloc(STRANGERS, sizeof(*strangers));
	rig->settings.tls_ms = 1000;
	rig->settings.strangers_per_address = 10000;
	start(rig);
	join(rig, &host, &viewer);
	int64_t away = metrics_value(METRIC_TURNED_AWAY);
	for (int i = 0; i < STRANGERS; i++) {
		tls_end_dial(&strangers[i], rig->port, "engawa/1");
		if (i % 20 == 0) {
			fake_end_data(host, 1000);
			pump(rig);
		}
	}
	UNTIL(rig, viewer->received == host->sent);
	struct relay_counts counts;
	UNTIL(rig, (relay_counts(rig->relay, &counts), counts.unproved == 0));
	assert_int_equal(counts.sessions, 1);
	/* Half of 1,024 is passed: some were turned away by chance. */
	assert_true(metrics_value(METRIC_TURNED_AWAY) > away);
	fake_end_data(host, 1000);
	UNTIL(rig, viewer->received == host->sent);
	for (int i = 0; i < STRANGERS; i++)
		tls_end_done(&strangers[i]);
	free(strangers);
}

static void a_new_certificate_is_served_and_a_broken_one_refused(void **state)
{
	struct rig *rig = *state;
	struct fake_end *host, *viewer;
	char error[RELAY_ERROR];
	start(rig);
	join(rig, &host, &viewer);
	int64_t expires_ms = relay_certificate_expires_ms(rig->relay);
	test_cert_renew(&rig->cert, 30);
	assert_int_equal(relay_reload(rig->relay, error), 0);
	assert_true(relay_certificate_expires_ms(rig->relay) > expires_ms);
	expires_ms = relay_certificate_expires_ms(rig->relay);
	FILE *file = fopen(rig->cert.cert, "w");
	fputs("no certificate\n", file);
	fclose(file);
	assert_int_equal(relay_reload(rig->relay, error), -REASON_CONFIG);
	assert_int_equal(relay_certificate_expires_ms(rig->relay), expires_ms);
	fake_end_data(host, 100);
	UNTIL(rig, viewer->received == 100);
	dial(rig, HELLO_VIEWER, 3);
}

static void on_drained(void *ctx)
{
	*(int *)ctx = 1;
}

static void a_drain_tells_ends_closes_and_writes_everything(void **state)
{
	struct rig *rig = *state;
	struct fake_end *host, *viewer;
	struct post_pump *office;
	char row[4096];
	int drained = 0;
	start(rig);
	join(rig, &host, &viewer);
	fake_end_data(host, 12345);
	UNTIL(rig, viewer->received == 12345);
	assert_int_equal(post_pump_new(&office), 0);
	relay_drain(rig->relay, post_pump_box(office), on_drained, &drained);
	struct relay_counts counts;
	relay_counts(rig->relay, &counts);
	assert_int_equal(counts.accepting, 0);
	assert_int_equal(counts.draining, 1);
	int64_t begin_ms = clock_mono_ms();
	while (!drained && clock_mono_ms() < begin_ms + PATIENCE_MS) {
		pump(rig);
		post_pump_run(office, 0);
	}
	assert_true(drained);
	assert_int_equal(host->notices, 1);
	assert_string_equal(viewer->notice.kind, "drain");
	assert_int_equal(host->closes, 1);
	UNTIL(rig, host->gone && viewer->gone);
	assert_int_equal(closing_row(rig, row, sizeof(row)), 1);
	assert_non_null(strstr(row, "\"reason\":\"NODE_STOPPED\""));
	assert_non_null(strstr(row, "\"bytes_to_viewer\":12345"));
	post_pump_free(office);
}

static void an_order_ends_a_live_session_at_both_ends(void **state)
{
	struct rig *rig = *state;
	struct fake_end *host, *viewer;
	start(rig);
	join(rig, &host, &viewer);
	int64_t begin_ms = clock_mono_ms();
	assert_int_equal(bus_publish(rig->store->bus, "orders",
				 "{\"order\":\"revoke\",\"license\":\"" LICENSE
				 "\",\"reason\":\"LICENSE_DISABLED\",\"by\":\"boss\"}"),
		0);
	UNTIL(rig, host->gone && viewer->gone);
	assert_int_equal(host->close.reason, REASON_LICENSE_DISABLED);
	assert_int_equal(viewer->close.reason, REASON_LICENSE_DISABLED);
	print_message("both gone after %lld ms\n",
		(long long)(clock_mono_ms() - begin_ms));
}

/* By order: told, given time, then sent away; the node lives on and takes nobody until it may. */
static void a_drain_order_empties_the_node_until_it_is_taken_back(void **state)
{
	struct rig *rig = *state;
	struct fake_end *host, *viewer;
	struct relay_counts counts;
	start(rig);
	join(rig, &host, &viewer);
	assert_int_equal(
		bus_publish(rig->store->bus, "orders",
			"{\"order\":\"drain\",\"node\":\"n2\",\"within_ms\":10}"),
		0);
	assert_int_equal(
		bus_publish(rig->store->bus, "orders",
			"{\"order\":\"drain\",\"node\":\"n1\",\"within_ms\":300}"),
		0);
	UNTIL(rig, host->notices == 1 && viewer->notices == 1);
	assert_int_equal(host->closes, 0);
	assert_int_equal(host->notice.within_ms, 300);
	UNTIL(rig, host->gone && viewer->gone);
	assert_int_equal(viewer->close.reason, REASON_DRAINING);
	struct fake_end *late = &rig->ends[rig->count++];
	fake_end_init(late, HELLO_HOST, LICENSE, 1);
	fake_end_on_tls(late, rig->port);
	fake_end_hello(late);
	UNTIL(rig, late->refusals == 1);
	assert_int_equal(late->refused.reason, REASON_DRAINING);
	assert_int_equal(bus_publish(rig->store->bus, "orders",
				 "{\"order\":\"undrain\",\"node\":\"n1\"}"),
		0);
	UNTIL(rig, (relay_counts(rig->relay, &counts), counts.accepting));
	dial(rig, HELLO_HOST, 1);
}

/* Viewers come and go on both workers, so that legs are handed over in both directions. */
static void many_sessions_one_after_the_other_leave_nothing_behind(void **state)
{
	struct rig *rig = *state;
	struct relay_counts counts;
	start(rig);
	struct fake_end *host = dial(rig, HELLO_HOST, 1);
	int descriptors = count_descriptors();
	for (int i = 0; i < 40; i++) {
		struct fake_end *viewer = dial(rig, HELLO_VIEWER, 2 + i % 3);
		fake_end_connect(viewer, NULL);
		UNTIL(rig, viewer->opens == 1 && host->opens == i + 1);
		fake_end_data(viewer, 64);
		fake_end_data(host, 30000);
		UNTIL(rig, viewer->received == 30000 && host->received == 64);
		if (i % 2)
			fake_end_close(viewer, FAKE_CLOSE_LEG, REASON_VIEWER_LEFT);
		else
			fake_end_vanish(viewer);
		UNTIL(rig, host->closes == i + 1);
		fake_end_done(viewer);
		rig->count--;
	}
	UNTIL(rig, (relay_counts(rig->relay, &counts), counts.viewers == 0));
	UNTIL(rig, count_descriptors() <= descriptors);
	assert_int_equal(counts.sessions, 0);
	assert_int_equal(counts.hosts, 1);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(bytes_are_exact_both_ways_and_in_the_journal),
		TEST(a_gibibyte_at_a_viewer_that_does_not_read_costs_nothing),
		TEST(strangers_are_gone_in_time_while_a_session_flows),
		TEST(a_new_certificate_is_served_and_a_broken_one_refused),
		TEST(a_drain_tells_ends_closes_and_writes_everything),
		TEST(an_order_ends_a_live_session_at_both_ends),
		TEST(a_drain_order_empties_the_node_until_it_is_taken_back),
		TEST(many_sessions_one_after_the_other_leave_nothing_behind),
	};
	struct rlimit files;
	signal(SIGPIPE, SIG_IGN);
	getrlimit(RLIMIT_NOFILE, &files);
	files.rlim_cur = files.rlim_max;
	setrlimit(RLIMIT_NOFILE, &files);
	cmocka_set_test_filter(getenv("ENGAWA_TEST_ONLY"));
	return cmocka_run_group_tests(tests, NULL, NULL);
}
