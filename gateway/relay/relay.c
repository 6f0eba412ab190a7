#include "relay/relay.h"

#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <jansson.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/reason.h"
#include "base/text.h"
#include "net/conn.h"
#include "net/conn_tls.h"
#include "net/conn_ws.h"
#include "net/listener.h"
#include "net/resolver.h"
#include "net/tls_ctx.h"
#include "net/worker.h"
#include "relay/desk.h"
#include "relay/door.h"
#include "relay/elsewhere.h"
#include "relay/guard.h"
#include "relay/landing.h"
#include "relay/lobby.h"
#include "relay/neighbours.h"
#include "relay/notices.h"
#include "relay/orders.h"
#include "relay/recover.h"
#include "relay/shares.h"
#include "store/state.h"
#include "store/store_open.h"
#include "wire/frame.h"

#define RELAY_MAGIC 0x72656c79u
#define WORKERS_MAX 64
#define LISTENERS_MAX 8
#define UNACKED_MORE_MS 10000 /* the slow reader's reason comes before the kernel's */
#define NODE_EVERY_MS 10000   /* at most; others must not take us for lost */
#define DRAIN_LEFT_MS 5000    /* for receipts and rows, after the sessions are closed */
#define STEP_MS 20

struct relay {
	uint32_t magic;
	struct house house;
	struct relay_settings settings; /* at the beginning; the desks have today's */
	struct tls_ctx *tls;
	const struct relay_web *web;
	void *web_ctx;
	size_t workers, listeners;
	struct worker *worker[WORKERS_MAX];
	struct desk *desk[WORKERS_MAX];
	struct listener *listener[LISTENERS_MAX];
	char endpoint[LISTENERS_MAX][TEXT_HOST_SIZE + 16];
	atomic_int started, stopping, empty_desks, unanswered_desks;
	atomic_llong drain_ms;
	/* at desk 0 */
	struct worker_timer *node_timer, *drain_timer;
	int64_t started_ms, drain_by_ms, sweep_ms;
	uint64_t node_version;
	int node_asked, node_gone,
		node_due; /* due: what is on its way is not the newest */
	int drain_phase;
	struct post_box *drained_box;
	relay_drained drained;
	void *drained_ctx;
};

static const struct relay_settings defaults = {
#define RELAY_SETTING(name, fallback, least, most, help) .name = fallback,
	RELAY_SETTINGS(RELAY_SETTING)
#undef RELAY_SETTING
};

void relay_settings_default(struct relay_settings *ret)
{
	*ret = defaults;
}

/* ---- running something at a desk --------------------------------------------------------- */

struct task {
	struct post_item item; /* first */
	struct relay *relay;
	struct desk *desk;
	void (*run)(struct relay *relay, struct desk *desk, int64_t value);
	int64_t value;
	struct relay_settings settings;
};

static void run_task(struct post_item *item)
{
	struct task *task = (struct task *)item;
	if (!task->run)
		task->desk->settings = task->settings;
	else
		task->run(task->relay, task->desk, task->value);
	free(task);
}

static void post_task(const struct task *task)
{
	struct task *copy = malloc(sizeof(*copy));
	if (!copy) {
		log_line(LOG_ERROR, "task lost", LOG_S("reason", "NO_MEMORY"));
		return;
	}
	*copy = *task;
	post_put(desk_box(copy->desk), &copy->item);
}

static void at_desk(struct relay *relay, struct desk *desk,
	void (*run)(struct relay *relay, struct desk *desk, int64_t value), int64_t value)
{
	struct task task = {{NULL, run_task}, relay, desk, run, value, {0}};
	post_task(&task);
}

static void at_all_desks(struct relay *relay,
	void (*run)(struct relay *relay, struct desk *desk, int64_t value), int64_t value)
{
	for (size_t i = 0; i < relay->workers; i++)
		at_desk(relay, relay->desk[i], run, value);
}

/* ---- connections that come in ------------------------------------------------------------ */

static struct desk *desk_of(struct relay *relay, const struct worker *worker)
{
	for (size_t i = 0; i < relay->workers; i++)
		if (relay->worker[i] == worker)
			return relay->desk[i];
	CHECK(!"a conn of a foreign worker");
	return NULL;
}

static int on_admit(void *ctx, const char *address)
{
	struct relay *relay = ctx;
	return guard_admit(relay->house.guard, address);
}

