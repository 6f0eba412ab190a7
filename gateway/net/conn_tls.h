/* conn_tls: a conn over TCP and TLS: accepted from ends and other nodes, or dialled to another node.
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
struct list;
struct sockaddr;
struct worker;

/* Of one worker: how connections begin there. */
struct conn_tls_opening {
	int64_t handshake_ms; /* from now to `ready`, TCP included where it is dialled */
	int expect_proxy;     /* a PROXY v2 header comes first */
	/* TLS stands: the receiver calls conn_listen() or conn_close(). */
	void (*ready)(void *ctx, struct conn *conn, enum tls_alpn alpn);
	/* It ended before that: TLS_FAILED, TIMEOUT, PEER_LOST; PEER_UNTRUSTED: what is at the other
	 * side is no node of the cluster (logged and counted), GATEWAY_UNREACHABLE: TCP did not come to
	 * stand. */
	void (*failed)(void *ctx, struct conn *conn, int reason);
	void *ctx;
	struct list *under_way; /* those that are neither ready nor failed */
};

/* Takes over the connected, non-blocking socket `fd`, also on error. The opening is borrowed until
 * ready or failed. -REASON_NO_MEMORY: neither is called. */
MUST_CHECK int conn_tls_accept(struct worker *worker, int fd, const char *address,
	struct tls_ctx *tls, const struct conn_tls_opening *opening, struct conn **ret);
/* Connects to the node of this name at this address (`address` is the same as text). The opening must stay
 * until ready or failed; closing the conn before that is `failed`. -REASON_GATEWAY_UNREACHABLE (no socket,
 * no route), -REASON_CONFIG (no peers are trusted), -REASON_NO_MEMORY: neither is called. */
MUST_CHECK int conn_tls_dial(struct worker *worker, const struct sockaddr *to,
	const char *address, struct tls_ctx *tls, const char *node,
	const struct conn_tls_opening *opening, struct conn **ret);
/* The name of the node at the other side; "": it is none. */
const char *conn_tls_node(const struct conn *conn);

#endif
