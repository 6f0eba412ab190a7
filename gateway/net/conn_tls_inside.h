/* conn_tls_inside: what the files of a conn_tls share, and nobody else includes: conn_tls.c (its events, its
 * pauses, its end), conn_tls_open.c (until TLS stands), conn_tls_read.c (what comes out of TLS),
 * conn_tls_wire.c (what goes between OpenSSL and the kernel).
 *
 * Thread and owner: as conn.h.
 */
#ifndef NET_CONN_TLS_INSIDE_H
#define NET_CONN_TLS_INSIDE_H

#include <event2/event_struct.h>
#include <openssl/ssl.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>
#include <sys/uio.h>

#include "base/buf.h"
#include "base/check.h"
#include "base/list.h"
#include "base/post.h"
#include "net/bucket.h"
#include "net/conn.h"
#include "net/conn_tls.h"
#include "net/outqueue.h"
#include "net/worker.h"

#define CONN_TLS_MAGIC 0x63746c73u

enum conn_tls_state {
	DIALLING,  /* TCP is being set up */
	PROXY,     /* a load balancer's header is due */
	HANDSHAKE, /* TLS is being set up */
	OPEN,
	FLUSHING,  /* closed by its owner; queued bytes still leave */
	LINGERING, /* all has left; the peer may read it before the socket goes */
	DEAD,      /* `closed` is told at the end of the turn */
};

struct conn_tls {
	struct conn conn; /* first */
	uint8_t state;    /* enum conn_tls_state */
	uint8_t paused, held;
	uint8_t may_read; /* the wire scratch has not been filled yet this turn */
	uint8_t lost;     /* the peer's bytes have ended */
	uint8_t flooded;
	uint8_t room_wanted;
	uint8_t again_due;
	int fd;
	int reason;
	SSL *ssl;
	const struct conn_tls_opening *opening;
	struct list under_way;
	struct event readable, writable, timer;
	struct outqueue queue;
	struct worker_writer writer;
	size_t scratch_used; /* of the worker's write scratch, while this is its writer */
	const uint8_t *wire; /* what BIO reads from, within one turn */
	size_t wire_len, got; /* of the last read */
	struct buf rest;
	struct post_item again, death;
	struct bucket updates, quick;
	uint8_t priority; /* enum worker_priority of `readable` */
	int64_t accepted_us;
};

/* The end, told at the end of the turn; only the first reason counts. */
void conn_tls_die(struct conn_tls *conn, int reason);

/* conn_tls_open.c. A descriptor on its way to `to`, or -1. */
MUST_CHECK int conn_tls_open_connecting(const struct sockaddr *to);
/* NULL: no memory. */
SSL *conn_tls_open_accepting(struct tls_ctx *tls);
/* Takes over `ssl`, which may be NULL: -REASON_NO_MEMORY. */
MUST_CHECK int conn_tls_open_tls(struct conn_tls *conn, SSL *ssl);
/* Each goes one state on when all that it needs is there. */
void conn_tls_open_dialled(struct conn_tls *conn);
void conn_tls_open_proxy(struct conn_tls *conn);
void conn_tls_open_shake(struct conn_tls *conn);

/* conn_tls_read.c. Opens what this turn brought and shows it to the receiver. */
void conn_tls_read_turn(struct conn_tls *conn);
/* What the receiver left over, once more, at the end of the turn. */
void conn_tls_read_rest_soon(struct conn_tls *conn);
/* REASON_* of a call of OpenSSL that gave `result`. */
int conn_tls_read_why(struct conn_tls *conn, int result);

/* conn_tls_wire.c. OpenSSL's way to the kernel; NULL: no memory. */
BIO *conn_tls_wire_bio(struct conn_tls *conn);
/* What was written in this turn leaves, or waits in the queue: worker_writer.flush. */
void conn_tls_wire_flush(struct worker_writer *writer);
/* Takes as many bytes as the kernel does; 0 when it takes none now, -1 when the connection is lost. */
MUST_CHECK ssize_t conn_tls_wire_give(struct conn_tls *conn, struct iovec *vectors,
	int count);

#endif
