#include "desktop/desktop_thread.h"

#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/reason.h"
#include "clipboard/x11_clipboard.h"
#include "input/held.h"
#include "input/x11_inject.h"
#include "link/gate.h"
#include "rfb/pacer.h"
#include "rfb/rfb_picture.h"
#include "rfb/rfb_server.h"
#include "screen/source.h"
#include "screen/watermark.h"

#define ECHO_US 300000 /* a small change so soon after a key is its echo */
#define ECHO_PIXELS 32768
#define PARTIAL_US 5000 /* the rest of a message is looked for so often */
#define REST_US 250000  /* as in the pacer: what is mended must have rested */
#define STREAM_ROOM                                                                      \
	(256 * 1024) /* bytes: well below what write(2) would have to wait for */
#define STREAM_US 1000
#define POINTER_US 50000 /* the place of the pointer is looked up so often */

struct desktop_thread {
	struct desktop_outbox *outbox;
	pthread_t thread;
	int runs, wake_fd;
	atomic_llong input_ms;

	pthread_mutex_t lock; /* everything from here to the next blank line */
	struct desktop_order *first, **last;
	int current_probe; /* of the newest stream; -1: none */
	int width, height;

	struct source *source;
	struct x11_inject *inject;       /* NULL: the source takes input */
	struct x11_clipboard *clipboard; /* NULL: the source has one */
	struct rfb_server *server;
	struct pacer pacer;
	struct held held;
	struct gate *gate; /* NULL: no stream */
	int probe;
	uint32_t rights, flags;
	size_t clip_most;            /* bytes of UTF-8 that may be copied, either way */
	struct watermark *watermark; /* NULL: none */
	int damaged, all_damaged, partial, lost;
	int busy; /* this turn may have talked to an X server: look again before sleeping */
	int64_t key_us, pointer_us;
};

static int may(const struct desktop_thread *thread, enum desktop_right right)
{
	return thread->gate && (thread->rights & right) != 0;
}

static void tell(struct desktop_thread *thread, enum desktop_event_kind kind, int reason)
{
	struct desktop_event event = {
		.kind = kind, .reason = reason < 0 ? -reason : reason};
	desktop_events_put(thread->outbox, &event);
}

/* ---- input ---- */

static void apply_key(struct desktop_thread *thread, uint32_t keysym, int down)
{
	if (thread->inject)
		x11_inject_key(thread->inject, keysym, down);
	else
		thread->source->ops->key(thread->source, keysym, down);
}

static void apply_pointer(struct desktop_thread *thread, int x, int y, uint32_t buttons)
{
	if (thread->inject)
		x11_inject_pointer(thread->inject, x, y, buttons);
	else
		thread->source->ops->pointer(thread->source, x, y, buttons);
}

/* Whether it is permitted or not: somebody is there. */
static void note_input(struct desktop_thread *thread)
{
	atomic_store(&thread->input_ms, clock_mono_ms());
}

static void on_key(void *ctx, uint32_t keysym, int down)
{
	struct desktop_thread *thread = ctx;
	note_input(thread);
	if (!may(thread, DESKTOP_CONTROL) || !held_key(&thread->held, keysym, down))
		return;
	thread->busy = 1;
	thread->key_us = clock_mono_us();
	apply_key(thread, keysym, down);
}

static void on_pointer(void *ctx, int x, int y, uint32_t buttons)
{
	struct desktop_thread *thread = ctx;
	note_input(thread);
	if (!may(thread, DESKTOP_CONTROL))
		return;
	held_pointer(&thread->held, x, y, buttons);
	apply_pointer(thread, x, y, buttons);
}

static void lift_key(void *ctx, uint32_t keysym)
{
	apply_key(ctx, keysym, 0);
}

static void lift_buttons(void *ctx, int x, int y)
{
	apply_pointer(ctx, x, y, 0);
}

static void let_go(struct desktop_thread *thread)
{
	const struct held_release release = {lift_key, lift_buttons, thread};
	held_release(&thread->held, &release);
}

/* ---- clipboard ---- */

/* Too large is told, so that nobody takes it for a fault. */
static int fits(struct desktop_thread *thread, size_t len)
{
	if (len <= thread->clip_most)
		return 1;
	tell(thread, DESKTOP_EV_CLIP_TOO_LARGE, 0);
	return 0;
}

static void to_host(struct desktop_thread *thread, const char *text, size_t len)
{
	note_input(thread);
	if (!may(thread, DESKTOP_CLIP_TO_HOST) || !fits(thread, len))
		return;
	thread->busy = 1;
	if (!thread->clipboard)
		thread->source->ops->set_cut_text(thread->source, text, len);
	else if (x11_clipboard_set(thread->clipboard, text, len) < 0)
		log_line(LOG_WARN, "clipboard not set", LOG_U("bytes", len));
}

