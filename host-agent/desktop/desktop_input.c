#include "desktop/desktop_input.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "input/x11_inject.h"
#include "screen/source.h"

#define MIDDLE 2u /* bit of the middle button */

/* ---- into the desktop ---- */

static void key(struct desktop_input *input, uint32_t keysym, int down)
{
	input->touched = 1;
	if (input->inject)
		x11_inject_key(input->inject, keysym, down);
	else
		input->source->ops->key(input->source, keysym, down);
}

static void pointer(struct desktop_input *input, int x, int y, uint32_t buttons)
{
	input->touched = 1;
	if (input->inject)
		x11_inject_pointer(input->inject, x, y, buttons);
	else
		input->source->ops->pointer(input->source, x, y, buttons);
}

/* Only a text of ours: what a program of the office pastes from another is theirs to order. */
static int is_ours(struct desktop_input *input, unsigned from)
{
	if (!from || !input->clipboard)
		return 0;
	input->touched = 1;
	return ((from & PASTE_CLIPBOARD) &&
		       x11_clipboard_owns(input->clipboard, X11_CLIPBOARD_CLIPBOARD)) ||
	       ((from & PASTE_PRIMARY) &&
		       x11_clipboard_owns(input->clipboard, X11_CLIPBOARD_PRIMARY));
}

/* Before the program can know of it. */
static void mark(struct desktop_input *input)
{
	input->before = x11_clipboard_use(input->clipboard);
	input->told = x11_clipboard_focus(input->clipboard);
}

static void begin(struct desktop_input *input)
{
	int is_deaf = input->told && input->told == input->deaf;
	paste_begin(&input->paste, is_deaf ? PASTE_DEAF_US : input->wait_us,
		clock_mono_us());
}

static void apply_key(struct desktop_input *input, uint32_t keysym, int down)
{
	unsigned from = down ? paste_by_key(&input->held, keysym) : PASTE_NOTHING;
	if (!held_key(&input->held, keysym, down))
		return;
	if (is_ours(input, from)) {
		mark(input);
		begin(input);
	}
	key(input, keysym, down);
}

/* Some toolkits paste when the button goes down, others when it goes up. */
static void apply_pointer(struct desktop_input *input, int x, int y, uint32_t buttons)
{
	uint32_t changed = input->held.buttons ^ buttons;
	if (changed & buttons & MIDDLE) {
		input->middle = is_ours(input, PASTE_PRIMARY);
		if (input->middle)
			mark(input);
	} else if (changed & MIDDLE) {
		if (input->middle)
			begin(input);
		input->middle = 0;
	}
	held_pointer(&input->held, x, y, buttons);
	pointer(input, x, y, buttons);
}

static void apply_text(struct desktop_input *input, const char *text, size_t len)
{
	input->touched = 1;
	if (!input->clipboard)
		input->source->ops->set_cut_text(input->source, text, len);
	else if (x11_clipboard_set(input->clipboard, text, len) < 0)
		log_line(LOG_WARN, "clipboard not set", LOG_U("bytes", len));
}

static void apply(struct desktop_input *input, const struct paste_input *one)
{
	switch (one->kind) {
	case PASTE_KEY:
		apply_key(input, one->keysym, one->down);
		break;
	case PASTE_POINTER:
		apply_pointer(input, one->x, one->y, one->buttons);
		break;
	case PASTE_TEXT:
		apply_text(input, one->text, one->len);
		break;
	}
}

/* ---- behind a paste ---- */

static void flow(struct desktop_input *input)
{
	struct paste_input one;
	paste_end(&input->paste);
	while (paste_take(&input->paste, &one)) {
		apply(input, &one);
		free(one.text);
		paste_end(&input->paste);
	}
}

/* 0: it is to be applied now. */
static int put(struct desktop_input *input, const struct paste_input *one)
{
	if (!input->paste.count && !paste_waits(&input->paste, clock_mono_us()))
		return 0;
	if (paste_put(&input->paste, one))
		return 1;
	flow(input);
	return 0;
}

void desktop_input_key(struct desktop_input *input, uint32_t keysym, int down)
{
	const struct paste_input one = {
		.kind = PASTE_KEY, .keysym = keysym, .down = down};
	if (!put(input, &one))
		apply(input, &one);
}

void desktop_input_pointer(struct desktop_input *input, int x, int y, uint32_t buttons)
{
	const struct paste_input one = {
		.kind = PASTE_POINTER, .x = x, .y = y, .buttons = buttons};
	if (!put(input, &one))
		apply(input, &one);
}

void desktop_input_text(struct desktop_input *input, const char *text, size_t len)
{
	char *copy = strndup(text, len);
	const struct paste_input one = {.kind = PASTE_TEXT, .text = copy, .len = len};
	if (!copy || !put(input, &one)) {
		apply_text(input, text, len);
		free(copy);
	}
}

/* A key that pastes in one program is a key like others in another, a terminal's Ctrl+V for example. */
static void give_up(struct desktop_input *input)
{
	paste_end(&input->paste);
	if (input->deaf == input->told)
		return;
	input->deaf = input->told;
	log_line(LOG_INFO, "paste not asked for");
}

static void look_at_clipboard(struct desktop_input *input, int64_t now_us)
{
	if (!input->clipboard || !input->paste.until_us)
		return;
	struct x11_clipboard_use now = x11_clipboard_use(input->clipboard);
	if (now.asked != input->before.asked && input->deaf == input->told)
		input->deaf = 0;
	if (now.served != input->before.served)
		paste_end(&input->paste);
	else if (now.asked != input->before.asked)
		paste_asked(&input->paste, now_us);
	input->before = now;
	if (input->paste.until_us && !paste_waits(&input->paste, now_us))
		give_up(input);
}

int64_t desktop_input_run(struct desktop_input *input, int64_t now_us)
{
	struct paste_input one;
	look_at_clipboard(input, now_us);
	while (!paste_waits(&input->paste, now_us) && paste_take(&input->paste, &one)) {
		apply(input, &one);
		free(one.text);
	}
	return paste_until_us(&input->paste);
}

/* ---- the end ---- */

static void lift_key(void *ctx, uint32_t keysym)
{
	key(ctx, keysym, 0);
}

static void lift_buttons(void *ctx, int x, int y)
{
	pointer(ctx, x, y, 0);
}

static void lift(struct desktop_input *input)
{
	const struct held_release release = {lift_key, lift_buttons, input};
	held_release(&input->held, &release);
	input->middle = 0;
}

void desktop_input_let_go(struct desktop_input *input)
{
	flow(input);
	lift(input);
}

void desktop_input_drop(struct desktop_input *input)
{
	paste_empty(&input->paste);
	lift(input);
}

void desktop_input_forget(struct desktop_input *input)
{
	paste_empty(&input->paste);
	memset(&input->held, 0, sizeof(input->held));
	input->middle = 0;
}
