#include "net/listener.h"

#include <errno.h>
#include <event2/event.h>
#include <fcntl.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/list.h"
#include "base/reason.h"
#include "metrics/metrics.h"
#include "net/address.h"
#include "net/conn.h"
#include "net/conn_tls.h"
#include "net/worker.h"

#define BACKLOG 4096
#define ACCEPTS_PER_TURN                                                                 \
	32              /* connections that live must not wait for a storm of new ones */
#define ADDRESSES_MAX 8 /* that one name may stand for */

/* One socket of one worker. */
struct door_socket {
	struct listener *listener;
	struct worker *worker;
	struct event *ready, *rest;
	struct post_item start, stop;
	struct conn_tls_opening plain, proxied;
	struct list under_way;
	int fd;
};

struct listener {
	struct listener_settings settings;
	struct listener_events events;
	char (*proxies)[CONN_ADDRESS];
	void *ctx;
	uint16_t port;
	int reserve_fd; /* guarded by the lock: workers run out of descriptors together */
	pthread_mutex_t reserve_lock;
	size_t count;
	struct door_socket *sockets;
};

PRINTF_LIKE(3, 4) static int refuse(int reason, char *error, const char *format, ...)
{
	va_list args;
	va_start(args, format);
	vsnprintf(error, LISTENER_ERROR, format, args);
	va_end(args);
	return -reason;
}

/* ---- accepting --------------------------------------------------------------------------- */

static void on_tls_ready(void *ctx, struct conn *conn, enum tls_alpn alpn)
{
	struct listener *listener = ctx;
	/* A port that serves nothing but HTTP needs no name for it: scrapers and health checks of
	 * load balancers give none. */
	if (alpn == TLS_ALPN_NONE && !listener->events.native)
		alpn = TLS_ALPN_WEB;
	if (alpn == TLS_ALPN_NATIVE && listener->events.native) {
		listener->events.native(listener->ctx, conn);
	} else if (alpn == TLS_ALPN_WEB && listener->events.web) {
		listener->events.web(listener->ctx, conn);
	} else if (alpn == TLS_ALPN_PEER && listener->events.peer) {
		listener->events.peer(listener->ctx, conn);
	} else {
		conn_close(conn, REASON_PROTOCOL, CONN_DROP);
		if (listener->events.failed)
			listener->events.failed(listener->ctx, conn->address,
				REASON_PROTOCOL);
	}
}

static void on_tls_failed(void *ctx, struct conn *conn, int reason)
{
	struct listener *listener = ctx;
	if (listener->events.failed)
		listener->events.failed(listener->ctx, conn->address, reason);
}

static int is_proxy(const struct listener *listener, const char *address)
{
	for (size_t i = 0; i < listener->settings.proxy_count; i++)
		if (!strcmp(listener->proxies[i], address))
			return 1;
	return 0;
}

static void set_options(int fd, int64_t unacked_ms)
{
	int one = 1, unacked = (int)unacked_ms;
	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
	if (unacked)
		setsockopt(fd, IPPROTO_TCP, TCP_USER_TIMEOUT, &unacked, sizeof(unacked));
}

static void take(struct door_socket *door, int fd, const char *address)
{
	struct listener *listener = door->listener;
	int rc = listener->events.admit ? listener->events.admit(listener->ctx, address)
					: 0;
	metrics_add(METRIC_ACCEPTED, 1);
	if (rc) {
		metrics_reason(METRIC_TURNED_AWAY, rc);
		close(fd);
		return;
	}
	struct conn *conn;
	set_options(fd, listener->settings.unacked_ms);
	rc = conn_tls_accept(door->worker, fd, address, listener->settings.tls,
		is_proxy(listener, address) ? &door->proxied : &door->plain, &conn);
	if (rc && listener->events.failed)
		listener->events.failed(listener->ctx, address, -rc);
}

static void rest(struct door_socket *door)
{
	struct timeval wait = {0, LISTENER_REST_MS * 1000};
	metrics_add(METRIC_ACCEPT_RESTS, 1);
	event_del(door->ready);
	event_add(door->rest, &wait);
}

/* Out of descriptors: the peer is told so by a close, instead of waiting in the backlog until it
 * gives up, and nothing spins on a socket that stays readable. */
