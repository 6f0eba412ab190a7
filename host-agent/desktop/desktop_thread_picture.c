/* The picture: what of the screen is captured, and when how much of it is encoded. */
#include <stdlib.h>
#include <sys/ioctl.h>

#include "base/clock.h"
#include "base/reason.h"
#include "desktop/desktop_thread_inside.h"
#include "rfb/rfb_picture.h"
#include "rfb/rfb_server.h"
#include "screen/watermark.h"

#define ECHO_US 300000 /* a small change so soon after a key is its echo */
#define ECHO_PIXELS 32768
#define REST_US 250000 /* as in the pacer: what is mended must have rested */
/* Bytes: well below what write(2) would have to wait for. */
#define STREAM_ROOM (256 * 1024)
#define POINTER_US 50000 /* the place of the pointer is looked up so often */

/* ---- the screen ---- */

_Static_assert(SOURCE_MONITORS_MAX <= DESKTOP_MONITORS_MAX, "all of them are told");

void desktop_thread_picture_resize(struct desktop_thread *thread)
{
	const struct source *source = thread->source;
	struct tiles_rect monitors[SOURCE_MONITORS_MAX];
	for (size_t i = 0; i < source->monitor_count; i++)
		monitors[i] =
			(struct tiles_rect){source->monitors[i].x, source->monitors[i].y,
				source->monitors[i].w, source->monitors[i].h};
	struct desktop_event event = {.kind = DESKTOP_EV_RESIZED,
		.width = source->width,
		.height = source->height};
	pthread_mutex_lock(&thread->lock);
	thread->width = source->width;
	thread->height = source->height;
	thread->monitor_count = source->monitor_count;
	for (size_t i = 0; i < source->monitor_count; i++)
		thread->monitors[i] = (struct desktop_monitor){source->monitors[i].x,
			source->monitors[i].y, source->monitors[i].w,
			source->monitors[i].h};
	pthread_mutex_unlock(&thread->lock);
	int r = rfb_server_resize(thread->server, source->width, source->height, monitors,
		source->monitor_count);
	desktop_events_put(thread->outbox, &event);
	thread->all_damaged = 1;
	if (thread->gate && (r < 0 || rfb_server_fd(thread->server) < 0))
		desktop_thread_fail(thread, r < 0 ? r : -REASON_PROTOCOL);
}

void desktop_thread_picture_cursor(struct desktop_thread *thread)
{
	struct source_cursor cursor;
	if (thread->source->ops->cursor(thread->source, &cursor))
		rfb_server_cursor(thread->server, cursor.width, cursor.height,
			cursor.hot_x, cursor.hot_y, cursor.argb);
	else
		rfb_server_cursor(thread->server, 0, 0, 0, 0, NULL);
}

static int smaller(const void *a, const void *b)
{
	const struct source_rect *one = a, *two = b;
	int64_t difference = (int64_t)one->w * one->h - (int64_t)two->w * two->h;
	return (difference > 0) - (difference < 0);
}

static void capture_rect(struct desktop_thread *thread, const struct source_rect *rect,
	int64_t now_us)
{
	int stride;
	const uint32_t *pixels =
		thread->source->ops->capture(thread->source, rect, &stride);
	if (pixels && thread->watermark) {
		pixels = watermark_over(thread->watermark, rect, pixels, stride);
		stride = rect->w;
	}
	if (!pixels)
		return;
	const struct tiles_rect where = {rect->x, rect->y, rect->w, rect->h};
	int echo = now_us - thread->key_us < ECHO_US &&
		   (int64_t)rect->w * rect->h <= ECHO_PIXELS;
	rfb_picture_update(thread->server, &where, pixels, stride, now_us,
		echo ? RFB_PICTURE_ECHO : RFB_PICTURE_NORMAL);
}

/* Small rectangles first: large ones are where copies are found, and those have to come last to be
 * relative to everything else. */
static void capture(struct desktop_thread *thread, int64_t now_us)
{
	struct source_rect rects[SOURCE_RECTS_MAX];
	size_t count = thread->source->ops->damage(thread->source, rects);
	if (thread->all_damaged) {
		rects[0] = (struct source_rect){
			0, 0, thread->source->width, thread->source->height};
		count = 1;
	}
	thread->damaged = thread->all_damaged = 0;
	pacer_began(&thread->pacer, now_us);
	qsort(rects, count, sizeof(rects[0]), smaller);
	for (size_t i = 0; i < count; i++)
		capture_rect(thread, &rects[i], now_us);
}

static void look_at_pointer(struct desktop_thread *thread, int64_t now_us)
{
	int x, y;
	if (now_us - thread->pointer_us < POINTER_US)
		return;
	thread->pointer_us = now_us;
	if (thread->source->ops->pointer_at(thread->source, &x, &y))
		rfb_server_pointer_at(thread->server, x, y);
}

/* ---- pacing ---- */

struct pacer_step desktop_thread_picture_decide(struct desktop_thread *thread,
	int64_t now_us)
{
	struct pacer_step rest = {.what = PACER_REST};
	if (!desktop_thread_may(thread, DESKTOP_VIEW))
		return rest;
	struct rfb_picture_state shown = rfb_picture_state(thread->server);
	if (!shown.ready)
		return rest;
	int waiting = 0;
	ioctl(thread->probe, FIONREAD, &waiting);
	gate_level(thread->gate, waiting);
	int64_t room = gate_room(thread->gate), stream_room = STREAM_ROOM - waiting;
	const struct pacer_state state = {.now_us = now_us,
		.room = room < stream_room ? room : stream_room,
		.rate = gate_rate(thread->gate),
		.damaged = thread->damaged || thread->all_damaged,
		.dirty = shown.dirty,
		.lossy = shown.lossy,
		.changed_us = shown.changed_us,
		.wish = shown.wish};
	return pacer_next(&thread->pacer, &state);
}

void desktop_thread_picture_encode(struct desktop_thread *thread,
	const struct pacer_step *step, int64_t now_us)
{
	struct rfb_picture_sent sent[2];
	if (step->capture) {
		capture(thread, now_us);
		look_at_pointer(thread, now_us);
	}
	int r = step->what == PACER_MEND ? rfb_picture_mend(thread->server, step->pixels,
						   now_us - REST_US, now_us, sent)
					 : rfb_picture_send(thread->server, step->pixels,
						   step->quality, now_us, sent);
	if (r < 0)
		return desktop_thread_fail(thread, r);
	pacer_encoded(&thread->pacer, PACER_EXACT, sent[0].pixels, sent[0].bytes);
	pacer_encoded(&thread->pacer, PACER_LOSSY, sent[1].pixels, sent[1].bytes);
	if (step->capture)
		pacer_took(&thread->pacer, clock_mono_us() - now_us);
}
