#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/reason.h"
#include "metrics/metrics.h"
#include "metrics/metrics_process.h"

#define ROUNDS 20000

static void *count(void *attach)
{
	if (attach)
		metrics_attach();
	for (int i = 0; i < ROUNDS; i++) {
		metrics_add(METRIC_ACCEPTED, 1);
		metrics_add(METRIC_CONNS, i % 2 ? 1 : -1);
	}
	metrics_detach();
	return NULL;
}

/* Attached threads have blocks of their own, the others share one: nothing may be lost in either,
 * nor when a thread ends. */
static void no_count_is_lost(void **state)
{
	(void)state;
	int64_t before = metrics_value(METRIC_ACCEPTED);
	pthread_t threads[4];
	for (int i = 0; i < 4; i++)
		assert_int_equal(pthread_create(&threads[i], NULL, count,
					 i % 2 ? threads : NULL),
			0);
	for (int i = 0; i < 4; i++)
		pthread_join(threads[i], NULL);
	assert_int_equal(metrics_value(METRIC_ACCEPTED), before + 4 * ROUNDS);
	assert_int_equal(metrics_value(METRIC_CONNS), 0);
}

static const char *page(struct buf *out)
{
	buf_init(out, 1 << 20);
	assert_int_equal(metrics_text(out), 0);
	assert_int_equal(buf_put_u8(out, 0), 0);
	return (const char *)buf_head(out);
}

static void the_page_is_prometheus_text(void **state)
{
	(void)state;
	metrics_set(METRIC_SESSIONS, 7);
	metrics_reason(METRIC_REFUSALS, -REASON_PASSWORD_WRONG);
	metrics_reason(METRIC_REFUSALS, REASON_PASSWORD_WRONG);
	metrics_reason(METRIC_REFUSALS, 0x7777);
	struct buf out;
	const char *text = page(&out);
	assert_non_null(strstr(text,
		"# TYPE engawa_sessions gauge\nengawa_sessions 7\n"));
	assert_non_null(strstr(text,
		"engawa_refusals_total{reason=\"PASSWORD_WRONG\"} 2\n"));
	assert_non_null(strstr(text, "engawa_refusals_total{reason=\"OTHER\"} 1\n"));
	assert_null(strstr(text, "reason=\"TOTP_WRONG\""));
	assert_int_equal(metrics_value(METRIC_REFUSALS), 3);
	buf_done(&out);
}

static void a_histogram_is_cumulative(void **state)
{
	(void)state;
	metrics_time(METRIC_OPEN_SECONDS, 500); /* on a bound: belongs to it */
	metrics_time(METRIC_OPEN_SECONDS, 501);
	metrics_time(METRIC_OPEN_SECONDS, 60000000); /* above all */
	struct buf out;
	const char *text = page(&out);
	assert_non_null(strstr(text, "engawa_open_seconds_bucket{le=\"0.0005\"} 1\n"));
	assert_non_null(strstr(text, "engawa_open_seconds_bucket{le=\"0.001\"} 2\n"));
	assert_non_null(strstr(text, "engawa_open_seconds_bucket{le=\"30\"} 2\n"));
	assert_non_null(strstr(text, "engawa_open_seconds_bucket{le=\"+Inf\"} 3\n"));
	assert_non_null(strstr(text, "engawa_open_seconds_sum 60.001001\n"));
	assert_non_null(strstr(text, "engawa_open_seconds_count 3\n"));
	assert_int_equal(metrics_value(METRIC_OPEN_SECONDS), 3);
	buf_done(&out);
}

static void the_process_is_looked_at(void **state)
{
	(void)state;
	int pipes[2];
	metrics_process_look();
	int64_t before = metrics_value(METRIC_DESCRIPTORS);
	assert_int_equal(pipe(pipes), 0);
	metrics_process_look();
	assert_int_equal(metrics_value(METRIC_DESCRIPTORS), before + 2);
	assert_true(metrics_value(METRIC_DESCRIPTOR_LIMIT) > before);
	assert_in_range(metrics_value(METRIC_MEMORY), 64 * 1024, INT64_C(1) << 40);
	close(pipes[0]);
	close(pipes[1]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(no_count_is_lost),
		cmocka_unit_test(the_page_is_prometheus_text),
		cmocka_unit_test(a_histogram_is_cumulative),
		cmocka_unit_test(the_process_is_looked_at),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
