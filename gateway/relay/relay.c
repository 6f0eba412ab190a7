#include "relay/relay.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/reason.h"
#include "base/secret.h"
#include "base/text.h"
#include "net/conn.h"
#include "net/conn_tls.h"
#include "net/conn_ws.h"
#include "net/listener.h"
#include "net/resolver.h"
#include "net/tls_ctx.h"
#include "net/worker.h"
#include "relay/distrust.h"
#include "relay/door.h"
#include "relay/guard.h"
#include "relay/landing.h"
#include "relay/lobby.h"
#include "relay/notices.h"
#include "relay/relay_inside.h"
#include "relay/shares.h"
#include "wire/frame.h"

#define UNACKED_MORE_MS 10000 /* the slow reader's reason comes before the kernel's */

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

void relay_at_desk(struct relay *relay, struct desk *desk,
	void (*run)(struct relay *relay, struct desk *desk, int64_t value), int64_t value)
{
	struct task task = {{NULL, run_task}, relay, desk, run, value, {0}};
	post_task(&task);
}

void relay_at_all_desks(struct relay *relay,
	void (*run)(struct relay *relay, struct desk *desk, int64_t value), int64_t value)
{
	for (size_t i = 0; i < relay->workers; i++)
		relay_at_desk(relay, relay->desk[i], run, value);
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
	if (worker_timer_new(relay->worker[0], relay_node_timer, relay,
		    &relay->node_timer) ||
		worker_timer_new(relay->worker[0], relay_drain_timer, relay,
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
	relay->house.cache_ms = parts->cache_ms;
	relay->web = parts->web;
	relay->web_ctx = parts->web_ctx;
	relay->house.drain = relay_drain_order;
	relay->house.drain_ctx = relay;
	text_clip(relay->house.node, sizeof(relay->house.node), parts->node);
	uint8_t run[8];
	if (secret_random(run, sizeof(run)))
		return refuse(REASON_NO_RANDOM, error, "no random numbers");
	text_hex(relay->house.run, run, sizeof(run));
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
		relay_node_timer(relay);
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

/* Connections that began with the certificates of before. */
static void look_at_nodes(struct relay *relay, struct desk *desk, int64_t value)
{
	(void)relay;
	(void)value;
	distrust_look(desk);
}

int relay_reload(struct relay *relay, char error[static RELAY_ERROR])
{
	char why[TLS_CTX_ERROR] = "";
	int rc = tls_ctx_reload(relay->tls, why);
	if (rc)
		return refuse(-rc, error, "%s", why);
	relay_at_all_desks(relay, look_at_nodes, 0);
	return 0;
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

struct relay *relay_free(struct relay *relay)
{
	if (!relay)
		return NULL;
	CHECK_OBJ(relay, RELAY_MAGIC);
	relay_drain_now(relay);
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