static void on_native(void *ctx, struct conn *conn)
{
	struct relay *relay = ctx;
	door_open(desk_of(relay, conn->worker), conn);
}

static void on_peer(void *ctx, struct conn *conn)
{
	struct relay *relay = ctx;
	landing_open(desk_of(relay, conn->worker), conn, conn_tls_node(conn));
}

static void on_failed(void *ctx, const char *address, int reason)
{
	struct relay *relay = ctx;
	guard_failed(relay->house.guard, address, reason);
}

static void on_web(void *ctx, struct conn *conn)
{
	struct relay *relay = ctx;
	relay->web->conn(relay->web_ctx, conn);
}

struct worker *relay_worker(const struct relay *relay, size_t index)
{
	return index < relay->workers ? relay->worker[index] : NULL;
}

/* One frame is one message, so that a page needs no buffer of its own. */
static size_t frame_span(const uint8_t *bytes, size_t len)
{
	struct frame frame;
	return frame_parse(bytes, len, &frame) == 1 ? frame_size(&frame) : len;
}

void relay_web_leg(struct relay *relay, struct conn *below)
{
	static const struct conn_ws_settings settings = {
		.message_max = FRAME_MAX, .span = frame_span};
	struct conn *conn;
	CHECK_OBJ(relay, RELAY_MAGIC);
	if (conn_ws_new(below, &settings, &conn)) {
		guard_failed(relay->house.guard, below->address, REASON_NO_MEMORY);
		conn_listen(below, NULL, NULL);
		conn_close(below, REASON_NO_MEMORY, CONN_DROP);
		return;
	}
	door_open(desk_of(relay, conn->worker), conn);
}

void relay_web_gone(struct relay *relay, const char *address, int reason)
{
	CHECK_OBJ(relay, RELAY_MAGIC);
	guard_failed(relay->house.guard, address, reason);
}

/* ---- what other nodes and people may know of this one -------------------------------------- */

static void put_node(struct relay *relay);

static void on_node_put(void *ctx, const struct state_answer *answer)
{
	struct relay *relay = ctx;
	relay->desk[0]->asked--;
	relay->node_asked = 0;
	/* Changed by nobody else, unless the store was emptied or put back: then it is read again. */
	if (!answer->status && answer->count)
		relay->node_version = answer->docs[0].version;
	else if (answer->status == -REASON_NOT_FOUND ||
		 answer->status == -REASON_CONFLICT)
		relay->node_version = 0;
	if (relay->node_due)
		put_node(relay);
}

/* What a former run of this node left behind is replaced. */
static void on_node_read(void *ctx, const struct state_answer *answer)
{
	struct relay *relay = ctx;
	relay->desk[0]->asked--;
	relay->node_asked = 0;
	if (answer->status && answer->status != -REASON_NOT_FOUND)
		return;
	relay->node_version =
		answer->count && !answer->status ? answer->docs[0].version : 0;
	put_node(relay);
}

static char *node_body(struct relay *relay)
{
	struct relay_counts counts;
	relay_counts(relay, &counts);
	json_t *body = json_pack("{s:s, s:s, s:s, s:s, s:I, s:I, s:I, s:I, s:I, s:I}",
		"id", relay->house.node, "address", relay->house.at.address, "peer",
		relay->house.at.peer, "version", ENGAWA_VERSION, "started",
		(json_int_t)relay->started_ms, "seen", (json_int_t)clock_wall_ms(),
		"draining", (json_int_t)counts.draining, "sessions",
		(json_int_t)counts.sessions, "hosts", (json_int_t)counts.hosts, "viewers",
		(json_int_t)counts.viewers);
	char *text = body ? json_dumps(body, JSON_COMPACT) : NULL;
	json_decref(body);
	return text;
}

static void put_node(struct relay *relay)
{
	char *body = node_body(relay);
	if (!body || relay->node_asked || relay->node_gone) {
		free(body);
		return;
	}
	struct state_doc doc = {
		STATE_NODE, relay->house.node, "", relay->node_version, body};
	relay->node_asked = 1;
	relay->node_due = 0;
	relay->desk[0]->asked++;
	state_put(relay->house.store->state, &doc, desk_box(relay->desk[0]), on_node_put,
		relay);
	free(body);
}

