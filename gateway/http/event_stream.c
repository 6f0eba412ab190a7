#include "http/event_stream.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/list.h"
#include "base/reason.h"
#include "net/conn.h"
#include "net/worker.h"

#define STREAMS_MAGIC 0x5e5eca57
#define STREAM_MAGIC 0x5e5e57ea
#define TICK_MS 1000

struct event_streams {
	uint32_t magic;
	struct worker *worker;
	struct worker_timer *timer;
	struct list streams; /* those that have their connection */
	atomic_int count;    /* these and those on their way from the office */
};

struct event_stream {
	uint32_t magic;
	struct event_streams *streams;
	struct event_listener listener;
	struct list node; /* once it has a connection */
	struct conn *conn;
	void (*over)(void *ctx, int reason);
	void *ctx;
	int64_t ends_ms, beat_ms; /* monotonic */
	int renewed, ended;
};

static void end(struct event_stream *stream, int reason)
{
	stream->ended = 1;
	stream->over(stream->ctx, reason);
}

static void send(struct event_stream *stream, const char *text)
{
	size_t len = strlen(text);

	if (stream->ended)
		return;
	if (conn_queued(stream->conn) + len > EVENT_STREAM_QUEUE) {
		end(stream, REASON_SLOW_READER);
		return;
	}
	int status = conn_write(stream->conn, (const uint8_t *)text, len);
	if (status)
		end(stream, -status);
	else
		stream->beat_ms = clock_mono_ms() + EVENT_STREAM_BEAT_MS;
}

static void look_at(struct event_stream *stream, int64_t now)
{
	if (now >= stream->ends_ms) {
		end(stream, REASON_LEG_CLOSED);
	} else if (!stream->renewed && now >= stream->ends_ms - EVENT_STREAM_RENEW_MS) {
		stream->renewed = 1;
		send(stream, "event: renew\ndata: \n\n");
	} else if (now >= stream->beat_ms) {
		send(stream, ":\n\n");
	}
}

static void tick(void *ctx)
{
	struct event_streams *streams = ctx;
	int64_t now = clock_mono_ms();

	CHECK_OBJ(streams, STREAMS_MAGIC);
	LIST_EACH(node, &streams->streams)
	{
		look_at(LIST_ENTRY(node, struct event_stream, node), now);
	}
	worker_timer_set(streams->timer, TICK_MS);
}

int event_stream_all_new(struct worker *worker, struct event_streams **ret)
{
	struct event_streams *streams = calloc(1, sizeof(*streams));

	if (!streams)
		return -REASON_NO_MEMORY;
	streams->magic = STREAMS_MAGIC;
	streams->worker = worker;
	list_init(&streams->streams);
	atomic_init(&streams->count, 0);
	*ret = streams;
	return 0;
}

struct event_streams *event_stream_all_free(struct event_streams *streams)
{
	if (!streams)
		return NULL;
	CHECK_OBJ(streams, STREAMS_MAGIC);
	CHECK(atomic_load(&streams->count) == 0);
	streams->magic = 0;
	free(streams);
	return NULL;
}

int event_stream_all_start(struct event_streams *streams)
{
	int status = worker_timer_new(streams->worker, tick, streams, &streams->timer);

	if (!status)
		worker_timer_set(streams->timer, TICK_MS);
	return status;
}

void event_stream_all_stop(struct event_streams *streams)
{
	streams->timer = worker_timer_free(streams->timer);
}

void event_stream_open(struct event_streams *streams, struct exchange *exchange,
	const struct event_listener *listener)
{
	struct event_stream *stream = NULL;

	CHECK_OBJ(streams, STREAMS_MAGIC);
	if (exchange->request->method == REQUEST_HEAD) {
		if (!exchange_open(exchange, "text/event-stream"))
			(void)!exchange_end(exchange);
		return;
	}
	if (atomic_fetch_add(&streams->count, 1) < EVENT_STREAM_MOST)
		stream = calloc(1, sizeof(*stream));
	if (!stream) {
		atomic_fetch_sub(&streams->count, 1);
		exchange_header(exchange, "Retry-After", "5");
		exchange_problem(exchange, REASON_BUSY, "live pages");
		return;
	}
	stream->magic = STREAM_MAGIC;
	stream->streams = streams;
	stream->listener = *listener;
	list_init(&stream->node);
	if (exchange_open(exchange, "text/event-stream"))
		event_stream_free(stream);
	else
		exchange_stay(exchange, stream);
}

void event_stream_attach(struct event_stream *stream, struct conn *conn,
	void (*over)(void *ctx, int reason), void *ctx)
{
	int64_t now = clock_mono_ms();

	CHECK_OBJ(stream, STREAM_MAGIC);
	stream->conn = conn;
	stream->over = over;
	stream->ctx = ctx;
	stream->ends_ms = now + EVENT_STREAM_LIFE_MS;
	stream->beat_ms = now + EVENT_STREAM_BEAT_MS;
	list_add_tail(&stream->streams->streams, &stream->node);
	/* From here on it hears everything: what the page asks for now and later misses nothing. */
	send(stream, "retry: 2000\nevent: hello\ndata: \n\n");
}

struct event_stream *event_stream_free(struct event_stream *stream)
{
	if (!stream)
		return NULL;
	CHECK_OBJ(stream, STREAM_MAGIC);
	if (stream->conn)
		list_remove(&stream->node);
	atomic_fetch_sub(&stream->streams->count, 1);
	stream->magic = 0;
	free(stream);
	return NULL;
}

static int hears(const struct event_listener *listener, const struct event *event)
{
	if (!(listener->rights & event->rights))
		return 0;
	return !*listener->tenant || event->reach == EVENT_EVERYBODY ||
	       !strcmp(listener->tenant, event->tenant);
}

void event_stream_all_send(struct event_streams *streams, const struct event *event)
{
	CHECK_OBJ(streams, STREAMS_MAGIC);
	LIST_EACH(node, &streams->streams)
	{
		struct event_stream *stream = LIST_ENTRY(node, struct event_stream, node);
		if (!hears(&stream->listener, event))
			continue;
		send(stream, "event: news\ndata: ");
		send(stream, event->json);
		send(stream, "\n\n");
	}
}

void event_stream_all_drop(struct event_streams *streams, const char *key)
{
	if (!*key)
		return; /* nobody's */
	LIST_EACH(node, &streams->streams)
	{
		struct event_stream *stream = LIST_ENTRY(node, struct event_stream, node);
		if (!strcmp(stream->listener.key, key) ||
			!strcmp(stream->listener.name, key))
			end(stream, REASON_LEG_CLOSED);
	}
}
