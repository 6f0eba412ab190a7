/* listener: one address on which workers accept TLS connections: one socket per worker
 * (SO_REUSEPORT), so that the kernel spreads them and no lock is needed.
 *
 * Thread: new, start, stop, free from main (free after the workers have stopped); events run on the
 * worker that accepted. Owner: who made it.
 * When descriptors run out it takes the connection on a reserve descriptor, closes it at once and
 * rests for LISTENER_REST_MS, so that live connections lose nothing and no core spins.
 */
#ifndef NET_LISTENER_H
#define NET_LISTENER_H

#include <stddef.h>
#include <stdint.h>

#include "base/check.h"
#include "base/text.h"

struct conn;
struct listener;
struct tls_ctx;
struct worker;

#define LISTENER_REST_MS 100
#define LISTENER_ERROR 256

struct listener_settings {
	struct tls_ctx *tls;  /* borrowed */
	int64_t handshake_ms; /* from accept to the end of the TLS handshake (5,000) */
	int64_t unacked_ms;   /* TCP_USER_TIMEOUT, 0: the system's */
	/* Addresses that must send a PROXY v2 header; from all others it is a broken handshake. */
	const char *const *proxies;
	size_t proxy_count;
};

struct listener_events {
	/* May this address open one more connection? 0, or -REASON_*: it is closed before any byte of
	 * TLS. NULL: all may. */
	int (*admit)(void *ctx, const char *address);
	/* TLS stands and ALPN is engawa/1 (native) or http/1.1 (web): the conn is the receiver's, who
	 * calls conn_listen() at once. NULL: the conn is closed. Without `native` a client that names no
	 * protocol is web too. */
	void (*native)(void *ctx, struct conn *conn);
	void (*web)(void *ctx, struct conn *conn);
	/* What was admitted ended before native, web or peer: TLS_FAILED, TIMEOUT, PEER_LOST,
	 * PEER_UNTRUSTED. May be NULL. */
	void (*failed)(void *ctx, const char *address, int reason);
	/* Another node of the cluster; conn_tls_node() tells which. NULL: the conn is closed. */
	void (*peer)(void *ctx, struct conn *conn);
};

/* Port 0 takes a free one; listener_port() tells which. The port is open when this returns, nothing
 * is accepted before listener_start(). [::] serves IPv4 too. With one line in `error`:
 * -REASON_PORT_TAKEN (also when another process shares ports), -REASON_CONFIG. */
MUST_CHECK int listener_new(const struct text_endpoint *endpoint,
	struct worker *const *workers, size_t count,
	const struct listener_settings *settings, const struct listener_events *events,
	void *ctx, struct listener **ret, char error[static LISTENER_ERROR]);
void listener_start(struct listener *listener);
/* Closes the port and what is still in its handshake; other connections live on. Done when the workers
 * have run their boxes. */
void listener_stop(struct listener *listener);
uint16_t listener_port(const struct listener *listener);
/* Accepts NULL, returns NULL. */
struct listener *listener_free(struct listener *listener);

#endif