static void read_node(struct relay *relay)
{
	relay->node_asked = 1;
	relay->desk[0]->asked++;
	state_get(relay->house.store->state, STATE_NODE, relay->house.node,
		desk_box(relay->desk[0]), on_node_read, relay);
}

static void on_node_timer(void *ctx)
{
	struct relay *relay = ctx;
	if (!relay->node_asked && !relay->node_gone) {
		if (relay->node_version)
			put_node(relay);
		else
			read_node(relay);
	}
	if (clock_mono_ms() >= relay->sweep_ms && !relay->node_gone) {
		int64_t half_ms = relay->desk[0]->settings.node_lost_ms / 2;
		relay->sweep_ms =
			clock_mono_ms() +
			(half_ms < RECOVER_EVERY_MS ? half_ms : RECOVER_EVERY_MS);
		recover_sweep(relay->desk[0], relay->started_ms);
		elsewhere_sweep(relay->desk[0]);
	}
	if (!relay->node_gone)
		neighbours_look(relay->desk[0]);
	int64_t quarter_ms = relay->desk[0]->settings.node_lost_ms / 4;
	worker_timer_set(relay->node_timer,
		quarter_ms < NODE_EVERY_MS ? quarter_ms : NODE_EVERY_MS);
}

/* People look right after an order: they must not see what was before it. */
static void show_node(struct relay *relay, struct desk *desk, int64_t value)
{
	(void)desk;
	(void)value;
	relay->node_due = 1;
	if (!relay->node_asked)
		put_node(relay);
}

static void remove_node(struct relay *relay)
{
	relay->node_gone = 1;
	relay->desk[0]->asked++;
	state_remove(relay->house.store->state, STATE_NODE, relay->house.node, 0,
		desk_box(relay->desk[0]), on_node_put, relay);
}

/* ---- drain ------------------------------------------------------------------------------- */

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
		at_all_desks(relay, count_empty, 0);
	}
	return empty && !atomic_load(&relay->house.legs) &&
	       !guard_strangers(relay->house.guard);
}

