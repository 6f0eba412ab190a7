/* uplink_tls: bytes between a frame and the line. Path 06/10, its lower half. */
#include "link/uplink_tls.h"

#include <errno.h>
#include <event2/event.h>
#include <linux/sockios.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/reason.h"
#include "link/carrier.h"
#include "wire/frame.h"
#include "wire/hello.h"

#define TLS_MAGIC 0x75746c73u
#define TLS_IN (FRAME_MAX + 64 * 1024)
#define TLS_READ_TURN (256 * 1024) /* then the rest of the loop has its turn */
#define TLS_WRITE_MAX (256 * 1024)
#define TLS_NOTSENT (16 * 1024)
#define TLS_USER_TIMEOUT_MS 20000

struct uplink_tls {
	uint32_t magic;
	SSL *ssl;
	int fd;
	const struct uplink_tls_events *events;
	void *ctx;
	int depth;
	bool freed, ready, over, watched;
	bool read_wants_write, write_wants_read;
	struct event *readable, *writable, *turn;
	uint8_t *in;
	size_t in_len;
	struct buf out;
	char date[UPLINK_TLS_DETAIL];
};

static struct uplink_tls *destroy(struct uplink_tls *tls)
{
	if (tls->readable)
		event_free(tls->readable);
	if (tls->writable)
		event_free(tls->writable);
	if (tls->turn)
		event_free(tls->turn);
	SSL_free(tls->ssl);
	close(tls->fd);
	buf_done(&tls->out);
	free(tls->in);
	tls->magic = 0;
	free(tls);
	return NULL;
}

static void enter(struct uplink_tls *tls)
{
	CHECK_OBJ(tls, TLS_MAGIC);
	tls->depth++;
}

static void leave(struct uplink_tls *tls)
{
	if (--tls->depth == 0 && tls->freed)
		destroy(tls);
}

/* Dates alone do not end the handshake: see the header. */
static int on_verify(int good, X509_STORE_CTX *store)
{
	int error = X509_STORE_CTX_get_error(store);
	if (good || (error != X509_V_ERR_CERT_NOT_YET_VALID &&
			    error != X509_V_ERR_CERT_HAS_EXPIRED))
		return good;
	SSL *ssl =
		X509_STORE_CTX_get_ex_data(store, SSL_get_ex_data_X509_STORE_CTX_idx());
	struct uplink_tls *tls = SSL_get_app_data(ssl);
	const X509 *certificate = X509_STORE_CTX_get_current_cert(store);
	bool early = error == X509_V_ERR_CERT_NOT_YET_VALID;
	char when[64] = "";
	BIO *bio = BIO_new(BIO_s_mem());
	if (bio && certificate) {
		ASN1_TIME_print(bio, early ? X509_get0_notBefore(certificate)
					   : X509_get0_notAfter(certificate));
		int len = BIO_read(bio, when, sizeof(when) - 1);
		when[len > 0 ? len : 0] = 0;
	}
	BIO_free(bio);
	snprintf(tls->date, sizeof(tls->date), "the certificate %s %s",
		early ? "is valid only from" : "was valid only until", when);
	return 1;
}

struct ssl_ctx_st *uplink_tls_context_free(struct ssl_ctx_st *context)
{
	SSL_CTX_free(context);
	return NULL;
}

int uplink_tls_context(const char *ca_file, struct ssl_ctx_st **ret)
{
	static const unsigned char ALPN[] = "\x08" HELLO_ALPN;
	SSL_CTX *context = SSL_CTX_new(TLS_client_method());
	if (!context)
		return -REASON_NO_MEMORY;
	SSL_CTX_set_min_proto_version(context, TLS1_3_VERSION);
	SSL_CTX_set_options(context, SSL_OP_NO_TICKET | SSL_OP_NO_COMPRESSION);
	SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_OFF);
	SSL_CTX_set_mode(context,
		SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
	SSL_CTX_set_read_ahead(context, 1);
	SSL_CTX_set_default_read_buffer_len(context, 64 * 1024);
	SSL_CTX_set_verify(context, SSL_VERIFY_PEER, on_verify);
	int rc = 0;
	if (SSL_CTX_set_alpn_protos(context, ALPN, sizeof(ALPN) - 1))
		rc = -REASON_NO_MEMORY;
	else if ((ca_file ? SSL_CTX_load_verify_file(context, ca_file)
			  : SSL_CTX_set_default_verify_paths(context)) != 1)
		rc = -REASON_FILE_UNREADABLE;
	ERR_clear_error();
	if (rc)
		SSL_CTX_free(context);
	else
		*ret = context;
	return rc;
}

