#include "alert/alerts.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/statvfs.h>

#include "alert/alerts_inside.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/reason.h"
#include "base/text.h"
#include "store/store_open.h"

#define TICK_MS 500
/* Each holds a thread of the office as long as its receiver likes. */
#define TESTS_AT_ONCE 2

static int plan_delivery(const struct alerts_settings *settings,
	struct deliver_settings *ret)
{
	struct deliver_settings plan = {.retry_ms = settings->retry_ms};
	int status = target_parse(&plan.targets, settings->targets);

	if (!status)
		status = text_copy(plan.ca_file, sizeof(plan.ca_file), settings->ca_file);
	if (!status)
		*ret = plan;
	return status;
}

static int build(struct alerts *alerts, const struct alerts_settings *settings)
{
	struct deliver_settings plan;
	int status = plan_delivery(settings, &plan);

	snprintf(alerts->dir, sizeof(alerts->dir), "%s/alerts", alerts->parts.data);
	const struct deliver_parts parts = {.store = alerts->parts.store,
		.keys = alerts->parts.keys,
		.node = alerts->parts.node,
		.dir = alerts->dir,
		.syslog_socket = alerts->parts.syslog_socket};
	atomic_store(&alerts->scan_ms, settings->scan_ms);
	alerts->probe_ms = settings->probe_ms;
	if (!status)
		status = post_pump_new(&alerts->pump);
	if (!status)
		status = alert_book_new(&alerts->book);
	if (!status)
		status = deliver_new(&parts, &plan, &alerts->deliver);
	alerts->rows = (struct alert_rows){.store = parts.store, .node = parts.node};
	alerts->raise = (struct alert_raise){parts.store, alerts->deliver, parts.node};
	alerts->states =
		(struct alert_states){alerts->book, &alerts->raise, alerts->parts.data};
	return status;
}

int alerts_new(const struct alerts_parts *parts, const struct alerts_settings *settings,
	struct alerts **ret)
{
	struct alerts *alerts = calloc(1, sizeof(*alerts));

	if (!alerts)
		return -REASON_NO_MEMORY;
	alerts->parts = *parts;
	int status = build(alerts, settings);
	if (status)
		alerts_free(alerts);
	else
		*ret = alerts;
	return status;
}

static void *work(void *arg)
{
	struct alerts *alerts = arg;

	pthread_setname_np(pthread_self(), "alerts");
	if (bus_subscribe(alerts->parts.store->bus, "news", post_pump_box(alerts->pump),
		    alerts_watch_news, alerts, &alerts->news))
		log_line(LOG_WARN, "changes of alert rules are seen late");
	alerts_watch_begin(alerts);
	while (!atomic_load(&alerts->stops)) {
		alerts_watch_tick(alerts);
		post_pump_run(alerts->pump, TICK_MS);
	}
	if (alerts->news)
		bus_unsubscribe(alerts->parts.store->bus, alerts->news);
	alert_rows_release(&alerts->rows);
	return NULL;
}

static int start_probe(struct alerts *alerts,
	const char *const endpoints[static PROBE_TARGETS])
{
	struct probe_parts parts = {.store = alerts->parts.store,
		.node = alerts->parts.node,
		.dir = alerts->dir,
		.every_ms = alerts->probe_ms};

	for (int i = 0; i < PROBE_TARGETS; i++)
		parts.endpoints[i] = endpoints[i];
	return probe_start(&parts, &alerts->probe);
}

int alerts_start(struct alerts *alerts, const char *const endpoints[static PROBE_TARGETS])
{
	int status = deliver_start(alerts->deliver);

	if (!status)
		status = start_probe(alerts, endpoints);

	if (status)
		return status;
	if (pthread_create(&alerts->thread, NULL, work, alerts))
		return -REASON_NO_MEMORY;
	alerts->started = 1;
	return 0;
}

int alerts_set(struct alerts *alerts, const struct alerts_settings *settings)
{
	struct deliver_settings plan;
	int status = plan_delivery(settings, &plan);

	if (status)
		return status;
	deliver_set(alerts->deliver, &plan);
	atomic_store(&alerts->scan_ms, settings->scan_ms);
	if (alerts->probe)
		probe_set(alerts->probe, settings->probe_ms);
	return 0;
}

void alerts_probed(struct alerts *alerts, struct probe_facts *ret)
{
	*ret = (struct probe_facts){0};
	if (alerts->probe)
		probe_facts(alerts->probe, ret);
}

static int send_test(struct alerts *alerts, const struct route *route,
	char error[static ALERTS_ERROR])
{
	struct alert alert = {.id = "test", .name = "test", .when = ALERT_TEST};
	struct alarm alarm;
	int64_t now_ms = clock_wall_ms();

	memcpy(alert.tenant, route->tenant, sizeof(alert.tenant));
	int status = alarm_raise(&alarm, &alert, route->id, now_ms, 0);
	alarm.made_ms = now_ms;
	return status ? status : deliver_now(alerts->deliver, route, &alarm, error);
}

void alerts_disk(const struct alerts *alerts, int64_t *ret_free, int64_t *ret_percent)
{
	struct statvfs disk;

	*ret_free = *ret_percent = 0;
	if (statvfs(alerts->parts.data, &disk) || !disk.f_blocks)
		return;
	*ret_free = (int64_t)(disk.f_bavail * disk.f_frsize);
	*ret_percent = (int64_t)(100 * disk.f_bavail / disk.f_blocks);
}

int alerts_test(struct alerts *alerts, const struct route *route,
	char error[static ALERTS_ERROR])
{
	int status = -REASON_BUSY;

	*error = '\0';
	if (atomic_fetch_add(&alerts->tests, 1) < TESTS_AT_ONCE)
		status = send_test(alerts, route, error);
	atomic_fetch_sub(&alerts->tests, 1);
	return status;
}

static void wake(struct post_item *item)
{
	free(item);
}

struct alerts *alerts_free(struct alerts *alerts)
{
	if (!alerts)
		return NULL;
	atomic_store(&alerts->stops, 1);
	if (alerts->started) {
		struct post_item *item = calloc(1, sizeof(*item));
		if (item) {
			item->run = wake;
			post_put(post_pump_box(alerts->pump), item);
		}
		pthread_join(alerts->thread, NULL);
	}
	alerts->probe = probe_free(alerts->probe);
	alerts->deliver = deliver_free(alerts->deliver);
	alert_book_free(alerts->book);
	post_pump_free(alerts->pump);
	free(alerts);
	return NULL;
}
