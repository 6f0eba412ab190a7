#include "desktop/desktop_thread.h"

#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/reason.h"
#include "clipboard/x11_clipboard.h"
#include "desktop/desktop_thread_inside.h"
#include "input/x11_inject.h"
#include "rfb/rfb_server.h"
#include "screen/watermark.h"

#define PARTIAL_US 5000 /* the rest of a message is looked for so often */
#define STREAM_US 1000

void desktop_thread_tell(struct desktop_thread *thread, enum desktop_event_kind kind,
	int reason)
{
	struct desktop_event event = {
		.kind = kind, .reason = reason < 0 ? -reason : reason};
	desktop_events_put(thread->outbox, &event);
}

/* ---- the stream ---- */

static void apply_rights(struct desktop_thread *thread)
{
	if (!desktop_thread_may(thread, DESKTOP_CONTROL))
		desktop_input_drop(&thread->input);
	if (thread->clipboard)
		x11_clipboard_watch(thread->clipboard,
			desktop_thread_may(thread, DESKTOP_CLIP_TO_VIEWER)
				? X11_CLIPBOARD_WATCHING
				: X11_CLIPBOARD_BLIND);
}

static void end_stream(struct desktop_thread *thread)
{
	if (!thread->gate)
		return;
	rfb_server_close(thread->server);
	if (desktop_thread_may(thread, DESKTOP_CONTROL))
		desktop_input_let_go(&thread->input);
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

void desktop_thread_fail(struct desktop_thread *thread, int reason)
{
	end_stream(thread);
	desktop_thread_tell(thread, DESKTOP_EV_STREAM_ENDED, reason);
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
		desktop_thread_fail(thread, r);
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

/* Takes the order over. 0: stop. */
static int run_order(struct desktop_thread *thread, struct desktop_order *order)
{
	int go_on = 1;
	thread->busy = 1;
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
		desktop_input_let_go(&thread->input);
		break;
	case ORDER_CLIPBOARD:
		desktop_thread_input_text(thread, order->text, order->len);
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
	return go_on;
}

/* 0: stop. */
static int run_orders(struct desktop_thread *thread)
{
	int go_on = 1;
	for (struct desktop_order *order = take_orders(thread), *next; order;
		order = next) {
		next = order->next;
		if (go_on)
			go_on = run_order(thread, order);
		else
			drop_order(order);
	}
	return go_on;
}

/* The oldest, when it is not about the stream itself. NULL: none. */
static struct desktop_order *take_first_within(struct desktop_thread *thread)
{
	pthread_mutex_lock(&thread->lock);
	struct desktop_order *order = thread->first;
	if (order && (order->kind == ORDER_OPEN || order->kind == ORDER_CLOSE ||
			     order->kind == ORDER_STOP))
		order = NULL;
	if (order)
		thread->first = order->next;
	if (!thread->first)
		thread->last = &thread->first;
	pthread_mutex_unlock(&thread->lock);
	return order;
}

/* Keys that paste a text come after the text, on another way. Where a text comes so close behind keys that both wait
 * here, nobody can tell any more which was first. */
void desktop_thread_catch_up(struct desktop_thread *thread)
{
	for (struct desktop_order *order; (order = take_first_within(thread));)
		run_order(thread, order);
}

/* ---- the source ---- */

static void lose_source(struct desktop_thread *thread)
{
	thread->lost = 1;
	log_line(LOG_WARN, "desktop lost");
	desktop_input_forget(&thread->input);
	end_stream(thread);
	desktop_thread_tell(thread, DESKTOP_EV_SOURCE_LOST,
		thread->input.inject ? REASON_NO_DISPLAY : REASON_VNC_UNREACHABLE);
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
		desktop_thread_picture_resize(thread);
	if (news & SOURCE_CURSOR)
		desktop_thread_picture_cursor(thread);
	if (news & SOURCE_CUT_TEXT)
		desktop_thread_input_source_text(thread);
	if (news & SOURCE_DAMAGED)
		thread->damaged = 1;
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
	if (thread->busy || thread->input.touched) {
		thread->busy = thread->input.touched = 0;
		return;
	}
	/* Room in the gate, but none in the stream: nobody tells when the other end has read. */
	if (wants_room && gate_want(thread->gate, step->want) >= step->want)
		until_us = sooner(until_us, now_us + STREAM_US);
	if (step->what == PACER_LATER)
		until_us = sooner(until_us, step->at_us);
	if (thread->gate && !thread->lost)
		until_us = sooner(until_us, now_us + SOURCE_LOOK_US);
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
		desktop_thread_fail(thread, r);
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
		if (!thread->lost)
			until_us = sooner(until_us,
				desktop_input_run(&thread->input, clock_mono_us()));
		int64_t now_us = clock_mono_us();
		struct pacer_step step = desktop_thread_picture_decide(thread, now_us);
		if (step.what == PACER_SEND || step.what == PACER_MEND)
			desktop_thread_picture_encode(thread, &step, now_us);
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
	const struct rfb_server_handlers handlers = {desktop_thread_input_key,
		desktop_thread_input_pointer, desktop_thread_input_cut_text, thread};
	const struct source *source = thread->source;
	thread->wake_fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
	if (thread->wake_fd < 0)
		return -REASON_LIMIT;
	thread->width = source->width;
	thread->height = source->height;
	int r = rfb_server_new(source->width, source->height, name, &handlers,
		&thread->server);
	if (r == 0 && own_input)
		r = x11_inject_new(display, &thread->input.inject);
	if (r == 0 && own_input)
		r = x11_clipboard_new(display, desktop_thread_input_to_viewer, thread,
			&thread->clipboard);
	if (r < 0)
		return r;
	thread->input.source = thread->source;
	thread->input.clipboard = thread->clipboard;
	desktop_thread_picture_resize(thread);
	desktop_thread_picture_cursor(thread);
	sigset_t all, before;
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	thread->runs = !pthread_create(&thread->thread, NULL, thread_main, thread);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	return thread->runs ? 0 : -REASON_LIMIT;
}

int desktop_thread_new(struct source *source, int own_input, const char *display,
	const char *name, int64_t paste_wait_ms, struct desktop_outbox *outbox,
	struct desktop_thread **ret)
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
	thread->input.wait_us = paste_wait_ms ? paste_wait_ms * 1000 : PASTE_WAIT_US;
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
	paste_empty(&thread->input.paste);
	x11_inject_free(thread->input.inject);
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

size_t desktop_thread_monitors(struct desktop_thread *thread,
	struct desktop_monitor ret[static DESKTOP_MONITORS_MAX])
{
	pthread_mutex_lock(&thread->lock);
	size_t count = thread->monitor_count;
	memcpy(ret, thread->monitors, count * sizeof(*ret));
	pthread_mutex_unlock(&thread->lock);
	return count;
}
