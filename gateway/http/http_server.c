#include "http/http_server.h"

#include <event2/event.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/list.h"
#include "base/log.h"
#include "base/reason.h"
#include "http/event_stream.h"
#include "http/http_job.h"
#include "http/problem.h"
#include "net/conn.h"
#include "net/worker.h"

#define LINK_MAGIC 0x117b11c5
/* What a peer may send ahead while its request is being answered. */
#define AHEAD_MAX 65536
/* How long the rest of an upload that nobody wants is still taken. */
#define LINGER_MS 2000

struct http_server {
	struct worker *worker;
	struct office *office;
	struct http_server_settings settings;
	http_server_handler handler;
	void *ctx;
	struct list links;
	int64_t count;
	int stopping;
};

/* One connection. Its state is what is there: a job (answering), a stream (it stays for news), a
 * request (reading one), or none of them (idle). */
struct link {
	uint32_t magic;
	struct list node;
	struct http_server *server;
	struct conn *conn;
	struct event *timer;
	struct request *request;
	struct http_job *job;
	struct event_stream *stream;
	struct buf ahead;
	size_t uncredited;  /* handed to the conn while it was full */
	size_t upload_left; /* bytes of the present request's upload that have not come */
	int closing, continued;
	int expects; /* the peer waits to be told to send its upload */
	int keep;    /* after the rest of an upload that nobody read */
	struct post_item freeing;
};

static void link_free(struct post_item *item)
{
	struct link *link =
		(struct link *)((char *)item - offsetof(struct link, freeing));

	CHECK_OBJ(link, LINK_MAGIC);
	link->magic = 0;
	request_free(link->request);
	buf_done(&link->ahead);
	event_free(link->timer);
	free(link);
}

static void set_timer(struct link *link, int64_t ms)
{
	struct timeval time = {ms / 1000, ms % 1000 * 1000};
	evtimer_add(link->timer, &time);
}

static void link_close(struct link *link, int reason, enum conn_flush flush)
{
	link->closing = 1;
	evtimer_del(link->timer);
	if (link->job) {
		struct http_job *job = link->job;
		link->job = NULL;
		http_job_abandon(job);
	}
	conn_close(link->conn, reason, flush);
}

static int write_now(void *ctx, const void *bytes, size_t len)
{
	struct link *link = ctx;
	return conn_write(link->conn, bytes, len);
}

/* A refusal that needs no handler: malformed, too large, too slow. The peer may understand message
 * borders differently than we do, so nothing after it is read. */
static void refuse(struct link *link, int status)
{
	struct exchange exchange;

	exchange_init(&exchange, link->request, link->conn->address, write_now, link);
	exchange.keep = 0;
	exchange_problem_as(&exchange, status, problem_reason(status), NULL);
	exchange_done(&exchange);
	link_close(link, REASON_PROTOCOL, CONN_FLUSH);
}

static void job_bytes(void *ctx, const uint8_t *bytes, size_t len)
{
	struct link *link = ctx;

	CHECK_OBJ(link, LINK_MAGIC);
	int status = conn_write(link->conn, bytes, len);
	if (status)
		link_close(link, -status, CONN_DROP);
	else if (conn_full(link->conn))
		link->uncredited += len;
	else
		http_job_credit(link->job, len);
}

static void read_on(struct link *link);

static void job_ended(void *ctx, int keep)
{
	struct link *link = ctx;

	CHECK_OBJ(link, LINK_MAGIC);
	link->job = NULL;
	link->uncredited = 0;
	if (link->upload_left && !link->expects && !link->server->stopping) {
		/* Closed now, the answer could be lost to a peer that is still sending. */
		link->keep = keep;
		set_timer(link, LINGER_MS);
		conn_resume(link->conn);
		return;
	}
	if (!keep || link->upload_left || link->server->stopping) {
		link_close(link, REASON_LEG_CLOSED, CONN_FLUSH);
		return;
	}
	set_timer(link, link->server->settings.idle_ms);
	read_on(link);
	if (!link->closing && !link->job)
		conn_resume(link->conn);
}

static void say_continue(struct link *link);

static void job_wanted(void *ctx)
{
	struct link *link = ctx;

	CHECK_OBJ(link, LINK_MAGIC);
	if (link->expects)
		say_continue(link);
	link->expects = 0;
	if (link->closing || !link->upload_left)
		return;
	set_timer(link, link->server->settings.body_ms);
	conn_resume(link->conn);
}

