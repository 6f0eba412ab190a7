#include "store/redis/redis_link.h"

#include <errno.h>
#include <event2/event.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>

#include "base/reason.h"
#include "base/text.h"
#include "metrics/metrics.h"
#include "store/redis/redis_conn.h"
#include "store/redis/redis_guide.h"
#include "store/redis/redis_health.h"

#define LINK_MAGIC 0x524c6e6b
/* The first greeting: long enough for a Redis that has just been started too. */
#define START_S 5
#define PLACE 128

struct redis_link {
	uint32_t magic;
	struct redis_address *address;
	struct redis_health *health;
	struct redis_guide *guide; /* NULL: no sentinels */
	struct event_base *base;
	struct event *wake;
	int bell; /* eventfd */
	struct redis_conn *conn;
	struct redis_guest *guests;
	pthread_t thread;
	int running;
	/* under the mutex: */
	pthread_mutex_t mutex;
	pthread_cond_t tried;
	struct redis_item *items, **items_end;
	struct redis_ask *asks, **asks_end;
	size_t waiting;
	int up, attempts, stopping;
};

static void ring(struct redis_link *link)
{
	uint64_t one = 1;
	while (write(link->bell, &one, sizeof(one)) < 0 && errno == EINTR)
		continue;
}

static void on_changed(void *ctx, int up)
{
	struct redis_link *link = ctx;
	const char *text;
	CHECK_OBJ(link, LINK_MAGIC);
	int fault = redis_conn_fault(link->conn, &text);
	/* Before anybody can ask whether it is up. */
	if (up)
		redis_health_up(link->health, redis_conn_notes(link->conn));
	else
		redis_health_down(link->health, fault, text);
	pthread_mutex_lock(&link->mutex);
	metrics_add(METRIC_STORE_LOST, link->up && !up);
	link->up = up;
	link->attempts++;
	pthread_cond_signal(&link->tried);
	pthread_mutex_unlock(&link->mutex);
	for (struct redis_guest *guest = link->guests; guest; guest = guest->next)
		if (guest->changed)
			guest->changed(guest, up);
}

/* A guide that found nothing reports through on_told(), so it is not asked again from there. */
static void on_conn(void *ctx, int up)
{
	struct redis_link *link = ctx;
	on_changed(link, up);
	if (!up && link->guide)
		redis_guide_ask(link->guide);
}

static void on_told(void *ctx, const char *fault)
{
	struct redis_link *link = ctx;
	CHECK_OBJ(link, LINK_MAGIC);
	if (fault)
		redis_conn_fail(link->conn, -REASON_STORE_UNAVAILABLE, fault);
	else
		redis_conn_follow(link->conn);
}

static void run_items(struct redis_item *item)
{
	for (struct redis_item *next; item; item = next) {
		next = item->next;
		item->run(item);
	}
}

static void on_wake(evutil_socket_t fd, short what UNUSED, void *arg)
{
	struct redis_link *link = arg;
	CHECK_OBJ(link, LINK_MAGIC);
	uint64_t rings;
	if (read(fd, &rings, sizeof(rings)) < 0 && errno != EAGAIN && errno != EINTR)
		CHECK(errno == 0);
	pthread_mutex_lock(&link->mutex);
	struct redis_item *items = link->items;
	struct redis_ask *ask = link->asks;
	link->items = NULL;
	link->asks = NULL;
	link->items_end = &link->items;
	link->asks_end = &link->asks;
	link->waiting = 0;
	int stopping = link->stopping;
	pthread_mutex_unlock(&link->mutex);
	for (struct redis_ask *next; ask; ask = next) {
		next = ask->next;
		redis_conn_send(link->conn, ask);
	}
	run_items(items);
	for (struct redis_guest *guest = link->guests; guest; guest = guest->next)
		if (guest->turn)
			guest->turn(guest);
	if (stopping)
		event_base_loopexit(link->base, NULL);
}

static void *run(void *arg)
{
	struct redis_link *link = arg;
	CHECK_OBJ(link, LINK_MAGIC);
	redis_conn_start(link->conn);
	if (link->guide)
		redis_guide_start(link->guide);
	event_base_dispatch(link->base);
	/* What is on its way has its deadline, so this ends. */
	while (redis_conn_busy(link->conn))
		event_base_loop(link->base, EVLOOP_ONCE);
	return NULL;
}

static void close_parts(struct redis_link *link)
{
	redis_guide_free(link->guide);
	redis_conn_free(link->conn);
	if (link->wake)
		event_free(link->wake);
	if (link->base)
		event_base_free(link->base);
	if (link->bell >= 0)
		close(link->bell);
}

static int open_parts(struct redis_link *link)
{
	link->bell = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	link->base = event_base_new();
	if (link->base && link->bell >= 0)
		link->wake = event_new(link->base, link->bell, EV_READ | EV_PERSIST,
			on_wake, link);
	if (!link->wake || event_add(link->wake, NULL))
		return -REASON_NO_MEMORY;
	int r = redis_conn_new(link->base, link->address, "commands", on_conn, link,
		&link->conn);
	if (r == 0 && link->address->sentinel_count)
		r = redis_guide_new(link->base, link->address, on_told, link,
			&link->guide);
	return r;
}

