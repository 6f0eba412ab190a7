/* conn_tls: a conn over TCP and TLS, server side.
 *
 * Path 07/15 and 09/15: in from one end, out to the other.
 * Thread, owner: as conn.h says. One read system call per turn and conn, at most WORKER_WIRE bytes,
 * so that a full line waits for its neighbours; what is written in one turn leaves in one.
 * OpenSSL sees only memory: its records come out of and go into the worker's scratch, and an idle
 * conn holds no buffer of ours nor of its.
 */
#ifndef NET_CONN_TLS_H
#define NET_CONN_TLS_H

#include <stdint.h>

#include "base/check.h"
#include "net/tls_ctx.h"

struct conn;
struct worker;

struct list;

/* Of one worker: how connections begin there. */
struct conn_tls_opening {
	int64_t handshake_ms; /* from now to `ready` */
	int expect_proxy;     /* a PROXY v2 header comes first */
	/* TLS stands: the receiver calls conn_listen() or conn_close(). */
	void (*ready)(void *ctx, struct conn *conn, enum tls_alpn alpn);
	/* It ended before that: TLS_FAILED, TIMEOUT, PEER_LOST. */
	void (*failed)(void *ctx, struct conn *conn, int reason);
	void *ctx;
	struct list *under_way; /* those that are neither ready nor failed */
};

/* Takes over the connected, non-blocking socket `fd`, also on error. The opening is borrowed until
 * ready or failed. -REASON_NO_MEMORY: neither is called. */
MUST_CHECK int conn_tls_accept(struct worker *worker, int fd, const char *address,
	struct tls_ctx *tls, const struct conn_tls_opening *opening, struct conn **ret);

#endif