static void stream_over(void *ctx, int reason)
{
	struct link *link = ctx;

	CHECK_OBJ(link, LINK_MAGIC);
	link_close(link, reason, reason == REASON_LEG_CLOSED ? CONN_FLUSH : CONN_DROP);
}

static void job_stays(void *ctx, struct event_stream *stream)
{
	struct link *link = ctx;

	CHECK_OBJ(link, LINK_MAGIC);
	link->job = NULL;
	link->uncredited = 0;
	link->stream = stream;
	event_stream_attach(stream, link->conn, stream_over, link);
	if (link->server->stopping)
		link_close(link, REASON_NODE_STOPPED, CONN_FLUSH);
	else
		conn_resume(link->conn);
}

static const struct http_job_events job_events = {
	job_bytes, job_wanted, job_ended, job_stays};

static void hand_over(struct link *link)
{
	const struct http_server *server = link->server;
	struct request *request = link->request;
	struct http_job_plan plan = {.box = worker_box(server->worker),
		.office = server->office,
		.address = link->conn->address,
		.stalled_ms = server->settings.stalled_ms,
		.handler = server->handler,
		.handler_ctx = server->ctx,
		.events = &job_events,
		.ctx = link};

	link->request = NULL;
	link->continued = 0;
	link->upload_left = request->upload;
	link->expects = request->upload && request->expects;
	evtimer_del(link->timer);
	conn_pause(link->conn);
	int status = http_job_start(&plan, request, &link->job);
	if (status)
		link_close(link, -status, CONN_DROP);
}

static void say_continue(struct link *link)
{
	static const char text[] = "HTTP/1.1 100 Continue\r\n\r\n";

	if (conn_write(link->conn, (const uint8_t *)text, sizeof(text) - 1))
		link_close(link, REASON_LIMIT, CONN_DROP);
}

static void send_continue(struct link *link)
{
	if (!link->request->expects || link->continued)
		return;
	link->continued = 1;
	say_continue(link);
}

/* Bytes of an upload, for the handler or, when it is gone, for nobody. Returns how many were its. */
static size_t take_upload(struct link *link, const uint8_t *bytes, size_t len)
{
	size_t used = len < link->upload_left ? len : link->upload_left;

	if (!used)
		return 0;
	link->expects = 0; /* it did not wait */
	link->upload_left -= used;
	int status = link->job ? http_job_push(link->job, bytes, used) : 0;
	if (status < 0) {
		link_close(link, -status, CONN_DROP);
	} else if (link->job && (status || !link->upload_left)) {
		conn_pause(link->conn);
		evtimer_del(link->timer);
	} else if (link->job) {
		set_timer(link, link->server->settings.body_ms);
	} else if (!link->upload_left && !link->keep) {
		link_close(link, REASON_LEG_CLOSED, CONN_FLUSH);
	} else if (!link->upload_left) {
		set_timer(link, link->server->settings.idle_ms);
	}
	return used;
}

/* Returns how many bytes were used; the rest belongs to the next request. */
static size_t feed(struct link *link, const uint8_t *bytes, size_t len)
{
	size_t used = 0;

	if (!link->request) {
		if (request_new(&link->request)) {
			link_close(link, REASON_NO_MEMORY, CONN_DROP);
			return len;
		}
		set_timer(link, link->server->settings.header_ms);
	}
	int had_head = link->request->head_done;
	int status = request_feed(link->request, bytes, len, &used);
	if (status == REQUEST_DONE || status == REQUEST_UPLOAD) {
		hand_over(link);
	} else if (status < 0) {
		refuse(link, link->request->status ? link->request->status : 503);
		return len;
	} else if (link->request->head_done) {
		if (!had_head)
			set_timer(link, link->server->settings.body_ms);
		send_continue(link);
	}
	return used;
}

/* What can be taken now; 0: it has to wait for the end of an answer. */
static size_t take_some(struct link *link, const uint8_t *bytes, size_t len)
{
	if (link->upload_left)
		return take_upload(link, bytes, len);
	return link->job ? 0 : feed(link, bytes, len);
}

/* Takes up what was sent ahead of the last answer. */
static void read_on(struct link *link)
{
	while (!link->closing && buf_len(&link->ahead)) {
		size_t used =
			take_some(link, buf_head(&link->ahead), buf_len(&link->ahead));
		if (!used)
			break;
		buf_drain(&link->ahead, used);
	}
	buf_release(&link->ahead);
}

