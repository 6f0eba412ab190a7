#include "feed.h"

#include <event2/event.h>
#include <stdlib.h>

#include "base/log.h"
#include "base/reason.h"
#include "link/tunnel.h"
#include "viewer.h"

#define FEED_MAGIC 0x46454544
#define AGAIN_MS 300

struct feed {
	uint32_t magic;
	struct decoder *decoder;
	struct viewer *viewer;
	struct event *readable, *again;
	int running;
};

static void start(struct feed *feed)
{
	int fd;
	int status = decoder_start(feed->decoder, &fd);
	if (!status)
		status = viewer_stream(feed->viewer, fd);
	if (!status) {
		feed->running = 1;
		return;
	}
	decoder_stop(feed->decoder);
	/* Without a session there is nothing to show; the next `up` starts it again. */
	if (status != -REASON_LEG_CLOSED)
		viewer_leave(feed->viewer, status);
}

static void start_soon(struct feed *feed)
{
	struct timeval wait = {0, AGAIN_MS * 1000};
	feed->running = 0;
	evtimer_add(feed->again, &wait);
}

static void on_again(evutil_socket_t fd UNUSED, short what UNUSED, void *ctx)
{
	struct feed *feed = ctx;
	CHECK_OBJ(feed, FEED_MAGIC);
	if (!feed->running)
		start(feed);
}

static void on_readable(evutil_socket_t fd UNUSED, short what UNUSED, void *ctx)
{
	struct feed *feed = ctx;
	CHECK_OBJ(feed, FEED_MAGIC);
	decoder_ready(feed->decoder);
}

int feed_new(struct feed **ret, const struct feed_config *config)
{
	struct feed *feed = calloc(1, sizeof(*feed));
	if (!feed)
		return -REASON_NO_MEMORY;
	feed->magic = FEED_MAGIC;
	const struct decoder_options options = {
		.quality = config->quality,
		.compression = config->compression,
		.events = config->events,
		.ctx = config->ctx,
	};
	int status = decoder_new(&feed->decoder, &options);
	if (status < 0) {
		free(feed);
		return status;
	}
	*ret = feed;
	return 0;
}

void feed_up(struct feed *feed, struct viewer *viewer, const struct tunnel_up *up)
{
	feed->viewer = viewer;
	if (!feed->readable) {
		struct event_base *base = viewer_base(viewer);
		feed->again = evtimer_new(base, on_again, feed);
		feed->readable = event_new(base, decoder_fd(feed->decoder),
			EV_READ | EV_PERSIST, on_readable, feed);
		if (!feed->again || !feed->readable ||
			event_add(feed->readable, NULL) < 0) {
			viewer_leave(viewer, -REASON_NO_MEMORY);
			return;
		}
	}
	if (!up->resumed || !feed->running)
		start(feed);
}

void feed_stream_closed(struct feed *feed, int reason UNUSED)
{
	if (!feed->running)
		return;
	decoder_stop(feed->decoder);
	start_soon(feed);
}

void feed_ended(struct feed *feed, enum decoder_end end, int reason)
{
	CHECK_OBJ(feed, FEED_MAGIC);
	log_line(end == DECODER_DIED ? LOG_WARN : LOG_DEBUG, "the picture decoder ended",
		LOG_S("how", end == DECODER_DIED ? "died" : "stream ended"),
		LOG_S("reason", reason_symbol(reason)));
	if (!feed->running)
		return;
	/* The child is gone: its stream at the host is of no use any more. */
	viewer_stream_stop(feed->viewer);
	start_soon(feed);
}

struct decoder *feed_decoder(struct feed *feed)
{
	return feed->decoder;
}

struct feed *feed_free(struct feed *feed)
{
	if (!feed)
		return NULL;
	CHECK_OBJ(feed, FEED_MAGIC);
	if (feed->again)
		event_free(feed->again);
	if (feed->readable)
		event_free(feed->readable);
	feed->decoder = decoder_free(feed->decoder);
	free(feed);
	return NULL;
}
