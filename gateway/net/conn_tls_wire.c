/* The kernel on one side, OpenSSL's BIO on the other, the worker's scratches between them. */
#include <errno.h>
#include <event2/event.h>
#include <openssl/bio.h>
#include <pthread.h>
#include <string.h>
#include <sys/socket.h>

#include "base/reason.h"
#include "metrics/metrics.h"
#include "net/conn_tls_inside.h"

/* ---- out --------------------------------------------------------------------------------- */

ssize_t conn_tls_wire_give(struct conn_tls *conn, struct iovec *vectors, int count)
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

void conn_tls_wire_flush(struct worker_writer *writer)
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
	ssize_t sent = conn_tls_wire_give(conn, &vector, 1);
	if (sent < 0) {
		conn_tls_die(conn, REASON_PEER_LOST);
		return;
	}
	if ((size_t)sent == used)
		return;
	if (outqueue_append(&conn->queue, scratch + sent, used - (size_t)sent)) {
		conn_tls_die(conn, REASON_NO_MEMORY);
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
		conn_tls_wire_flush(&conn->writer);
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

/* ---- in ---------------------------------------------------------------------------------- */

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

/* ---- the BIO ----------------------------------------------------------------------------- */

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

BIO *conn_tls_wire_bio(struct conn_tls *conn)
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
