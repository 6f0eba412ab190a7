/* redis_conn: one connection to Redis that comes back by itself.
 *
 * It is up once Redis has let us in and is fit to be a store (version, primary, appendonly, noeviction).
 * A command that has no answer at its deadline has failed; from then on the connection counts as
 * down and takes nothing more (a stopped Redis accepts commands and never answers) until what was
 * late is answered, or for STUCK_MS, after which it is made anew. Reconnecting backs off to 1 s; a
 * password that was refused is read from its file again.
 *
 * Thread: all on that of the event_base. Owner: redis_link and redis_bus.
 */
#ifndef REDIS_REDIS_CONN_H
#define REDIS_REDIS_CONN_H

#include "base/check.h"
#include "store/redis/redis_address.h"
#include "store/redis/redis_ask.h"

struct event_base;
struct redis_conn;

/* After every change from down to up or back, and after every attempt that failed (up 0). */
typedef void (*redis_conn_changed)(void *ctx, int up);

/* `name` says in the log what it is for. `address` and `name` are borrowed. */
MUST_CHECK int redis_conn_new(struct event_base *base, struct redis_address *address,
	const char *name, redis_conn_changed changed, void *ctx, struct redis_conn **ret);
/* With sentinels nothing happens until the address knows a host. */
void redis_conn_start(struct redis_conn *conn);
/* The address has another host now: leaves the old one, which still may answer. */
void redis_conn_follow(struct redis_conn *conn);
/* There is nowhere to go: an attempt that failed. */
void redis_conn_fail(struct redis_conn *conn, int fault, const char *text);
/* What of this Redis is not as it should be, or could not be seen; "". */
const char *redis_conn_notes(const struct redis_conn *conn);
/* Takes the ask: `done` runs now when the connection is down. */
void redis_conn_send(struct redis_conn *conn, struct redis_ask *ask);
int redis_conn_up(const struct redis_conn *conn);
/* Somebody waits for an answer. */
int redis_conn_busy(const struct redis_conn *conn);
/* Why it is not up: 0, or -REASON_* and a text. -REASON_CONFIG: waiting does not help. */
int redis_conn_fault(const struct redis_conn *conn, const char **ret_text);
/* `done` of whatever waits runs with no answer. Accepts NULL, returns NULL. */
struct redis_conn *redis_conn_free(struct redis_conn *conn);

#endif
