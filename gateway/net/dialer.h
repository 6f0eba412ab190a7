/* dialer: a connection to another node by HOST:PORT and node name, from a worker: the name is looked up off
 * the worker, its addresses are tried one after the other, TLS is mutual (tls_ctx.h).
 *
 * Thread: the worker it was begun on; nothing blocks. Owner: a dial frees itself when it is done or dropped.
 */
#ifndef NET_DIALER_H
#define NET_DIALER_H

#include <stdint.h>

#include "base/check.h"

struct conn;
struct dial;
struct resolver;
struct tls_ctx;
struct worker;

struct dialer {
	struct worker *worker;
	struct resolver *resolver;
	struct tls_ctx *tls;
};

/* The conn is the receiver's, who calls conn_listen() at once; or NULL, and why: GATEWAY_UNREACHABLE,
 * TIMEOUT, TLS_FAILED, PEER_LOST, PEER_UNTRUSTED, BUSY, CONFIG (no peers are trusted), NO_MEMORY. */
typedef void (*dial_done)(void *ctx, struct conn *conn, int reason);

/* `done` comes once, never before this returns, at the latest after `within_ms`. -REASON_BAD_VALUE (not
 * HOST:PORT), -REASON_NO_MEMORY: it does not come. */
MUST_CHECK int dialer_begin(const struct dialer *dialer, const char *address,
	const char *node, int64_t within_ms, dial_done done, void *ctx,
	struct dial **ret);
/* `done` does not come any more. Not after it has come. */
void dialer_drop(struct dial *dial);

#endif
