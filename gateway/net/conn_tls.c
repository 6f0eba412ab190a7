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

#include <errno.h>
#include <event2/event.h>
#include <event2/event_struct.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <poll.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/list.h"
#include "base/log.h"
#include "base/reason.h"
#include "base/secret.h"
#include "base/text.h"
#include "metrics/metrics.h"
#include "net/bucket.h"
#include "net/conn.h"
#include "net/outqueue.h"
#include "net/proxy_v2.h"
#include "net/worker.h"
#include "wire/hello.h"

#define CONN_TLS_MAGIC 0x63746c73u
#define FLUSH_MS 5000
#define LINGER_MS 1000
/* No receiver leaves more than one frame; with what one turn opens it fits the read scratch. Only a
 * conn that was paused or held in the middle of a turn keeps more, and it is not read meanwhile. */
#define REST_MAX (96 * 1024)
#define LOST_POLL_MS 1000
/* Key updates after the handshake: an end has reason for few, a flood costs CPU (SECURITY G15). */
#define UPDATES_PER_S 4 /* steps of OpenSSL's machine; two or three make one update */
#define UPDATES_BURST 64
/* What brings no more than this in one turn is small: keys, pointer, a word of text. It goes before
 * the pictures of others, but only so often, or many small messages would stop them. */
#define SMALL 4096
#define QUICK_PER_S 1000
#define QUICK_BURST 100