static void over(struct uplink_tls *tls, int reason, const char *detail)
{
	if (tls->over || tls->freed)
		return;
	tls->over = true;
	event_del(tls->readable);
	event_del(tls->writable);
	event_del(tls->turn);
	tls->events->closed(tls->ctx, reason, detail);
}

static bool alive(const struct uplink_tls *tls)
{
	return !tls->over && !tls->freed;
}

static int reason_of_verify(long verify)
{
	switch (verify) {
	case X509_V_ERR_HOSTNAME_MISMATCH:
	case X509_V_ERR_IP_ADDRESS_MISMATCH:
	case X509_V_ERR_EMAIL_MISMATCH:
		return REASON_TLS_NAME;
	default:
		return REASON_TLS_UNTRUSTED;
	}
}

/* What the last failing call was about, for people. */
static void failed(struct uplink_tls *tls, int ssl_error, int saved_errno)
{
	char detail[UPLINK_TLS_DETAIL];
	long verify = SSL_get_verify_result(tls->ssl);
	unsigned long error = ERR_peek_last_error();
	bool by_verify = ERR_GET_REASON(error) == SSL_R_CERTIFICATE_VERIFY_FAILED;
	if (ssl_error == SSL_ERROR_ZERO_RETURN) {
		over(tls, REASON_LEG_CLOSED, "the gateway closed the connection");
	} else if (ssl_error == SSL_ERROR_SSL && by_verify && verify != X509_V_OK) {
		over(tls, reason_of_verify(verify),
			X509_verify_cert_error_string(verify));
	} else if (ssl_error == SSL_ERROR_SSL &&
		   ERR_GET_REASON(error) != SSL_R_UNEXPECTED_EOF_WHILE_READING) {
		const char *text = ERR_reason_error_string(error);
		over(tls, REASON_TLS_FAILED, text ? text : "TLS failed");
	} else {
		snprintf(detail, sizeof(detail), "%s",
			saved_errno && saved_errno != EAGAIN ? strerror(saved_errno)
							     : "the connection was cut");
		over(tls, tls->ready ? REASON_PEER_LOST : REASON_TLS_FAILED, detail);
	}
	ERR_clear_error();
}

/* Whether the call has to wait; else the connection is over. */
static bool waits(struct uplink_tls *tls, int rc, bool *other_way, bool reading)
{
	int saved_errno = errno;
	int error = SSL_get_error(tls->ssl, rc);
	*other_way = error == (reading ? SSL_ERROR_WANT_WRITE : SSL_ERROR_WANT_READ);
	if (error == SSL_ERROR_WANT_READ || error == SSL_ERROR_WANT_WRITE)
		return true;
	failed(tls, error, saved_errno);
	return false;
}

static void arm_write(struct uplink_tls *tls)
{
	bool wants = tls->read_wants_write || tls->watched ||
		     (buf_len(&tls->out) && !tls->write_wants_read);
	if (wants)
		event_add(tls->writable, NULL);
	else
		event_del(tls->writable);
}

static void write_out(struct uplink_tls *tls)
{
	size_t before = buf_len(&tls->out);
	tls->write_wants_read = false;
	while (buf_len(&tls->out)) {
		size_t len = buf_len(&tls->out);
		ERR_clear_error();
		int put = SSL_write(tls->ssl, buf_head(&tls->out),
			(int)(len < TLS_WRITE_MAX ? len : TLS_WRITE_MAX));
		if (put <= 0) {
			if (!waits(tls, put, &tls->write_wants_read, false))
				return;
			break;
		}
		buf_drain(&tls->out, (size_t)put);
	}
	if (!buf_len(&tls->out))
		buf_release(&tls->out);
	if (before != buf_len(&tls->out) || tls->watched) {
		tls->watched = false;
		tls->events->drained(tls->ctx);
	}
	if (alive(tls))
		arm_write(tls);
}

