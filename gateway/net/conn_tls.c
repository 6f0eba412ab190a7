/* Path 07/15 and 09/15: in from one end, out to the other.
 *
 *   read(2) → wire scratch → [BIO] → OpenSSL → read scratch → events->bytes
 *   conn_write → OpenSSL → [BIO] → write scratch → write(2), or the queue
 *
 * The scratches are the worker's; what came in during a turn is opened in that turn. What outlives
 * it is kept in `rest` (plaintext that its receiver did not use up) and `queue` (sealed bytes that
 * the kernel did not take); both are empty on an idle conn.
 * libevent's and OpenSSL's own read-ahead were not used: the first costs twice the CPU per byte,
 * the second moves what is left in its buffer once per record.
 */
#include "net/conn_tls.h"

#include <event2/event.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/reason.h"
#include "base/text.h"
#include "metrics/metrics.h"
#include "net/conn_tls_inside.h"
#include "wire/hello.h"

#define FLUSH_MS 5000
#define LINGER_MS 1000
#define LOST_POLL_MS 1000
/* Key updates after the handshake: an end has reason for few, a flood costs CPU (SECURITY G15). */
#define UPDATES_PER_S 4 /* steps of OpenSSL's machine; two or three make one update */
#define UPDATES_BURST 64
/* What brings no more than this in one turn is small: keys, pointer, a word of text. It goes before
 * the pictures of others, but only so often, or many small messages would stop them. */
#define SMALL 4096
#define QUICK_PER_S 1000
#define QUICK_BURST 100

static const struct conn_vtable vtable;

static struct conn_tls *conn_tls_of(const struct conn *base)
{
	struct conn_tls *conn = (struct conn_tls *)base;
	CHECK_OBJ(&conn->conn, CONN_TLS_MAGIC);
	return conn;
}

/* ---- loop events ------------------------------------------------------------------------- */

static void on_readable(evutil_socket_t fd, short what, void *ctx);
static void on_writable(evutil_socket_t fd, short what, void *ctx);
static void on_timer(evutil_socket_t fd, short what, void *ctx);

static void assign_events(struct conn_tls *conn)
{
	struct event_base *base = worker_base(conn->conn.worker);
	event_assign(&conn->readable, base, conn->fd, EV_READ | EV_PERSIST, on_readable,
		conn);
	event_assign(&conn->writable, base, conn->fd, EV_WRITE | EV_PERSIST, on_writable,
		conn);
	event_assign(&conn->timer, base, -1, 0, on_timer, conn);
	event_priority_set(&conn->timer, WORKER_FIRST);
	event_priority_set(&conn->readable, conn->priority);
}

/* Not while the event is active: within its own callback it is not. */
static void set_priority(struct conn_tls *conn, enum worker_priority priority)
{
	if (conn->priority == priority)
		return;
	if (!event_priority_set(&conn->readable, priority))
		conn->priority = priority;
}

static void set_timer(struct conn_tls *conn, int64_t ms)
{
	struct timeval wait = {ms / 1000, ms % 1000 * 1000};
	event_add(&conn->timer, &wait);
}

/* ---- the end ----------------------------------------------------------------------------- */

static void release(struct conn_tls *conn)
{
	outqueue_clear(&conn->queue);
	buf_done(&conn->rest);
	SSL_free(conn->ssl);
	conn->conn.magic = 0;
	free(conn);
}

static void tell_end(struct post_item *item)
{
	struct conn_tls *conn =
		(struct conn_tls *)((char *)item - offsetof(struct conn_tls, death));
	CHECK_OBJ(&conn->conn, CONN_TLS_MAGIC);
	worker_write_drop(conn->conn.worker, &conn->writer);
	close(conn->fd);
	conn->fd = -1;
	metrics_add(METRIC_CONNS, -1);
	const struct conn_tls_opening *opening = conn->opening;
	conn->opening = NULL;
	list_remove(&conn->under_way);
	if (opening)
		opening->failed(opening->ctx, &conn->conn, conn->reason);
	else if (conn->conn.events)
		conn->conn.events->closed(conn->conn.ctx, conn->reason);
	/* A handoff that was asked for still has to see that there is nothing to move. */
	if (!conn->held)
		release(conn);
}

