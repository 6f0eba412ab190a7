/* How a node empties itself: for its end, or because it is ordered to. */
#include <pthread.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/reason.h"
#include "net/listener.h"
#include "net/worker.h"
#include "relay/guard.h"
#include "relay/orders.h"
#include "relay/relay_inside.h"

#define DRAIN_LEFT_MS 5000 /* for receipts and rows, after the sessions are closed */
#define STEP_MS 20

static void notice_drain(struct relay *relay, struct desk *desk, int64_t within_ms)
{
	(void)relay;
	desk_notice_drain(desk, within_ms);
}

static void drain_desk(struct relay *relay, struct desk *desk, int64_t within_ms)
{
	(void)relay;
	desk_drain(desk, within_ms);
}

static void close_desk(struct relay *relay, struct desk *desk, int64_t reason)
{
	if (relay->web)
		relay->web->stop(relay->web_ctx, desk->worker);
	desk_close(desk, (int)reason);
}

static void count_empty(struct relay *relay, struct desk *desk, int64_t value)
{
	(void)value;
	if (desk_is_empty(desk))
		atomic_fetch_add(&relay->empty_desks, 1);
	atomic_fetch_sub(&relay->unanswered_desks, 1);
}

struct drained_note {
	struct post_item item; /* first */
	relay_drained done;
	void *ctx;
};

static void tell_drained(struct post_item *item)
{
	struct drained_note *note = (struct drained_note *)item;
	note->done(note->ctx);
	free(note);
}

static void finish_drain(struct relay *relay)
{
	relay->drain_phase = 3;
	struct drained_note *note = malloc(sizeof(*note));
	if (!note || !relay->drained) {
		free(note);
		return;
	}
	*note = (struct drained_note){
		{NULL, tell_drained}, relay->drained, relay->drained_ctx};
	post_put(relay->drained_box, &note->item);
}

/* A round of asking ends before the next begins: on a busy machine one desk's two late answers would
 * else be taken for two desks. */
static int all_empty(struct relay *relay)
{
	if (atomic_load(&relay->unanswered_desks))
		return 0;
	int empty = atomic_exchange(&relay->empty_desks, 0) == (int)relay->workers;
	if (!empty) {
		atomic_store(&relay->unanswered_desks, (int)relay->workers);
		relay_at_all_desks(relay, count_empty, 0);
	}
	return empty && !atomic_load(&relay->house.legs) &&
	       !guard_strangers(relay->house.guard);
}

/* Phase 1: the ends may go elsewhere. 2: what is left is closed, rows are written. 3: done. */
void relay_drain_timer(void *ctx)
{
	struct relay *relay = ctx;
	int64_t now_ms = clock_mono_ms();
	if (relay->drain_phase == 1 &&
		(now_ms >= relay->drain_by_ms || !atomic_load(&relay->house.legs))) {
		relay->drain_phase = 2;
		relay->drain_by_ms = now_ms + DRAIN_LEFT_MS;
		relay_node_remove(relay);
		relay_at_all_desks(relay, close_desk, REASON_NODE_STOPPED);
		atomic_store(&relay->empty_desks, 0);
	} else if (relay->drain_phase == 2 &&
		   (all_empty(relay) || now_ms >= relay->drain_by_ms)) {
		finish_drain(relay);
	}
	if (relay->drain_phase < 3)
		worker_timer_set(relay->drain_timer, STEP_MS);
}

static void begin_drain(struct relay *relay, struct desk *desk, int64_t within_ms)
{
	(void)desk;
	if (relay->drain_phase)
		return;
	relay->drain_phase = 1;
	relay->drain_by_ms = clock_mono_ms() + within_ms;
	relay_at_all_desks(relay, notice_drain, within_ms);
	relay_drain_timer(relay);
}

void relay_drain(struct relay *relay, struct post_box *box, relay_drained done, void *ctx)
{
	CHECK_OBJ(relay, RELAY_MAGIC);
	if (atomic_exchange(&relay->stopping, 1))
		return;
	relay->drained_box = box;
	relay->drained = done;
	relay->drained_ctx = ctx;
	atomic_store(&relay->house.draining, 1);
	for (size_t i = 0; i < relay->listeners; i++)
		listener_stop(relay->listener[i]);
	relay_at_desk(relay, relay->desk[0], begin_drain, atomic_load(&relay->drain_ms));
}

/* By order: the node goes on, but sends everybody elsewhere, until it is told otherwise. Every desk
 * hears the order, the first one to do so acts. */
void relay_drain_order(void *ctx, const struct order *order)
{
	struct relay *relay = ctx;
	int drain = order->kind == ORDER_DRAIN;
	if (atomic_load(&relay->stopping) ||
		atomic_exchange(&relay->house.draining, drain) == drain)
		return;
	log_line(LOG_INFO, drain ? "drain" : "undrain", LOG_S("by", order->by));
	relay_at_desk(relay, relay->desk[0], relay_node_show, 0);
	if (drain)
		relay_at_all_desks(relay, drain_desk,
			order->within_ms >= 0 ? order->within_ms
					      : atomic_load(&relay->drain_ms));
}

/* ---- at once ----------------------------------------------------------------------------- */

struct last_word {
	pthread_mutex_t lock;
	pthread_cond_t told;
	int over;
};

static void on_last_word(void *ctx)
{
	struct last_word *word = ctx;
	pthread_mutex_lock(&word->lock);
	word->over = 1;
	pthread_cond_signal(&word->told);
	pthread_mutex_unlock(&word->lock);
}

static void put_now(struct post_box *box, struct post_item *item)
{
	(void)box;
	item->run(item);
}

void relay_drain_now(struct relay *relay)
{
	struct last_word word = {PTHREAD_MUTEX_INITIALIZER, PTHREAD_COND_INITIALIZER, 0};
	struct post_box at_once = {put_now};
	if (!atomic_load(&relay->started) || atomic_load(&relay->stopping))
		return;
	atomic_store(&relay->drain_ms, 0);
	relay_drain(relay, &at_once, on_last_word, &word);
	pthread_mutex_lock(&word.lock);
	while (!word.over)
		pthread_cond_wait(&word.told, &word.lock);
	pthread_mutex_unlock(&word.lock);
}