static size_t on_bytes(void *ctx, const uint8_t *bytes, size_t len)
{
	struct link *link = ctx;
	size_t used = 0, some = 1;

	CHECK_OBJ(link, LINK_MAGIC);
	if (link->stream) {
		/* Nothing more can be asked here. */
		if (!link->closing)
			link_close(link, REASON_PROTOCOL, CONN_DROP);
		return len;
	}
	for (; some && used < len && !link->closing; used += some)
		some = take_some(link, bytes + used, len - used);
	if (used < len && !link->closing &&
		buf_append(&link->ahead, bytes + used, len - used))
		link_close(link, REASON_LIMIT, CONN_DROP);
	return len;
}

static void on_room(void *ctx)
{
	struct link *link = ctx;
	size_t len = link->uncredited;

	link->uncredited = 0;
	if (link->job && len)
		http_job_credit(link->job, len);
}

static void on_closed(void *ctx, int reason UNUSED)
{
	struct link *link = ctx;

	CHECK_OBJ(link, LINK_MAGIC);
	link->closing = 1;
	evtimer_del(link->timer);
	if (link->job) {
		http_job_abandon(link->job);
		link->job = NULL;
	}
	link->stream = event_stream_free(link->stream);
	list_remove(&link->node);
	link->server->count--;
	link->freeing.run = link_free;
	worker_defer(link->server->worker, &link->freeing);
}

static const struct conn_events conn_events = {on_bytes, on_room, on_closed};

static void on_time(evutil_socket_t fd UNUSED, short what UNUSED, void *ctx)
{
	struct link *link = ctx;

	CHECK_OBJ(link, LINK_MAGIC);
	if (link->request)
		refuse(link, 408);
	else
		link_close(link, REASON_TIMEOUT, CONN_DROP);
}

int http_server_new(struct worker *worker, struct office *office,
	const struct http_server_settings *settings, http_server_handler handler,
	void *ctx, struct http_server **ret)
{
	struct http_server *server = calloc(1, sizeof(*server));
	if (!server)
		return -REASON_NO_MEMORY;
	server->worker = worker;
	server->office = office;
	server->settings = *settings;
	server->handler = handler;
	server->ctx = ctx;
	list_init(&server->links);
	*ret = server;
	return 0;
}

static struct link *link_new(struct http_server *server, struct conn *conn)
{
	struct link *link = calloc(1, sizeof(*link));
	if (!link)
		return NULL;
	link->timer = evtimer_new(worker_base(server->worker), on_time, link);
	if (!link->timer) {
		free(link);
		return NULL;
	}
	link->magic = LINK_MAGIC;
	link->server = server;
	link->conn = conn;
	buf_init(&link->ahead, AHEAD_MAX);
	list_add_tail(&server->links, &link->node);
	return link;
}

static void ignore_closed(void *ctx UNUSED, int reason UNUSED)
{
}

static size_t ignore_bytes(void *ctx UNUSED, const uint8_t *bytes UNUSED, size_t len)
{
	return len;
}

static void ignore_room(void *ctx UNUSED)
{
}

static const struct conn_events nobody = {ignore_bytes, ignore_room, ignore_closed};

void http_server_accept(struct http_server *server, struct conn *conn)
{
	struct link *link = NULL;

	if (!server->stopping && server->count < server->settings.connections)
		link = link_new(server, conn);
	if (!link) {
		conn_listen(conn, &nobody, NULL);
		conn_close(conn, REASON_BUSY, CONN_DROP);
		return;
	}
	server->count++;
	conn_listen(conn, &conn_events, link);
	set_timer(link, server->settings.idle_ms);
}

void http_server_set(struct http_server *server,
	const struct http_server_settings *settings)
{
	server->settings = *settings;
}

void http_server_stop(struct http_server *server, enum http_server_stop how)
{
	server->stopping = 1;
	LIST_EACH(node, &server->links)
	{
		struct link *link = LIST_ENTRY(node, struct link, node);
		if (!link->job || how == HTTP_SERVER_NOW)
			link_close(link, REASON_NODE_STOPPED,
				link->closing ? CONN_DROP : CONN_FLUSH);
	}
}

struct http_server *http_server_free(struct http_server *server)
{
	if (server)
		CHECK(list_empty(&server->links));
	free(server);
	return NULL;
}