static void accept_and_close(struct door_socket *door)
{
	struct listener *listener = door->listener;
	pthread_mutex_lock(&listener->reserve_lock);
	if (listener->reserve_fd >= 0)
		close(listener->reserve_fd);
	int fd = accept4(door->fd, NULL, NULL, SOCK_CLOEXEC);
	if (fd >= 0)
		close(fd);
	listener->reserve_fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
	pthread_mutex_unlock(&listener->reserve_lock);
	metrics_reason(METRIC_TURNED_AWAY, REASON_LIMIT);
}

static void on_ready(evutil_socket_t listening, short what, void *ctx)
{
	struct door_socket *door = ctx;
	(void)what;
	for (int i = 0; i < ACCEPTS_PER_TURN; i++) {
		struct sockaddr_storage peer;
		socklen_t len = sizeof(peer);
		char address[CONN_ADDRESS];
		int fd = accept4(listening, (struct sockaddr *)&peer, &len,
			SOCK_NONBLOCK | SOCK_CLOEXEC);
		if (fd >= 0) {
			address_text(address, (struct sockaddr *)&peer);
			take(door, fd, address);
			continue;
		}
		if (errno == EMFILE || errno == ENFILE) {
			accept_and_close(door);
			rest(door);
		} else if (errno == ENOBUFS || errno == ENOMEM) {
			rest(door);
		}
		if (errno != ECONNABORTED && errno != EINTR)
			return;
	}
}

static void rested(evutil_socket_t fd, short what, void *ctx)
{
	struct door_socket *door = ctx;
	(void)fd;
	(void)what;
	event_add(door->ready, NULL);
}

/* ---- opening the port -------------------------------------------------------------------- */

static int bind_one(const struct addrinfo *info, uint16_t port, int shared, int *ret_fd)
{
	struct sockaddr_storage address = {0};
	int one = 1, zero = 0;
	memcpy(&address, info->ai_addr, info->ai_addrlen);
	if (info->ai_family == AF_INET6)
		((struct sockaddr_in6 *)&address)->sin6_port = htons(port);
	else
		((struct sockaddr_in *)&address)->sin_port = htons(port);
	int fd = socket(info->ai_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return -errno;
	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
	if (shared)
		setsockopt(fd, SOL_SOCKET, SO_REUSEPORT, &one, sizeof(one));
	if (info->ai_family == AF_INET6)
		setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &zero, sizeof(zero));
	if (bind(fd, (struct sockaddr *)&address, info->ai_addrlen) ||
		(shared && listen(fd, BACKLOG))) {
		int code = errno;
		close(fd);
		return -code;
	}
	*ret_fd = fd;
	return 0;
}

static uint16_t port_of(int fd)
{
	struct sockaddr_storage address;
	socklen_t len = sizeof(address);
	if (getsockname(fd, (struct sockaddr *)&address, &len))
		return 0;
	return ntohs(address.ss_family == AF_INET6
			     ? ((struct sockaddr_in6 *)&address)->sin6_port
			     : ((struct sockaddr_in *)&address)->sin_port);
}

static int add_socket(struct listener *listener, struct worker *worker, int fd)
{
	struct door_socket *door = &listener->sockets[listener->count];
	*door = (struct door_socket){.listener = listener, .worker = worker, .fd = fd};
	list_init(&door->under_way);
	door->plain = (struct conn_tls_opening){listener->settings.handshake_ms, 0,
		on_tls_ready, on_tls_failed, listener, &door->under_way};
	door->proxied = door->plain;
	door->proxied.expect_proxy = 1;
	door->ready =
		event_new(worker_base(worker), fd, EV_READ | EV_PERSIST, on_ready, door);
	door->rest = evtimer_new(worker_base(worker), rested, door);
	listener->count++;
	return door->ready && door->rest ? 0 : -ENOMEM;
}

/* SO_REUSEPORT would let a second gateway of the same user join in silently and take half of the
 * connections: a bind without it finds out whether somebody is there already. */
static int open_address(struct listener *listener, const struct addrinfo *info,
	uint16_t port, struct worker *const *workers, size_t count)
{
	int fd, code = bind_one(info, port, 0, &fd);
	if (code)
		return code;
	if (!port)
		port = port_of(fd);
	close(fd);
	listener->port = port;
	for (size_t i = 0; !code && i < count; i++) {
		code = bind_one(info, port, 1, &fd);
		if (!code)
			code = add_socket(listener, workers[i], fd);
	}
	return code;
}