/* Shows what is there; keeps what is left over at the start of the buffer. */
static void show(struct uplink_tls *tls)
{
	size_t used = tls->events->bytes(tls->ctx, tls->in, tls->in_len);
	if (!alive(tls))
		return;
	CHECK(used <= tls->in_len);
	tls->in_len -= used;
	if (used && tls->in_len)
		memmove(tls->in, tls->in + used, tls->in_len);
}

static void read_in(struct uplink_tls *tls)
{
	size_t turn = 0;
	tls->read_wants_write = false;
	while (alive(tls) && turn < TLS_READ_TURN) {
		ERR_clear_error();
		int got = SSL_read(tls->ssl, tls->in + tls->in_len,
			(int)(TLS_IN - tls->in_len));
		if (got <= 0) {
			if (tls->in_len)
				show(tls);
			if (alive(tls) && waits(tls, got, &tls->read_wants_write, true))
				arm_write(tls);
			return;
		}
		tls->in_len += (size_t)got;
		turn += (size_t)got;
		/* A whole frame always fits; more than one is worth the call. */
		if (TLS_IN - tls->in_len < FRAME_MAX || turn >= TLS_READ_TURN)
			show(tls);
	}
	/* OpenSSL may hold bytes that the kernel no longer has: the event would not come. */
	if (alive(tls) && SSL_has_pending(tls->ssl))
		event_active(tls->readable, EV_READ, 1);
}

static bool alpn_agreed(struct uplink_tls *tls)
{
	const unsigned char *name;
	unsigned len;
	SSL_get0_alpn_selected(tls->ssl, &name, &len);
	return len == strlen(HELLO_ALPN) && !memcmp(name, HELLO_ALPN, len);
}

static void shake(struct uplink_tls *tls)
{
	bool other_way;
	ERR_clear_error();
	int rc = SSL_connect(tls->ssl);
	if (rc == 1) {
		tls->read_wants_write = false;
		if (!alpn_agreed(tls)) {
			over(tls, REASON_TLS_FAILED, "this is not an Engawa gateway");
			return;
		}
		tls->ready = true;
		tls->events->ready(tls->ctx);
		if (alive(tls))
			read_in(tls);
		return;
	}
	if (!waits(tls, rc, &other_way, true))
		return;
	tls->read_wants_write = other_way;
	arm_write(tls);
}

static void on_readable(evutil_socket_t fd UNUSED, short what UNUSED, void *arg)
{
	struct uplink_tls *tls = arg;
	enter(tls);
	if (!alive(tls))
		goto out;
	if (!tls->ready)
		shake(tls);
	else
		read_in(tls);
	if (alive(tls) && tls->ready && tls->write_wants_read)
		write_out(tls);
out:
	leave(tls);
}

static void on_writable(evutil_socket_t fd UNUSED, short what UNUSED, void *arg)
{
	struct uplink_tls *tls = arg;
	enter(tls);
	if (!alive(tls))
		goto out;
	if (!tls->ready) {
		shake(tls);
		goto out;
	}
	if (tls->read_wants_write)
		read_in(tls);
	if (alive(tls))
		write_out(tls);
out:
	leave(tls);
}

static void on_turn(evutil_socket_t fd UNUSED, short what UNUSED, void *arg)
{
	struct uplink_tls *tls = arg;
	enter(tls);
	if (alive(tls) && tls->ready)
		write_out(tls);
	leave(tls);
}

static void tune(int fd)
{
	int on = 1, lowat = TLS_NOTSENT, timeout = TLS_USER_TIMEOUT_MS;
	(void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
	(void)setsockopt(fd, IPPROTO_TCP, TCP_NOTSENT_LOWAT, &lowat, sizeof(lowat));
	(void)setsockopt(fd, IPPROTO_TCP, TCP_USER_TIMEOUT, &timeout, sizeof(timeout));
	(void)setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &on, sizeof(on));
}