/* Phase 1: the ends may go elsewhere. 2: what is left is closed, rows are written. 3: done. */
static void on_drain_timer(void *ctx)
{
	struct relay *relay = ctx;
	int64_t now_ms = clock_mono_ms();
	if (relay->drain_phase == 1 &&
		(now_ms >= relay->drain_by_ms || !atomic_load(&relay->house.legs))) {
		relay->drain_phase = 2;
		relay->drain_by_ms = now_ms + DRAIN_LEFT_MS;
		remove_node(relay);
		at_all_desks(relay, close_desk, REASON_NODE_STOPPED);
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
	at_all_desks(relay, notice_drain, within_ms);
	on_drain_timer(relay);
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
	at_desk(relay, relay->desk[0], begin_drain, atomic_load(&relay->drain_ms));
}

/* By order: the node goes on, but sends everybody elsewhere, until it is told otherwise. Every desk
 * hears the order, the first one to do so acts. */
static void on_drain_order(void *ctx, const struct order *order)
{
	struct relay *relay = ctx;
	int drain = order->kind == ORDER_DRAIN;
	if (atomic_load(&relay->stopping) ||
		atomic_exchange(&relay->house.draining, drain) == drain)
		return;
	log_line(LOG_INFO, drain ? "drain" : "undrain", LOG_S("by", order->by));
	at_desk(relay, relay->desk[0], show_node, 0);
	if (drain)
		at_all_desks(relay, drain_desk,
			order->within_ms >= 0 ? order->within_ms
					      : atomic_load(&relay->drain_ms));
}

/* ---- life -------------------------------------------------------------------------------- */

PRINTF_LIKE(3, 4) static int refuse(int reason, char *error, const char *format, ...)
{
	va_list args;
	va_start(args, format);
	vsnprintf(error, RELAY_ERROR, format, args);
	va_end(args);
	return -reason;
}

static int make_desks(struct relay *relay, size_t wanted, char *error)
{
	long cores = sysconf(_SC_NPROCESSORS_ONLN);
	size_t count = wanted ? wanted : cores > 0 ? (size_t)cores : 1;
	if (count > WORKERS_MAX)
		count = WORKERS_MAX;
	for (; relay->workers < count; relay->workers++) {
		char name[16];
		size_t i = relay->workers;
		snprintf(name, sizeof(name), "worker-%zu", i);
		if (worker_new(name, &relay->worker[i]))
			return refuse(REASON_NO_MEMORY, error, "no memory for workers");
		if (desk_new(&relay->house, relay->worker[i], &relay->settings,
			    &relay->desk[i])) {
			worker_free(relay->worker[i]);
			return refuse(REASON_NO_MEMORY, error, "no memory for workers");
		}
	}
	if (worker_timer_new(relay->worker[0], on_node_timer, relay,
		    &relay->node_timer) ||
		worker_timer_new(relay->worker[0], on_drain_timer, relay,
			&relay->drain_timer))
		return refuse(REASON_NO_MEMORY, error, "no memory for workers");
	return 0;
}

static int open_one(struct relay *relay, const struct relay_parts *parts,
	const char *text, char *error)
{
	const struct listener_events events = {.admit = on_admit,
		.native = on_native,
		.web = relay->web ? on_web : NULL,
		.peer = on_peer,
		.failed = on_failed};
	struct listener_settings settings = {.tls = relay->tls,
		.handshake_ms = relay->settings.tls_ms,
		.unacked_ms = relay->settings.slow_reader_ms + UNACKED_MORE_MS,
		.proxies = parts->proxies,
		.proxy_count = parts->proxy_count};
	struct text_endpoint endpoint;
	char why[LISTENER_ERROR] = "";
	size_t i = relay->listeners;
	/* Port 0 is one that the system chooses; text_endpoint() takes 0 for "none given". */
	if (i >= LISTENERS_MAX || text_endpoint(&endpoint, text, 0))
		return refuse(REASON_CONFIG, error, "%.200s: not HOST:PORT", text);
	int rc = listener_new(&endpoint, relay->worker, relay->workers, &settings,
		&events, relay, &relay->listener[i], why);
	if (rc)
		return refuse(-rc, error, "%s", why);
	endpoint.port = listener_port(relay->listener[i]);
	text_endpoint_text(relay->endpoint[i], sizeof(relay->endpoint[i]), &endpoint);
	relay->listeners++;
	return 0;
}

/* Where ends and other nodes find this one. */
static int place(struct relay *relay, const struct relay_parts *parts, char *error)
{
	struct whereabouts *at = &relay->house.at;
	const char *address = parts->address ? parts->address : "";
	const char *peer = parts->peer && *parts->peer ? parts->peer : address;
	text_clip(at->node, sizeof(at->node), parts->node);
	if (whereabouts_address(address, at->address))
		return refuse(REASON_CONFIG, error, "node.address: %.200s: not HOST:PORT",
			address);
	if (whereabouts_address(peer, at->peer))
		return refuse(REASON_CONFIG, error, "node.peer: %.200s: not HOST:PORT",
			peer);
	return 0;
}

static int fill(struct relay *relay, const struct relay_parts *parts, char *error)
{
	char why[TLS_CTX_ERROR] = "";
	relay->settings = parts->settings ? *parts->settings : defaults;
	atomic_store(&relay->drain_ms, relay->settings.drain_ms);
	relay->house.store = parts->store;
	relay->house.admission = parts->admission;
	relay->web = parts->web;
	relay->web_ctx = parts->web_ctx;
	relay->house.drain = on_drain_order;
	relay->house.drain_ctx = relay;
	text_clip(relay->house.node, sizeof(relay->house.node), parts->node);
	int rc = place(relay, parts, error);
	if (rc)
		return rc;
	if (lobby_new(&relay->house.lobby) || notices_new(&relay->house.notices) ||
		shares_new(&relay->house.shares) ||
		guard_new(&relay->settings, &relay->house.guard))
		return refuse(REASON_NO_MEMORY, error, "no memory for the relay");
	rc = tls_ctx_new(parts->cert_file, parts->key_file, TLS_OFFER_BOTH, &relay->tls,
		why);
	if (!rc && parts->ca_file)
		rc = tls_ctx_trust_peers(relay->tls, parts->ca_file, parts->revoked_file,
			why);
	if (rc)
		return refuse(-rc, error, "%s", why);
	if (parts->ca_file && !tls_ctx_is_marked(relay->tls))
		log_line(LOG_INFO, "other nodes will refuse this one",
			LOG_S("why", "its certificate has no node's mark"),
			LOG_S("renew", "engawa-gateway renew"));
	relay->house.tls = relay->tls;
	if (resolver_new(&relay->house.resolver))
		return refuse(REASON_NO_MEMORY, error, "no memory for the relay");
	rc = make_desks(relay, parts->workers, error);
	for (size_t i = 0; !rc && i < parts->listen_count; i++)
		rc = open_one(relay, parts, parts->listen[i], error);
	return rc;
}

int relay_new(const struct relay_parts *parts, struct relay **ret,
	char error[static RELAY_ERROR])
{
	struct relay *relay = calloc(1, sizeof(*relay));
	if (!relay)
		return refuse(REASON_NO_MEMORY, error, "no memory for the relay");
	relay->magic = RELAY_MAGIC;
	int rc = fill(relay, parts, error);
	if (rc)
		relay_free(relay);
	else
		*ret = relay;
	return rc;
}

int relay_start(struct relay *relay)
{
	CHECK_OBJ(relay, RELAY_MAGIC);
	relay->started_ms = clock_wall_ms();
	int rc = 0;
	/* Before the threads run: everything here is still main's. */
	for (size_t i = 0; !rc && i < relay->workers; i++)
		rc = desk_open(relay->desk[i]);
	if (!rc)
		on_node_timer(relay);
	atomic_store(&relay->started, 1);
	for (size_t i = 0; !rc && i < relay->workers; i++)
		rc = worker_start(relay->worker[i]);
	for (size_t i = 0; !rc && i < relay->listeners; i++)
		listener_start(relay->listener[i]);
	return rc;
}

const char *relay_endpoint(const struct relay *relay, size_t index)
{
	return index < relay->listeners ? relay->endpoint[index] : "";
}

int relay_reload(struct relay *relay, char error[static RELAY_ERROR])
{
	char why[TLS_CTX_ERROR] = "";
	int rc = tls_ctx_reload(relay->tls, why);
	return rc ? refuse(-rc, error, "%s", why) : 0;
}

void relay_set(struct relay *relay, const struct relay_settings *settings)
{
	CHECK_OBJ(relay, RELAY_MAGIC);
	atomic_store(&relay->drain_ms, settings->drain_ms);
	guard_set(relay->house.guard, settings);
	for (size_t i = 0; i < relay->workers; i++) {
		struct task task = {
			{NULL, run_task}, relay, relay->desk[i], NULL, 0, *settings};
		post_task(&task);
	}
}

int64_t relay_certificate_expires_ms(struct relay *relay)
{
	return tls_ctx_expires_ms(relay->tls);
}

void relay_counts(const struct relay *relay, struct relay_counts *ret)
{
	struct relay *shared = (struct relay *)relay;
	int draining = atomic_load(&shared->house.draining);
	*ret = (struct relay_counts){
		.accepting = atomic_load(&shared->started) && !draining,
		.draining = draining,
		.sessions = (uint64_t)atomic_load(&shared->house.sessions),
		.hosts = (uint64_t)atomic_load(&shared->house.hosts),
		.viewers = (uint64_t)atomic_load(&shared->house.viewers),
		.unproved = (uint64_t)guard_strangers(shared->house.guard),
	};
}

/* ---- the end ----------------------------------------------------------------------------- */

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

/* Without a drain before: everything is closed at once, but rows are still written. */
static void drain_now(struct relay *relay)
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

struct relay *relay_free(struct relay *relay)
{
	if (!relay)
		return NULL;
	CHECK_OBJ(relay, RELAY_MAGIC);
	drain_now(relay);
	for (size_t i = 0; i < relay->workers; i++)
		worker_stop(relay->worker[i]);
	for (size_t i = 0; i < relay->workers; i++)
		if (!desk_is_empty(relay->desk[i])) {
			/* Answers may still come to these boxes: better left than freed. */
			log_line(LOG_ERROR, "relay ended with rows unwritten");
			return NULL;
		}
	worker_timer_free(relay->node_timer);
	worker_timer_free(relay->drain_timer);
	for (size_t i = 0; i < relay->listeners; i++)
		listener_free(relay->listener[i]);
	for (size_t i = 0; i < relay->workers; i++) {
		relay->desk[i] = desk_free(relay->desk[i]);
		worker_free(relay->worker[i]);
	}
	tls_ctx_free(relay->tls);
	resolver_free(relay->house.resolver);
	lobby_free(relay->house.lobby);
	notices_free(relay->house.notices);
	shares_free(relay->house.shares);
	guard_free(relay->house.guard);
	relay->magic = 0;
	free(relay);
	return NULL;
}
