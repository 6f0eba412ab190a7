#include "face_screenshot.h"

#include <event2/event.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/log.h"
#include "base/reason.h"
#include "face.h"
#include "feed.h"
#include "link/timer.h"
#include "link/tunnel.h"
#include "screen/screenshot.h"
#include "viewer.h"

#define PICTURE_WAIT_S 30

struct face_screenshot {
	struct face face;
	struct viewer *viewer;
	struct feed *feed;
	struct event *timer;
	const char *path;
	int64_t after_ms;
	uint64_t painted; /* pixels that damage has covered so far */
	int timing;
};

static struct face_screenshot *of(struct face *face)
{
	return (struct face_screenshot *)face;
}

static void on_time(evutil_socket_t fd UNUSED, short what UNUSED, void *ctx)
{
	struct face_screenshot *self = ctx;
	if (!self->timing) {
		viewer_leave(self->viewer, -REASON_TIMEOUT);
		return;
	}
	const struct picture *picture = decoder_picture(feed_decoder(self->feed));
	viewer_leave(self->viewer, screenshot_write(self->path, picture));
}

/* The time begins when as much was painted as the picture is large. */
static void on_damage(void *ctx, const struct picture_rect *rects, size_t count)
{
	struct face_screenshot *self = ctx;
	const struct picture *picture = decoder_picture(feed_decoder(self->feed));
	for (size_t i = 0; i < count; i++)
		self->painted += (uint64_t)rects[i].w * rects[i].h;
	if (self->timing || !picture->width ||
		self->painted < (uint64_t)picture->width * picture->height)
		return;
	self->timing = 1;
	timer_arm(self->timer, self->after_ms);
}

static void on_ended(void *ctx, enum decoder_end end, int reason)
{
	struct face_screenshot *self = ctx;
	feed_ended(self->feed, end, reason);
}

static void up(struct face *face, struct viewer *viewer, const struct tunnel_up *up)
{
	struct face_screenshot *self = of(face);
	if (!self->timer) {
		self->timer = evtimer_new(viewer_base(viewer), on_time, self);
		if (!self->timer) {
			viewer_leave(viewer, -REASON_NO_MEMORY);
			return;
		}
		timer_arm(self->timer, PICTURE_WAIT_S * 1000);
	}
	feed_up(self->feed, viewer, up);
	viewer_ready(viewer, "up");
}

static void begin(struct face *face, struct viewer *viewer)
{
	of(face)->viewer = viewer;
}

static void stream_closed(struct face *face, int reason)
{
	feed_stream_closed(of(face)->feed, reason);
}

static void notice(struct face *face UNUSED, const char *en, const char *ja)
{
	log_line(LOG_INFO, "notice", LOG_S("en", en), LOG_S("ja", ja));
}

static const struct face_vtable vtable = {
	.begin = begin,
	.up = up,
	.stream_closed = stream_closed,
	.notice = notice,
};

/* Whether a file can be made there; found out before the office PC is disturbed. */
static int check_path(const char *path)
{
	char folder[4096] = ".";
	const char *slash = strrchr(path, '/');
	if (slash && (size_t)(slash - path) < sizeof(folder)) {
		memcpy(folder, path, (size_t)(slash - path));
		folder[slash - path] = 0;
	}
	return access(*folder ? folder : "/", W_OK) == 0 ? 0 : -REASON_FILE_UNWRITABLE;
}

int face_screenshot_new(struct face **ret, const char *path, int64_t after_ms)
{
	int status = check_path(path);
	if (status < 0)
		return status;
	struct face_screenshot *self = calloc(1, sizeof(*self));
	if (!self)
		return -REASON_NO_MEMORY;
	const struct feed_config config = {
		.quality = DECODER_QUALITY_LOSSLESS,
		.compression = 2,
		.events = {.damage = on_damage, .ended = on_ended},
		.ctx = self,
	};
	status = feed_new(&self->feed, &config);
	if (status < 0) {
		free(self);
		return status;
	}
	self->face.vtable = &vtable;
	self->path = path;
	self->after_ms = after_ms;
	*ret = &self->face;
	return 0;
}

struct face *face_screenshot_free(struct face *face)
{
	if (!face)
		return NULL;
	struct face_screenshot *self = of(face);
	self->timer = timer_free(self->timer);
	self->feed = feed_free(self->feed);
	free(self);
	return NULL;
}