static int expect_name(SSL *ssl, const char *name)
{
	uint8_t address[16];
	X509_VERIFY_PARAM *param = SSL_get0_param(ssl);
	if (evutil_inet_pton(AF_INET, name, address) == 1 ||
		evutil_inet_pton(AF_INET6, name, address) == 1)
		return X509_VERIFY_PARAM_set1_ip_asc(param, name);
	X509_VERIFY_PARAM_set_hostflags(param, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
	return SSL_set1_host(ssl, name) && SSL_set_tlsext_host_name(ssl, name);
}

int uplink_tls_new(struct uplink_tls **ret, struct event_base *base,
	struct ssl_ctx_st *context, int fd, const char *name,
	const struct uplink_tls_events *events, void *ctx)
{
	struct uplink_tls *tls = calloc(1, sizeof(*tls));
	if (!tls) {
		close(fd);
		return -REASON_NO_MEMORY;
	}
	tls->magic = TLS_MAGIC;
	tls->fd = fd;
	tls->events = events;
	tls->ctx = ctx;
	buf_init(&tls->out, UPLINK_TLS_HARD + FRAME_MAX);
	tune(fd);
	tls->in = malloc(TLS_IN);
	tls->ssl = SSL_new(context);
	tls->readable = event_new(base, fd, EV_READ | EV_PERSIST, on_readable, tls);
	tls->writable = event_new(base, fd, EV_WRITE | EV_PERSIST, on_writable, tls);
	tls->turn = event_new(base, -1, 0, on_turn, tls);
	if (!tls->in || !tls->ssl || !tls->readable || !tls->writable || !tls->turn ||
		!SSL_set_fd(tls->ssl, fd) || !expect_name(tls->ssl, name) ||
		event_add(tls->readable, NULL) || event_add(tls->writable, NULL)) {
		destroy(tls);
		ERR_clear_error();
		return -REASON_NO_MEMORY;
	}
	SSL_set_app_data(tls->ssl, tls);
	*ret = tls;
	return 0;
}

const char *uplink_tls_date(const struct uplink_tls *tls)
{
	return tls->date[0] ? tls->date : NULL;
}

int uplink_tls_exporter(struct uplink_tls *tls, uint8_t ret[static 32])
{
	int rc = SSL_export_keying_material(tls->ssl, ret, 32, HELLO_EXPORTER_LABEL,
		strlen(HELLO_EXPORTER_LABEL), NULL, 0, 0);
	return rc == 1 ? 0 : -REASON_TLS_FAILED;
}

int uplink_tls_reserve(struct uplink_tls *tls, size_t len, uint8_t **ret)
{
	if (!alive(tls) || !tls->ready)
		return -REASON_LEG_CLOSED;
	if (buf_len(&tls->out) + len > UPLINK_TLS_HARD)
		return -REASON_LIMIT;
	return buf_reserve(&tls->out, len, ret);
}

void uplink_tls_commit(struct uplink_tls *tls, size_t len)
{
	if (!len)
		return;
	buf_commit(&tls->out, len);
	/* Several frames of one turn leave together. */
	if (!event_pending(tls->writable, EV_WRITE, NULL))
		event_active(tls->turn, EV_TIMEOUT, 1);
}

size_t uplink_tls_waiting(const struct uplink_tls *tls)
{
	return buf_len(&tls->out);
}

size_t uplink_tls_queued(const struct uplink_tls *tls)
{
	int unsent = 0;
	if (ioctl(tls->fd, SIOCOUTQNSD, &unsent) || unsent < 0)
		unsent = 0;
	return buf_len(&tls->out) + (size_t)unsent;
}

void uplink_tls_watch(struct uplink_tls *tls)
{
	tls->watched = true;
	if (alive(tls))
		arm_write(tls);
}

struct uplink_tls *uplink_tls_free(struct uplink_tls *tls)
{
	if (!tls)
		return NULL;
	enter(tls);
	if (!tls->freed) {
		tls->freed = true;
		event_del(tls->readable);
		event_del(tls->writable);
		event_del(tls->turn);
		/* A word of farewell if the line takes it; nobody waits for an answer. */
		if (tls->ready)
			SSL_shutdown(tls->ssl);
		ERR_clear_error();
	}
	leave(tls);
	return NULL;
}