enum state {
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
	uint8_t state;
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

static void die(struct conn_tls *conn, int reason)
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

/* Takes as many as the kernel does; 0 when it takes none now, -1 when the connection is lost. */
static ssize_t give_kernel(struct conn_tls *conn, struct iovec *vectors, int count)
{
	struct msghdr message = {.msg_iov = vectors, .msg_iovlen = (size_t)count};
	ssize_t sent;
	do
		sent = sendmsg(conn->fd, &message, MSG_NOSIGNAL);
	while (sent < 0 && errno == EINTR);
	if (sent < 0)
		return errno == EAGAIN || errno == EWOULDBLOCK ? 0 : -1;
	metrics_add(METRIC_WIRE_OUT, sent);
	return sent;
}

static void flush_scratch(struct worker_writer *writer)
{
	struct conn_tls *conn =
		(struct conn_tls *)((char *)writer - offsetof(struct conn_tls, writer));
	CHECK_OBJ(&conn->conn, CONN_TLS_MAGIC);
	uint8_t *scratch = worker_write_scratch(conn->conn.worker);
	size_t used = conn->scratch_used;
	conn->scratch_used = 0;
	if (!used || conn->state == DEAD)
		return;
	struct iovec vector = {scratch, used};
	ssize_t sent = give_kernel(conn, &vector, 1);
	if (sent < 0) {
		die(conn, REASON_PEER_LOST);
		return;
	}
	if ((size_t)sent == used)
		return;
	if (outqueue_append(&conn->queue, scratch + sent, used - (size_t)sent)) {
		die(conn, REASON_NO_MEMORY);
		return;
	}
	event_add(&conn->writable, NULL);
}

static int bio_write(BIO *bio, const char *bytes, int len)
{
	struct conn_tls *conn = BIO_get_data(bio);
	BIO_clear_retry_flags(bio);
	if (conn->state == DEAD || len <= 0)
		return -1;
	if (conn->queue.len)
		return outqueue_append(&conn->queue, bytes, (size_t)len) ? -1 : len;
	worker_write_take(conn->conn.worker, &conn->writer);
	if (conn->scratch_used + (size_t)len > WORKER_SCRATCH) {
		flush_scratch(&conn->writer);
		if (conn->state == DEAD)
			return -1;
		if (conn->queue.len)
			return outqueue_append(&conn->queue, bytes, (size_t)len) ? -1
										 : len;
	}
	memcpy(worker_write_scratch(conn->conn.worker) + conn->scratch_used, bytes,
		(size_t)len);
	conn->scratch_used += (size_t)len;
	return len;
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
		die(conn, REASON_PEER_LOST);
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

static void shake_hands(struct conn_tls *conn);

/* TCP stands, or never will. */
static void on_dialled(struct conn_tls *conn)
{
	int code = 0;
	socklen_t len = sizeof(code);
	event_del(&conn->writable);
	if (getsockopt(conn->fd, SOL_SOCKET, SO_ERROR, &code, &len) || code) {
		die(conn, REASON_GATEWAY_UNREACHABLE);
		return;
	}
	conn->state = HANDSHAKE;
	event_add(&conn->readable, NULL);
	shake_hands(conn);
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
		on_dialled(conn);
		return;
	}
	ssize_t sent =
		give_kernel(conn, vectors, outqueue_vectors(&conn->queue, vectors));
	if (sent < 0) {
		die(conn, REASON_PEER_LOST);
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

/* The one read system call of this turn. */
static void fill_wire(struct conn_tls *conn)
{
	uint8_t *scratch = worker_wire_scratch(conn->conn.worker);
	size_t most = WORKER_WIRE;
	ssize_t got;
	conn->may_read = 0;
	if (conn->conn.read_most && conn->conn.read_most < most)
		most = conn->conn.read_most;
	do
		got = recv(conn->fd, scratch, most, 0);
	while (got < 0 && errno == EINTR);
	if (got > 0) {
		metrics_add(METRIC_WIRE_IN, got);
		conn->wire = scratch;
		conn->wire_len = conn->got = (size_t)got;
	} else if (got == 0 || (errno != EAGAIN && errno != EWOULDBLOCK)) {
		conn->lost = 1;
	}
}

static int bio_read(BIO *bio, char *bytes, int len)
{
	struct conn_tls *conn = BIO_get_data(bio);
	BIO_clear_retry_flags(bio);
	if (conn->flooded)
		return 0;
	if (!conn->wire_len && conn->may_read)
		fill_wire(conn);
	if (conn->wire_len) {
		size_t part = conn->wire_len < (size_t)len ? conn->wire_len : (size_t)len;
		memcpy(bytes, conn->wire, part);
		conn->wire += part;
		conn->wire_len -= part;
		return (int)part;
	}
	if (conn->lost)
		return 0;
	BIO_set_retry_read(bio);
	return -1;
}

static long bio_ctrl(BIO *bio, int command, long number, void *pointer)
{
	(void)bio;
	(void)number;
	(void)pointer;
	return command == BIO_CTRL_FLUSH || command == BIO_CTRL_PUSH ||
	       command == BIO_CTRL_POP;
}

static BIO_METHOD *method;

static void make_method(void)
{
	method = BIO_meth_new(BIO_get_new_index() | BIO_TYPE_SOURCE_SINK, "conn_tls");
	if (!method)
		return;
	BIO_meth_set_write(method, bio_write);
	BIO_meth_set_read(method, bio_read);
	BIO_meth_set_ctrl(method, bio_ctrl);
}

static BIO *new_bio(struct conn_tls *conn)
{
	static pthread_once_t once = PTHREAD_ONCE_INIT;
	pthread_once(&once, make_method);
	BIO *bio = method ? BIO_new(method) : NULL;
	if (!bio)
		return NULL;
	BIO_set_data(bio, conn);
	BIO_set_init(bio, 1);
	return bio;
}

/* Called by OpenSSL for every handshake message; after the handshake these are key updates. */
static void on_tls_step(const SSL *ssl, int where, int value)
{
	struct conn_tls *conn = SSL_get_app_data(ssl);
	(void)value;
	if (conn->state == OPEN && where & SSL_CB_LOOP &&
		!bucket_take(&conn->updates, clock_mono_ms()))
		conn->flooded = 1;
}

static int why_tls_ended(struct conn_tls *conn, int result)
{
	int error = SSL_get_error(conn->ssl, result);
	if (conn->flooded)
		return REASON_PROTOCOL;
	if (error == SSL_ERROR_ZERO_RETURN)
		return REASON_LEG_CLOSED;
	if (conn->lost || error == SSL_ERROR_SYSCALL)
		return REASON_PEER_LOST;
	return REASON_TLS_FAILED;
}

static void keep_rest(struct conn_tls *conn, const uint8_t *bytes, size_t len)
{
	buf_drain(&conn->rest, buf_len(&conn->rest));
	if (!len)
		buf_release(&conn->rest);
	else if (buf_append(&conn->rest, bytes, len))
		die(conn, REASON_NO_MEMORY);
}

/* `bytes` begins with what was left over before. */
static void show(struct conn_tls *conn, uint8_t *bytes, size_t len)
{
	size_t used = 0;
	int wipe = !conn->conn.bulk;
	if (!conn->paused && !conn->held && conn->conn.events) {
		used = conn->conn.events->bytes(conn->conn.ctx, bytes, len);
		CHECK(used <= len);
	}
	if (conn->state == OPEN)
		keep_rest(conn, bytes + used, len - used);
	if (wipe)
		secret_wipe(bytes, len);
}

static void read_open(struct conn_tls *conn)
{
	uint8_t *scratch = worker_read_scratch(conn->conn.worker);
	size_t rest = buf_len(&conn->rest), len = rest, got;
	int result;
	if (rest > REST_MAX) {
		die(conn, REASON_PROTOCOL);
		return;
	}
	if (rest)
		memcpy(scratch, buf_head(&conn->rest), rest);
	if (conn->conn.bulk)
		SSL_clear_options(conn->ssl, SSL_OP_CLEANSE_PLAINTEXT);
	ERR_clear_error();
	while ((result = SSL_read_ex(conn->ssl, scratch + len, WORKER_SCRATCH - len,
			&got)) == 1)
		len += got;
	int over = SSL_get_error(conn->ssl, result) != SSL_ERROR_WANT_READ;
	int reason = over ? why_tls_ended(conn, result) : 0;
	ERR_clear_error();
	conn->conn.bytes_in += len - rest;
	if (len > rest)
		show(conn, scratch, len);
	if (over && conn->state == OPEN)
		die(conn, reason);
}

/* Before OpenSSL's own account of the failure is thrown away. */
static int why_not_open(struct conn_tls *conn, int result)
{
	const char *refusal = tls_ctx_refusal(conn->ssl);
	if (!refusal)
		return why_tls_ended(conn, result);
	metrics_reason(METRIC_PEERS_REFUSED, REASON_PEER_UNTRUSTED);
	log_line(LOG_WARN, "node not trusted", LOG_S("address", conn->conn.address),
		LOG_S("why", refusal));
	return REASON_PEER_UNTRUSTED;
}

static void shake_hands(struct conn_tls *conn)
{
	ERR_clear_error();
	int result = SSL_do_handshake(conn->ssl);
	if (result != 1) {
		if (SSL_get_error(conn->ssl, result) != SSL_ERROR_WANT_READ) {
			metrics_add(METRIC_TLS_FAILED, 1);
			int reason = why_not_open(conn, result);
			/* The alert that says why; the one who is told can look it up. */
			worker_write_take(conn->conn.worker, NULL);
			die(conn, reason);
		}
		ERR_clear_error();
		return;
	}
	const struct conn_tls_opening *opening = conn->opening;
	conn->opening = NULL;
	list_remove(&conn->under_way);
	conn->state = OPEN;
	event_del(&conn->timer);
	metrics_add(METRIC_TLS_DONE, 1);
	metrics_time(METRIC_TLS_SECONDS, clock_mono_us() - conn->accepted_us);
	opening->ready(opening->ctx, &conn->conn, tls_ctx_alpn(conn->ssl));
}

/* Looks before it takes: not one byte of TLS may be lost with the header. */
static void read_proxy_header(struct conn_tls *conn)
{
	uint8_t header[PROXY_V2_MAX];
	ssize_t got = recv(conn->fd, header, sizeof(header), MSG_PEEK);
	if (got < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	int size = got > 0 ? proxy_v2_parse(header, (size_t)got, conn->conn.address)
			   : -REASON_PEER_LOST;
	if (size < 0) {
		die(conn, -size);
	} else if (size > 0) {
		if (recv(conn->fd, header, (size_t)size, 0) != size)
			die(conn, REASON_PEER_LOST);
		else
			conn->state = HANDSHAKE;
	}
}

static void discard(struct conn_tls *conn)
{
	uint8_t *scratch = worker_wire_scratch(conn->conn.worker);
	ssize_t got = recv(conn->fd, scratch, WORKER_WIRE, 0);
	if (got == 0 || (got < 0 && errno != EAGAIN && errno != EINTR))
		die(conn, conn->reason);
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
		read_proxy_header(conn);
	if (conn->state == HANDSHAKE)
		shake_hands(conn);
	if (conn->state == OPEN) /* also what came together with the handshake's end */
		read_open(conn);
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
		die(conn, REASON_PEER_LOST);
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
		die(conn, REASON_TIMEOUT);
}

static void show_again(struct post_item *item)
{
	struct conn_tls *conn =
		(struct conn_tls *)((char *)item - offsetof(struct conn_tls, again));
	CHECK_OBJ(&conn->conn, CONN_TLS_MAGIC);
	conn->again_due = 0;
	size_t len = buf_len(&conn->rest);
	if (conn->state != OPEN || conn->paused || conn->held || !len)
		return;
	uint8_t *scratch = worker_read_scratch(conn->conn.worker);
	memcpy(scratch, buf_head(&conn->rest), len);
	show(conn, scratch, len);
}

static void show_rest_soon(struct conn_tls *conn)
{
	if (conn->again_due || !buf_len(&conn->rest))
		return;
	conn->again_due = 1;
	conn->again.run = show_again;
	worker_defer(conn->conn.worker, &conn->again);
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
	show_rest_soon(conn);
}

static void conn_tls_close(struct conn *base, int reason, enum conn_flush flush)
{
	struct conn_tls *conn = conn_tls_of(base);
	if (conn->state >= FLUSHING) {
		if (flush == CONN_DROP)
			die(conn, reason);
		return;
	}
	if (flush == CONN_DROP || conn->state != OPEN) {
		die(conn, reason);
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
	show_rest_soon(conn);
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
};

const char *conn_tls_node(const struct conn *base)
{
	return tls_ctx_node(conn_tls_of(base)->ssl);
}

/* Takes over `ssl`, which may be NULL. */
static int set_up_tls(struct conn_tls *conn, SSL *ssl)
{
	conn->ssl = ssl;
	BIO *bio = conn->ssl ? new_bio(conn) : NULL;
	if (!bio)
		return -REASON_NO_MEMORY;
	SSL_set_bio(conn->ssl, bio, bio);
	SSL_set_app_data(conn->ssl, conn);
	SSL_set_info_callback(conn->ssl, on_tls_step);
	SSL_set_options(conn->ssl, SSL_OP_CLEANSE_PLAINTEXT);
	return 0;
}

static SSL *accepting(struct tls_ctx *tls)
{
	SSL_CTX *ctx = tls_ctx_get(tls);
	SSL *ssl = SSL_new(ctx);
	SSL_CTX_free(ctx);
	if (ssl)
		SSL_set_accept_state(ssl);
	return ssl;
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
	if (set_up_tls(conn, ssl)) {
		close(fd);
		release(conn);
		return NULL;
	}
	text_clip(conn->conn.address, sizeof(conn->conn.address), address);
	conn->opening = opening;
	list_add_tail(opening->under_way, &conn->under_way);
	conn->writer.flush = flush_scratch;
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
	struct conn_tls *conn = begin(worker, fd, accepting(tls), address, opening);
	if (!conn)
		return -REASON_NO_MEMORY;
	conn->state = opening->expect_proxy ? PROXY : HANDSHAKE;
	event_add(&conn->readable, NULL);
	*ret = &conn->conn;
	return 0;
}

static int connecting(const struct sockaddr *to)
{
	socklen_t len = to->sa_family == AF_INET6 ? sizeof(struct sockaddr_in6)
						  : sizeof(struct sockaddr_in);
	int one = 1, rc;
	int fd = socket(to->sa_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return -1;
	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
	do
		rc = connect(fd, to, len);
	while (rc && errno == EINTR);
	if (rc && errno != EINPROGRESS) {
		close(fd);
		return -1;
	}
	return fd;
}

int conn_tls_dial(struct worker *worker, const struct sockaddr *to, const char *address,
	struct tls_ctx *tls, const char *node, const struct conn_tls_opening *opening,
	struct conn **ret)
{
	SSL *ssl = tls_ctx_dial(tls, node);
	if (!ssl)
		return -REASON_CONFIG;
	int fd = connecting(to);
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
