#include "http/page_server.h"

#include <event2/event.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/list.h"
#include "base/reason.h"
#include "http/exchange.h"
#include "http/problem.h"
#include "http/request.h"
#include "net/conn.h"
#include "net/worker.h"

#define VISIT_MAGIC 0x76697369u

struct page_server {
	struct worker *worker;
	struct page_server_settings settings;
	const struct page_server_events *events;
	void *ctx;
	struct list visits;
	int stopping;
};

/* One connection. */
struct visit {
	uint32_t magic;
	struct list node;
	struct page_server *server;
	struct conn *conn; /* NULL once it is a leg's */
	struct event *timer;
	struct request *request;
	int64_t ends_ms; /* monotonic */
	int closing;
	struct post_item freeing;
};

static void visit_free(struct post_item *item)
{
	struct visit *visit =
		(struct visit *)((char *)item - offsetof(struct visit, freeing));

	CHECK_OBJ(visit, VISIT_MAGIC);
	visit->magic = 0;
	request_free(visit->request);
	event_free(visit->timer);
	free(visit);
}

static void visit_end(struct visit *visit)
{
	evtimer_del(visit->timer);
	list_remove(&visit->node);
	visit->freeing.run = visit_free;
	worker_defer(visit->server->worker, &visit->freeing);
}

static void wait_for_more(struct visit *visit)
{
	int64_t ms = visit->server->settings.idle_ms;
	struct timeval time = {ms / 1000, ms % 1000 * 1000};
	evtimer_add(visit->timer, &time);
}

static void visit_close(struct visit *visit, int reason, enum conn_flush flush)
{
	visit->closing = 1;
	conn_close(visit->conn, reason, flush);
}

static int write_now(void *ctx, const void *bytes, size_t len)
{
	struct visit *visit = ctx;
	return conn_write(visit->conn, bytes, len);
}

/* 0: the connection may ask again. */
static int answer_file(struct visit *visit)
{
	const struct assets *assets = visit->server->settings.assets;
	struct exchange exchange;

	exchange_init(&exchange, visit->request, visit->conn->address, write_now, visit);
	if (!assets ||
		(!assets_answer(assets, &exchange) && !assets_missing(assets, &exchange)))
		exchange_problem(&exchange, REASON_NOT_FOUND, "no such path");
	int keep = exchange.keep && !exchange.broken;
	exchange_done(&exchange);
	return keep ? 0 : -1;
}

static void answer_problem(struct visit *visit, int status)
{
	struct exchange exchange;

	exchange_init(&exchange, visit->request, visit->conn->address, write_now, visit);
	exchange.keep = 0;
	if (status == 426)
		exchange_header(&exchange, "Sec-WebSocket-Version", "13");
	exchange_problem_as(&exchange, status,
		status == 403 ? REASON_CROSS_SITE : problem_reason(status), NULL);
	exchange_done(&exchange);
	visit_close(visit, REASON_PROTOCOL, CONN_FLUSH);
}

static void upgrade(struct visit *visit)
{
	struct page_server *server = visit->server;
	char answer[WS_UPGRADE_ANSWER];
	int status = ws_upgrade_answer(visit->request, &server->settings.rules, answer);

	if (status != 101) {
		answer_problem(visit, status);
	} else if (conn_write(visit->conn, (const uint8_t *)answer, strlen(answer))) {
		visit_close(visit, REASON_LIMIT, CONN_DROP);
	} else {
		struct conn *conn = visit->conn;
		visit->conn = NULL;
		visit_end(visit);
		server->events->upgraded(server->ctx, conn);
	}
}

static void answer(struct visit *visit)
{
	const struct request *request = visit->request;

	if (request->body_len) {
		answer_problem(visit, 413);
	} else if (!strcmp(request->path, visit->server->settings.leg_path)) {
		upgrade(visit);
		return;
	} else if (answer_file(visit) || clock_mono_ms() >= visit->ends_ms) {
		visit_close(visit, REASON_LEG_CLOSED, CONN_FLUSH);
	}
	visit->request = request_free(visit->request);
	if (!visit->closing)
		wait_for_more(visit);
}

