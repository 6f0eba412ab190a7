/* conn: one transport connection that carries bytes both ways: TLS (conn_tls), WebSocket over TLS
 * (conn_ws), memory (conn_mem, for tests of everything above). Knows nothing of frames.
 *
 * Thread: a conn belongs to one worker; every function is called there. No function blocks.
 * Owner: whoever made it, until conn_close(); after that the conn makes no further callback but
 * `closed`, exactly once, and frees itself at the end of the loop turn.
 *
 * Reading: `bytes` gets a view into the worker's shared read buffer and says how many bytes it has
 * used up; what is left over is kept by the conn and shown again in front of the next bytes. So an
 * idle conn holds no buffer, and a frame is copied only if it arrives in pieces.
 * Writing: conn_write() takes all bytes or refuses; what the kernel does not take is queued sealed.
 * Above CONN_HIGH queued bytes the sender should stop (conn_full), `room` tells when the queue has
 * fallen below CONN_LOW again.
 */
#ifndef NET_CONN_H
#define NET_CONN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/check.h"

#define CONN_HIGH (256 * 1024)
#define CONN_LOW (64 * 1024)
#define CONN_HARD (1024 * 1024) /* conn_write() refuses beyond this */
#define CONN_ADDRESS 64

struct conn;
struct tls_ctx;
struct worker;

struct conn_events {
	/* Returns how many of the `len` bytes are used up. May call conn_close(). */
	size_t (*bytes)(void *ctx, const uint8_t *bytes, size_t len);
	/* The write queue fell to CONN_LOW after it had been full. */
	void (*room)(void *ctx);
	/* The end, with the reason given to conn_close() or found by the conn: LEG_CLOSED (orderly by
	 * the other side), PEER_LOST (reset, cut), TLS_FAILED, SLOW_READER. */
	void (*closed)(void *ctx, int reason);
};

enum conn_flush { CONN_FLUSH, CONN_DROP };

struct conn_vtable {
	int (*write)(struct conn *, const uint8_t *bytes, size_t len);
	size_t (*queued)(const struct conn *);
	void (*pause)(struct conn *);
	void (*resume)(struct conn *);
	void (*close)(struct conn *, int reason, enum conn_flush);
	int (*exporter)(struct conn *, uint8_t ret[static 32]);
	/* For handoff.h only: no more callbacks; leave the worker's loop; enter another's. detach
	 * says -REASON_BUSY to be asked again in the next turn, and -REASON_PEER_LOST when the conn
	 * has ended: then it is gone. */
	void (*hold)(struct conn *);
	int (*detach)(struct conn *);
	void (*attach)(struct conn *, struct worker *);
	/* May be NULL: it leads to no other node. */
	const char *(*distrust)(const struct conn *, struct tls_ctx *);
};

/* Every implementation's struct begins with this. */
struct conn {
	uint32_t magic;
	const struct conn_vtable *vtable;
	const struct conn_events *events;
	void *ctx;
	struct worker *worker;
	char address[CONN_ADDRESS]; /* of the peer: "192.0.2.1", "2001:db8::1"; no port */
	uint64_t bytes_in, bytes_out; /* plaintext */
	/* What comes in is wiped where it was read, as long as it may be a password (a door, a web
	 * page). A leg's DATA is sealed by its ends and too much for that: it sets this. */
	uint8_t bulk;
	/* At most so many sealed bytes are read in one turn; 0: as many as one read brings. For a leg that
	 * rests between turns: what it brings at once is what others wait for. */
	uint32_t read_most;
};

/* Who listens may change (door, then leg). */
static inline void conn_listen(struct conn *conn, const struct conn_events *events,
	void *ctx)
{
	conn->events = events;
	conn->ctx = ctx;
}

/* Copies or seals at once. -REASON_LIMIT beyond CONN_HARD, -REASON_NO_MEMORY: nothing was taken.
 * Several writes within one loop turn leave in one system call. */
MUST_CHECK static inline int conn_write(struct conn *conn, const uint8_t *bytes,
	size_t len)
{
	return conn->vtable->write(conn, bytes, len);
}

static inline size_t conn_queued(const struct conn *conn)
{
	return conn->vtable->queued(conn);
}

static inline bool conn_full(const struct conn *conn)
{
	return conn->vtable->queued(conn) > CONN_HIGH;
}

/* While paused no `bytes` callback runs and the peer is slowed by TCP; a lost connection is still
 * noticed. */
static inline void conn_pause(struct conn *conn)
{
	conn->vtable->pause(conn);
}

static inline void conn_resume(struct conn *conn)
{
	conn->vtable->resume(conn);
}

/* Of a conn to or from another node: why that would not be let in any more (tls_ctx_distrusts); NULL: it would. */
static inline const char *conn_distrust(const struct conn *conn, struct tls_ctx *tls)
{
	return conn->vtable->distrust ? conn->vtable->distrust(conn, tls) : NULL;
}

/* CONN_FLUSH: sends what is queued first, for at most 5 s. Calling it twice is harmless. */
static inline void conn_close(struct conn *conn, int reason, enum conn_flush flush)
{
	conn->vtable->close(conn, reason, flush);
}

/* RFC 8446 section 7.5, label HELLO_EXPORTER_LABEL, no context. -REASON_TLS_FAILED where there is
 * none (WebSocket: the browser cannot know it). */
MUST_CHECK static inline int conn_exporter(struct conn *conn, uint8_t ret[static 32])
{
	return conn->vtable->exporter(conn, ret);
}

#endif