void conn_tls_die(struct conn_tls *conn, int reason)
{
	if (conn->state == DEAD)
		return;
	if (conn->state < FLUSHING)
		conn->reason = reason;
	conn->state = DEAD;
	event_del(&conn->readable);
	event_del(&conn->writable);
	event_del(&conn->timer);
	conn->death.run = tell_end;
	worker_defer(conn->conn.worker, &conn->death);
}

/* ---- writing ----------------------------------------------------------------------------- */

static size_t conn_tls_queued(const struct conn *base)
{
	const struct conn_tls *conn = conn_tls_of(base);
	return conn->queue.len + conn->scratch_used;
}

static int conn_tls_write(struct conn *base, const uint8_t *bytes, size_t len)
{
	struct conn_tls *conn = conn_tls_of(base);
	size_t written;
	CHECK(!conn->held);
	if (conn->state != OPEN)
		return -REASON_LEG_CLOSED;
	if (conn_tls_queued(base) + len > CONN_HARD)
		return -REASON_LIMIT;
	if (!len)
		return 0;
	ERR_clear_error();
	if (SSL_write_ex(conn->ssl, bytes, len, &written) != 1) {
		ERR_clear_error();
		conn_tls_die(conn, REASON_PEER_LOST);
		return -REASON_LEG_CLOSED;
	}
	base->bytes_out += len;
	if (conn_full(base))
		conn->room_wanted = 1;
	return 0;
}

static void linger(struct conn_tls *conn)
{
	/* Closing a socket with unread bytes sends a reset, and that destroys what the peer
	 * has not read yet, which is often the reason why. */
	conn->state = LINGERING;
	shutdown(conn->fd, SHUT_WR);
	event_del(&conn->writable);
	event_add(&conn->readable, NULL);
	set_timer(conn, LINGER_MS);
}

static void on_writable(evutil_socket_t fd, short what, void *ctx)
{
	struct conn_tls *conn = ctx;
	struct iovec vectors[OUTQUEUE_PIECES];
	(void)fd;
	(void)what;
	CHECK_OBJ(&conn->conn, CONN_TLS_MAGIC);
	if (conn->state == DEAD)
		return;
	if (conn->state == DIALLING) {
		conn_tls_open_dialled(conn);
		return;
	}
	ssize_t sent = conn_tls_wire_give(conn, vectors,
		outqueue_vectors(&conn->queue, vectors));
	if (sent < 0) {
		conn_tls_die(conn, REASON_PEER_LOST);
		return;
	}
	outqueue_drain(&conn->queue, (size_t)sent);
	if (!conn->queue.len)
		event_del(&conn->writable);
	if (conn->state == FLUSHING && !conn->queue.len) {
		linger(conn);
	} else if (conn->room_wanted && conn->state == OPEN &&
		   conn->queue.len <= CONN_LOW) {
		conn->room_wanted = 0;
		if (conn->conn.events)
			conn->conn.events->room(conn->conn.ctx);
	}
}

/* ---- reading ----------------------------------------------------------------------------- */

static void discard(struct conn_tls *conn)
{
	uint8_t *scratch = worker_wire_scratch(conn->conn.worker);
	ssize_t got = recv(conn->fd, scratch, WORKER_WIRE, 0);
	if (got == 0 || (got < 0 && errno != EAGAIN && errno != EINTR))
		conn_tls_die(conn, conn->reason);
}

static void choose_priority(struct conn_tls *conn)
{
	int quick = conn->got <= SMALL && bucket_take(&conn->quick, clock_mono_ms());
	set_priority(conn, quick ? WORKER_FIRST : WORKER_LATER);
}