/* Returns how many bytes were used; 0: none of them any more. */
static size_t feed(struct visit *visit, const uint8_t *bytes, size_t len)
{
	size_t used = 0;

	if (!visit->request && request_new(&visit->request)) {
		visit_close(visit, REASON_NO_MEMORY, CONN_DROP);
		return 0;
	}
	int status = request_feed(visit->request, bytes, len, &used);
	if (status < 0)
		answer_problem(visit,
			visit->request->status ? visit->request->status : 503);
	else if (status == REQUEST_UPLOAD)
		answer_problem(visit, 413);
	else if (status == REQUEST_DONE)
		answer(visit);
	return used;
}

static size_t on_bytes(void *ctx, const uint8_t *bytes, size_t len)
{
	struct visit *visit = ctx;

	CHECK_OBJ(visit, VISIT_MAGIC);
	for (size_t used = 0, some = 1; some && used < len; used += some) {
		if (visit->closing)
			break;
		if (!visit->conn) /* a browser waits for the 101 before it goes on */
			return used;
		some = feed(visit, bytes + used, len - used);
	}
	return len;
}

static void on_room(void *ctx UNUSED)
{
}

static void on_closed(void *ctx, int reason)
{
	struct visit *visit = ctx;
	struct page_server *server = visit->server;

	CHECK_OBJ(visit, VISIT_MAGIC);
	server->events->closed(server->ctx, visit->conn->address, reason);
	visit_end(visit);
}

static const struct conn_events conn_events = {on_bytes, on_room, on_closed};

static void on_time(evutil_socket_t fd UNUSED, short what UNUSED, void *ctx)
{
	struct visit *visit = ctx;

	CHECK_OBJ(visit, VISIT_MAGIC);
	/* A slow line may still be taking a file. Browsers keep connections, and open some before they
	 * know what for: only half a request looks like somebody who wants to cost us something. */
	if (conn_queued(visit->conn) && clock_mono_ms() < visit->ends_ms)
		wait_for_more(visit);
	else
		visit_close(visit, visit->request ? REASON_TIMEOUT : REASON_LEG_CLOSED,
			CONN_DROP);
}

int page_server_new(struct worker *worker, const struct page_server_settings *settings,
	const struct page_server_events *events, void *ctx, struct page_server **ret)
{
	struct page_server *server = calloc(1, sizeof(*server));

	if (!server)
		return -REASON_NO_MEMORY;
	server->worker = worker;
	server->settings = *settings;
	server->events = events;
	server->ctx = ctx;
	list_init(&server->visits);
	*ret = server;
	return 0;
}

static struct visit *visit_new(struct page_server *server, struct conn *conn)
{
	struct visit *visit = calloc(1, sizeof(*visit));

	if (!visit)
		return NULL;
	visit->timer = evtimer_new(worker_base(server->worker), on_time, visit);
	if (!visit->timer) {
		free(visit);
		return NULL;
	}
	visit->magic = VISIT_MAGIC;
	visit->server = server;
	visit->conn = conn;
	list_add_tail(&server->visits, &visit->node);
	return visit;
}

/* There is no memory for it: it is nobody's. */
static size_t drop_bytes(void *ctx UNUSED, const uint8_t *bytes UNUSED, size_t len)
{
	return len;
}

static void drop_closed(void *ctx UNUSED, int reason UNUSED)
{
}

static const struct conn_events nobody = {drop_bytes, on_room, drop_closed};

void page_server_accept(struct page_server *server, struct conn *conn)
{
	struct visit *visit = server->stopping ? NULL : visit_new(server, conn);

	if (!visit) {
		conn_listen(conn, &nobody, NULL);
		server->events->closed(server->ctx, conn->address, REASON_BUSY);
		conn_close(conn, REASON_BUSY, CONN_DROP);
		return;
	}
	conn_listen(conn, &conn_events, visit);
	visit->ends_ms = clock_mono_ms() + server->settings.whole_ms;
	wait_for_more(visit);
}

void page_server_stop(struct page_server *server)
{
	server->stopping = 1;
	LIST_EACH(node, &server->visits)
	{
		struct visit *visit = LIST_ENTRY(node, struct visit, node);
		visit_close(visit, REASON_NODE_STOPPED, CONN_DROP);
	}
}

struct page_server *page_server_free(struct page_server *server)
{
	if (server)
		CHECK(list_empty(&server->visits));
	free(server);
	return NULL;
}
