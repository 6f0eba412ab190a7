#include "alert/deliver.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "alert/alarm_note.h"
#include "alert/alarm_spool.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/reason.h"
#include "base/secret.h"
#include "metrics/metrics.h"
#include "store/store_open.h"
#include "store/store_wait.h"

#define LONGEST_PAUSE_MS 3600000

struct deliver {
	struct deliver_parts parts;
	struct alarm_spool *spool;
	pthread_mutex_t lock;
	pthread_cond_t news;
	struct deliver_settings settings;
	atomic_int stops;
	size_t count;
	pthread_t threads[DELIVER_THREADS];
};

int deliver_new(const struct deliver_parts *parts,
	const struct deliver_settings *settings, struct deliver **ret)
{
	struct deliver *deliver = calloc(1, sizeof(*deliver));

	if (!deliver)
		return -REASON_NO_MEMORY;
	deliver->parts = *parts;
	deliver->parts.dir = NULL; /* only to open it */
	deliver->settings = *settings;
	pthread_mutex_init(&deliver->lock, NULL);
	pthread_cond_init(&deliver->news, NULL);
	int status = alarm_spool_open(parts->dir, parts->keys, &deliver->spool);
	if (status)
		deliver_free(deliver);
	else
		*ret = deliver;
	return status;
}

static struct deliver_settings settings_now(struct deliver *deliver)
{
	pthread_mutex_lock(&deliver->lock);
	struct deliver_settings settings = deliver->settings;
	pthread_mutex_unlock(&deliver->lock);
	return settings;
}

void deliver_set(struct deliver *deliver, const struct deliver_settings *settings)
{
	pthread_mutex_lock(&deliver->lock);
	deliver->settings = *settings;
	pthread_mutex_unlock(&deliver->lock);
}

static int send_letter(struct deliver *deliver, const struct route *route,
	const struct alarm *alarm, const char *id, char error[static LETTER_ERROR])
{
	struct deliver_settings settings = settings_now(deliver);

	return letter_send(&(struct letter){.route = route,
				   .alarm = alarm,
				   .id = id,
				   .node = deliver->parts.node,
				   .targets = &settings.targets,
				   .ca_file = settings.ca_file,
				   .syslog_socket = deliver->parts.syslog_socket,
				   .gives_up = &deliver->stops},
		error);
}

/* -REASON_NOT_FOUND: gone or disabled, the letter goes nowhere. */
static int load_route(struct deliver *deliver, const char *id, struct route *ret)
{
	struct store_docs docs = {0};
	struct field_error error;
	int status = store_wait_get(deliver->parts.store->state, STATE_ROUTE, id, &docs);

	if (status)
		return status;
	if (route_read(docs.docs[0].body, ret, &error))
		status = -REASON_NOT_FOUND;
	else if (ret->state == ROUTE_DISABLED)
		status = -REASON_NOT_FOUND;
	store_docs_free(&docs);
	return status;
}

static int try_entry(struct deliver *deliver, const struct alarm_spool_entry *entry,
	char error[static LETTER_ERROR])
{
	struct route route;
	int status = load_route(deliver, entry->route, &route);

	if (!status)
		status = send_letter(deliver, &route, &entry->alarm, entry->id, error);
	if (status && !*error)
		snprintf(error, LETTER_ERROR, "%s", reason_text(status, REASON_EN));
	secret_wipe(&route, sizeof(route));
	return status;
}

static int64_t pause_ms(int64_t first_ms, int64_t tries)
{
	int64_t ms = first_ms;

	while (--tries > 0 && ms < LONGEST_PAUSE_MS)
		ms *= 3;
	return ms < LONGEST_PAUSE_MS ? ms : LONGEST_PAUSE_MS;
}

static void close_entry(struct deliver *deliver, struct alarm_spool_entry *entry,
	int state, const char *error)
{
	struct alarm_delivery delivery = {
		.state = state, .tries = entry->tries, .at_ms = clock_wall_ms()};

	snprintf(delivery.route, sizeof(delivery.route), "%s", entry->route);
	field_plain(delivery.error, sizeof(delivery.error), error);
	int status = alarm_note_delivery(deliver->parts.store->state, entry->alarm.id,
		&delivery);
	if (status)
		log_line(LOG_WARN, "a delivery could not be noted",
			LOG_S("alarm", entry->alarm.id),
			LOG_S("reason", reason_symbol(status)));
	if (state == ALARM_WAITING)
		alarm_spool_again(deliver->spool, entry);
	else
		alarm_spool_done(deliver->spool, entry);
}

