/* Keys, pointer and clipboard between the viewer and the desktop, each as far as it may. */
#include "base/clock.h"
#include "base/reason.h"
#include "desktop/desktop_thread_inside.h"
#include "rfb/rfb_server.h"

/* ---- input ---- */

/* Whether it is permitted or not: somebody is there. */
static void note_input(struct desktop_thread *thread)
{
	atomic_store(&thread->input_ms, clock_mono_ms());
}

void desktop_thread_input_key(void *ctx, uint32_t keysym, int down)
{
	struct desktop_thread *thread = ctx;
	desktop_thread_catch_up(thread);
	note_input(thread);
	if (!desktop_thread_may(thread, DESKTOP_CONTROL))
		return;
	thread->key_us = clock_mono_us();
	desktop_input_key(&thread->input, keysym, down);
}

void desktop_thread_input_pointer(void *ctx, int x, int y, uint32_t buttons)
{
	struct desktop_thread *thread = ctx;
	desktop_thread_catch_up(thread);
	note_input(thread);
	if (!desktop_thread_may(thread, DESKTOP_CONTROL))
		return;
	desktop_input_pointer(&thread->input, x, y, buttons);
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
	desktop_input_text(&thread->input, text, len);
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
