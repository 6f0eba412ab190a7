/* From a socket to TLS that stands: the dial, a load balancer's header, the handshake. */
#include <errno.h>
#include <event2/event.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <openssl/err.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/reason.h"
#include "metrics/metrics.h"
#include "net/conn_tls_inside.h"
#include "net/proxy_v2.h"

int conn_tls_open_connecting(const struct sockaddr *to)
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

SSL *conn_tls_open_accepting(struct tls_ctx *tls)
{
	SSL_CTX *ctx = tls_ctx_get(tls);
	SSL *ssl = SSL_new(ctx);
	SSL_CTX_free(ctx);
	if (ssl)
		SSL_set_accept_state(ssl);
	return ssl;
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

int conn_tls_open_tls(struct conn_tls *conn, SSL *ssl)
{
	conn->ssl = ssl;
	BIO *bio = conn->ssl ? conn_tls_wire_bio(conn) : NULL;
	if (!bio)
		return -REASON_NO_MEMORY;
	SSL_set_bio(conn->ssl, bio, bio);
	SSL_set_app_data(conn->ssl, conn);
	SSL_set_info_callback(conn->ssl, on_tls_step);
	SSL_set_options(conn->ssl, SSL_OP_CLEANSE_PLAINTEXT);
	return 0;
}

/* Before OpenSSL's own account of the failure is thrown away. */
static int why_not_open(struct conn_tls *conn, int result)
{
	const char *refusal = tls_ctx_refusal(conn->ssl);
	if (!refusal)
		return conn_tls_read_why(conn, result);
	metrics_reason(METRIC_PEERS_REFUSED, REASON_PEER_UNTRUSTED);
	log_line(LOG_WARN, "node not trusted", LOG_S("address", conn->conn.address),
		LOG_S("why", refusal));
	return REASON_PEER_UNTRUSTED;
}

void conn_tls_open_shake(struct conn_tls *conn)
{
	ERR_clear_error();
	int result = SSL_do_handshake(conn->ssl);
	if (result != 1) {
		if (SSL_get_error(conn->ssl, result) != SSL_ERROR_WANT_READ) {
			metrics_add(METRIC_TLS_FAILED, 1);
			int reason = why_not_open(conn, result);
			/* The alert that says why; the one who is told can look it up. */
			worker_write_take(conn->conn.worker, NULL);
			conn_tls_die(conn, reason);
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

/* TCP stands, or never will. */
void conn_tls_open_dialled(struct conn_tls *conn)
{
	int code = 0;
	socklen_t len = sizeof(code);
	event_del(&conn->writable);
	if (getsockopt(conn->fd, SOL_SOCKET, SO_ERROR, &code, &len) || code) {
		conn_tls_die(conn, REASON_GATEWAY_UNREACHABLE);
		return;
	}
	conn->state = HANDSHAKE;
	event_add(&conn->readable, NULL);
	conn_tls_open_shake(conn);
}

/* Looks before it takes: not one byte of TLS may be lost with the header. */
void conn_tls_open_proxy(struct conn_tls *conn)
{
	uint8_t header[PROXY_V2_MAX];
	ssize_t got = recv(conn->fd, header, sizeof(header), MSG_PEEK);
	if (got < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	int size = got > 0 ? proxy_v2_parse(header, (size_t)got, conn->conn.address)
			   : -REASON_PEER_LOST;
	if (size < 0) {
		conn_tls_die(conn, -size);
	} else if (size > 0) {
		if (recv(conn->fd, header, (size_t)size, 0) != size)
			conn_tls_die(conn, REASON_PEER_LOST);
		else
			conn->state = HANDSHAKE;
	}
}
