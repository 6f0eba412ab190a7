/* relay_inside: what the files of the relay share, and nobody else includes: relay.c (its life, and connections
 * that come in), relay_node.c (the node's own document), relay_drain.c (its end, and a drain by order).
 *
 * Thread: as each field and function says; else as relay.h.
 * Owner: as relay.h.
 */
#ifndef RELAY_RELAY_INSIDE_H
#define RELAY_RELAY_INSIDE_H

#include "base/text.h"
#include "relay/desk.h"
#include "relay/relay.h"

#define RELAY_MAGIC 0x72656c79u
#define WORKERS_MAX 64
#define LISTENERS_MAX 8

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

/* Runs there, with the desk and the value; from any thread. */
void relay_at_desk(struct relay *relay, struct desk *desk,
	void (*run)(struct relay *relay, struct desk *desk, int64_t value),
	int64_t value);
void relay_at_all_desks(struct relay *relay,
	void (*run)(struct relay *relay, struct desk *desk, int64_t value),
	int64_t value);

/* relay_node.c, at desk 0. What is due at all nodes: the document, what lost nodes left, the neighbours. */
void relay_node_timer(void *ctx);
/* Soon; `desk` and `value` are nothing to it. */
void relay_node_show(struct relay *relay, struct desk *desk, int64_t value);
/* For good. */
void relay_node_remove(struct relay *relay);

/* relay_drain.c. At desk 0. */
void relay_drain_timer(void *ctx);
/* house.drain: at any desk. */
void relay_drain_order(void *ctx, const struct order *order);
/* Without a drain before: everything is closed at once, but rows are still written. Waits for it. */
void relay_drain_now(struct relay *relay);

#endif