static void on_readable(evutil_socket_t fd, short what, void *ctx)
{
	struct conn_tls *conn = ctx;
	(void)fd;
	(void)what;
	CHECK_OBJ(&conn->conn, CONN_TLS_MAGIC);
	conn->may_read = 1;
	conn->wire_len = 0;
	if (conn->state == PROXY)
		conn_tls_open_proxy(conn);
	if (conn->state == HANDSHAKE)
		conn_tls_open_shake(conn);
	if (conn->state == OPEN) /* also what came together with the handshake's end */
		conn_tls_read_turn(conn);
	else if (conn->state == LINGERING)
		discard(conn);
	if (conn->state == OPEN && !conn->held)
		choose_priority(conn);
}

/* ---- time, pausing, closing ---------------------------------------------------------------- */

/* A paused conn is not read, so its loss has to be looked for. */
static void look_for_loss(struct conn_tls *conn)
{
	struct pollfd fd = {.fd = conn->fd};
	if (poll(&fd, 1, 0) > 0 && fd.revents & (POLLERR | POLLHUP))
		conn_tls_die(conn, REASON_PEER_LOST);
	else
		set_timer(conn, LOST_POLL_MS);
}

static void on_timer(evutil_socket_t fd, short what, void *ctx)
{
	struct conn_tls *conn = ctx;
	(void)fd;
	(void)what;
	CHECK_OBJ(&conn->conn, CONN_TLS_MAGIC);
	if (conn->state == OPEN)
		look_for_loss(conn);
	else
		conn_tls_die(conn, REASON_TIMEOUT);
}

static void conn_tls_pause(struct conn *base)
{
	struct conn_tls *conn = conn_tls_of(base);
	if (conn->paused || conn->state != OPEN)
		return;
	conn->paused = 1;
	event_del(&conn->readable);
	if (!conn->held)
		set_timer(conn, LOST_POLL_MS);
}

static void conn_tls_resume(struct conn *base)
{
	struct conn_tls *conn = conn_tls_of(base);
	if (!conn->paused || conn->state != OPEN)
		return;
	conn->paused = 0;
	if (conn->held)
		return;
	event_del(&conn->timer);
	event_add(&conn->readable, NULL);
	conn_tls_read_rest_soon(conn);
}

static void conn_tls_close(struct conn *base, int reason, enum conn_flush flush)
{
	struct conn_tls *conn = conn_tls_of(base);
	if (conn->state >= FLUSHING) {
		if (flush == CONN_DROP)
			conn_tls_die(conn, reason);
		return;
	}
	if (flush == CONN_DROP || conn->state != OPEN) {
		conn_tls_die(conn, reason);
		return;
	}
	ERR_clear_error();
	SSL_shutdown(conn->ssl);
	ERR_clear_error();
	if (conn->state == DEAD)
		return;
	conn->reason = reason;
	conn->state = FLUSHING;
	event_del(&conn->readable);
	worker_write_take(base->worker, NULL);
	if (conn->state == DEAD)
		return;
	if (conn->queue.len)
		set_timer(conn, FLUSH_MS);
	else
		linger(conn);
}

static int conn_tls_exporter(struct conn *base, uint8_t ret[static 32])
{
	struct conn_tls *conn = conn_tls_of(base);
	uint8_t key[32];
	if (conn->state != OPEN || SSL_export_keying_material(conn->ssl, key, sizeof(key),
					   HELLO_EXPORTER_LABEL,
					   strlen(HELLO_EXPORTER_LABEL), NULL, 0, 0) != 1)
		return -REASON_TLS_FAILED;
	memcpy(ret, key, sizeof(key));
	return 0;
}

/* ---- moving to another worker -------------------------------------------------------------- */

static void conn_tls_hold(struct conn *base)
{
	struct conn_tls *conn = conn_tls_of(base);
	CHECK(!conn->held);
	conn->held = 1;
	event_del(&conn->readable);
}

static int conn_tls_detach(struct conn *base)
{
	struct conn_tls *conn = conn_tls_of(base);
	if (conn->fd < 0) { /* `closed` was told; nothing else points here any more */
		release(conn);
		return -REASON_PEER_LOST;
	}
	worker_write_take(base->worker, NULL);
	if (conn->state == DEAD) { /* `closed` comes next, and frees */
		conn->held = 0;
		return -REASON_PEER_LOST;
	}
	event_del(&conn->readable);
	event_del(&conn->writable);
	event_del(&conn->timer);
	return 0;
}

