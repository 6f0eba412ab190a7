#include "alert/syslog_out.h"

#include <errno.h>
#include <netdb.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "alert/curl_out.h"
#include "alert/syslog_text.h"
#include "base/clock.h"
#include "base/reason.h"

static int failed(char error[static LETTER_ERROR], const char *what)
{
	snprintf(error, LETTER_ERROR, "%s: %s", what, strerror(errno));
	return -REASON_RECEIVER_FAILED;
}

static int send_unix(const char *path, const char *text, size_t len,
	char error[static LETTER_ERROR])
{
	struct sockaddr_un at = {.sun_family = AF_UNIX};

	if (strlen(path) >= sizeof(at.sun_path))
		return -REASON_BAD_VALUE;
	memcpy(at.sun_path, path, strlen(path) + 1);
	int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return failed(error, "socket");
	int status = sendto(fd, text, len, MSG_NOSIGNAL, (struct sockaddr *)&at,
			     sizeof(at)) == (ssize_t)len
			     ? 0
			     : failed(error, path);
	close(fd);
	return status;
}

static int send_datagram(const struct letter *letter, const struct addrinfo *at,
	const char *text, size_t len, char error[static LETTER_ERROR])
{
	if (!target_permits(letter->targets, letter->route->tenant, at->ai_addr)) {
		snprintf(error, LETTER_ERROR,
			"alarms may not be sent to this address (alerts.targets)");
		return -REASON_ADDRESS_REFUSED;
	}
	int fd = socket(at->ai_family, at->ai_socktype | SOCK_CLOEXEC, at->ai_protocol);
	if (fd < 0)
		return failed(error, "socket");
	int status = sendto(fd, text, len, MSG_NOSIGNAL, at->ai_addr, at->ai_addrlen) ==
				     (ssize_t)len
			     ? 0
			     : failed(error, "sendto");
	close(fd);
	return status;
}

static int send_udp(const struct letter *letter, const struct text_endpoint *at,
	const char *text, size_t len, char error[static LETTER_ERROR])
{
	struct addrinfo wish = {.ai_socktype = SOCK_DGRAM}, *found;
	char port[8];

	snprintf(port, sizeof(port), "%u", at->port);
	int result = getaddrinfo(at->host, port, &wish, &found);
	if (result) {
		snprintf(error, LETTER_ERROR, "%s", gai_strerror(result));
		return -REASON_RECEIVER_FAILED;
	}
	int status = send_datagram(letter, found, text, len, error);
	freeaddrinfo(found);
	return status;
}

/* libcurl makes the connection (addresses, TLS, certificate) and hands it over. */
static int push(struct curl_out *out, const char *text, size_t len,
	char error[static LETTER_ERROR])
{
	int64_t end_ms = clock_mono_ms() + LETTER_TIME_MS;
	curl_socket_t fd = -1;
	CURLcode code = CURLE_OK;

	curl_easy_getinfo(out->curl, CURLINFO_ACTIVESOCKET, &fd);
	while (len && code == CURLE_OK && clock_mono_ms() < end_ms) {
		size_t sent = 0;
		code = curl_easy_send(out->curl, text, len, &sent);
		text += sent;
		len -= sent;
		if (code != CURLE_AGAIN)
			continue;
		struct pollfd wait = {fd, POLLOUT, 0};
		poll(&wait, 1, 100);
		code = CURLE_OK;
	}
	if (code == CURLE_OK && len)
		code = CURLE_OPERATION_TIMEDOUT;
	return curl_out_reason(out, code, error);
}

static int send_stream(const struct letter *letter, const char *scheme,
	const struct text_endpoint *at, const char *text, size_t len,
	char error[static LETTER_ERROR])
{
	char url[TEXT_HOST_SIZE + 32], endpoint[TEXT_HOST_SIZE + 16];
	char framed[SYSLOG_TEXT_SIZE + 16];
	struct curl_out out;
	int count = snprintf(framed, sizeof(framed), "%zu %s", len, text);

	text_endpoint_text(endpoint, sizeof(endpoint), at);
	snprintf(url, sizeof(url), "%s://%s", scheme, endpoint);
	int status = curl_out_open(&out, letter, url, scheme);
	if (status)
		return status;
	curl_easy_setopt(out.curl, CURLOPT_CONNECT_ONLY, 1L);
	/* The receiver speaks no HTTP: it must not be offered any. */
	curl_easy_setopt(out.curl, CURLOPT_SSL_ENABLE_ALPN, 0L);
	status = curl_out_reason(&out, curl_easy_perform(out.curl), error);
	if (!status)
		status = push(&out, framed, (size_t)count, error);
	curl_out_close(&out);
	return status;
}

int syslog_out_send(const struct letter *letter, char error[static LETTER_ERROR])
{
	enum route_transport transport;
	struct text_endpoint at;
	char text[SYSLOG_TEXT_SIZE];
	int status = route_transport(letter->route->target, &transport, &at);

	if (status)
		return status;
	size_t len = syslog_text_write(letter->alarm, letter->node,
		(enum reason_lang)letter->route->language, text);
	if (transport == ROUTE_UNIX)
		return send_unix(letter->syslog_socket, text, len, error);
	if (transport == ROUTE_UDP)
		return send_udp(letter, &at, text, len, error);
	return send_stream(letter, transport == ROUTE_TCP ? "http" : "https", &at, text,
		len, error);
}
