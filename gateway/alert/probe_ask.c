#include "alert/probe_ask.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <openssl/ssl.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/reason.h"
#include "base/text.h"

/* Strangers are counted and punished by their address: the probe has one of its own on this machine, so
 * that what others do from here cannot pass for an outage. Where that cannot be had, any will do. */
static void take_own_address(int fd, const struct addrinfo *at)
{
	const struct sockaddr_in *to = (const void *)at->ai_addr;
	struct sockaddr_in own = {.sin_family = AF_INET};

	if (at->ai_family != AF_INET || ntohl(to->sin_addr.s_addr) >> 24 != 127)
		return;
	own.sin_addr.s_addr = htonl(0x7f45574b); /* 127.69.87.75 */
	(void)!bind(fd, (struct sockaddr *)&own, sizeof(own));
}

static int connect_to(const struct text_endpoint *at)
{
	struct addrinfo wish = {.ai_socktype = SOCK_STREAM, .ai_flags = AI_NUMERICHOST};
	struct addrinfo *found;
	const struct timeval limit = {PROBE_ASK_MS / 1000, 0};
	const char *host = at->host;
	char port[8];

	if (!strcmp(host, "0.0.0.0") || !*host)
		host = "127.0.0.1";
	if (!strcmp(host, "::"))
		host = "::1";
	snprintf(port, sizeof(port), "%u", at->port);
	if (getaddrinfo(host, port, &wish, &found))
		return -1;
	int fd = socket(found->ai_family, found->ai_socktype | SOCK_CLOEXEC, 0);
	if (fd >= 0) {
		setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof(limit));
		setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit));
		take_own_address(fd, found);
		if (connect(fd, found->ai_addr, found->ai_addrlen)) {
			close(fd);
			fd = -1;
		}
	}
	freeaddrinfo(found);
	return fd;
}

static SSL *handshake(SSL_CTX *ctx, int fd, enum probe_ask_how how)
{
	static const unsigned char native[] = "\x08"
					      "engawa/1";
	static const unsigned char web[] = "\x08"
					   "http/1.1";
	SSL *ssl = SSL_new(ctx);

	if (!ssl || SSL_set_fd(ssl, fd) != 1 ||
		SSL_set_alpn_protos(ssl, how == PROBE_ASK_NATIVE ? native : web, 9) ||
		SSL_connect(ssl) != 1) {
		SSL_free(ssl);
		return NULL;
	}
	return ssl;
}

static int ask_health(SSL *ssl)
{
	static const char request[] = "GET /healthz HTTP/1.1\r\nHost: localhost\r\n"
				      "Connection: close\r\n\r\n";
	char answer[2048] = "";
	size_t len = 0;

	if (SSL_write(ssl, request, (int)sizeof(request) - 1) <= 0)
		return -REASON_TIMEOUT;
	for (int got = 1; got > 0 && len < sizeof(answer) - 1; len += (size_t)got) {
		got = SSL_read(ssl, answer + len, (int)(sizeof(answer) - 1 - len));
		if (got <= 0)
			break;
	}
	if (len < 16)
		return -REASON_TIMEOUT;
	/* A node is well without its shared store, but of no use to anybody new. */
	return strncmp(answer, "HTTP/1.1 200", 12) || strstr(answer, "\"store\":false")
		       ? -REASON_STORE_UNAVAILABLE
		       : 0;
}

static int converse(SSL_CTX *ctx, int fd, enum probe_ask_how how,
	struct probe_answer *answer)
{
	SSL *ssl = handshake(ctx, fd, how);

	if (!ssl)
		return -REASON_TLS_FAILED;
	text_clip(answer->version, sizeof(answer->version), SSL_get_version(ssl));
	text_clip(answer->suite, sizeof(answer->suite), SSL_get_cipher_name(ssl));
	int status = how == PROBE_ASK_HEALTH ? ask_health(ssl) : 0;
	SSL_shutdown(ssl);
	SSL_free(ssl);
	return status;
}

static int ask(const char *endpoint, enum probe_ask_how how, int most,
	struct probe_answer *ret)
{
	struct probe_answer answer = {0};
	struct text_endpoint at;
	int64_t began_us = clock_mono_us();

	if (text_endpoint(&at, endpoint, 0))
		return -REASON_BAD_VALUE;
	SSL_CTX *ctx = SSL_CTX_new(TLS_client_method());
	if (!ctx)
		return -REASON_NO_MEMORY;
	SSL_CTX_set_verify(ctx, SSL_VERIFY_NONE, NULL);
	SSL_CTX_set_max_proto_version(ctx, most);
	int fd = connect_to(&at);
	int status =
		fd < 0 ? -REASON_GATEWAY_UNREACHABLE : converse(ctx, fd, how, &answer);
	if (fd >= 0)
		close(fd);
	SSL_CTX_free(ctx);
	answer.took_us = clock_mono_us() - began_us;
	if (!status)
		*ret = answer;
	return status;
}

int probe_ask(const char *endpoint, enum probe_ask_how how, struct probe_answer *ret)
{
	return ask(endpoint, how, TLS1_3_VERSION, ret);
}

int probe_ask_takes_old_tls(const char *endpoint)
{
	struct probe_answer answer;

	return !ask(endpoint, PROBE_ASK_HEALTH, TLS1_2_VERSION, &answer);
}