static void conn_tls_attach(struct conn *base, struct worker *worker)
{
	struct conn_tls *conn = conn_tls_of(base);
	base->worker = worker;
	conn->held = 0;
	assign_events(conn);
	if (conn->queue.len)
		event_add(&conn->writable, NULL);
	if (conn->paused) {
		set_timer(conn, LOST_POLL_MS);
		return;
	}
	event_add(&conn->readable, NULL);
	conn_tls_read_rest_soon(conn);
}

static const char *conn_tls_distrust(const struct conn *base, struct tls_ctx *tls)
{
	return tls_ctx_distrusts(tls, conn_tls_of(base)->ssl);
}

static const struct conn_vtable vtable = {
	.write = conn_tls_write,
	.queued = conn_tls_queued,
	.pause = conn_tls_pause,
	.resume = conn_tls_resume,
	.close = conn_tls_close,
	.exporter = conn_tls_exporter,
	.hold = conn_tls_hold,
	.detach = conn_tls_detach,
	.attach = conn_tls_attach,
	.distrust = conn_tls_distrust,
};

const char *conn_tls_node(const struct conn *base)
{
	return tls_ctx_node(conn_tls_of(base)->ssl);
}

/* Takes over `fd` and `ssl`, also on error. */
static struct conn_tls *begin(struct worker *worker, int fd, SSL *ssl,
	const char *address, const struct conn_tls_opening *opening)
{
	struct conn_tls *conn = calloc(1, sizeof(*conn));
	if (!conn) {
		close(fd);
		SSL_free(ssl);
		return NULL;
	}
	conn->conn = (struct conn){CONN_TLS_MAGIC, &vtable, .worker = worker};
	conn->fd = fd;
	if (conn_tls_open_tls(conn, ssl)) {
		close(fd);
		release(conn);
		return NULL;
	}
	text_clip(conn->conn.address, sizeof(conn->conn.address), address);
	conn->opening = opening;
	list_add_tail(opening->under_way, &conn->under_way);
	conn->writer.flush = conn_tls_wire_flush;
	conn->accepted_us = clock_mono_us();
	buf_init(&conn->rest, WORKER_SCRATCH);
	conn->priority = WORKER_LATER; /* strangers come after everybody */
	bucket_start(&conn->quick, QUICK_PER_S, QUICK_BURST, conn->accepted_us / 1000);
	bucket_start(&conn->updates, UPDATES_PER_S, UPDATES_BURST,
		conn->accepted_us / 1000);
	assign_events(conn);
	set_timer(conn, opening->handshake_ms);
	metrics_add(METRIC_CONNS, 1);
	return conn;
}

int conn_tls_accept(struct worker *worker, int fd, const char *address,
	struct tls_ctx *tls, const struct conn_tls_opening *opening, struct conn **ret)
{
	struct conn_tls *conn =
		begin(worker, fd, conn_tls_open_accepting(tls), address, opening);
	if (!conn)
		return -REASON_NO_MEMORY;
	conn->state = opening->expect_proxy ? PROXY : HANDSHAKE;
	event_add(&conn->readable, NULL);
	*ret = &conn->conn;
	return 0;
}

int conn_tls_dial(struct worker *worker, const struct sockaddr *to, const char *address,
	struct tls_ctx *tls, const char *node, const struct conn_tls_opening *opening,
	struct conn **ret)
{
	SSL *ssl = tls_ctx_dial(tls, node);
	if (!ssl)
		return -REASON_CONFIG;
	int fd = conn_tls_open_connecting(to);
	if (fd < 0) {
		SSL_free(ssl);
		return -REASON_GATEWAY_UNREACHABLE;
	}
	struct conn_tls *conn = begin(worker, fd, ssl, address, opening);
	if (!conn)
		return -REASON_NO_MEMORY;
	conn->state = DIALLING;
	event_add(&conn->writable, NULL);
	*ret = &conn->conn;
	return 0;
}