static int resolve(const struct text_endpoint *endpoint, struct addrinfo **ret,
	char *error)
{
	struct addrinfo hints = {.ai_flags = AI_PASSIVE,
		.ai_family = AF_UNSPEC,
		.ai_socktype = SOCK_STREAM};
	const char *host = endpoint->host[0] ? endpoint->host : "::";
	int code = getaddrinfo(host, NULL, &hints, ret);
	if (code)
		return refuse(REASON_CONFIG, error, "%s: %s", host, gai_strerror(code));
	return 0;
}

static int open_sockets(struct listener *listener, const struct text_endpoint *endpoint,
	struct worker *const *workers, size_t count, char *error)
{
	struct addrinfo *infos;
	char text[TEXT_HOST_SIZE + 16];
	int rc = resolve(endpoint, &infos, error), code = 0;
	if (rc)
		return rc;
	listener->sockets = calloc(count * ADDRESSES_MAX, sizeof(*listener->sockets));
	if (!listener->sockets)
		code = -ENOMEM;
	size_t addresses = 0;
	for (struct addrinfo *info = infos; info && !code && addresses < ADDRESSES_MAX;
		info = info->ai_next, addresses++)
		code = open_address(listener, info,
			listener->port ? listener->port : endpoint->port, workers, count);
	freeaddrinfo(infos);
	if (!code)
		return 0;
	text_endpoint_text(text, sizeof(text), endpoint);
	return refuse(code == -EADDRINUSE ? REASON_PORT_TAKEN
		      : code == -ENOMEM   ? REASON_NO_MEMORY
					  : REASON_CONFIG,
		error, "%s: %s", text, strerror(-code));
}

static int copy_settings(struct listener *listener,
	const struct listener_settings *settings)
{
	listener->settings = *settings;
	if (!settings->proxy_count)
		return 0;
	listener->proxies = calloc(settings->proxy_count, sizeof(*listener->proxies));
	if (!listener->proxies)
		return -REASON_NO_MEMORY;
	for (size_t i = 0; i < settings->proxy_count; i++)
		text_clip(listener->proxies[i], CONN_ADDRESS, settings->proxies[i]);
	return 0;
}

int listener_new(const struct text_endpoint *endpoint, struct worker *const *workers,
	size_t count, const struct listener_settings *settings,
	const struct listener_events *events, void *ctx, struct listener **ret,
	char error[static LISTENER_ERROR])
{
	struct listener *listener = calloc(1, sizeof(*listener));
	if (!listener)
		return refuse(REASON_NO_MEMORY, error, "no memory to listen");
	listener->events = *events;
	listener->ctx = ctx;
	pthread_mutex_init(&listener->reserve_lock, NULL);
	listener->reserve_fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
	int rc = copy_settings(listener, settings);
	if (rc)
		rc = refuse(-rc, error, "no memory to listen");
	else
		rc = open_sockets(listener, endpoint, workers, count, error);
	if (rc)
		listener_free(listener);
	else
		*ret = listener;
	return rc;
}

/* ---- life -------------------------------------------------------------------------------- */

static void start_here(struct post_item *item)
{
	struct door_socket *door =
		(struct door_socket *)((char *)item -
				       offsetof(struct door_socket, start));
	event_add(door->ready, NULL);
}

static void close_door(struct door_socket *door)
{
	if (door->ready)
		event_free(door->ready);
	if (door->rest)
		event_free(door->rest);
	if (door->fd >= 0)
		close(door->fd);
	door->ready = door->rest = NULL;
	door->fd = -1;
}

static void stop_here(struct post_item *item)
{
	close_door((struct door_socket *)((char *)item -
					  offsetof(struct door_socket, stop)));
}

void listener_start(struct listener *listener)
{
	for (size_t i = 0; i < listener->count; i++) {
		struct door_socket *door = &listener->sockets[i];
		door->start.run = start_here;
		post_put(worker_box(door->worker), &door->start);
	}
}

void listener_stop(struct listener *listener)
{
	for (size_t i = 0; i < listener->count; i++) {
		struct door_socket *door = &listener->sockets[i];
		if (door->stop.run) /* stopped before */
			return;
		door->stop.run = stop_here;
		post_put(worker_box(door->worker), &door->stop);
	}
}

uint16_t listener_port(const struct listener *listener)
{
	return listener->port;
}

struct listener *listener_free(struct listener *listener)
{
	if (!listener)
		return NULL;
	for (size_t i = 0; i < listener->count; i++)
		close_door(&listener->sockets[i]);
	if (listener->reserve_fd >= 0)
		close(listener->reserve_fd);
	pthread_mutex_destroy(&listener->reserve_lock);
	free(listener->proxies);
	free(listener->sockets);
	free(listener);
	return NULL;
}