static void on_cut_text(void *ctx, const char *text, size_t len)
{
	struct desktop_thread *thread = ctx;
	if (thread->flags & DESKTOP_RFB_CLIPBOARD)
		to_host(thread, text, len);
}

static void to_viewer(void *ctx, const char *text, size_t len)
{
	struct desktop_thread *thread = ctx;
	struct desktop_event event = {
		.kind = DESKTOP_EV_CLIPBOARD, .text = text, .len = len};
	if (!may(thread, DESKTOP_CLIP_TO_VIEWER) || !fits(thread, len))
		return;
	desktop_events_put(thread->outbox, &event);
	if (thread->flags & DESKTOP_RFB_CLIPBOARD)
		rfb_server_cut_text(thread->server, text, len);
}

static void source_text(struct desktop_thread *thread)
{
	size_t len;
	const char *text = thread->source->ops->cut_text
				   ? thread->source->ops->cut_text(thread->source, &len)
				   : NULL;
	if (text)
		to_viewer(thread, text, len);
}

/* ---- the stream ---- */

static void apply_rights(struct desktop_thread *thread)
{
	if (!may(thread, DESKTOP_CONTROL))
		let_go(thread);
	if (thread->clipboard)
		x11_clipboard_watch(thread->clipboard, may(thread, DESKTOP_CLIP_TO_VIEWER)
							       ? X11_CLIPBOARD_WATCHING
							       : X11_CLIPBOARD_BLIND);
}

static void end_stream(struct desktop_thread *thread)
{
	if (!thread->gate)
		return;
	rfb_server_close(thread->server);
	thread->gate = gate_unref(thread->gate);
	thread->rights = thread->flags = 0;
	thread->partial = 0;
	pthread_mutex_lock(&thread->lock);
	if (thread->current_probe == thread->probe)
		thread->current_probe = -1;
	close(thread->probe);
	pthread_mutex_unlock(&thread->lock);
	thread->probe = -1;
	thread->busy = 1;
	apply_rights(thread);
}

static void fail_stream(struct desktop_thread *thread, int reason)
{
	end_stream(thread);
	tell(thread, DESKTOP_EV_STREAM_ENDED, reason);
}

static void begin_stream(struct desktop_thread *thread, struct desktop_order *order)
{
	end_stream(thread);
	thread->gate = order->gate;
	thread->probe = order->probe;
	thread->rights = order->rights;
	thread->flags = order->flags;
	pacer_init(&thread->pacer);
	thread->all_damaged = 1;
	int r = thread->lost ? -REASON_NO_DISPLAY : 0;
	if (r < 0)
		close(order->fd);
	else
		r = rfb_server_open(thread->server, order->fd);
	if (r < 0)
		fail_stream(thread, r);
	else
		apply_rights(thread);
}

/* ---- orders ---- */

static struct desktop_order *take_orders(struct desktop_thread *thread)
{
	eventfd_t count;
	eventfd_read(thread->wake_fd, &count);
	pthread_mutex_lock(&thread->lock);
	struct desktop_order *list = thread->first;
	thread->first = NULL;
	thread->last = &thread->first;
	pthread_mutex_unlock(&thread->lock);
	return list;
}

static void drop_order(struct desktop_order *order)
{
	if (order->kind == ORDER_OPEN) {
		close(order->fd);
		close(order->probe);
		gate_unref(order->gate);
	}
	watermark_free(order->watermark);
	free(order);
}

static void mark(struct desktop_thread *thread, struct watermark *watermark)
{
	watermark_free(thread->watermark);
	thread->watermark = watermark;
	thread->all_damaged = 1;
}

/* 0: stop. */
static int run_orders(struct desktop_thread *thread)
{
	int go_on = 1;
	for (struct desktop_order *order = take_orders(thread), *next; order;
		order = next) {
		next = order->next;
		thread->busy = 1;
		if (!go_on) {
			drop_order(order);
			continue;
		}
		switch (order->kind) {
		case ORDER_OPEN:
			begin_stream(thread, order);
			break;
		case ORDER_CLOSE:
			end_stream(thread);
			break;
		case ORDER_RIGHTS:
			thread->rights &= order->rights;
			apply_rights(thread);
			break;
		case ORDER_LET_GO:
			let_go(thread);
			break;
		case ORDER_CLIPBOARD:
			to_host(thread, order->text, order->len);
			break;
		case ORDER_CLIP_LIMIT:
			thread->clip_most = order->most;
			break;
		case ORDER_WATERMARK:
			mark(thread, order->watermark);
			break;
		case ORDER_STOP:
			go_on = 0;
			break;
		}
		free(order);
	}
	return go_on;
}

