/* Keys, pointer and clipboard between the viewer and the desktop, each as far as it may. */
#include "base/clock.h"
#include "base/log.h"
#include "base/reason.h"
#include "clipboard/x11_clipboard.h"
#include "desktop/desktop_thread_inside.h"
#include "input/x11_inject.h"
#include "rfb/rfb_server.h"

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

void desktop_thread_input_key(void *ctx, uint32_t keysym, int down)
{
	struct desktop_thread *thread = ctx;
	note_input(thread);
	if (!desktop_thread_may(thread, DESKTOP_CONTROL) ||
		!held_key(&thread->held, keysym, down))
		return;
	thread->busy = 1;
	thread->key_us = clock_mono_us();
	apply_key(thread, keysym, down);
}

void desktop_thread_input_pointer(void *ctx, int x, int y, uint32_t buttons)
{
	struct desktop_thread *thread = ctx;
	note_input(thread);
	if (!desktop_thread_may(thread, DESKTOP_CONTROL))
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

void desktop_thread_input_let_go(struct desktop_thread *thread)
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
	desktop_thread_tell(thread, DESKTOP_EV_CLIP_TOO_LARGE, 0);
	return 0;
}

void desktop_thread_input_text(struct desktop_thread *thread, const char *text,
	size_t len)
{
	note_input(thread);
	if (!desktop_thread_may(thread, DESKTOP_CLIP_TO_HOST) || !fits(thread, len))
		return;
	thread->busy = 1;
	if (!thread->clipboard)
		thread->source->ops->set_cut_text(thread->source, text, len);
	else if (x11_clipboard_set(thread->clipboard, text, len) < 0)
		log_line(LOG_WARN, "clipboard not set", LOG_U("bytes", len));
}

void desktop_thread_input_cut_text(void *ctx, const char *text, size_t len)
{
	struct desktop_thread *thread = ctx;
	if (thread->flags & DESKTOP_RFB_CLIPBOARD)
		desktop_thread_input_text(thread, text, len);
}

void desktop_thread_input_to_viewer(void *ctx, const char *text, size_t len)
{
	struct desktop_thread *thread = ctx;
	struct desktop_event event = {
		.kind = DESKTOP_EV_CLIPBOARD, .text = text, .len = len};
	if (!desktop_thread_may(thread, DESKTOP_CLIP_TO_VIEWER) || !fits(thread, len))
		return;
	desktop_events_put(thread->outbox, &event);
	if (thread->flags & DESKTOP_RFB_CLIPBOARD)
		rfb_server_cut_text(thread->server, text, len);
}

void desktop_thread_input_source_text(struct desktop_thread *thread)
{
	size_t len;
	const char *text = thread->source->ops->cut_text
				   ? thread->source->ops->cut_text(thread->source, &len)
				   : NULL;
	if (text)
		desktop_thread_input_to_viewer(thread, text, len);
}
