#include "fakes/tls_end.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <pthread.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/check.h"

#define EXPORTER "EXPORTER-engawa-1"

static SSL_CTX *client;

static void make_client(void)
{
	client = SSL_CTX_new(TLS_client_method());
	CHECK(client);
	SSL_CTX_set_verify(client, SSL_VERIFY_NONE, NULL);
	SSL_CTX_set_mode(client, SSL_MODE_ENABLE_PARTIAL_WRITE |
					 SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER |
					 SSL_MODE_RELEASE_BUFFERS);
}

static int dial(const char *source, uint16_t port)
{
	struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons(port)};
	struct sockaddr_in from = {.sin_family = AF_INET};
	int one = 1;
	to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	CHECK(fd >= 0);
	if (source) {
		CHECK(inet_pton(AF_INET, source, &from.sin_addr) == 1);
		CHECK(!bind(fd, (struct sockaddr *)&from, sizeof(from)));
	}
	if (connect(fd, (struct sockaddr *)&to, sizeof(to))) {
		close(fd);
		return -1;
	}
	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
	fcntl(fd, F_SETFL, O_NONBLOCK);
	return fd;
}

void tls_end_dial_from(struct tls_end *end, const char *source, uint16_t port,
	const char *alpn)
{
	static pthread_once_t once = PTHREAD_ONCE_INIT;
	unsigned char list[64];
	pthread_once(&once, make_client);
	*end = (struct tls_end){.fd = dial(source, port), .reads = 1};
	buf_init(&end->in, 64 << 20);
	buf_init(&end->out, 64 << 20);
	end->lost = end->fd < 0;
	if (end->lost)
		return;
	end->ssl = SSL_new(client);
	CHECK(end->ssl);
	SSL_set_fd(end->ssl, end->fd);
	SSL_set_connect_state(end->ssl);
	if (!alpn)
		return;
	list[0] = (unsigned char)strlen(alpn);
	memcpy(list + 1, alpn, list[0]);
	CHECK(!SSL_set_alpn_protos(end->ssl, list, list[0] + 1u));
}

void tls_end_dial(struct tls_end *end, uint16_t port, const char *alpn)
{
	tls_end_dial_from(end, NULL, port, alpn);
}

/* 1: go on; 0: not now. */
static int judge(struct tls_end *end, int result)
{
	if (result > 0)
		return 1;
	switch (SSL_get_error(end->ssl, result)) {
	case SSL_ERROR_WANT_READ:
	case SSL_ERROR_WANT_WRITE:
		break;
	case SSL_ERROR_ZERO_RETURN:
		end->over = 1;
		break;
	default:
		end->lost = 1;
	}
	ERR_clear_error();
	return 0;
}

static void pump_out(struct tls_end *end)
{
	while (buf_len(&end->out)) {
		size_t len = buf_len(&end->out);
		int sent = SSL_write(end->ssl, buf_head(&end->out),
			len > 65536 ? 65536 : (int)len);
		if (!judge(end, sent))
			return;
		buf_drain(&end->out, (size_t)sent);
	}
}

static void pump_in(struct tls_end *end)
{
	uint8_t bytes[16384];
	int got;
	while (end->reads && judge(end, got = SSL_read(end->ssl, bytes, sizeof(bytes)))) {
		end->got += (uint64_t)got;
		if (!end->drops)
			CHECK(!buf_append(&end->in, bytes, (size_t)got));
	}
}

void tls_end_pump(struct tls_end *end)
{
	if (end->lost || end->over)
		return;
	ERR_clear_error();
	if (!end->ready)
		end->ready = judge(end, SSL_do_handshake(end->ssl));
	if (!end->ready)
		return;
	pump_out(end);
	if (!end->lost)
		pump_in(end);
}

void tls_end_send(struct tls_end *end, const void *bytes, size_t len)
{
	CHECK(!buf_append(&end->out, bytes, len));
}

void tls_end_finish(struct tls_end *end)
{
	SSL_shutdown(end->ssl);
	ERR_clear_error();
}

void tls_end_exporter(struct tls_end *end, uint8_t ret[static 32])
{
	CHECK(SSL_export_keying_material(end->ssl, ret, 32, EXPORTER, strlen(EXPORTER),
		      NULL, 0, 0) == 1);
}

void tls_end_done(struct tls_end *end)
{
	SSL_free(end->ssl);
	if (end->fd >= 0)
		close(end->fd);
	buf_done(&end->in);
	buf_done(&end->out);
	*end = (struct tls_end){.fd = -1, .lost = 1};
}