/* ---- the screen ---- */

static void resize(struct desktop_thread *thread)
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
	pthread_mutex_unlock(&thread->lock);
	int r = rfb_server_resize(thread->server, source->width, source->height, monitors,
		source->monitor_count);
	desktop_events_put(thread->outbox, &event);
	thread->all_damaged = 1;
	if (thread->gate && (r < 0 || rfb_server_fd(thread->server) < 0))
		fail_stream(thread, r < 0 ? r : -REASON_PROTOCOL);
}

static void show_cursor(struct desktop_thread *thread)
{
	struct source_cursor cursor;
	if (thread->source->ops->cursor(thread->source, &cursor))
		rfb_server_cursor(thread->server, cursor.width, cursor.height,
			cursor.hot_x, cursor.hot_y, cursor.argb);
	else
		rfb_server_cursor(thread->server, 0, 0, 0, 0, NULL);
}

static void lose_source(struct desktop_thread *thread)
{
	thread->lost = 1;
	log_line(LOG_WARN, "desktop lost");
	memset(&thread->held, 0, sizeof(thread->held));
	end_stream(thread);
	tell(thread, DESKTOP_EV_SOURCE_LOST,
		thread->inject ? REASON_NO_DISPLAY : REASON_VNC_UNREACHABLE);
}