static void work_on(struct deliver *deliver, struct alarm_spool_entry *entry)
{
	char error[LETTER_ERROR] = "";
	int status = try_entry(deliver, entry, error);
	int64_t now_ms = clock_wall_ms();

	if (status && atomic_load(&deliver->stops)) {
		alarm_spool_again(deliver->spool, entry);
		return;
	}
	entry->tries++;
	if (!status) {
		metrics_add(METRIC_LETTERS_SENT, 1);
		close_entry(deliver, entry, ALARM_SENT, "");
		return;
	}
	metrics_reason(METRIC_LETTERS_FAILED, status);
	log_line(LOG_WARN, "alarm not delivered", LOG_S("alarm", entry->alarm.id),
		LOG_S("route", entry->route), LOG_U("tries", entry->tries),
		LOG_S("reason", reason_symbol(status)), LOG_S("error", error));
	entry->next_ms = now_ms + pause_ms(settings_now(deliver).retry_ms, entry->tries);
	int is_over = status == -REASON_NOT_FOUND ||
		      now_ms - entry->made_ms >= DELIVER_GIVE_UP_MS;
	close_entry(deliver, entry, is_over ? ALARM_FAILED : ALARM_WAITING, error);
}

static void rest(struct deliver *deliver, int64_t ms)
{
	struct timespec until;

	clock_gettime(CLOCK_REALTIME, &until);
	/* Another thread may free the route that held this one up: never long. */
	if (ms > 1000)
		ms = 1000;
	until.tv_nsec += (ms % 1000) * 1000000;
	until.tv_sec += ms / 1000 + until.tv_nsec / 1000000000;
	until.tv_nsec %= 1000000000;
	pthread_mutex_lock(&deliver->lock);
	if (!atomic_load(&deliver->stops))
		pthread_cond_timedwait(&deliver->news, &deliver->lock, &until);
	pthread_mutex_unlock(&deliver->lock);
}

static void *work(void *arg)
{
	struct deliver *deliver = arg;
	int64_t wait_ms;

	pthread_setname_np(pthread_self(), "deliver");
	while (!atomic_load(&deliver->stops)) {
		struct alarm_spool_entry *entry =
			alarm_spool_take(deliver->spool, clock_wall_ms(), &wait_ms);
		if (entry)
			work_on(deliver, entry);
		else
			rest(deliver, wait_ms);
	}
	return NULL;
}

int deliver_start(struct deliver *deliver)
{
	while (deliver->count < DELIVER_THREADS) {
		if (pthread_create(&deliver->threads[deliver->count], NULL, work,
			    deliver))
			return -REASON_NO_MEMORY;
		deliver->count++;
	}
	return 0;
}

int deliver_put(struct deliver *deliver, const struct alarm *alarm)
{
	int status = 0;

	for (size_t i = 0; !status && i < alarm->delivery_count; i++)
		if (alarm->deliveries[i].state == ALARM_WAITING)
			status = alarm_spool_put(deliver->spool, alarm,
				alarm->deliveries[i].route, clock_wall_ms());
	pthread_cond_broadcast(&deliver->news);
	return status;
}

int deliver_now(struct deliver *deliver, const struct route *route,
	const struct alarm *alarm, char error[static LETTER_ERROR])
{
	char id[ALARM_SPOOL_ID + 8];

	snprintf(id, sizeof(id), "%s-%s", alarm->id, route->id);
	return send_letter(deliver, route, alarm, id, error);
}

struct deliver *deliver_free(struct deliver *deliver)
{
	if (!deliver)
		return NULL;
	pthread_mutex_lock(&deliver->lock);
	atomic_store(&deliver->stops, 1);
	pthread_cond_broadcast(&deliver->news);
	pthread_mutex_unlock(&deliver->lock);
	for (size_t i = 0; i < deliver->count; i++)
		pthread_join(deliver->threads[i], NULL);
	alarm_spool_free(deliver->spool);
	pthread_cond_destroy(&deliver->news);
	pthread_mutex_destroy(&deliver->lock);
	free(deliver);
	return NULL;
}
