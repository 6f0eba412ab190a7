#include "face_listen.h"

#include <arpa/inet.h>
#include <errno.h>
#include <event2/event.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/log.h"
#include "base/reason.h"
#include "face.h"
#include "link/tunnel.h"
#include "viewer.h"

struct face_listen {
	struct face face;
	struct viewer *viewer;
	struct event *readable;
	int fd;
	int serving; /* a client has the stream */
	char address[TEXT_HOST_SIZE + 16];
};

static struct face_listen *of(struct face *face)
{
	return (struct face_listen *)face;
}

static void on_client(evutil_socket_t fd, short what UNUSED, void *ctx)
{
	struct face_listen *self = ctx;
	int client = accept4(fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
	if (client < 0)
		return;
	if (self->serving) {
		log_line(LOG_WARN, "a second VNC client was turned away: one at a time");
		close(client);
		return;
	}
	int on = 1;
	setsockopt(client, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
	int status = viewer_stream(self->viewer, client);
	if (status < 0) {
		log_line(LOG_WARN, "a VNC client could not be served",
			LOG_S("reason", reason_symbol(status)));
		return;
	}
	self->serving = 1;
	log_line(LOG_INFO, "a VNC client connected");
}

static void up(struct face *face, struct viewer *viewer,
	const struct tunnel_up *up UNUSED)
{
	struct face_listen *self = of(face);
	if (!self->readable) {
		self->readable = event_new(viewer_base(viewer), self->fd,
			EV_READ | EV_PERSIST, on_client, self);
		if (!self->readable || event_add(self->readable, NULL) < 0) {
			viewer_leave(viewer, -REASON_NO_MEMORY);
			return;
		}
		log_line(LOG_INFO, "VNC clients can connect", LOG_S("at", self->address));
	}
	viewer_ready(viewer, self->address);
}

static void begin(struct face *face, struct viewer *viewer)
{
	of(face)->viewer = viewer;
}

static void stream_closed(struct face *face, int reason)
{
	struct face_listen *self = of(face);
	self->serving = 0;
	log_line(LOG_INFO, "the VNC client's stream ended",
		LOG_S("reason", reason_symbol(reason)));
}

static void rights(struct face *face UNUSED, uint16_t rights)
{
	log_line(LOG_INFO, "rights", LOG_U("bits", rights));
}

static void notice(struct face *face UNUSED, const char *en, const char *ja)
{
	log_line(LOG_INFO, "notice", LOG_S("en", en), LOG_S("ja", ja));
}

static const struct face_vtable vtable = {
	.begin = begin,
	.up = up,
	.stream_closed = stream_closed,
	.rights = rights,
	.notice = notice,
};

static int is_loopback(const struct sockaddr *address)
{
	if (address->sa_family == AF_INET6) {
		const struct sockaddr_in6 *six = (const struct sockaddr_in6 *)address;
		return IN6_IS_ADDR_LOOPBACK(&six->sin6_addr);
	}
	const struct sockaddr_in *four = (const struct sockaddr_in *)address;
	return ntohl(four->sin_addr.s_addr) >> 24 == 127;
}

static int bind_to(const struct text_endpoint *at, int *ret_fd)
{
	char port[8];
	const char *host = *at->host ? at->host : "127.0.0.1";
	struct addrinfo hints = {
		.ai_socktype = SOCK_STREAM, .ai_flags = AI_PASSIVE | AI_NUMERICSERV};
	struct addrinfo *found;
	snprintf(port, sizeof(port), "%u", at->port);
	if (getaddrinfo(host, port, &hints, &found) != 0)
		return -REASON_USAGE;
	int status = -REASON_USAGE, on = 1;
	int fd = -1;
	if (is_loopback(found->ai_addr)) {
		fd = socket(found->ai_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC,
			0);
		status = fd < 0 ? -REASON_LIMIT : 0;
	}
	if (!status) {
		setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
		if (bind(fd, found->ai_addr, found->ai_addrlen) < 0 ||
			listen(fd, 4) < 0) {
			status = -REASON_PORT_TAKEN;
			close(fd);
		}
	}
	freeaddrinfo(found);
	if (!status)
		*ret_fd = fd;
	return status;
}

/* With port 0 the kernel chose one. */
static void name_address(struct face_listen *self)
{
	struct sockaddr_storage bound;
	socklen_t len = sizeof(bound);
	struct text_endpoint endpoint = {.port = 0};
	char port[8];
	if (getsockname(self->fd, (struct sockaddr *)&bound, &len) < 0 ||
		getnameinfo((struct sockaddr *)&bound, len, endpoint.host,
			sizeof(endpoint.host), port, sizeof(port),
			NI_NUMERICHOST | NI_NUMERICSERV))
		return;
	endpoint.port = (uint16_t)atoi(port);
	text_endpoint_text(self->address, sizeof(self->address), &endpoint);
}

int face_listen_new(struct face **ret, const struct text_endpoint *at)
{
	struct face_listen *self = calloc(1, sizeof(*self));
	if (!self)
		return -REASON_NO_MEMORY;
	int status = bind_to(at, &self->fd);
	if (status < 0) {
		free(self);
		return status;
	}
	name_address(self);
	self->face.vtable = &vtable;
	self->face.features = INNER_FEATURE_CLIPBOARD_RFB;
	*ret = &self->face;
	return 0;
}

struct face *face_listen_free(struct face *face)
{
	if (!face)
		return NULL;
	struct face_listen *self = of(face);
	if (self->readable)
		event_free(self->readable);
	close(self->fd);
	free(self);
	return NULL;
}
