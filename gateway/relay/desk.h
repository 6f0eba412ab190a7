/* desk: one worker's part of the relay: its doors, legs and sessions. A house is what all desks
 * share. All time limits are looked at by one tick of the desk, so an idle leg costs no timer.
 *
 * Thread: a desk belongs to its worker; desk_new and desk_free from main while the worker stands
 * still. Of the house everything is constant, atomic, or has its own lock.
 * Owner: relay.c, of the house too. Errors: -REASON_NO_MEMORY, and those of bus_subscribe().
 */
#ifndef RELAY_DESK_H
#define RELAY_DESK_H

#include <stdatomic.h>
#include <stdint.h>

#include "base/check.h"
#include "base/list.h"
#include "base/post.h"
#include "relay/relay.h"
#include "relay/store_watch.h"
#include "relay/whereabouts.h"

struct admission;
struct bus_subscription;
struct conn;
struct guard;
struct leg;
struct lobby;
struct notices;
struct order;
struct recover_nodes;
struct resolver;
struct shares;
struct store;
struct tls_ctx;
struct worker;
struct worker_timer;

#define DESK_ROSTER 1024

struct house {
	struct store *store;
	struct admission *admission;
	struct guard *guard;
	struct lobby *lobby;
	struct notices *notices;
	struct shares *shares;
	struct tls_ctx *tls; /* towards other nodes, as the next */
	struct resolver *resolver;
	int64_t cache_ms; /* as in relay_parts */
	char node[65];
	char run[17]; /* this process, which a wall clock cannot tell from an earlier one */
	struct whereabouts at; /* this node, as it announces its hosts */
	atomic_int draining, listens;
	atomic_llong legs, hosts, viewers, sessions;
	atomic_llong cached_sessions; /* ever begun from the cache */
	atomic_ullong next_number;
	/* A drain order for this node; runs on any desk. May be NULL. */
	void (*drain)(void *ctx, const struct order *order);
	void *drain_ctx;
};

struct desk {
	uint32_t magic;
	struct house *house;
	struct worker *worker;
	struct relay_settings settings; /* this desk's copy */
	struct list doors, landings, legs, sessions;
	struct list roster[DESK_ROSTER]; /* legs by number */
	int asked;           /* answers of store and admission that are still to come */
	int closing;         /* the node stops: nothing new */
	int64_t drain_by_ms; /* by order: who is still here then is sent away; 0: no order */
	uint64_t notices_version;               /* that its legs know */
	struct store_watch watch;               /* at one desk of a house */
	struct bus_subscription *orders, *news; /* news: at one desk of a house */
	struct recover_nodes *nodes; /* seen by sweep and shares; NULL: none yet */
	struct worker_timer *tick;
	int64_t tick_due_us;
};

MUST_CHECK int desk_new(struct house *house, struct worker *worker,
	const struct relay_settings *settings, struct desk **ret);
/* Nothing may live at it any more. Accepts NULL, returns NULL. */
struct desk *desk_free(struct desk *desk);

/* Starts the tick and listens for orders. On the worker, as all below. */
MUST_CHECK int desk_open(struct desk *desk);
/* Looks at all deadlines now; the tick does this by itself. */
void desk_tick(struct desk *desk);
/* Tells every leg to go elsewhere within this time. */
void desk_notice_drain(struct desk *desk, int64_t within_ms);
/* The same by order: those who have not gone by then are ended with DRAINING, unless the house is not
 * draining any more. */
void desk_drain(struct desk *desk, int64_t within_ms);
/* Ends sessions, legs and doors. */
void desk_close(struct desk *desk, int reason);
/* No leg, session, door or question is left. */
int desk_is_empty(const struct desk *desk);

/* Visits doors, landings, legs or sessions. Each may end while it is visited, and take others along: a leg its session,
 * a session its viewer. */
void desk_each(struct list *head, void (*visit)(struct list *node, const void *ctx),
	const void *ctx);

void desk_seat_leg(struct desk *desk, struct leg *leg);
/* NULL when that leg is gone or has moved on. */
struct leg *desk_find_leg(struct desk *desk, uint64_t number);

/* From any thread: `act` runs at this desk if the leg is still there. */
typedef void (*desk_act)(struct leg *leg, int reason);
void desk_post(struct desk *desk, uint64_t number, desk_act act, int reason);

struct post_box *desk_box(struct desk *desk);

#endif