int redis_link_new(struct redis_address *address, struct redis_health *health,
	struct redis_link **ret)
{
	struct redis_link *link = calloc(1, sizeof(*link));
	if (!link)
		return -REASON_NO_MEMORY;
	link->magic = LINK_MAGIC;
	link->address = address;
	link->items_end = &link->items;
	link->asks_end = &link->asks;
	link->health = health;
	if (open_parts(link)) {
		close_parts(link);
		free(link);
		return -REASON_NO_MEMORY;
	}
	CHECK(pthread_mutex_init(&link->mutex, NULL) == 0);
	CHECK(pthread_cond_init(&link->tried, NULL) == 0);
	*ret = link;
	return 0;
}

struct event_base *redis_link_base(struct redis_link *link)
{
	CHECK_OBJ(link, LINK_MAGIC);
	return link->base;
}

void redis_link_join(struct redis_link *link, struct redis_guest *guest)
{
	CHECK_OBJ(link, LINK_MAGIC);
	CHECK(!link->running);
	guest->next = link->guests;
	link->guests = guest;
}

/* Signals are the main thread's. */
static int start_thread(struct redis_link *link)
{
	sigset_t all, before;
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	int bad = pthread_create(&link->thread, NULL, run, link);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	if (bad)
		return -REASON_NO_MEMORY;
	pthread_setname_np(link->thread, "store-redis");
	link->running = 1;
	return 0;
}

/* Where it was looked for; never with a password. */
static void place_of(const struct redis_address *address, char ret[static PLACE])
{
	if (*address->socket)
		snprintf(ret, PLACE, "%s", address->socket);
	else if (address->host.port)
		text_endpoint_text(ret, PLACE, &address->host);
	else
		snprintf(ret, PLACE, "master \"%s\", by its sentinels", address->master);
}

int redis_link_start(struct redis_link *link, char error[static STORE_ERROR])
{
	CHECK_OBJ(link, LINK_MAGIC);
	struct timespec until;
	const char *text;
	int r = start_thread(link);
	if (r) {
		snprintf(error, STORE_ERROR, "%s", reason_text(r, REASON_EN));
		return r;
	}
	clock_gettime(CLOCK_REALTIME, &until);
	until.tv_sec += START_S;
	pthread_mutex_lock(&link->mutex);
	while (!link->attempts)
		if (pthread_cond_timedwait(&link->tried, &link->mutex, &until))
			break;
	int up = link->up;
	pthread_mutex_unlock(&link->mutex);
	if (up)
		return 0;
	redis_link_stop(link);
	r = redis_conn_fault(link->conn, &text);
	char place[PLACE];
	place_of(link->address, place);
	/* What is wrong matters more than the end of a long name of a socket. */
	int len = snprintf(error, STORE_ERROR,
		"the Redis store at %.90s cannot be used: ", place);
	text_clip(error + len, STORE_ERROR - (size_t)len, text);
	return r ? r : -REASON_STORE_UNAVAILABLE;
}

void redis_link_stop(struct redis_link *link)
{
	CHECK_OBJ(link, LINK_MAGIC);
	if (!link->running)
		return;
	pthread_mutex_lock(&link->mutex);
	link->stopping = 1;
	pthread_mutex_unlock(&link->mutex);
	ring(link);
	pthread_join(link->thread, NULL);
	link->running = 0;
}

struct redis_link *redis_link_free(struct redis_link *link)
{
	if (!link)
		return NULL;
	redis_link_stop(link);
	close_parts(link);
	pthread_cond_destroy(&link->tried);
	pthread_mutex_destroy(&link->mutex);
	link->magic = 0;
	free(link);
	return NULL;
}

void redis_link_ask(struct redis_link *link, struct redis_ask *ask)
{
	CHECK_OBJ(link, LINK_MAGIC);
	pthread_mutex_lock(&link->mutex);
	int room = link->up && !link->stopping && link->waiting < REDIS_LINK_WAITING;
	int first = !link->asks && !link->items;
	if (room) {
		ask->next = NULL;
		*link->asks_end = ask;
		link->asks_end = &ask->next;
		link->waiting++;
	}
	pthread_mutex_unlock(&link->mutex);
	if (!room)
		ask->done(ask, NULL);
	else if (first)
		ring(link);
}

void redis_link_post(struct redis_link *link, struct redis_item *item)
{
	CHECK_OBJ(link, LINK_MAGIC);
	pthread_mutex_lock(&link->mutex);
	int room = !link->stopping;
	int first = !link->asks && !link->items;
	if (room) {
		item->next = NULL;
		*link->items_end = item;
		link->items_end = &item->next;
	}
	pthread_mutex_unlock(&link->mutex);
	if (!room)
		item->run(item);
	else if (first)
		ring(link);
}

void redis_link_send(struct redis_link *link, struct redis_ask *ask)
{
	CHECK_OBJ(link, LINK_MAGIC);
	redis_conn_send(link->conn, ask);
}

int redis_link_up(const struct redis_link *link)
{
	CHECK_OBJ(link, LINK_MAGIC);
	return redis_conn_up(link->conn);
}
