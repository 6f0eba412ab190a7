#include "net/worker.h"

#include <errno.h>
#include <event2/event.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "base/reason.h"
#include "metrics/metrics.h"

#define WORKER_MAGIC 0x776f726bu
#define LINE 64

struct worker {
	struct post_box box; /* first: the box is the worker */
	uint32_t magic;
	char name[16];
	struct event_base *base;
	struct event *bell;
	int bell_fd;
	/* The inbox: a stack that any thread pushes to and the worker takes as a whole. */
	_Atomic(struct post_item *) inbox;
	struct post_item *deferred, **deferred_end;
	struct worker_writer *writer;
	uint8_t *read_scratch, *write_scratch, *wire_scratch;
	pthread_t thread;
	atomic_int started, stopping;
};

static _Thread_local const struct worker *here;

static struct worker *worker_of(struct post_box *box)
{
	struct worker *worker = (struct worker *)box;
	CHECK_OBJ(worker, WORKER_MAGIC);
	return worker;
}

static void put(struct post_box *box, struct post_item *item)
{
	struct worker *worker = worker_of(box);
	struct post_item *head =
		atomic_load_explicit(&worker->inbox, memory_order_relaxed);
	do
		item->next = head;
	while (!atomic_compare_exchange_weak_explicit(&worker->inbox, &head, item,
		memory_order_release, memory_order_relaxed));
	/* Only who found it empty rings: the worker takes all that is there at once. */
	if (!head)
		eventfd_write(worker->bell_fd, 1);
}

static int run_inbox(struct worker *worker)
{
	struct post_item *stack =
		atomic_exchange_explicit(&worker->inbox, NULL, memory_order_acquire);
	struct post_item *queue = NULL;
	int ran = 0;
	while (stack) {
		struct post_item *item = stack;
		stack = item->next;
		item->next = queue;
		queue = item;
	}
	while (queue) {
		struct post_item *item = queue;
		queue = item->next;
		item->run(item);
		ran++;
	}
	return ran;
}

static void rung(evutil_socket_t fd, short what, void *ctx)
{
	struct worker *worker = ctx;
	eventfd_t count;
	(void)what;
	CHECK_OBJ(worker, WORKER_MAGIC);
	eventfd_read(fd, &count);
	run_inbox(worker);
}

/* Bytes first, then the dead: an object that is freed here may still have something to send. What
 * deferred items defer again runs in the same sweep. */
static void end_turn(struct worker *worker)
{
	do {
		worker_write_take(worker, NULL);
		struct post_item *item = worker->deferred;
		worker->deferred = NULL;
		worker->deferred_end = &worker->deferred;
		while (item) {
			struct post_item *next = item->next;
			item->run(item);
			item = next;
		}
	} while (worker->deferred || worker->writer);
}

static uint8_t *scratch(size_t size)
{
	return aligned_alloc(LINE, size);
}

int worker_new(const char *name, struct worker **ret)
{
	struct worker *worker = calloc(1, sizeof(*worker));
	if (!worker)
		return -REASON_NO_MEMORY;
	worker->magic = WORKER_MAGIC;
	worker->box.put = put;
	worker->deferred_end = &worker->deferred;
	worker->bell_fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
	strncpy(worker->name, name, sizeof(worker->name) - 1);
	struct event_config *config = event_config_new();
	if (config) {
		/* Every base is used by its own thread only: no locks inside libevent. */
		event_config_set_flag(config, EVENT_BASE_FLAG_NOLOCK);
		event_config_set_max_dispatch_interval(config, NULL, 1, WORKER_LATER);
		worker->base = event_base_new_with_config(config);
		event_config_free(config);
	}
	if (worker->base)
		event_base_priority_init(worker->base, WORKER_PRIORITIES);
	worker->read_scratch = scratch(WORKER_SCRATCH);
	worker->write_scratch = scratch(WORKER_SCRATCH);
	worker->wire_scratch = scratch(WORKER_WIRE);
	if (worker->base && worker->bell_fd >= 0)
		worker->bell = event_new(worker->base, worker->bell_fd,
			EV_READ | EV_PERSIST, rung, worker);
	if (worker->bell)
		event_priority_set(worker->bell, WORKER_FIRST);
	if (!worker->bell || !worker->read_scratch || !worker->write_scratch ||
		!worker->wire_scratch || event_add(worker->bell, NULL)) {
		worker_free(worker);
		return -REASON_NO_MEMORY;
	}
	*ret = worker;
	return 0;
}

static void *work(void *ctx)
{
	struct worker *worker = ctx;
	here = worker;
	metrics_attach();
	while (!atomic_load_explicit(&worker->stopping, memory_order_acquire)) {
		event_base_loop(worker->base, EVLOOP_ONCE);
		end_turn(worker);
	}
	metrics_detach();
	return NULL;
}