static void look_at_source(struct desktop_thread *thread)
{
	if (thread->lost)
		return;
	uint32_t news = thread->source->ops->news(thread->source);
	thread->busy |= news != 0;
	if (news & SOURCE_LOST)
		return lose_source(thread);
	if (news & SOURCE_RESIZED)
		resize(thread);
	if (news & SOURCE_CURSOR)
		show_cursor(thread);
	if (news & SOURCE_CUT_TEXT)
		source_text(thread);
	if (news & SOURCE_DAMAGED)
		thread->damaged = 1;
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

static struct pacer_step decide(struct desktop_thread *thread, int64_t now_us)
{
	struct pacer_step rest = {.what = PACER_REST};
	if (!may(thread, DESKTOP_VIEW))
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

static void encode(struct desktop_thread *thread, const struct pacer_step *step,
	int64_t now_us)
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
		return fail_stream(thread, r);
	pacer_encoded(&thread->pacer, PACER_EXACT, sent[0].pixels, sent[0].bytes);
	pacer_encoded(&thread->pacer, PACER_LOSSY, sent[1].pixels, sent[1].bytes);
	if (step->capture)
		pacer_took(&thread->pacer, clock_mono_us() - now_us);
}

/* ---- the loop ---- */

static int64_t sooner(int64_t a_us, int64_t b_us)
{
	return a_us < 0 || (b_us >= 0 && b_us < a_us) ? b_us : a_us;
}

static void wait(struct desktop_thread *thread, const struct pacer_step *step,
	int64_t until_us, int64_t now_us)
{
	int wants_room = step->what == PACER_WAIT_ROOM;
	/* Whatever is written to an X server may bring events into Xlib's queue, where poll(2) does
	 * not see them. Only a turn that did nothing may sleep. */
	if (thread->busy) {
		thread->busy = 0;
		return;
	}
	/* Room in the gate, but none in the stream: nobody tells when the other end has read. */
	if (wants_room && gate_want(thread->gate, step->want) >= step->want)
		until_us = sooner(until_us, now_us + STREAM_US);
	if (step->what == PACER_LATER)
		until_us = sooner(until_us, step->at_us);
	if (thread->partial)
		until_us = sooner(until_us, now_us + PARTIAL_US);
	struct pollfd fds[5] = {{thread->wake_fd, POLLIN, 0},
		{thread->lost ? -1 : thread->source->ops->fd(thread->source), POLLIN, 0},
		{thread->partial ? -1 : rfb_server_fd(thread->server), POLLIN, 0},
		{thread->clipboard ? x11_clipboard_fd(thread->clipboard) : -1, POLLIN, 0},
		{wants_room ? gate_fd(thread->gate) : -1, POLLIN, 0}};
	int64_t left_us = until_us < 0 ? 0 : until_us > now_us ? until_us - now_us : 0;
	struct timespec left = {left_us / 1000000, left_us % 1000000 * 1000};
	ppoll(fds, 5, until_us < 0 ? NULL : &left, NULL);
	if (wants_room)
		gate_clear(thread->gate);
}

static void read_viewer(struct desktop_thread *thread)
{
	if (!thread->gate)
		return;
	int r = rfb_server_read(thread->server);
	thread->partial = r == RFB_SERVER_PARTIAL;
	if (r < 0)
		fail_stream(thread, r);
}

static void *thread_main(void *ctx)
{
	struct desktop_thread *thread = ctx;
	while (run_orders(thread)) {
		look_at_source(thread);
		int64_t until_us = -1;
		if (thread->clipboard && !thread->lost)
			until_us = x11_clipboard_run(thread->clipboard, clock_mono_us());
		read_viewer(thread);
		int64_t now_us = clock_mono_us();
		struct pacer_step step = decide(thread, now_us);
		if (step.what == PACER_SEND || step.what == PACER_MEND)
			encode(thread, &step, now_us);
		else
			wait(thread, &step, until_us, now_us);
	}
	end_stream(thread);
	return NULL;
}

/* ---- life ---- */

static int setup(struct desktop_thread *thread, int own_input, const char *display,
	const char *name)
{
	const struct rfb_server_handlers handlers = {
		on_key, on_pointer, on_cut_text, thread};
	const struct source *source = thread->source;
	thread->wake_fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
	if (thread->wake_fd < 0)
		return -REASON_LIMIT;
	thread->width = source->width;
	thread->height = source->height;
	int r = rfb_server_new(source->width, source->height, name, &handlers,
		&thread->server);
	if (r == 0 && own_input)
		r = x11_inject_new(display, &thread->inject);
	if (r == 0 && own_input)
		r = x11_clipboard_new(display, to_viewer, thread, &thread->clipboard);
	if (r < 0)
		return r;
	resize(thread);
	show_cursor(thread);
	sigset_t all, before;
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	thread->runs = !pthread_create(&thread->thread, NULL, thread_main, thread);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	return thread->runs ? 0 : -REASON_LIMIT;
}

int desktop_thread_new(struct source *source, int own_input, const char *display,
	const char *name, struct desktop_outbox *outbox, struct desktop_thread **ret)
{
	struct desktop_thread *thread = calloc(1, sizeof(*thread));
	if (!thread) {
		source_free(source);
		return -REASON_NO_MEMORY;
	}
	thread->source = source;
	thread->outbox = outbox;
	thread->wake_fd = thread->probe = thread->current_probe = -1;
	thread->last = &thread->first;
	thread->clip_most = DESKTOP_CLIPBOARD_MAX;
	pthread_mutex_init(&thread->lock, NULL);
	int r = setup(thread, own_input, display, name);
	if (r < 0) {
		desktop_thread_free(thread);
		return r;
	}
	*ret = thread;
	return 0;
}

struct desktop_thread *desktop_thread_free(struct desktop_thread *thread)
{
	if (!thread)
		return NULL;
	if (thread->runs) {
		struct desktop_order stop = {.kind = ORDER_STOP};
		struct desktop_order *order = malloc(sizeof(*order));
		CHECK(order);
		*order = stop;
		desktop_thread_cut(thread);
		desktop_thread_put(thread, order);
		pthread_join(thread->thread, NULL);
	}
	rfb_server_free(thread->server);
	watermark_free(thread->watermark);
	x11_inject_free(thread->inject);
	x11_clipboard_free(thread->clipboard);
	source_free(thread->source);
	if (thread->wake_fd >= 0)
		close(thread->wake_fd);
	pthread_mutex_destroy(&thread->lock);
	free(thread);
	return NULL;
}

void desktop_thread_put(struct desktop_thread *thread, struct desktop_order *order)
{
	order->next = NULL;
	pthread_mutex_lock(&thread->lock);
	if (order->kind == ORDER_OPEN)
		thread->current_probe = order->probe;
	*thread->last = order;
	thread->last = &order->next;
	pthread_mutex_unlock(&thread->lock);
	eventfd_write(thread->wake_fd, 1);
}

void desktop_thread_cut(struct desktop_thread *thread)
{
	pthread_mutex_lock(&thread->lock);
	if (thread->current_probe >= 0)
		shutdown(thread->current_probe, SHUT_RDWR);
	pthread_mutex_unlock(&thread->lock);
}

int64_t desktop_thread_input_ms(struct desktop_thread *thread)
{
	return atomic_load(&thread->input_ms);
}

void desktop_thread_size(struct desktop_thread *thread, int *ret_width, int *ret_height)
{
	pthread_mutex_lock(&thread->lock);
	*ret_width = thread->width;
	*ret_height = thread->height;
	pthread_mutex_unlock(&thread->lock);
}