int worker_start(struct worker *worker)
{
	sigset_t all, before;
	CHECK_OBJ(worker, WORKER_MAGIC);
	CHECK(!worker->started);
	/* Signals are main's business. */
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	worker->started = 1;
	int rc = pthread_create(&worker->thread, NULL, work, worker);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	if (rc) {
		worker->started = 0;
		return -REASON_LIMIT;
	}
	pthread_setname_np(worker->thread, worker->name);
	return 0;
}

void worker_stop(struct worker *worker)
{
	CHECK_OBJ(worker, WORKER_MAGIC);
	if (!worker->started)
		return;
	atomic_store_explicit(&worker->stopping, 1, memory_order_release);
	eventfd_write(worker->bell_fd, 1);
	pthread_join(worker->thread, NULL);
	worker->started = 0;
	atomic_store_explicit(&worker->stopping, 0, memory_order_release);
}

struct worker *worker_free(struct worker *worker)
{
	if (!worker)
		return NULL;
	CHECK_OBJ(worker, WORKER_MAGIC);
	worker_stop(worker);
	do
		end_turn(worker);
	while (run_inbox(worker));
	if (worker->bell)
		event_free(worker->bell);
	if (worker->base)
		event_base_free(worker->base);
	if (worker->bell_fd >= 0)
		close(worker->bell_fd);
	free(worker->read_scratch);
	free(worker->write_scratch);
	free(worker->wire_scratch);
	worker->magic = 0;
	free(worker);
	return NULL;
}

static void wake_up(evutil_socket_t fd, short what, void *ctx)
{
	(void)fd;
	(void)what;
	(void)ctx;
}

void worker_turn(struct worker *worker, int ms)
{
	CHECK_OBJ(worker, WORKER_MAGIC);
	CHECK(!worker->started);
	struct event *alarm = NULL;
	if (ms > 0) {
		struct timeval wait = {ms / 1000, ms % 1000 * 1000};
		alarm = evtimer_new(worker->base, wake_up, NULL);
		if (alarm)
			evtimer_add(alarm, &wait);
	}
	event_base_loop(worker->base, ms ? EVLOOP_ONCE : EVLOOP_NONBLOCK);
	end_turn(worker);
	if (alarm)
		event_free(alarm);
}

struct worker_timer {
	struct event *event;
	void (*due)(void *ctx);
	void *ctx;
};

static void timer_due(evutil_socket_t fd, short what, void *ctx)
{
	struct worker_timer *timer = ctx;
	(void)fd;
	(void)what;
	timer->due(timer->ctx);
}

int worker_timer_new(struct worker *worker, void (*due)(void *ctx), void *ctx,
	struct worker_timer **ret)
{
	struct worker_timer *timer = calloc(1, sizeof(*timer));
	if (!timer)
		return -REASON_NO_MEMORY;
	timer->due = due;
	timer->ctx = ctx;
	timer->event = evtimer_new(worker->base, timer_due, timer);
	if (!timer->event) {
		free(timer);
		return -REASON_NO_MEMORY;
	}
	event_priority_set(timer->event, WORKER_FIRST);
	*ret = timer;
	return 0;
}

void worker_timer_set(struct worker_timer *timer, int64_t ms)
{
	struct timeval wait = {ms / 1000, ms % 1000 * 1000};
	evtimer_del(timer->event);
	if (ms >= 0)
		evtimer_add(timer->event, &wait);
}

struct worker_timer *worker_timer_free(struct worker_timer *timer)
{
	if (!timer)
		return NULL;
	event_free(timer->event);
	free(timer);
	return NULL;
}

struct event_base *worker_base(struct worker *worker)
{
	return worker->base;
}

struct post_box *worker_box(struct worker *worker)
{
	return &worker->box;
}

int worker_is_here(const struct worker *worker)
{
	return !worker->started || here == worker;
}

uint8_t *worker_read_scratch(struct worker *worker)
{
	return worker->read_scratch;
}

uint8_t *worker_write_scratch(struct worker *worker)
{
	return worker->write_scratch;
}

uint8_t *worker_wire_scratch(struct worker *worker)
{
	return worker->wire_scratch;
}

void worker_write_take(struct worker *worker, struct worker_writer *writer)
{
	struct worker_writer *before = worker->writer;
	if (before == writer)
		return;
	worker->writer = writer;
	if (before)
		before->flush(before);
}

void worker_write_drop(struct worker *worker, struct worker_writer *writer)
{
	if (worker->writer == writer)
		worker->writer = NULL;
}

void worker_defer(struct worker *worker, struct post_item *item)
{
	item->next = NULL;
	*worker->deferred_end = item;
	worker->deferred_end = &item->next;
}
